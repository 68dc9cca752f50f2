"""From the outbox to the broker, again and again until the server acknowledges each reading.

The broker's PUBACK only frees a place in flight; rows leave on the server's acknowledgement alone.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import structlog

from devices import wire
from gateway.backoff import Pace
from gateway.link import NOT_DELIVERED, REFUSED_FROM
from gateway.outbox import BATCH, Outbox, Parcel
from gateway.surroundings import Surroundings

log = structlog.get_logger()

IN_FLIGHT = 20
"""Messages without PUBACK at any time."""
WINDOW = 20 * BATCH
"""Rows sent and not yet acknowledged by the server, beyond which only live readings are sent."""
_LOOK_AGAIN_S = 30.0
_UNDELIVERED = Pace(first=timedelta(seconds=2), longest=timedelta(minutes=1))
_AFTER_LOST_SESSION = timedelta(seconds=1)


class Sender(Protocol):
    """The part of the MQTT link that the publisher needs."""

    def publish(self, channel: str, body: bytes, *, retain: bool = False) -> int | None:
        """Hand over a QoS 1 message; None without a connection."""


@dataclass(slots=True)
class Counts:
    """What went through, for the metrics."""

    messages: int = 0
    undelivered: int = 0
    acknowledged: int = 0


class Publisher:
    """Settles frames, sends parcels, takes acknowledgements; all in the event loop."""

    def __init__(self, outbox: Outbox, sender: Sender, pace: Pace, around: Surroundings) -> None:
        self._outbox = outbox
        self._sender = sender
        self._pace = pace
        self._around = around
        self._in_flight: dict[int, Parcel] = {}
        self._wake = asyncio.Event()
        self.counts = Counts()

    def wake(self) -> None:
        """Something was caught, or the way is open: look at the outbox now."""
        self._wake.set()

    async def run(self) -> None:
        """Send for as long as the box runs."""
        while True:
            self._wake.clear()
            self.work()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._idle_for()):
                    await self._wake.wait()

    def work(self) -> None:
        """Settle what was caught and send what is due, as far as there is room."""
        while self._outbox.settle(self._around.zone):
            pass
        while len(self._in_flight) < IN_FLIGHT and self._send_one():
            pass

    def connected(self, *, session_present: bool) -> None:
        """A broker that has forgotten us has forgotten our messages too: send them again."""
        if not session_present:
            self._in_flight.clear()
            self._outbox.hurry(self._around.now() + _AFTER_LOST_SESSION)
        self.wake()

    def answered(self, mid: int, code: int) -> None:
        """Take a PUBACK: room for another; if it says that nobody got it, try again soon."""
        parcel = self._in_flight.pop(mid, None)
        if parcel is not None and (code == NOT_DELIVERED or code >= REFUSED_FROM):
            self.counts.undelivered += 1
            log.info("not_delivered", code=code, rows=len(parcel.ids))
            now, draw = self._around.now(), self._around.draw()
            self._outbox.put_off(parcel, _UNDELIVERED, now=now, draw=draw)
        self.wake()

    def acknowledged(self, body: bytes) -> int:
        """Take the server's word: these ids are committed; return how many rows that freed."""
        freed = self._outbox.acknowledge(wire.load(body, wire.Acks).ids)
        self.counts.acknowledged += freed
        now = self._around.now()
        self._outbox.hurry(now + self._pace.first * (1 + self._around.draw()))
        self.wake()
        return freed

    def _send_one(self) -> bool:
        now = self._around.now()
        crowded = self._outbox.waiting(now) >= WINDOW
        parcel = self._outbox.next_parcel(now, fresh_only=crowded)
        if parcel is None:
            return False
        mid = self._sender.publish(parcel.topic, parcel.body)
        if mid is None:
            return False
        self._in_flight[mid] = parcel
        self._outbox.sent(parcel, self._pace, now=now, draw=self._around.draw())
        self.counts.messages += 1
        return True

    def _idle_for(self) -> float:
        """How long there is nothing to do unless somebody wakes us."""
        due = self._outbox.next_due()
        if due is None or len(self._in_flight) >= IN_FLIGHT:
            return _LOOK_AGAIN_S
        seconds = due - self._around.now().timestamp()
        return min(max(seconds, 0.05), _LOOK_AGAIN_S) if seconds > 0 else 1.0
