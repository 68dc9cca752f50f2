"""Glucose: measurement 2A18, features 2A51; the context 2A34 is in glucose_context."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from types import MappingProxyType

from devices import bits, date_time, failure, packing, sfloat, shown
from devices.cursor import Cursor
from devices.date_time import DateTime
from devices.reading import Decoded, FailedMeasurement, Kind, Reading
from devices.sfloat import Number
from devices.shown import Fields

MG_DL_PER_MMOL_L = 18.0156
OFFSET_OVERRUN, OFFSET_UNDERRUN = 0x7FFF, -0x8000
CONTROL_TYPE, CONTROL_LOCATION = 10, 4


class Flag(IntEnum):
    """The first byte; the bits above are reserved."""

    OFFSET = 1
    CONCENTRATION = 2
    MOLES = 4
    STATUS = 8
    CONTEXT = 16


TYPES: Mapping[int, str] = MappingProxyType(
    {
        1: "capillary_whole_blood",
        2: "capillary_plasma",
        3: "venous_whole_blood",
        4: "venous_plasma",
        5: "arterial_whole_blood",
        6: "arterial_plasma",
        7: "undetermined_whole_blood",
        8: "undetermined_plasma",
        9: "interstitial_fluid",
        10: "control_solution",
    }
)
LOCATIONS: Mapping[int, str] = MappingProxyType(
    {
        1: "finger",
        2: "alternate_site",
        3: "earlobe",
        4: "control_solution",
        15: "not_available",
    }
)
INVALID: Mapping[int, str] = MappingProxyType(
    {
        1: "sensor_malfunction",
        2: "sample_insufficient",
        3: "strip_insertion_error",
        4: "strip_type_incorrect",
        7: "temperature_too_high",
        8: "temperature_too_low",
        9: "read_interrupted",
        10: "device_fault",
    }
)
"""Status bits under which the concentration, if any, is no result."""
REMARKS: Mapping[int, str] = MappingProxyType(
    {0: "battery_low", 5: "above_range", 6: "below_range", 11: "time_fault"}
)
FEATURES: Mapping[int, str] = MappingProxyType(
    {
        0: "low_battery_detection",
        1: "sensor_malfunction_detection",
        2: "sample_size_detection",
        3: "strip_insertion_detection",
        4: "strip_type_detection",
        5: "result_range_detection",
        6: "temperature_detection",
        7: "read_interrupt_detection",
        8: "device_fault_detection",
        9: "time_fault_detection",
        10: "multiple_bonds",
    }
)
_KNOWN = sum(Flag)


@dataclass(frozen=True, slots=True, kw_only=True)
class Glucose:
    """2A18 as on the wire: kg/L, or mol/L if `moles`."""

    sequence: int
    base_time: DateTime
    offset_minutes: int | None = None
    """Base time plus this is the time that the user sees."""
    concentration: Number | None = None
    type: int | None = None
    """Present with the concentration, as is the location."""
    location: int | None = None
    moles: bool = False
    status: int | None = None
    context_follows: bool = False
    reserved: int = 0
    trailing: bytes = b""

    @property
    def flags(self) -> int:
        """The first byte."""
        there = {
            Flag.OFFSET: self.offset_minutes,
            Flag.CONCENTRATION: self.concentration,
            Flag.STATUS: self.status,
        }
        unit = Flag.MOLES if self.moles else 0
        return bits.present(there) | unit | self.reserved | _context(self)


def parse(frame: bytes) -> Glucose:
    """Read every field; UnreadableError if one that the flags promise is missing."""
    cursor = Cursor(frame)
    flags = cursor.u8()
    sequence, base_time = cursor.u16(), date_time.read_from(cursor)
    offset = cursor.s16() if flags & Flag.OFFSET else None
    measured = bool(flags & Flag.CONCENTRATION)
    concentration = sfloat.decode(cursor.u16()) if measured else None
    sample = cursor.u8() if measured else None
    return Glucose(
        sequence=sequence,
        base_time=base_time,
        offset_minutes=offset,
        concentration=concentration,
        type=None if sample is None else sample & 0xF,
        location=None if sample is None else sample >> 4,
        moles=bool(flags & Flag.MOLES),
        status=cursor.u16() if flags & Flag.STATUS else None,
        context_follows=bool(flags & Flag.CONTEXT),
        reserved=flags & ~_KNOWN,
        trailing=cursor.rest(),
    )


def encode(measured: Glucose) -> bytes:
    """Return the frame."""
    sample = (measured.location or 0) << 4 | (measured.type or 0)
    return (
        packing.u8(measured.flags)
        + packing.u16(measured.sequence)
        + packing.moment(measured.base_time)
        + packing.s16(measured.offset_minutes)
        + packing.short(measured.concentration)
        + packing.u8(None if measured.concentration is None else sample)
        + packing.u16(measured.status)
        + measured.trailing
    )


def read(measured: Glucose) -> Decoded:
    """Return the reading in mg/dL, or why the meter has none."""
    invalid = bits.words(measured.status, INVALID)
    concentration = sfloat.value(measured.concentration)
    if concentration is None or invalid:
        return _failed(measured, invalid)
    original = concentration_in_its_unit(concentration, moles=measured.moles)
    return Reading(
        kind=Kind.GLUCOSE,
        value=mg_dl(original) if measured.moles else original,
        original_value=original,
        original_unit="mmol/L" if measured.moles else "mg/dL",
        device_time=user_time(measured),
        sequence=measured.sequence,
        flags=_quality(measured),
        extra=_sample(measured),
        trailing=len(measured.trailing),
    )


def fields(measured: Glucose) -> Fields:
    """Return the decoded fields; kg/L and mol/L as meters show them, mg/dL and mmol/L."""
    return {
        "seq": measured.sequence,
        "base_time": str(measured.base_time),
        **shown.given(
            offset_min=measured.offset_minutes,
            **{"mmol_l" if measured.moles else "mg_dl": _shown(measured)},
            type=measured.type,
            location=measured.location,
            status=measured.status,
        ),
        "context_follows": measured.context_follows,
    }


def user_time(measured: Glucose) -> datetime | None:
    """Return the time as the meter showed it: base time plus offset, where there is one."""
    base = measured.base_time.naive()
    offset = measured.offset_minutes
    if base is None or offset is None or offset in (OFFSET_OVERRUN, OFFSET_UNDERRUN):
        return base
    try:
        return base + timedelta(minutes=offset)
    except OverflowError:
        return base


def mg_dl(mmol_l: float) -> float:
    """Return a concentration of mmol/L in mg/dL."""
    return round(mmol_l * MG_DL_PER_MMOL_L, 1)


def concentration_in_its_unit(concentration: float, *, moles: bool) -> float:
    """Return kg/L as mg/dL, mol/L as mmol/L."""
    return sfloat.shifted(concentration, 3 if moles else 5)


def wire_concentration(shown_value: float, *, moles: bool) -> float:
    """Return mg/dL as kg/L, mmol/L as mol/L: what a simulated meter encodes."""
    return sfloat.shifted(shown_value, -3 if moles else -5)


def _context(measured: Glucose) -> int:
    return Flag.CONTEXT if measured.context_follows else 0


def _shown(measured: Glucose) -> Number | None:
    concentration = sfloat.value(measured.concentration)
    if concentration is None:
        return measured.concentration
    return concentration_in_its_unit(concentration, moles=measured.moles)


def _failed(measured: Glucose, invalid: list[str]) -> FailedMeasurement:
    """A meter that reads LO or HI and gives no number says so in the reason."""
    out_of_range = bits.words(measured.status, {5: "above_range", 6: "below_range"})
    reason = failure.reason(measured.concentration)
    return FailedMeasurement(
        kind=Kind.GLUCOSE,
        reason=(invalid + out_of_range + [reason or failure.Reason.NO_VALUE])[0],
        device_time=user_time(measured),
        sequence=measured.sequence,
        flags=_quality(measured),
        extra=_sample(measured),
        trailing=len(measured.trailing),
    )


def _quality(measured: Glucose) -> tuple[str, ...]:
    found = bits.words(measured.status, {**INVALID, **REMARKS})
    found += date_time.doubts(measured.base_time)
    if measured.type == CONTROL_TYPE or measured.location == CONTROL_LOCATION:
        found.append("control_solution")
    if measured.offset_minutes in (OFFSET_OVERRUN, OFFSET_UNDERRUN):
        found.append("time_offset_out_of_range")
    return bits.ordered(found)


def _sample(measured: Glucose) -> dict[str, float | str]:
    """What was measured and where, by name; a reserved code keeps its number."""
    extra: dict[str, float | str] = {}
    if measured.type is not None:
        extra["sample_type"] = TYPES.get(measured.type, f"reserved_{measured.type}")
    if measured.location is not None:
        location = measured.location
        extra["sample_location"] = LOCATIONS.get(location, f"reserved_{location}")
    return extra
