"""Take what ingest left to evaluate: gather, decide, apply, in one transaction."""

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
import structlog

from alerts import configuration, gather, judge, metrics, routing, store, urgency
from alerts.gather import Batch, Pending
from alerts.rules import Catalogue
from database import sql

Connection = psycopg.AsyncConnection[tuple[Any, ...]]
PATIENTS = 64
"""How many patients one transaction serves."""
ROWS = 512
"""How many readings: a patient's backlog is worked off in bites, so that urgent ones can pass."""
EACH = 8
"""Readings of one patient that a transaction reckons with."""
BRISK_S = 0.2
"""How long a transaction should take while readings queue: an urgent value waits for it."""
LEAST = 128
"""Readings that are worth a transaction of their own."""
LOOK = 2_000
URGENT = 32
"""How many patients with urgent values one transaction serves: few, so that it is quick."""
log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """What does not change while a worker runs."""

    catalogue: Catalogue
    table: routing.Table
    new_id: Callable[[], UUID] = uuid.uuid4
    patients: int = PATIENTS
    clock: Callable[[], datetime] | None = None
    """Stands in for the database's clock in tests and replays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What one transaction did."""

    rows: int = 0
    patients: int = 0
    changed: int = 0


@dataclass(slots=True)
class Backlog:
    """What one worker remembers of the queue: how far it has looked for urgent values.

    Losing it costs nothing; it only decides who comes first while there is more than one batch.
    """

    seen: int = 0
    deep: bool = False
    bite: int = ROWS
    """Readings of the next ordinary transaction."""

    def paced(self, rows: int, took_s: float) -> None:
        """Bite off what takes that long, as fast as this machine is just now."""
        self.bite = max(LEAST, min(ROWS, int(rows * BRISK_S / max(took_s, 0.001))))


async def run_once(
    connection: Connection, judging: Judging, backlog: Backlog | None = None
) -> Done:
    """Judge one batch; nothing to do returns zeros. A patient that cannot be judged is parked."""
    try:
        return await _transaction(connection, judging, judging.patients, backlog)
    except psycopg.OperationalError:
        raise
    except Exception as error:  # noqa: BLE001  # one patient's trouble must not stop the others
        log.error("batch_failed", error=_named(error))  # noqa: TRY400  # locals hold patients' values
        metrics.BATCHES_FAILED.inc()
    return await _one_by_one(connection, judging)


async def drain(connection: Connection, judging: Judging) -> Done:
    """Judge until the queue has nothing for this worker; return the sums."""
    rows = patients = changed = 0
    backlog = Backlog()
    began = time.monotonic()
    while (done := await run_once(connection, judging, backlog)).rows:
        backlog.paced(done.rows, time.monotonic() - began)
        began = time.monotonic()
        rows, patients = rows + done.rows, patients + done.patients
        changed += done.changed
    return Done(rows=rows, patients=patients, changed=changed)


async def _transaction(
    connection: Connection, judging: Judging, most: int, backlog: Backlog | None = None
) -> Done:
    async with connection.transaction():
        queued = await _urgent(connection, judging, backlog) if backlog else {}
        queued = queued or await _take(connection, most, backlog)
        if not queued:
            return Done()
        now = await moment(connection, judging)
        batch = await gather.gather(connection, queued, now=now)
        verdicts = [_judged(batch, patient, judging, now) for patient in batch.pending]
        found = [each for each in verdicts if each is not None]
        saved = await store.apply(connection, [each for each, _ in found], now=now)
        await configuration.check(connection, found_rules(found), now=now)
    _measure(batch, now=now)
    rows = sum(len(each) for each in queued.values())
    return Done(rows=rows, patients=len(queued), changed=len(saved))


async def moment(connection: Connection, judging: Judging) -> datetime:
    """The database's clock, or the one given for tests."""
    return judging.clock() if judging.clock is not None else await database_now(connection)


async def database_now(connection: Connection) -> datetime:
    """What time the database says it is."""
    row = await (await connection.execute(sql.load("alerts")["database_now"])).fetchone()
    assert row is not None  # noqa: S101  # a select without from gives one row
    moment_: datetime = row[0]
    return moment_


