"""A database that says nothing, without an error either, never holds ingest for ever."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import psycopg
import pytest

from ingest import batch, store
from ingest.bounds import shipped
from ingest.directory import Directory
from ingest.silence import SilentError, within
from ingest.slots import Locks
from ingest.store import Writer
from tests.ingest.builders import Clinic, LetterMaker, ReadingMaker, until

NOON = datetime(2026, 9, 15, 12, tzinfo=UTC)
SOON_S = 0.3


@pytest.fixture
async def hasty(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Writer]:
    """A writer that soon gives up on a silent database."""
    monkeypatch.setattr(store, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(store, "PATIENCE_S", SOON_S)
    waits: list[float] = []
    async with Writer(
        clinic.db.worker_dsn,
        Directory(shipped()),
        shipped(),
        on_wait=waits.append,
    ) as made:
        made.waits = waits  # type: ignore[attr-defined]  # for the test to look at
        yield made


async def test_an_answer_in_time_is_returned() -> None:
    async def answer() -> int:
        return 7

    assert await within(5.0, answer()) == 7


async def test_an_error_in_time_is_raised_as_it_is() -> None:
    async def fail() -> None:
        raise psycopg.errors.DeadlockDetected

    with pytest.raises(psycopg.errors.DeadlockDetected):
        await within(5.0, fail())


async def test_work_that_waits_again_when_cancelled_is_abandoned_all_the_same() -> None:
    cancelled = 0

    async def stubborn() -> None:
        nonlocal cancelled
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled += 1
            await asyncio.Event().wait()

    with pytest.raises(SilentError, match=r"within 0\.01 s"):
        await within(0.01, stubborn())
    assert cancelled == 1


async def test_whoever_waits_can_be_cancelled() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    waiting = asyncio.create_task(within(60.0, work()))
    await begun.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert ended.is_set()


async def test_a_frozen_server_process_is_left_and_the_batch_stored_by_another(
    clinic: Clinic, hasty: Writer, reading: ReadingMaker, letter: LetterMaker
) -> None:
    await hasty.write(batch.open_all([letter(reading())]), now=NOON)
    [(frozen,)] = clinic.all("select pid from pg_stat_activity where usename = 'tidings_worker'")
    os.kill(frozen, signal.SIGSTOP)
    try:
        await hasty.write(batch.open_all([letter(reading())]), now=NOON)
    finally:
        os.kill(frozen, signal.SIGCONT)
    assert clinic.one("select count(*) from reading") == 2


async def test_a_statement_stuck_behind_a_lock_is_given_up_by_the_server_and_tried_again(
    clinic: Clinic, hasty: Writer, reading: ReadingMaker, letter: LetterMaker
) -> None:
    with clinic.db.connect() as holder:
        holder.autocommit = False
        holder.execute("lock table reading in access exclusive mode")
        work = batch.open_all([letter(reading())])
        writing = asyncio.create_task(hasty.write(work, now=NOON))
        await until(lambda: bool(hasty.waits))  # type: ignore[attr-defined]  # set by the fixture
        holder.rollback()
        await writing
    assert clinic.one("select count(*) from reading") == 1


async def test_locks_on_a_frozen_server_process_are_lost_not_waited_for(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.slots.ANSWER_S", SOON_S)
    async with Locks(clinic.db.worker_dsn) as locks:
        assert await locks.claim(0)
        [(frozen,)] = clinic.all(
            "select pid from pg_stat_activity where usename = 'tidings_worker'"
        )
        os.kill(frozen, signal.SIGSTOP)
        try:
            assert not await locks.alive()
        finally:
            os.kill(frozen, signal.SIGCONT)
