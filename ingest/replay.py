"""Stored frames through today's decoders: what would be read differently now. Pure."""

from dataclasses import dataclass
from uuid import UUID

from devices import models, pairs, profiles
from devices.reading import Decoded, Reading, UnreadableError

TOLERANCE = 1e-6
REDECODED = "redecoded"
"""Flag of a reading that a newer decoder reads differently: a person looks at it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """What a decoder makes of a frame, as far as a chart shows it."""

    kind: str
    value: float
    diastolic: float | None = None
    mean_arterial: float | None = None
    pulse: float | None = None
    original_value: float | None = None
    original_unit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A frame as it is stored."""

    characteristic: str
    raw: bytes
    model: str
    following: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A stored reading that would be read differently."""

    reading_id: UUID
    patient_id: UUID
    stored: Values
    now: Values | None
    """None: not a reading any more."""
    why: str = ""
    """Why it is none any more."""


def read(frame: Frame) -> Decoded | None:
    """Decode with today's decoders; UnreadableError as ever."""
    quirk = _quirk(frame.model)
    if frame.following is not None:
        return pairs.decode(frame.characteristic, frame.raw, frame.following, quirk=quirk)
    return profiles.decode(frame.characteristic, frame.raw, quirk=quirk)


def values(decoded: Reading) -> Values:
    """Return the values of a decoded reading."""
    return Values(
        kind=decoded.kind,
        value=decoded.value,
        diastolic=decoded.diastolic,
        mean_arterial=decoded.mean_arterial,
        pulse=decoded.pulse,
        original_value=decoded.original_value,
        original_unit=decoded.original_unit,
    )


def compare(reading_id: UUID, patient_id: UUID, stored: Values, frame: Frame) -> Difference | None:
    """Return how today's decoders differ from what is stored, None if they do not."""
    try:
        decoded = read(frame)
    except UnreadableError as error:
        why: str = str(error)
    else:
        if isinstance(decoded, Reading):
            now = values(decoded)
            if _same(stored, now):
                return None
            return Difference(reading_id=reading_id, patient_id=patient_id, stored=stored, now=now)
        why = "never a reading" if decoded is None else decoded.reason
    return Difference(
        reading_id=reading_id, patient_id=patient_id, stored=stored, now=None, why=why
    )


def _same(stored: Values, now: Values) -> bool:
    words = (stored.kind, stored.original_unit) == (now.kind, now.original_unit)
    numbers = (
        (stored.value, now.value),
        (stored.diastolic, now.diastolic),
        (stored.mean_arterial, now.mean_arterial),
        (stored.pulse, now.pulse),
        (stored.original_value, now.original_value),
    )
    return words and all(_close(one, other) for one, other in numbers)


def _close(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= TOLERANCE * max(1.0, abs(one))


def _quirk(model: str) -> str | None:
    try:
        return models.by_name(model).quirk
    except KeyError:
        return None
