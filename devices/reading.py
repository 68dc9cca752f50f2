"""The words everybody shares: what a decoded frame is, in canonical units; no decoding, no I/O."""

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType

EARLIEST_BELIEVABLE_YEAR = 2000


class Kind(StrEnum):
    """What was measured; the unit of `Reading.value` follows from it."""

    BLOOD_PRESSURE = "blood_pressure"
    WEIGHT = "weight"
    GLUCOSE = "glucose"
    SPO2 = "spo2"
    TEMPERATURE = "temperature"
    HEART_RATE = "heart_rate"
    BODY_COMPOSITION = "body_composition"


UNITS: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.BLOOD_PRESSURE: "mm[Hg]",
        Kind.WEIGHT: "kg",
        Kind.GLUCOSE: "mg/dL",
        Kind.SPO2: "%",
        Kind.TEMPERATURE: "Cel",
        Kind.HEART_RATE: "/min",
        Kind.BODY_COMPOSITION: "%",
    }
)
"""Canonical UCUM unit of each kind's `value` (blood pressure: systolic; body composition: fat)."""


class UnreadableError(ValueError):
    """A frame that cannot be decoded; the message says why and where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One measurement as the device gave it, in canonical units, with what it said of itself."""

    kind: Kind
    value: float
    """Systolic pressure, weight, glucose, saturation, temperature, heart rate or body fat."""
    diastolic: float | None = None
    mean_arterial: float | None = None
    pulse: float | None = None
    """/min, from a cuff or an oximeter."""
    original_value: float
    """`value` in the unit the device used."""
    original_unit: str
    """UCUM: mm[Hg], kPa, kg, [lb_av], mg/dL, mmol/L, %, Cel, [degF], /min."""
    device_time: datetime | None = None
    """Naive, exactly as the device's own clock wrote it; None if it has none or says unknown."""
    sequence: int | None = None
    user_slot: int | None = None
    flags: tuple[str, ...] = ()
    """Quality words, sorted: movement, cuff_loose, irregular_pulse, control_solution, ..."""
    extra: Mapping[str, float | str] = field(default_factory=dict)
    """Whatever else the profile gives, by name (meal, bmi, sample_type, perfusion_index, ...)."""
    trailing: int = 0
    """How many bytes followed the last field: tolerated, counted, kept in the raw frame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedMeasurement:
    """The device says that it tried and has no value: a record with a reason, never a number."""

    kind: Kind
    reason: str
    device_time: datetime | None = None
    sequence: int | None = None
    user_slot: int | None = None
    flags: tuple[str, ...] = ()
    extra: Mapping[str, float | str] = field(default_factory=dict)
    trailing: int = 0


Decoded = Reading | FailedMeasurement


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """A frame as the gateway caught it, before anything was made of it."""

    device_id: str
    characteristic: str
    """Four upper-case hex digits, e.g. 2A35."""
    frame: bytes
    captured_at: datetime
    """Aware UTC, the gateway's clock inside the notification callback."""


def reading_id(capture: Capture, decoded: Decoded | None) -> uuid.UUID:
    """Return the id that one measurement has however often, and by whichever gateway, it is sent.

    A digest of device, characteristic, sequence, device time, user slot, values and unit. Where the
    device gives neither time nor sequence, or the frame is unreadable, the capture itself is the
    identity. The first 48 bits are the identity time in ms (as in UUIDv7), so ids sort by time.
    """
    told = decoded is not None and (decoded.device_time is not None or decoded.sequence is not None)
    parts = [capture.device_id, capture.characteristic]
    if told and decoded is not None:
        parts += _said(decoded)
    else:
        parts += [capture.frame.hex(), capture.captured_at.astimezone(UTC).isoformat()]
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    milliseconds = int(_identity_time(capture, decoded).timestamp() * 1000) & ((1 << 48) - 1)
    return uuid.UUID(bytes=_version_8(milliseconds.to_bytes(6, "big") + digest[:10]))


def _said(decoded: Decoded) -> list[str]:
    """What the device itself said, as text that does not depend on the gateway."""
    values: list[object] = [decoded.kind, decoded.sequence, decoded.device_time, decoded.user_slot]
    if isinstance(decoded, Reading):
        values += [decoded.original_value, decoded.original_unit]
        values += [decoded.diastolic, decoded.mean_arterial, decoded.pulse]
    else:
        values.append(decoded.reason)
    return [str(value) for value in values]


def _identity_time(capture: Capture, decoded: Decoded | None) -> datetime:
    """Only orders the ids: a device time is read as if it were UTC, because that never changes."""
    device_time = decoded.device_time if decoded is not None else None
    if device_time is None or device_time.year < EARLIEST_BELIEVABLE_YEAR:
        sequenced = decoded is not None and decoded.sequence is not None
        return datetime(2000, 1, 1, tzinfo=UTC) if sequenced else capture.captured_at
    return device_time.replace(tzinfo=UTC)


def _version_8(raw: bytes) -> bytes:
    """Stamp version 8 and the RFC 9562 variant into 16 bytes."""
    out = bytearray(raw)
    out[6] = (out[6] & 0x0F) | 0x80
    out[8] = (out[8] & 0x3F) | 0x80
    return bytes(out)
