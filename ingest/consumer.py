"""One slot's consumer: takes from the broker, stores, and only then acknowledges.

Two writers take turns, so that one batch is prepared while the other is written. A packet id is
acknowledged only on the connection it came by; what a gateway may forget is told by reading id,
whatever the connection.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec
import psycopg
import structlog

from devices import wire
from ingest import batch
from ingest.batch import Batch
from ingest.bounds import shipped
from ingest.connection import Connection
from ingest.directory import Directory
from ingest.door import Letter
from ingest.metrics import Metrics
from ingest.settings import Settings
from ingest.store import Outcome, Writer

IDLE_S = 1.0
"""A drained slot has been quiet for this long."""
ACKS_LIMIT = 500
"""Ids in one acknowledgement."""
_LOG = structlog.get_logger()


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """A message in memory, with what it takes to acknowledge it."""

    connection: int
    mid: int
    letter: Letter


async def _nothing() -> None:
    """Do nothing between commit and acknowledgement."""


class Consumer:
    """One MQTT session and the writers behind it."""

    def __init__(
        self,
        settings: Settings,
        metrics: Metrics,
        *,
        directory: Directory | None = None,
        after_commit: Callable[[], Awaitable[None]] = _nothing,
    ) -> None:
        """Prepare; `after_commit` is where fault injection cuts the wire."""
        self._settings = settings
        self._metrics = metrics
        self._directory = directory or Directory(shipped())
        self._after_commit = after_commit
        self._arrivals: deque[Arrival] = deque()
        self._bytes = 0
        self._received_at = settings.clock()
        self._something = asyncio.Event()
        self._collecting = asyncio.Lock()
        self._in_hand: list[datetime] = []
        """When the first message of each batch that is being written came."""
        self._stop = asyncio.Event()
        self._ends_session = False
        self._gateways_seen: dict[str, datetime] = {}
        self._devices_seen: dict[str, datetime] = {}
        self.connection = Connection(
            settings,
            metrics,
            self._arrived,
            on_readable=self._about_to_read,
            on_resumed=self._forget_arrivals,
        )

    def stop(self, *, end_session: bool) -> None:
        """Ask `run` to finish what has come, and to end or keep the session."""
        self._ends_session = end_session
        self._stop.set()

    async def run(self) -> None:
        """Consume until `stop`."""
        work = [self.connection.stay(), self._touch_forever()]
        work += [self._write_forever() for _ in range(self._settings.writers)]
        tasks = [asyncio.create_task(each) for each in work]
        self._metrics.watch(self._oldest_s)
        stopped = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait([*tasks, stopped], return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    task.result()  # raises what ended it
            await self._drain(end_session=self._ends_session)
        finally:
            self._metrics.forget(self._oldest_s)
            stopped.cancel()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, stopped, return_exceptions=True)
            self.connection.close()

    def _oldest_s(self) -> float:
        """Age of the oldest message that is not acknowledged; asked from another thread."""
        came = self._in_hand[:1] + [each.letter.received_at for each in list(self._arrivals)[:1]]
        return max(0.0, (self._settings.clock() - min(came)).total_seconds()) if came else 0.0

    def _about_to_read(self) -> None:
        self._received_at = self._settings.clock()
        self._metrics.waiting.set(self._bytes)

    def _arrived(self, topic: str, body: bytes, mid: int) -> None:
        letter = Letter(topic, body, self._received_at)
        self._arrivals.append(Arrival(self.connection.number, mid, letter))
        self._bytes += len(body)
        self._something.set()
        if self._bytes > self._settings.buffer_bytes:
            self.connection.pause()

    def _forget_arrivals(self) -> None:
        """What nobody has taken up yet comes again by the new connection."""
        self._arrivals.clear()
        self._bytes = 0
        self._something.clear()

    async def _write_forever(self) -> None:
        settings = self._settings
        async with Writer(
            settings.dsn,
            self._directory,
            shipped(),
            accept_likely=settings.accept_likely,
            on_wait=self._metrics.database_wait.inc,
        ) as writer:
            while True:
                async with self._collecting:
                    taken = await self._next_batch()
                    came = taken[0].letter.received_at
                    self._in_hand.append(came)
                try:
                    await self._store(writer, taken)
                finally:
                    self._in_hand.remove(came)

    async def _next_batch(self) -> list[Arrival]:
        """Wait for a message, then a moment for company."""
        settings = self._settings
        taken: list[Arrival] = []
        size = 0
        while not taken:
            await self._something.wait()
            if len(self._arrivals) < settings.batch and self._bytes < settings.batch_bytes:
                await asyncio.sleep(settings.linger_s)
            while self._arrivals and len(taken) < settings.batch and size < settings.batch_bytes:
                arrival = self._arrivals.popleft()
                size += len(arrival.letter.body)
                taken.append(arrival)
        self._bytes -= size
        if not self._arrivals:
            self._something.clear()
        if self.connection.paused and self._bytes < settings.buffer_bytes // 2:
            self.connection.resume()
        return taken

    async def _store(self, writer: Writer, taken: list[Arrival]) -> None:
        began = self._settings.clock()
        work = batch.open_all(arrival.letter for arrival in taken)
        outcome = await writer.write(work, now=began)
        await self._after_commit()
        self._acknowledge(taken, outcome)
        received = [arrival.letter.received_at for arrival in taken]
        self._metrics.stored(outcome, received, began=began, now=self._settings.clock())
        self._note_seen(work)

    def _acknowledge(self, taken: list[Arrival], outcome: Outcome) -> None:
        """Everything is committed: the broker and the homes may forget."""
        number = self.connection.number
        current = [each.mid for each in taken if each.mid and each.connection == number]
        notes = [
            (address.acks, wire.dump(wire.Acks(v=wire.VERSION, ids=ids[at : at + ACKS_LIMIT])))
            for address, ids in outcome.acknowledged.items()
            for at in range(0, len(ids), ACKS_LIMIT)
        ]
        if len(current) < len(taken):
            stale = sum(each.connection != number for each in taken)
            self._metrics.dropped_acks.inc(stale)
        self.connection.acknowledge(current, notes)

    def _note_seen(self, work: Batch) -> None:
        for each in work.readings:
            self._gateways_seen[each.address.gateway] = each.letter.received_at
            self._devices_seen[each.message.device] = each.letter.received_at

    async def _touch_forever(self) -> None:
        """Write last-seen times apart from the batches, each gateway and device once."""
        settings = self._settings
        async with Writer(settings.dsn, self._directory, shipped()) as writer:
            while True:
                await asyncio.sleep(settings.touch_s)
                gateways, self._gateways_seen = self._gateways_seen, {}
                devices, self._devices_seen = self._devices_seen, {}
                try:
                    await writer.touch(gateways, devices)
                except psycopg.Error:
                    await writer.close()  # only batches wait; a last-seen time may be lost

    async def _drain(self, *, end_session: bool) -> None:
        """Take nothing new, store what has come, acknowledge it, say goodbye."""
        if end_session:
            self.connection.unsubscribe()
        clean = await self._emptied(quiet_s=IDLE_S if end_session else 0.0)
        gone = end_session and clean and self.connection.unsubscribed.is_set()
        self.connection.leave(end_session=gone)
        _LOG.info("stopped", slot=self._settings.slot, drained=clean, session_ended=gone)

    async def _emptied(self, *, quiet_s: float) -> bool:
        """Wait until nothing has been in hand for a while; False when it takes too long."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._settings.drain_s
        quiet_since = loop.time()
        while loop.time() < deadline:
            if self._arrivals or self._in_hand:
                quiet_since = loop.time()
            elif loop.time() - quiet_since >= quiet_s:
                return True
            await asyncio.sleep(0.01)
        return False
