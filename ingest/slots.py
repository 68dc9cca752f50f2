"""Which slots this process owns: a session-level advisory lock each, so that a slot has one owner.

A broker parks a share of all messages in the session of every slot, also of a dead one. So a slot
whose owner is gone is taken over by whoever sees it first, and given back when a process without
any slot is waiting.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Self

import psycopg
import structlog
from psycopg import AsyncConnection

from database import sql
from database.pool import OPTIONS
from ingest.consumer import Consumer
from ingest.directory import Directory
from ingest.metrics import Metrics
from ingest.settings import Settings
from ingest.silence import within

LOOK_EVERY_S = 2.0
ANSWER_S = 10.0
"""A lock is asked for without waiting: a server that works answers at once."""
ORPHANED_AFTER = 3
"""Looks in a row that find a slot free before a process with one takes it: restarts are faster."""
_LOG = structlog.get_logger()


class Locks:
    """The locks of one process, on a connection of its own."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: AsyncConnection[tuple[Any, ...]] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._connection is not None:
            await self._connection.close()

    async def claim(self, slot: int) -> bool:
        """Return whether the slot is ours now."""
        return await self._ask("claim_slot", {"slot": slot})

    async def release(self, slot: int) -> None:
        """Give a slot back."""
        await self._ask("release_slot", {"slot": slot})

    async def wait_in_line(self) -> None:
        """Tell those with more than one slot that we have none."""
        await self._ask("stand_in_line", {})

    async def leave_line(self) -> None:
        """We have one now."""
        await self._ask("leave_line", {})

    async def somebody_waits(self) -> bool:
        """Return whether a process without a slot stands in line."""
        return await self._ask("somebody_in_line", {})

    async def alive(self) -> bool:
        """Return whether the connection, and with it every lock, is still there."""
        if self._connection is None:
            return False
        try:
            await within(ANSWER_S, self._connection.execute("select 1"))
        except psycopg.Error:
            await self._connection.close()
            self._connection = None
            return False
        return True

    async def _ask(self, name: str, told: Mapping[str, int]) -> bool:
        return await within(ANSWER_S, self._answer(name, told))

    async def _answer(self, name: str, told: Mapping[str, int]) -> bool:
        if self._connection is None or self._connection.closed:
            self._connection = await AsyncConnection.connect(
                self._dsn, autocommit=True, prepare_threshold=None, options=OPTIONS
            )
        cursor = await self._connection.execute(sql.load("ingest")[name], told)
        row = await cursor.fetchone()
        return bool(row is not None and row[0])


class Holding:
    """One owned slot and its running consumer."""

    def __init__(self, consumer: Consumer) -> None:
        self.consumer = consumer
        self.task = asyncio.create_task(consumer.run())

    async def end(self, *, end_session: bool) -> None:
        """Drain and wait; a session that is not ended waits for the slot's next owner."""
        self.consumer.stop(end_session=end_session)
        await self.task


class Worker:
    """A process: one slot by right, more when others are gone."""

    def __init__(self, settings: Settings, metrics: Metrics, directory: Directory) -> None:
        self._settings = settings
        self._metrics = metrics
        self._directory = directory
        self._held: dict[int, Holding] = {}
        self._free_looks: dict[int, int] = {}
        self._in_line = False

    @property
    def held(self) -> Mapping[int, Holding]:
        """The slots that this process owns now."""
        return self._held

    async def run(self, stop: asyncio.Event) -> None:
        """Own slots and consume until `stop`."""
        async with Locks(self._settings.dsn) as locks:
            try:
                while not stop.is_set():
                    await self._look(locks)
                    self._metrics.slots.set(len(self._held))
                    await self._sleep(stop)
            finally:
                await self._leave()

    async def _leave(self) -> None:
        """A lone slot keeps its session: the broker queues. Others take over the share at once."""
        ends = self._settings.slots > 1
        ending = (holding.end(end_session=ends) for holding in self._held.values())
        await asyncio.gather(*ending)

    async def _sleep(self, stop: asyncio.Event) -> None:
        try:
            async with asyncio.timeout(LOOK_EVERY_S if self._held else LOOK_EVERY_S / 4):
                await stop.wait()
        except TimeoutError:
            pass

    async def _look(self, locks: Locks) -> None:
        try:
            if self._held and not await locks.alive():
                await self._lost_every_lock(locks)
            self._forget_the_fallen()
            await self._take(locks)
            await self._give_back(locks)
        except psycopg.Error as error:
            _LOG.warning("slots: database away", kind=type(error).__name__)

    async def _lost_every_lock(self, locks: Locks) -> None:
        """The database went away: keep what nobody else has taken meanwhile."""
        for slot in list(self._held):
            if not await locks.claim(slot):
                _LOG.warning("slot lost", slot=slot)
                await self._held.pop(slot).end(end_session=False)

    def _forget_the_fallen(self) -> None:
        for holding in self._held.values():
            if holding.task.done():
                holding.task.result()  # raises what ended it: the process restarts

    async def _take(self, locks: Locks) -> None:
        """A process without a slot takes any; one with a slot only those long without an owner."""
        mine = self._settings.slot
        order = [mine, *(slot for slot in range(self._settings.slots) if slot != mine)]
        for slot in order:
            if slot in self._held:
                continue
            if not await locks.claim(slot):
                self._free_looks.pop(slot, None)
                continue
            looks = self._free_looks[slot] = self._free_looks.get(slot, 0) + 1
            if self._held and looks < ORPHANED_AFTER:
                await locks.release(slot)
                continue
            self._free_looks.pop(slot)
            self._begin(slot)
        await self._line(locks)

    async def _line(self, locks: Locks) -> None:
        if not self._held and not self._in_line:
            await locks.wait_in_line()
            self._in_line = True
        elif self._held and self._in_line:
            await locks.leave_line()
            self._in_line = False

    async def _give_back(self, locks: Locks) -> None:
        if len(self._held) < 2 or not await locks.somebody_waits():  # noqa: PLR2004 - more than one's own
            return
        slot = next(slot for slot in self._held if slot != self._settings.slot)
        holding = self._held.pop(slot)
        await holding.end(end_session=False)
        await locks.release(slot)
        _LOG.info("slot given back", slot=slot)

    def _begin(self, slot: int) -> None:
        settings = replace(self._settings, slot=slot)
        consumer = Consumer(settings, self._metrics, directory=self._directory)
        self._held[slot] = Holding(consumer)
        _LOG.info("slot taken", slot=slot)
