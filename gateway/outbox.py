"""What the home must not forget: caught frames, what was read in them, technical events.

A frame is on the disk when `catch` returns; a row leaves only when the server acknowledged its id.
"""

import hashlib
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Literal
from uuid import UUID

import msgspec

from devices import wire
from gateway import clock
from gateway.backoff import Pace, again_at
from gateway.interpret import Decode, decode
from gateway.known import Depth
from gateway.settling import Settling
from gateway.store import Row, Store

BATCH = 50
"""Readings per catch-up message."""
FRESH_FOR = timedelta(minutes=10)
"""So long a live reading that was never sent goes before everything else."""
REMEMBERED = 20_000
"""Acknowledged readings whose ids are kept: a device that tells everything again is not heard."""
_STREAMED = frozenset({"2A37", "2A5F"})
"""Characteristics on which two equal frames are two measurements."""

_READING = msgspec.json.Decoder(wire.WireReading)


class CannotStoreError(OSError):
    """The disk took the frame not: the device must keep its record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One stay with a device: whose frames these are and what is known of the clocks."""

    device: str
    model: str = ""
    quirk: str | None = None
    synced: bool = True
    clock_known: bool = False
    offset_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One MQTT message and the ids that it carries."""

    topic: Literal["readings", "events"]
    ids: tuple[UUID, ...]
    body: bytes


class Outbox:
    """The queue from the radio to the broker, in one SQLite file."""

    def __init__(self, store: Store, gateway: str, read: Decode = decode) -> None:
        self._store = store
        self._gateway = gateway
        self._settling = Settling(store, read)
        store.run("visits_interrupted")

    def begin_visit(self, visit: Visit) -> int:
        """Note whose frames follow; return the number under which to catch them."""
        return self._store.insert(
            "visit_begin",
            visit.device,
            visit.model,
            visit.quirk,
            visit.synced,
            visit.clock_known,
            visit.offset_s,
        )

    def know_clock(self, visit: int, offset_s: float | None) -> None:
        """Note the device's clock offset (None: it cannot be read); its frames may be settled."""
        self._store.run("visit_clock", offset_s, visit)

    def set_clock(self, visit: int, offset_s: float) -> None:
        """Note the offset that the device's clock has since we set it."""
        self._store.run("visit_clock_set", offset_s, visit)

    def end_visit(self, visit: int) -> None:
        """No more frames will come."""
        self._store.run("visit_end", visit)

    def catch(
        self, visit: int, characteristic: str, frame: bytes, *, at: datetime, fetched: bool = False
    ) -> bool:
        """Put the frame on the disk, before anything else is done with it; False: had it already.

        CannotStoreError means that the device must keep it.
        """
        text = clock.to_text(at)
        key = _key(visit, characteristic, frame, text)
        sealed = self._store.seal.close(frame)
        try:
            return bool(
                self._store.insert("frame_put", key, visit, characteristic, sealed, text, fetched)
            )
        except (sqlite3.OperationalError, sqlite3.IntegrityError) as error:
            raise CannotStoreError(str(error)) from error

    def settle(self, zone: tzinfo) -> int:
        """Read the caught frames whose clock facts are known; return how many were settled."""
        return self._settling.run(zone)

    def report(self, event: wire.Event) -> None:
        """Queue a technical event; it is acknowledged like a reading."""
        body = self._store.seal.close(wire.dump(event))
        at = clock.to_text(event.at)
        self._store.run("outgoing_put", event.id.bytes, "event", "", "", body, at, False)  # noqa: FBT003  # a column

    def next_parcel(self, now: datetime, *, fresh_only: bool = False) -> Parcel | None:
        """Return what to send next: the newest live reading, else the oldest that is due."""
        due = now.timestamp()
        fresh = self._store.run("outgoing_fresh", due, clock.to_text(now - FRESH_FOR))
        if fresh:
            one, kind, device, model, body = fresh[0]
            return self._parcel(kind, device, model, [(one, body)])
        first = [] if fresh_only else self._store.run("outgoing_first", due)
        if not first:
            return None
        kind, device, model = first[0]
        limit = BATCH if kind == "reading" else 1
        rows = self._store.run("outgoing_batch", kind, device, model, due, limit)
        return self._parcel(kind, device, model, rows)

    def sent(self, parcel: Parcel, pace: Pace, *, now: datetime, draw: float) -> None:
        """Note that the broker was given the parcel: due again unless the server acknowledges."""
        with self._store.transaction(durable=False):
            for one in parcel.ids:
                found = self._store.run("outgoing_attempts", one.bytes)
                if found:
                    due = again_at(found[0][0] + 1, pace, now=now, draw=draw).timestamp()
                    self._store.run("outgoing_sent", due, one.bytes)

    def put_off(self, parcel: Parcel, pace: Pace, *, now: datetime, draw: float) -> None:
        """Note that nobody got the parcel: due again after the wait that its attempts call for."""
        with self._store.transaction(durable=False):
            for one in parcel.ids:
                found = self._store.run("outgoing_attempts", one.bytes)
                if found:
                    due = again_at(found[0][0], pace, now=now, draw=draw).timestamp()
                    self._store.run("outgoing_due", due, one.bytes)

    def acknowledge(self, ids: Iterable[UUID]) -> int:
        """Forget what the server has committed; return how many rows that were."""
        gone = 0
        with self._store.transaction(durable=False):
            for one in ids:
                dropped = self._store.run("outgoing_drop", one.bytes)
                gone += len(dropped)
                if dropped and dropped[0][0] == "reading":
                    self._store.run("seen_put", one.bytes)
            self._store.run("seen_trim", REMEMBERED)
        return gone

    def hurry(self, by: datetime) -> None:
        """Make everything that was sent due by then at the latest: the way is open again."""
        with self._store.transaction(durable=False):
            self._store.run("outgoing_hurry", by.timestamp(), by.timestamp())

    def waiting(self, now: datetime) -> int:
        """How many rows were sent and may still be acknowledged in time."""
        return int(self._store.run("outgoing_waiting", now.timestamp())[0][0])

    def next_due(self) -> float | None:
        """When (epoch seconds) the next row is due; None if nothing waits."""
        due: float | None = self._store.run("outgoing_next_due")[0][0]
        return due

    def depth(self) -> Depth:
        """How much waits to be acknowledged, settled or not."""
        rows, oldest = self._store.run("outgoing_depth")[0]
        return Depth(rows=rows, oldest=clock.from_text(oldest) if oldest else None)

    def forget_seen(self) -> None:
        """Send again whatever a device tells again: after a server was restored from a backup."""
        self._store.run("seen_forget")

    def _parcel(self, kind: str, device: str, model: str, rows: list[Row]) -> Parcel:
        ids = tuple(UUID(bytes=row[0]) for row in rows)
        bodies = [self._store.seal.open(row[1]) for row in rows]
        if kind == "event":
            return Parcel(topic="events", ids=ids, body=bodies[0])
        readings = [_READING.decode(body) for body in bodies]
        message = wire.Readings(
            v=wire.VERSION, gateway=self._gateway, device=device, model=model, readings=readings
        )
        return Parcel(topic="readings", ids=ids, body=wire.dump(message))


def _key(visit: int, characteristic: str, frame: bytes, at: str) -> bytes:
    """What makes a frame the same one: in one visit a device repeats itself, or it is a stream."""
    parts = f"{visit}|{characteristic}|{at if characteristic in _STREAMED else ''}|".encode()
    return hashlib.sha256(parts + frame).digest()[:16]
