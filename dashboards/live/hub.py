"""From one LISTEN connection to every browser: named events that carry ids only."""

import asyncio
import json
import secrets
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import psycopg
import structlog

from dashboards.live.presence import Presence
from database.pool import OPTIONS

WORKLIST = "tidings_worklist"
PRESENCE = "tidings_presence"
KEPT = 2_000
WAITING = 64
GATHER_SECONDS = 0.05
RECONNECT_SECONDS = 0.5

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One server-sent event; `to` is the organisation that may hear it."""

    number: int
    name: str
    data: Mapping[str, object]
    to: UUID | None = None


@dataclass(slots=True, kw_only=True)
class _Pending:
    """What one organisation has not been told yet."""

    rows: dict[str, int] = field(default_factory=dict)
    new: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Hub:
    """Hears the database once and tells every subscriber of the organisation concerned."""

    dsn: str
    clock: Callable[[], datetime]
    presence: Presence = field(default_factory=Presence)
    boot: str = field(default_factory=lambda: secrets.token_hex(4))
    last: int = 0
    _kept: deque[Event] = field(default_factory=lambda: deque(maxlen=KEPT))
    _subscribers: dict[asyncio.Queue[Event], UUID] = field(default_factory=dict)
    _pending: dict[UUID, _Pending] = field(default_factory=dict)
    _flush: asyncio.TimerHandle | None = None
    listening: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def audience(self) -> int:
        """How many browsers listen."""
        return len(self._subscribers)

    async def listen(self) -> None:
        """Hear notifications until cancelled; after a lost connection everybody reloads."""
        while True:
            try:
                await self._listen_once()
            except psycopg.OperationalError as error:
                log.warning("listen connection lost", error=type(error).__name__)
            self.listening.clear()
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _listen_once(self) -> None:
        connection = await psycopg.AsyncConnection.connect(
            self.dsn, autocommit=True, prepare_threshold=None, options=OPTIONS
        )
        async with connection:
            await connection.execute(f"listen {WORKLIST}".encode())
            await connection.execute(f"listen {PRESENCE}".encode())
            self.publish("resync", {})
            self.listening.set()
            async for notification in connection.notifies():
                if notification.channel == PRESENCE:
                    self.see(notification.payload)
                else:
                    self.hear(notification.payload)

    def hear(self, payload: str) -> None:
        """Take one notification; what cannot be read makes everybody reload rather than miss it."""
        try:
            told = json.loads(payload)
            organisation = UUID(told["organisation"])
            episode = str(UUID(told["episode"]))
            severity, new = int(told.get("severity", 4)), bool(told.get("new", False))
        except (ValueError, KeyError, TypeError):
            log.warning("unreadable notification")
            self.publish("resync", {})
            return
        waiting = self._pending.setdefault(organisation, _Pending())
        (waiting.new if new else waiting.rows)[episode] = severity
        if self._flush is None:
            self._flush = asyncio.get_running_loop().call_later(GATHER_SECONDS, self.flush)

    def see(self, payload: str) -> None:
        """Take one heartbeat of somebody who looks at an episode."""
        try:
            told = json.loads(payload)
            episode, staff = UUID(told["episode"]), UUID(told["staff"])
            organisation, name = UUID(told["organisation"]), str(told["name"])
        except (ValueError, KeyError, TypeError):
            log.warning("unreadable heartbeat")
            return
        now = self.clock()
        if self.presence.beat(episode, staff, name, now):
            who = self.presence.viewers(episode, now)
            self.publish("presence", {"id": str(episode), "who": who}, to=organisation)

    def flush(self) -> None:
        """Tell what was gathered, one event of each kind per organisation."""
        self._flush = None
        pending, self._pending = self._pending, {}
        for organisation, waiting in pending.items():
            if waiting.new:
                told = {"ids": list(waiting.new), "severities": list(waiting.new.values())}
                self.publish("new", told, to=organisation)
            if waiting.rows:
                self.publish("rows", {"ids": list(waiting.rows)}, to=organisation)

    def publish(self, name: str, data: Mapping[str, object], *, to: UUID | None = None) -> None:
        """Give one event to everybody it is for, and keep it for those who come back."""
        self.last += 1
        event = Event(number=self.last, name=name, data=data, to=to)
        self._kept.append(event)
        for queue, organisation in list(self._subscribers.items()):
            if to in {None, organisation}:
                _offer(queue, event)

    def missed(self, organisation: UUID, last_event_id: str) -> list[Event]:
        """Return what happened since the last event a browser saw; a resync if that is unknown."""
        boot, _, number = last_event_id.partition("-")
        known = boot == self.boot and number.isdigit()
        since = int(number) if known else -1
        oldest = self._kept[0].number if self._kept else self.last + 1
        if not known or since < oldest - 1 or since > self.last:
            return [Event(number=self.last, name="resync", data={})]
        return [e for e in self._kept if e.number > since and e.to in {None, organisation}]

    @asynccontextmanager
    async def subscribed(
        self, organisation: UUID, last_event_id: str = ""
    ) -> AsyncIterator[asyncio.Queue[Event]]:
        """Hear the events of one organisation, first those missed since `last_event_id`."""
        queue: asyncio.Queue[Event] = asyncio.Queue(WAITING)
        if last_event_id:
            for event in self.missed(organisation, last_event_id):
                _offer(queue, event)
        self._subscribers[queue] = organisation
        try:
            yield queue
        finally:
            self._subscribers.pop(queue, None)


@asynccontextmanager
async def running(hub: Hub) -> AsyncIterator[Hub]:
    """Listen in the background until the end."""
    task = asyncio.create_task(hub.listen())
    try:
        yield hub
    finally:
        hub.publish("bye", {})
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def _offer(queue: asyncio.Queue[Event], event: Event) -> None:
    """Queue an event; a browser too slow to keep up is told to reload instead."""
    if queue.full():
        while not queue.empty():
            queue.get_nowait()
        event = Event(number=event.number, name="resync", data={})
    queue.put_nowait(event)
