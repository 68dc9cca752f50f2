"""The alert process: listen, judge, keep timers, deliver; each part stops and starts by itself."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from logging import INFO, WARNING
from typing import Any

import psycopg
import structlog
from psycopg.types.json import Jsonb

from alerts import (
    catalogue,
    channel,
    escalation,
    gauges,
    metrics,
    notify,
    replay_desk,
    routing,
    scheduler,
    senders,
    worker,
)
from alerts.settings import Settings
from alerts.worker import Judging
from database import sql
from database.pool import OPTIONS

Connection = psycopg.AsyncConnection[tuple[Any, ...]]
log = structlog.get_logger()
RETRY_AT_MOST = 10.0
SLOW = timedelta(seconds=30)
REPLAY_LOOK = 2.0
DEAD_MAN = timedelta(seconds=60)
MEASURE = timedelta(minutes=5)


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Run every part until told to stop; a part that loses the database comes back."""
    judging = Judging(
        catalogue=catalogue.product(), table=routing.table(), patients=settings.patients
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(kept_up("evaluate", lambda: _evaluate(settings, judging, stop), stop))
        group.create_task(kept_up("schedule", lambda: _schedule(settings, stop), stop))
        group.create_task(kept_up("replay", lambda: _replay(settings, stop), stop))
        group.create_task(kept_up("deliver", lambda: _deliver(settings, stop), stop))


async def connect(dsn: str) -> Connection:
    """Open one connection that sees every change at once."""
    return await psycopg.AsyncConnection.connect(
        dsn, autocommit=True, prepare_threshold=None, options=OPTIONS
    )


async def kept_up(name: str, part: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
    """Run one part; when it fails, log it and start it again a little later."""
    failures = 0
    while not stop.is_set():
        try:
            await part()
            failures = 0
        except Exception as error:  # noqa: BLE001  # a part that fails is started again
            failures += 1
            log.error("part_failed", part=name, failures=failures, error=type(error).__name__)  # noqa: TRY400  # locals hold patients' values
            wait = min(RETRY_AT_MOST, 0.2 * 2**failures) * random.uniform(0.5, 1.0)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), wait)


async def _evaluate(settings: Settings, judging: Judging, stop: asyncio.Event) -> None:
    """Judge what is waiting, then sleep until ingest says that there is more."""
    async with await connect(settings.dsn) as connection, await connect(settings.dsn) as ears:
        await ears.execute(f"listen {channel.EVALUATE}")
        await connection.execute(
            sql.load("alerts")["keep_rule_set"],
            {"version": judging.catalogue.version, "definition": Jsonb(catalogue.definitions())},
        )
        log.info("judging", rules=judging.catalogue.version)
        while not stop.is_set():
            done = await worker.drain(connection, judging)
            metrics.CHANGED.inc(done.changed)
            await heard(ears, settings.poll.total_seconds(), stop)


async def _schedule(settings: Settings, stop: asyncio.Event) -> None:
    """Lead if nobody else does: run the timers. Else watch that somebody does."""
    policy = escalation.product_policy()
    gauges.forget()
    async with await connect(settings.dsn) as connection:
        slow_at = called_at = measured_at = ticked = None
        while not stop.is_set():
            now = await worker.database_now(connection)
            if await scheduler.lead(connection):
                slow = slow_at is None or now - slow_at >= SLOW
                ticked = await scheduler.tick(connection, policy, now=now, slow=slow, before=ticked)
                slow_at = now if slow else slow_at
                if measured_at is None or now - measured_at >= MEASURE:
                    await _measure(connection, now)
                    measured_at = now
                due = called_at is None or now - called_at >= DEAD_MAN
                if settings.dead_man and due and not ticked.failed:
                    told = await senders.call(settings.dead_man)
                    log.log(INFO if told.ok else WARNING, "dead_man_called", answer=told.detail)
                    called_at = now
            await scheduler.watch(connection, now=now)
            await _rest(settings.tick.total_seconds(), stop)


async def _measure(connection: Connection, now: datetime) -> None:
    """Numbers are worth less than timers: what goes wrong here must not stop them."""
    try:
        await gauges.refresh(connection, now=now)
    except psycopg.DatabaseError as error:
        log.error("measures_failed", error=type(error).__name__)  # noqa: TRY400  # no locals


async def _deliver(settings: Settings, stop: asyncio.Event) -> None:
    """Send the pages that are due, whoever created them."""
    outside = notify.Outside(
        send=senders.send, link=settings.link, last_resort=settings.last_resort
    )
    async with await connect(settings.dsn) as connection:
        while not stop.is_set():
            now = await worker.database_now(connection)
            await notify.deliver_due(connection, outside, now=now)
            await _rest(settings.poll.total_seconds(), stop)


async def _replay(settings: Settings, stop: asyncio.Event) -> None:
    """Answer what-if questions, one at a time."""
    async with await connect(settings.dsn) as connection:
        while not stop.is_set():
            now = await worker.database_now(connection)
            if not await replay_desk.run_one(connection, settings.dsn, now=now):
                await _rest(REPLAY_LOOK, stop)


async def _rest(seconds: float, stop: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


async def heard(ears: Connection, seconds: float, stop: asyncio.Event) -> None:
    """Return at a notice, at the signal to stop, or after the given time."""

    async def notice() -> None:
        async for _ in ears.notifies(timeout=seconds, stop_after=1):
            pass

    waits = {asyncio.create_task(notice()), asyncio.create_task(stop.wait())}
    done, rest = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for task in rest:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    for task in done:
        task.result()
