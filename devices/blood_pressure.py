"""Blood Pressure: measurement 2A35, cuff pressure 2A36 (same layout), features 2A49."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType

from devices import bits, date_time, failure, packing, sfloat, shown
from devices.cursor import Cursor
from devices.date_time import DateTime
from devices.reading import Decoded, FailedMeasurement, Kind, Reading
from devices.sfloat import Number
from devices.shown import Fields

MMHG_PER_KPA = 7.50062
FASTEST_BELIEVABLE_PULSE = 1000
"""No heart is faster: beyond it the field was not the pulse (a device that breaks the layout)."""


class Flag(IntEnum):
    """The first byte; the bits above are reserved, and real devices set them."""

    KPA = 1
    TIMESTAMP = 2
    PULSE = 4
    USER = 8
    STATUS = 16


STATUS: Mapping[int, str] = MappingProxyType(
    {0: "movement", 1: "cuff_loose", 2: "irregular_pulse", 5: "improper_position"}
)
PULSE_RANGE: Mapping[int, str] = MappingProxyType({1: "pulse_above_range", 2: "pulse_below_range"})
FEATURES: Mapping[int, str] = MappingProxyType(
    {
        0: "movement_detection",
        1: "cuff_fit_detection",
        2: "irregular_pulse_detection",
        3: "pulse_range_detection",
        4: "position_detection",
        5: "multiple_bonds",
        6: "e2e_crc",
        7: "user_data_service",
        8: "user_facing_time",
    }
)
_KNOWN = sum(Flag)


@dataclass(frozen=True, slots=True, kw_only=True)
class BloodPressure:
    """2A35 and 2A36 as on the wire: mmHg, or kPa if `kpa`."""

    systolic: Number
    """In 2A36: the cuff pressure of this moment."""
    diastolic: Number
    mean_arterial: Number
    kpa: bool = False
    timestamp: DateTime | None = None
    pulse: Number | None = None
    user: int | None = None
    status: int | None = None
    reserved: int = 0
    """Reserved flag bits, as they came."""
    trailing: bytes = b""

    @property
    def flags(self) -> int:
        """The first byte."""
        there = {
            Flag.TIMESTAMP: self.timestamp,
            Flag.PULSE: self.pulse,
            Flag.USER: self.user,
            Flag.STATUS: self.status,
        }
        return bits.present(there) | self.reserved | (Flag.KPA if self.kpa else 0)


def parse(frame: bytes) -> BloodPressure:
    """Read every field; UnreadableError if one that the flags promise is missing."""
    cursor = Cursor(frame)
    flags = cursor.u8()
    return BloodPressure(
        kpa=bool(flags & Flag.KPA),
        systolic=sfloat.decode(cursor.u16()),
        diastolic=sfloat.decode(cursor.u16()),
        mean_arterial=sfloat.decode(cursor.u16()),
        timestamp=date_time.read_from(cursor) if flags & Flag.TIMESTAMP else None,
        pulse=sfloat.decode(cursor.u16()) if flags & Flag.PULSE else None,
        user=cursor.u8() if flags & Flag.USER else None,
        status=cursor.u16() if flags & Flag.STATUS else None,
        reserved=flags & ~_KNOWN,
        trailing=cursor.rest(),
    )


def encode(measured: BloodPressure) -> bytes:
    """Return the frame."""
    return (
        packing.u8(measured.flags)
        + packing.short(measured.systolic)
        + packing.short(measured.diastolic)
        + packing.short(measured.mean_arterial)
        + packing.moment(measured.timestamp)
        + packing.short(measured.pulse)
        + packing.u8(measured.user)
        + packing.u16(measured.status)
        + measured.trailing
    )


def read(measured: BloodPressure) -> Decoded:
    """Return the reading, or why there is none; a missing mean pressure is normal."""
    systolic, diastolic = sfloat.value(measured.systolic), sfloat.value(measured.diastolic)
    if systolic is None or diastolic is None:
        return _failed(measured)
    mean = sfloat.value(measured.mean_arterial) or None
    pulse, doubts = _pulse(measured.pulse)
    return Reading(
        kind=Kind.BLOOD_PRESSURE,
        value=_mmhg(systolic, kpa=measured.kpa),
        diastolic=_mmhg(diastolic, kpa=measured.kpa),
        mean_arterial=None if mean is None else _mmhg(mean, kpa=measured.kpa),
        pulse=pulse,
        original_value=systolic,
        original_unit="kPa" if measured.kpa else "mm[Hg]",
        device_time=date_time.device_time(measured.timestamp),
        user_slot=bits.user_slot(measured.user),
        flags=_quality(measured, doubts),
        extra={"original_diastolic": diastolic} if measured.kpa else {},
        trailing=len(measured.trailing),
    )


def fields(measured: BloodPressure) -> Fields:
    """Return the decoded fields in the units of the wire."""
    return {
        "unit": "kPa" if measured.kpa else "mmHg",
        "systolic": measured.systolic,
        "diastolic": measured.diastolic,
        "map": measured.mean_arterial,
        **shown.user(measured.user),
        **shown.given(
            timestamp=shown.text(measured.timestamp),
            pulse=measured.pulse,
            status=measured.status,
        ),
    }


def _failed(measured: BloodPressure) -> FailedMeasurement:
    reason = failure.reason(measured.systolic, measured.diastolic)
    return FailedMeasurement(
        kind=Kind.BLOOD_PRESSURE,
        reason=reason or failure.Reason.NO_VALUE,
        device_time=date_time.device_time(measured.timestamp),
        user_slot=bits.user_slot(measured.user),
        flags=_quality(measured, []),
        trailing=len(measured.trailing),
    )


def _mmhg(pressure: float, *, kpa: bool) -> float:
    return round(pressure * MMHG_PER_KPA, 1) if kpa else pressure


def _pulse(raw: Number | None) -> tuple[float | None, list[str]]:
    """The pulse if it can be one, else what to say instead."""
    if raw is None:
        return None, []
    pulse = sfloat.value(raw)
    if pulse is None or pulse == 0:
        return None, ["pulse_unavailable"]
    if not 0 < pulse < FASTEST_BELIEVABLE_PULSE:
        return None, ["pulse_unbelievable"]
    return pulse, []


def _quality(measured: BloodPressure, doubts: list[str]) -> tuple[str, ...]:
    status = measured.status or 0
    pulse_range = PULSE_RANGE.get(status >> 3 & 3)
    found = doubts + bits.words(status, STATUS) + date_time.doubts(measured.timestamp)
    return bits.ordered([*found, pulse_range] if pulse_range else found)
