"""All timers, on database time, from one leader; each kind of timer is a transaction of its own.

Nothing here waits for a message to arrive: absence, escalation, snoozes, leases and second
measurements run out by themselves.
"""

import dataclasses
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
import structlog

from alerts import absence_store, channel, equipment, incidents, metrics, pages, rows
from alerts.escalation import Policy
from alerts.incidents import Incident
from alerts.severity import Severity
from database import sql

Connection = psycopg.AsyncConnection[tuple[Any, ...]]
NAME = "scheduler"
Part = Callable[[Connection, datetime], Awaitable[int]]
ABSENCE = "alerts.absence_store.check"
SILENT_AFTER = timedelta(minutes=3)
PIPELINE_SLOWER_THAN = timedelta(seconds=60)
STORM = 20
log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticked:
    """How much each timer had to do."""

    pages: int = 0
    woken: int = 0
    released: int = 0
    rechecked: int = 0
    absences: int = 0
    equipment: int = 0
    failed: tuple[str, ...] = ()
    """Timers that raised an error; while one that people rely on does, there is no heartbeat."""


async def lead(connection: Connection) -> bool:
    """Become, or stay, the one scheduler; the lock goes with the connection."""
    row = await _first(connection, "lead", {})
    return bool(row and row[0])


async def tick(
    connection: Connection,
    policy: Policy,
    *,
    now: datetime,
    slow: bool = True,
    before: Ticked | None = None,
) -> Ticked:
    """Run every timer once; one that fails does not hold up the others.

    `slow` adds those that look at the whole fleet: absence, equipment, storms, tallies. What the
    absence check came to last time (`before`) stands until it runs again.
    """
    failed = [] if slow or before is None else [n for n in before.failed if n == ABSENCE]

    async def escalations(connection: Connection, now: datetime) -> int:
        return await pages.escalate_due(connection, policy, now=now)

    async def kept(part: Part) -> int:
        return await _kept(part, connection, now, failed)

    done = Ticked(
        released=await kept(_leases),
        woken=await kept(_snoozes),
        rechecked=await kept(_second_measurements),
        pages=await kept(escalations),
        absences=await kept(absence_store.check) if slow else 0,
    )
    if not failed:
        await beat(connection, now=now)
    for part in (_pipeline, *((_storms, _tallies) if slow else ())):
        await kept(part)
    equipped = await kept(equipment.check) if slow else 0
    return dataclasses.replace(done, equipment=equipped, failed=tuple(failed))


async def beat(connection: Connection, *, now: datetime) -> None:
    """Say that the scheduler lives; everybody else watches this row."""
    told = {"name": NAME, "now": now}
    await connection.execute(sql.load("alerts")["beat"], told)
    metrics.SCHEDULER_BEAT.set(now.timestamp())


async def watch(connection: Connection, *, now: datetime) -> bool:
    """Any process: raise the alarm when the scheduler has been silent, clear it when it is back."""
    row = await _first(connection, "last_beat", {"name": NAME})
    silent = row is not None and now - row[0] > SILENT_AFTER
    async with connection.transaction():
        if silent:
            if await incidents.raise_one(connection, _silence(), now=now):
                await connection.execute(sql.load("alerts")["page_operations"], {"now": now})
        else:
            await incidents.close(
                connection, "scheduler_silent", NAME, reason="it beats again", now=now
            )
    return silent


async def _leases(connection: Connection, now: datetime) -> int:
    """A person who went away gives the episode back; if it was urgent, somebody is told again."""
    return await _lines(connection, "expire_leases", now)


async def _snoozes(connection: Connection, now: datetime) -> int:
    """A snooze that has run out brings the line back, with its clock running again."""
    return await _lines(connection, "expire_snoozes", now)


async def _lines(connection: Connection, name: str, now: datetime) -> int:
    async with connection.transaction():
        async with connection.cursor(row_factory=rows.episode) as cursor:
            await cursor.execute(sql.load("alerts")[name], {"now": now})
            found = await cursor.fetchall()
        for each in found:
            told = {
                "episode_id": each.id,
                "organisation_id": each.organisation_id,
                "severity": each.severity,
                "now": now,
            }
            await connection.execute(sql.load("alerts")["start_escalation"], told)
            notice = channel.changed(each, new=False)
            await connection.execute("select pg_notify(%s, %s)", (channel.WORKLIST, notice))
    return len(found)


async def _second_measurements(connection: Connection, now: datetime) -> int:
    """No second measurement came in time: the reading is judged again, now as unconfirmed."""
    async with connection.transaction():
        found = await connection.execute(sql.load("alerts")["remeasure_unanswered"], {"now": now})
        count = found.rowcount
        if count:
            await connection.execute("select pg_notify(%s, '')", (channel.EVALUATE,))
    return count


async def _pipeline(connection: Connection, now: datetime) -> int:
    """Readings that wait to be judged for too long are an operations alarm."""
    row = await _first(connection, "oldest_waiting", {})
    waiting: int
    waiting, oldest = row or (0, None)
    metrics.QUEUE.set(waiting)
    async with connection.transaction():
        if oldest is not None and now - oldest > PIPELINE_SLOWER_THAN:
            await incidents.raise_one(connection, _slow(), now=now)
        else:
            await incidents.close(connection, "pipeline_lag", "alerts", reason="caught up", now=now)
    return waiting


async def _storms(connection: Connection, now: datetime) -> int:
    """Many alerts from one gateway or device model in minutes are one technical incident."""
    found = await connection.execute(sql.load("alerts")["storms"], {"now": now, "most": STORM})
    for organisation, subject, count in await found.fetchall():
        storm = Incident(
            organisation_id=organisation,
            rule_id="storm",
            subject=subject,
            severity=Severity.HIGH,
            queue="tech",
            headline="Many alerts from one source",
            why=f"{count} alerts within 5 minutes from {subject}: check the equipment first",
        )
        await incidents.raise_one(connection, storm, now=now)
    return 0


async def _tallies(connection: Connection, _: datetime) -> int:
    await connection.execute("select settle_tally()")
    return 0


async def _kept(part: Part, connection: Connection, now: datetime, failed: list[str]) -> int:
    try:
        return await part(connection, now)
    except psycopg.OperationalError:
        raise
    except Exception as error:  # noqa: BLE001  # the other timers must run
        name = _name(part)
        log.error("timer_failed", timer=name, error=type(error).__name__)  # noqa: TRY400  # no locals
        failed.append(name)
        return 0


def _name(part: Part) -> str:
    """The module and function of a timer."""
    return f"{part.__module__}.{getattr(part, '__name__', 'part')}"


async def _first(
    connection: Connection, name: str, wanted: dict[str, object]
) -> tuple[Any, ...] | None:
    return await (await connection.execute(sql.load("alerts")[name], wanted)).fetchone()


def _silence() -> Incident:
    return Incident(
        organisation_id=None,
        rule_id="scheduler_silent",
        subject=NAME,
        severity=Severity.CRITICAL,
        queue="ops",
        headline="The scheduler is silent",
        why="Escalations, snoozes and absence checks are not running: start an alert process",
    )


def _slow() -> Incident:
    return Incident(
        organisation_id=None,
        rule_id="pipeline_lag",
        subject="alerts",
        severity=Severity.HIGH,
        queue="ops",
        headline="Readings wait to be judged",
        why="The oldest reading has waited for more than a minute",
    )