def found_rules(
    found: Sequence[tuple[store.Judgement, bool]],
) -> dict[UUID, tuple[UUID, bool]]:
    """Patient -> (organisation, whether any rule is in force)."""
    return {j.subject.id: (j.subject.organisation_id, any_rule) for j, any_rule in found}


async def _urgent(
    connection: Connection, judging: Judging, backlog: Backlog
) -> dict[UUID, list[Pending]]:
    """While the queue is longer than a batch: those who could be critical, wherever they stand."""
    if not backlog.deep:
        return {}
    row = await (await connection.execute(sql.load("alerts")["queue_end"])).fetchone()
    end = row[0] if row else 0
    limits = urgency.limits(judging.catalogue)
    wanted = {**limits, "after": backlog.seen - LOOK, "until": end, "most": URGENT}
    taken = await connection.execute(sql.load("alerts")["take_urgent"], wanted)
    patients = [row[0] for row in await taken.fetchall()]
    if len(patients) < URGENT:
        backlog.seen = end
    return await gather.pending(connection, patients, most=ROWS) if patients else {}


async def _take(
    connection: Connection, most: int, backlog: Backlog | None = None
) -> dict[UUID, list[Pending]]:
    """Take the patients who have waited longest; few while there is a crowd."""
    rows = backlog.bite if backlog and backlog.deep else ROWS
    fewer = min(most, rows // EACH)
    taken = await connection.execute(
        sql.load("alerts")["take_patients"], {"look": LOOK, "most": fewer}
    )
    patients = [row[0] for row in await taken.fetchall()]
    if backlog:
        backlog.deep = len(patients) >= fewer
    return await gather.pending(connection, patients, most=rows) if patients else {}


def _judged(
    batch: Batch, patient: UUID, judging: Judging, now: datetime
) -> tuple[store.Judgement, bool] | None:
    subject = batch.subjects.get(patient)
    if subject is None:
        return None
    waiting = batch.pending[patient]
    organisation = subject.organisation_id
    facts = judge.Facts(
        subject=subject,
        samples=batch.samples.get(patient, ()),
        pending=frozenset(each.reading_id for each in waiting),
        since=min(each.measured_at for each in waiting),
        overrides=batch.overrides.get(organisation, ()),
        open=batch.open.get(patient, {}),
        closed=batch.closed.get(patient, {}),
        held=batch.held.get(patient, ()),
        hours=batch.hours[organisation],
        episode=batch.episodes.get(patient),
    )
    verdict = judge.judge(facts, judging.catalogue, judging.table, now=now, new_id=judging.new_id)
    arrived = {(s.questionnaire or s.metric.value, s.at) for s in facts.arrived}
    judgement = store.Judgement(
        subject=subject,
        decided=verdict.decided,
        line=verdict.line,
        queue_ids=tuple(each.id for each in waiting),
        arrived=tuple(sorted(arrived)),
    )
    return judgement, bool(verdict.rules)


async def _one_by_one(connection: Connection, judging: Judging) -> Done:
    """After a failure: the next patient alone, and parked if that one is the cause."""
    try:
        return await _transaction(connection, judging, 1)
    except psycopg.OperationalError:
        raise
    except Exception as error:  # noqa: BLE001  # whatever it is, the rest of the queue goes on
        log.error("patient_failed", error=_named(error))  # noqa: TRY400  # the same
        return await _park(connection, _named(error))


async def _park(connection: Connection, error: str) -> Done:
    async with connection.transaction():
        queued = await _take(connection, 1)
        ids = [each.id for rows in queued.values() for each in rows]
        await connection.execute(sql.load("alerts")["park"], {"ids": ids, "error": error[:500]})
    metrics.PARKED.inc(len(ids))
    return Done(rows=len(ids), patients=len(queued))


def _named(error: Exception) -> str:
    """The error and the line that raised it, without any value of a patient."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "?"
    return f"{type(error).__name__} at {where}"


def _measure(batch: Batch, *, now: datetime) -> None:
    waiting: Mapping[UUID, Sequence[Pending]] = batch.pending
    for rows in waiting.values():
        for each in rows:
            metrics.EVALUATED.inc()
            metrics.LATENCY.observe(max(0.0, (now - each.received_at).total_seconds()))
