"""From caught frames to rows that can be sent: read, find the halves that belong together."""

import hashlib
from dataclasses import replace
from datetime import tzinfo

import msgspec

from devices import pairs, wire
from devices.reading import UnreadableError
from gateway import clock, sequences
from gateway.interpret import ORPHAN, CaughtFrame, Decode, NotYet, interpret
from gateway.store import Row, Store

_AT_ONCE = 200


class Settling:
    """Turns frames into readings, in one transaction; a power cut in it is as if it never began."""

    def __init__(self, store: Store, read: Decode) -> None:
        self._store = store
        self._read = read

    def run(self, zone: tzinfo) -> int:
        """Settle a number of frames; return how many, 0 if there is nothing to do now."""
        caught = [self._caught(row) for row in self._store.run("frames_ready", _AT_ONCE)]
        if not caught:
            return 0
        used: set[int] = set()
        with self._store.transaction(durable=False):
            for number, one in enumerate(caught):
                if one.row not in used:
                    used |= self._settle(one, caught[number + 1 :], used, zone)
            self._store.run("visits_forget")
        return len(used)

    def _settle(
        self, one: CaughtFrame, later: list[CaughtFrame], used: set[int], zone: tzinfo
    ) -> set[int]:
        """Settle one frame, with the one that completes it; return the rows that are done."""
        rows = {one.row}
        if awaited(one) is not None:
            second = next((two for two in later if two.row not in used and _fits(one, two)), None)
            if second is not None:
                one = replace(one, following=second.frame)
                rows.add(second.row)
            elif not one.visit_ended:
                return set()
        reading = interpret(one, zone, self._read)
        if reading is NotYet.WAIT:
            return set()
        for row in rows:
            self._store.run("frame_drop", row)
        if isinstance(reading, wire.WireReading):
            self._queue(one, reading, zone)
        return rows

    def _keep_following(
        self,
        one: CaughtFrame,
        following: bytes,
        reading: wire.WireReading,
        *,
        is_told: bool,
        zone: tzinfo,
    ) -> None:
        """A first frame that was told alone must not swallow the second one that comes later."""
        mark = hashlib.sha256(reading.id.bytes + following).digest()[:16]
        first_time = self._store.insert("seen_put", mark)
        if is_told or not first_time or one.characteristic != sequences.GLUCOSE:
            return
        context = replace(
            one, characteristic=ORPHAN, frame=following, following=None, visit_ended=True
        )
        orphan = interpret(context, zone, self._read)
        if isinstance(orphan, wire.WireReading):
            self._queue(context, orphan, zone)

    def _queue(self, one: CaughtFrame, reading: wire.WireReading, zone: tzinfo) -> None:
        body = self._store.seal.close(msgspec.json.encode(reading))
        at = clock.to_text(reading.at)
        values = (one.device, one.model, body, at, reading.live)
        new = self._store.insert("outgoing_put", reading.id.bytes, "reading", *values)
        if one.following is not None:
            self._keep_following(one, one.following, reading, is_told=bool(new), zone=zone)
        self._store.run("device_read", at, one.device)
        if reading.char == sequences.GLUCOSE and reading.sequence is not None:
            self._advance(one.device, reading.sequence)

    def _advance(self, device: str, sequence: int) -> None:
        found = self._store.run("device_last_sequence", device)
        if found:
            latest = sequences.advance(found[0][0], sequence)
            self._store.run("device_sequence", latest, device)

    def _caught(self, row: Row) -> CaughtFrame:
        return CaughtFrame(
            row=row[0],
            visit=row[1],
            device=row[2],
            model=row[3],
            quirk=row[4],
            synced=bool(row[5]),
            offset_s=row[6],
            set_offset_s=row[7],
            visit_ended=bool(row[8]),
            visit_frames=row[9],
            characteristic=row[10],
            frame=self._store.seal.open(row[11]),
            at=clock.from_text(row[12]),
            fetched=bool(row[13]),
        )


def awaited(one: CaughtFrame) -> str | None:
    """Return the characteristic that will complete this frame; a broken frame awaits nothing."""
    try:
        return pairs.awaits(one.characteristic, one.frame)
    except UnreadableError:
        return None


def _fits(one: CaughtFrame, two: CaughtFrame) -> bool:
    """Whether the second frame is the one that the first awaits."""
    if two.visit != one.visit or two.characteristic != awaited(one):
        return False
    try:
        return pairs.completes(one.characteristic, one.frame, two.frame)
    except UnreadableError:
        return False
