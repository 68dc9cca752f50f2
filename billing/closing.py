"""Closing a month: judge everybody, sign, lock, read the payer's answers; each step is audited."""

from collections.abc import Callable, Iterator
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from psycopg.types.json import Jsonb

from billing import claims, evaluate, gather, month, self_audit, standing, store, windows
from billing import pack as packs
from billing.claims import BillLine
from billing.fields import zone
from billing.gather import QUERIES, Connection, Gathered
from billing.month import Action, Month, RefusedError, State
from billing.outcome import Line
from billing.record import Case
from billing.remittance import PayerAnswer, matched
from billing.rows import entries as parse_entries
from billing.self_audit import BilledMonth, Enrolment, Finding
from billing.standing import Standing
from billing.store import Key

Progress = Callable[[int, int], None]
FROZEN = (State.LOCKED, State.EXPORTED, State.ANSWERED)


def evaluate_month(
    connection: Connection, key: Key, *, by: str, now: datetime, progress: Progress | None = None
) -> int:
    """Judge every patient of a month; a locked one keeps its lines and marks what fails now.

    Each batch is a transaction of its own, so `connection` has to be outside of one.
    """
    total, done = gather.how_many(connection, key.organisation, key.first), 0
    with connection.transaction():
        frozen = store.opened(connection, key).state in FROZEN
    for batch in gather.batches(connection, key.organisation, key.first, now=now):
        with connection.transaction():
            _judge_batch(connection, key, batch, now=now, frozen=frozen)
        done += len(batch)
        if progress is not None:
            progress(done, max(total, done))
    with connection.transaction():
        if not frozen:
            connection.execute(QUERIES["forget_patients"], key.fields | {"now": now})
            connection.execute(QUERIES["drop_other_lines"], key.fields)
        found = store.keep_findings(connection, key, findings(connection, key))
        connection.execute(QUERIES["evaluated"], key.fields | {"now": now})
        told: dict[str, object] = {"patients": done, "findings": found}
        store.audit(connection, key, "evaluate", by=by, now=now, detail=told)
    return done


def _judge_batch(
    connection: Connection, key: Key, batch: list[Gathered], *, now: datetime, frozen: bool
) -> None:
    judged = [judge(found) for found in batch]
    lines = [line for _, _, made in judged for line in made]
    if frozen:
        _recheck(connection, key, [found.patient_id for found in batch], lines, now)
        return
    store.keep_standings(connection, key, [(found, how) for found, how, _ in judged], now)
    store.keep_lines(connection, key, [found.patient_id for found in batch], lines, now)


def judge(found: Gathered) -> tuple[Gathered, Standing, list[BillLine]]:
    """Return how a patient stands, and the lines that can be billed as of the case's moment."""
    seen = standing.ahead(found.case)
    expected = evaluate.evaluate_in_force(seen)
    how = standing.of(seen, expected)
    now = expected if seen is found.case else evaluate.evaluate_in_force(found.case)
    return found, how, [line for each in now for line in claims.bill_lines(found.case, each)]


def _recheck(
    connection: Connection, key: Key, patients: list[UUID], lines: list[BillLine], now: datetime
) -> None:
    """Mark the locked lines that today's data no longer gives as they were."""
    wanted = {str(patient) for patient in patients}
    rows = connection.execute(QUERIES["locked_lines"], key.fields | {"ids": patients})
    locked = [store.as_line(content) for (content,) in rows]
    for line in month.needs_review(locked, (line for line in lines if line.patient_id in wanted)):
        _mark(connection, key, line, "the data of today gives another line", now)


def _mark(connection: Connection, key: Key, line: BillLine, why: str, now: datetime) -> None:
    marked = {"line": line.id, "why": why}
    for patient, code in connection.execute(QUERIES["mark_review"], key.fields | marked).fetchall():
        store.audit(
            connection,
            key,
            "needs review",
            by="process:billing",
            now=now,
            kind="bill_line",
            object_id=line.id,
            patient=patient,
            detail={"code": code, "reason": why},
        )


def review(connection: Connection, key: Key, *, by: str, now: datetime) -> Month:
    """Close collecting."""
    clinic_zone = zone(gather.clinic(connection, key.organisation)["time_zone"])
    today = now.astimezone(clinic_zone).date()
    with connection.transaction():
        after = month.review(store.opened(connection, key), by=by, at=now, today=today)
        store.keep(connection, key, after)
    return after


def sign_off(connection: Connection, key: Key, *, by: str, now: datetime, note: str = "") -> Month:
    """Sign the month, as a second person."""
    with connection.transaction():
        after = month.sign_off(store.opened(connection, key), by=by, at=now, note=note)
        store.keep(connection, key, after)
    return after


