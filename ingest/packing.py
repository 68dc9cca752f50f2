"""A batch as its transaction takes it: readings packed soon after they are decided. Pure.

A few dozen are decided, then packed, while they are in the processor's cache. Measured: one by one
the code of the two steps drives itself out of the cache, the whole batch drives out the readings.
"""

from collections import Counter
from collections.abc import Iterable
from itertools import chain, islice

import msgspec

from ingest import binary, copying
from ingest.batch import Judged, PutAside
from ingest.binary import Array
from ingest.copying import Row
from ingest.decision import Doubt, Flagged, Quarantined

AT_A_TIME = 64
_ONE_IDENTITY = b"\0\1" + binary.UUID_LENGTH
"""How a row of one column begins."""


class Packed(msgspec.Struct, frozen=True):
    """The readings of a batch, by what becomes of them."""

    placed: list[Row]
    """What enters a chart."""
    quarantined: list[tuple[Judged, Quarantined]]
    flagged: list[tuple[Doubt, ...]]
    """Why some of those in charts are shown only."""

    def __len__(self) -> int:
        """How many readings."""
        return len(self.placed) + len(self.quarantined)

    @property
    def doubts(self) -> Counter[str]:
        """How often each doubt was told."""
        return Counter(chain.from_iterable(self.flagged))


def pack(judged: Iterable[Judged]) -> Packed:
    """Take up decisions as they are made."""
    packed, coming = Packed([], [], []), iter(judged)
    while some := list(islice(coming, AT_A_TIME)):
        _pack(some, packed)
    return packed


def _pack(judged: list[Judged], packed: Packed) -> None:
    for each in judged:
        decision = each.decision
        if isinstance(decision, Quarantined):
            packed.quarantined.append((each, decision))
            continue
        packed.placed.append(copying.row(each, decision))
        if isinstance(decision, Flagged):
            packed.flagged.append(decision.reasons)


def identities(placed: Iterable[Row], asides: Iterable[PutAside]) -> list[bytes]:
    """Return every reading's id, sorted, so that two workers never wait in a circle."""
    found = [row.id for row in placed]
    found += [each.id.bytes for each in asides if each.is_reading]
    found.sort()
    return found


def identity_copy(ids: Iterable[bytes]) -> bytes:
    """Return the data of `claim_new_identities`."""
    return binary.copy(_ONE_IDENTITY + each for each in ids)


def identity_array(ids: Iterable[bytes]) -> Array:
    """Return a uuid[] of ids that are bytes already."""
    return binary.array(binary.UUID_OID, [binary.UUID_LENGTH + each for each in ids])


def readings(rows: Iterable[Row]) -> bytes:
    """Return the data of `copy_readings`."""
    return binary.copy(row.reading for row in rows)


def to_evaluate(rows: Iterable[Row]) -> bytes | None:
    """Return the data of `copy_to_evaluate`, if rules are to see any of these."""
    queued = [row.queued for row in rows if row.queued is not None]
    return binary.copy(queued) if queued else None
