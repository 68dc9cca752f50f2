import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ingest import slots
from ingest.bounds import shipped
from ingest.directory import Directory
from ingest.metrics import Metrics
from ingest.settings import Settings
from ingest.slots import Locks, Worker
from tests.ingest.builders import Clinic, Home, ReadingMaker, Until


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "LOOK_EVERY_S", 0.05)


@contextlib.asynccontextmanager
async def working(settings: Settings, slot: int, of: int = 2) -> AsyncIterator[Worker]:
    worker = Worker(replace(settings, slot=slot, slots=of), Metrics(), Directory(shipped()))
    stop = asyncio.Event()
    task = asyncio.create_task(worker.run(stop))
    try:
        yield worker
    finally:
        stop.set()
        await task


async def test_a_slot_has_one_owner(clinic: Clinic) -> None:
    async with Locks(clinic.db.worker_dsn) as one, Locks(clinic.db.worker_dsn) as other:
        assert await one.claim(3)
        assert await one.claim(3)
        assert not await other.claim(3)
        await one.release(3)
        assert await other.claim(3)


async def test_each_worker_takes_its_own_slot(told: Settings, eventually: Until) -> None:
    async with working(told, 0) as first, working(told, 1) as second:
        await eventually(lambda: first.held and second.held)
        await asyncio.sleep(0.5)
        assert (set(first.held), set(second.held)) == ({0}, {1})


async def test_a_lost_slot_is_taken_over_with_what_its_session_held(
    clinic: Clinic, told: Settings, home: Home, reading: ReadingMaker, eventually: Until
) -> None:
    readings = [reading(at=datetime.now(UTC)) for _ in range(40)]
    async with working(told, 0) as survivor:
        async with working(told, 1) as victim:
            await eventually(lambda: set(survivor.held) == {0} and set(victim.held) == {1})
            for worker in (survivor, victim):
                [holding] = worker.held.values()
                await holding.consumer.connection.subscribed.wait()
            # as kill -9 would: no drain, no goodbye, and the lock goes with the connection
            [holding] = victim.held.values()
            holding.task.cancel()
            await asyncio.gather(holding.task, return_exceptions=True)
            victim._held.clear()
            for each in readings:
                home.send(each)
        await eventually(lambda: set(survivor.held) == {0, 1})
        await eventually(lambda: len(home.forgotten) == 40)
    assert clinic.one("select count(*) from reading") == 40


async def test_a_slot_is_given_back_when_a_worker_without_one_waits(
    told: Settings, eventually: Until
) -> None:
    async with working(told, 0) as first:
        await eventually(lambda: set(first.held) == {0, 1})
        async with working(told, 1) as second:
            await eventually(lambda: set(second.held) == {1})
            assert set(first.held) == {0}


async def test_locks_lost_with_the_database_are_claimed_again(
    clinic: Clinic, told: Settings, eventually: Until
) -> None:
    async with working(told, 0, of=1) as worker:
        await eventually(lambda: set(worker.held) == {0})
        with clinic.db.connect() as connection:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where usename = 'tidings_worker'"
            )
        async with Locks(clinic.db.worker_dsn) as other:
            await eventually(lambda: True)
            while await other.claim(0):
                await other.release(0)
                await asyncio.sleep(0.05)
        assert set(worker.held) == {0}


async def test_a_consumer_that_fails_ends_the_process(told: Settings, eventually: Until) -> None:
    worker = Worker(replace(told, slot=0), Metrics(), Directory(shipped()))
    task = asyncio.create_task(worker.run(asyncio.Event()))
    await eventually(lambda: worker.held)
    [holding] = worker.held.values()

    async def fail() -> None:
        raise RuntimeError("bug")

    holding.consumer._after_commit = fail
    holding.consumer._arrived("tidings/v1/s/gw1/readings", b"x", 0)
    with pytest.raises(RuntimeError, match="bug"):
        await task
