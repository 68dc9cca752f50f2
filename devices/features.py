"""Feature characteristics: what a device says it can do, a set of bits."""

from collections.abc import Mapping
from dataclasses import dataclass

from devices import bits
from devices.cursor import Cursor
from devices.shown import Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """The bits as they came; `width` is how many bytes hold them."""

    raw: int
    width: int = 2
    trailing: bytes = b""


def parse(frame: bytes, width: int) -> Features:
    """Read the bits."""
    cursor = Cursor(frame)
    raw = int.from_bytes(cursor.take(width), "little")
    return Features(raw=raw, width=width, trailing=cursor.rest())


def encode(features: Features) -> bytes:
    """Return the bytes."""
    return features.raw.to_bytes(features.width, "little") + features.trailing


def fields(features: Features, names: Mapping[int, str]) -> Fields:
    """Return the bits and the names of those that are set."""
    return {"bits": features.raw, "features": bits.words(features.raw, names)}