def lock(
    connection: Connection, key: Key, *, by: str, now: datetime, progress: Progress | None = None
) -> Month:
    """Freeze lines with their facts, if each is proven by its own evidence."""
    with connection.transaction():
        before = store.opened(connection, key)
        month.lock(before, by=by, at=now, unproven=0)
        after = month.lock(before, by=by, at=now, unproven=unproven(connection, key, progress))
        connection.execute(QUERIES["lock_lines"], key.fields | {"now": now})
        store.keep(connection, key, after)
    return after


def unproven(connection: Connection, key: Key, progress: Progress | None = None) -> int:
    """Return how many lines their stored facts, or their evidence alone, do not give again."""
    total = store.count(connection, key, "how_many_judged")
    known = {line.id for line in store.lines(connection, key)}
    wrong = 0
    for seen, case in enumerate(store.cases(connection, key), start=1):
        for judged in evaluate.evaluate_in_force(case):
            for line, made in zip(judged.lines, claims.bill_lines(case, judged), strict=True):
                known.discard(made.id)
                wrong += not _proven(case, line)
        if progress is not None:
            progress(seen, total)
    return wrong + len(known)


def _proven(case: Case, line: Line) -> bool:
    again = evaluate.evaluate_in_force(claims.alone(case, line))
    return line in (each.line(line.code) for each in again)


def reopen(connection: Connection, key: Key, *, by: str, now: datetime, reason: str) -> Month:
    """Go back to collecting; what left in a file stays, and the next one is compared with it."""
    with connection.transaction():
        after = month.reopen(store.opened(connection, key), by=by, at=now, reason=reason)
        connection.execute(QUERIES["unlock_lines"], key.fields)
        store.keep(connection, key, after)
    return after


def confirm(  # noqa: PLR0913  which line, who, when and why
    connection: Connection, key: Key, line_id: str, *, by: str, now: datetime, reason: str
) -> None:
    """State that a line that waited for review still stands, and why."""
    if not reason.strip():
        before = store.month(connection, key)
        raise RefusedError(month.Refusal.NO_REASON, before, Action.REVIEW)
    with connection.transaction():
        wanted = key.fields | {"line": line_id}
        for patient, code in connection.execute(QUERIES["confirm_line"], wanted).fetchall():
            store.audit(
                connection,
                key,
                "confirm",
                by=by,
                now=now,
                kind="bill_line",
                object_id=line_id,
                patient=patient,
                detail={"code": code, "reason": reason},
            )


def answers(
    connection: Connection, key: Key, given: tuple[PayerAnswer, ...], *, by: str, now: datetime
) -> tuple[int, tuple[PayerAnswer, ...]]:
    """Store the payer's answers; return how many fit a line, and those that fit none."""
    with connection.transaction():
        before = store.opened(connection, key)
        found, strays = matched(given, store.last_exported(connection, key))
        note = f"{len(found)} lines answered, {len(strays)} fit no line"
        after = month.answer(before, by=by, at=now, note=note)
        for line_id, each in found.items():
            row = {"line": line_id, "answer": Jsonb(msgspec.to_builtins(each))}
            connection.execute(QUERIES["keep_answer"], key.fields | row)
        connection.execute(QUERIES["setup_billed"], key.fields)
        store.keep(connection, key, after)
    return len(found), strays


def findings(connection: Connection, key: Key) -> Iterator[Finding]:
    """Yield what the self-audit finds in a month; without a known zone there are no months."""
    clinic = gather.clinic(connection, key.organisation)
    here = zone(clinic["time_zone"])
    if here is None:
        return
    rules = packs.in_force(windows.month_of(key.first).last)
    span = key.fields | _edges(key.first, here)
    logged = [row for (row,) in connection.execute(QUERIES["audit_entries"], span)]
    yield from self_audit.of_time(parse_entries(logged)[0], here, rules)
    enrolled = connection.execute(QUERIES["audit_enrolments"], span)
    known = [Enrolment(patient_id=str(p), on=on, prior_visit_on=seen) for p, on, seen in enrolled]
    yield from self_audit.of_enrolments(known, key.first, rules)
    billed = [
        BilledMonth(
            patient_id=str(patient),
            codes=frozenset(codes),
            devices=devices,
            practices=frozenset((*others, str(clinic["npi"]))),
        )
        for patient, codes, devices, others in connection.execute(QUERIES["audit_claims"], span)
    ]
    yield from self_audit.of_claims(billed, rules)


def _edges(first: date, here: ZoneInfo) -> dict[str, object]:
    span = windows.month_of(first)
    return {"month_from": windows.opening(span, here), "until": windows.closing(span, here)}
