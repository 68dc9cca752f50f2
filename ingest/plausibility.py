"""Whether a value is possible, and likely for this patient. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType

import msgspec

from devices.reading import Kind
from devices.wire import WireReading
from ingest.bounds import BandLimits, Bounds, Limits
from ingest.decision import Doubt, Reason
from ingest.people import Medians, OtherRate

UNITS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        Kind.BLOOD_PRESSURE: frozenset({"mm[Hg]", "kPa"}),
        Kind.WEIGHT: frozenset({"kg", "[lb_av]"}),
        Kind.GLUCOSE: frozenset({"mg/dL", "mmol/L"}),
        Kind.SPO2: frozenset({"%"}),
        Kind.TEMPERATURE: frozenset({"Cel", "[degF]"}),
        Kind.HEART_RATE: frozenset({"/min"}),
        Kind.BODY_COMPOSITION: frozenset({"%"}),
    }
)
"""The units in which each kind may have been measured."""
QUALITY_DOUBTS: Mapping[str, Doubt] = MappingProxyType(
    {
        "movement": Doubt.MOVEMENT,
        "cuff_loose": Doubt.CUFF_LOOSE,
        "pulse_above_range": Doubt.PULSE_OUT_OF_RANGE,
        "pulse_below_range": Doubt.PULSE_OUT_OF_RANGE,
        "pulse_unbelievable": Doubt.PULSE_OUT_OF_RANGE,
    }
)
BLOOD_PRESSURE, SPO2, GLUCOSE = Kind.BLOOD_PRESSURE, Kind.SPO2, Kind.GLUCOSE
WEIGHT, TEMPERATURE, HEART_RATE = Kind.WEIGHT, Kind.TEMPERATURE, Kind.HEART_RATE
_DAY = timedelta(hours=24)


class Sample(msgspec.Struct, frozen=True, gc=False):
    """A value to be judged: by which limits, and when it was measured."""

    reading: WireReading
    value: float
    at: datetime
    limits: BandLimits


class Impossible(msgspec.Struct, frozen=True, gc=False):
    """A value that no patient has: it cannot enter a chart."""

    reason: Reason
    detail: str


def impossible(sample: Sample, bounds: Bounds) -> Impossible | None:
    """Return why the value is outside the hard bounds, a unit mix-up before anything else."""
    reading, value, limits = sample.reading, sample.value, sample.limits
    low, high = limits.of_kind[reading.kind].hard
    if not low <= value <= high:
        reason = Reason.UNIT_MIX_UP if _mixed_up(sample, bounds) else Reason.OUT_OF_BOUNDS
        return Impossible(reason, f"{value:g} is outside {low:g} to {high:g}")
    if reading.kind == BLOOD_PRESSURE:
        return _impossible_pressures(reading, value, limits)
    return None


def doubts(
    sample: Sample, bounds: Bounds, usual: Medians | None, others: Sequence[OtherRate]
) -> list[Doubt]:
    """Return every reason to show the reading without paging anybody."""
    reading, value, in_band = sample.reading, sample.value, sample.limits
    limits = in_band.of_kind[reading.kind]
    found: list[Doubt] = []
    if reading.flags:
        found += [QUALITY_DOUBTS[word] for word in reading.flags if word in QUALITY_DOUBTS]
    if not _within(value, limits):
        found.append(Doubt.SOFT_BOUNDS)
    if reading.kind == BLOOD_PRESSURE:
        found += _pressure_doubts(reading, value, bounds, in_band.diastolic, usual)
    elif reading.kind == SPO2:
        found += _perfusion_doubts(reading, bounds)
    elif reading.kind == GLUCOSE and _mixed_up(sample, bounds):
        found.append(Doubt.UNIT_MIX_UP)
    elif reading.kind == WEIGHT and usual is not None:
        found += _weight_doubts(sample, usual, bounds)
    elif reading.kind == HEART_RATE and _disagree(sample, others, bounds):
        found.append(Doubt.DEVICES_DISAGREE)
    if reading.pulse is not None and not _within(reading.pulse, in_band.heart_rate):
        found.append(Doubt.PULSE_OUT_OF_RANGE)
    if usual is not None and _jumps(value, usual.value, limits):
        found.append(Doubt.JUMP)
    return found


def wrong_person(sample: Sample, usual: Medians | None, bounds: Bounds) -> bool:
    """Whether a weight is so far from the patient's week that somebody else stood on the scale."""
    if sample.reading.kind != WEIGHT or usual is None or _pounds(sample.value, usual.value, bounds):
        return False
    return abs(sample.value - usual.value) > bounds.cross.wrong_person_share * usual.value


def _impossible_pressures(
    reading: WireReading, systolic: float, limits: BandLimits
) -> Impossible | None:
    diastolic = reading.diastolic
    if diastolic is None:
        return Impossible(Reason.MISSING_VALUE, "no diastolic pressure")
    low, high = limits.diastolic.hard
    if not low <= diastolic <= high:
        return Impossible(
            Reason.OUT_OF_BOUNDS, f"diastolic {diastolic:g} is outside {low:g} to {high:g}"
        )
    if systolic <= diastolic:
        return Impossible(Reason.OUT_OF_BOUNDS, f"systolic {systolic:g} <= diastolic {diastolic:g}")
    return None


def _mixed_up(sample: Sample, bounds: Bounds) -> bool:
    """Said to be Celsius or mg/dL, with a number that is everyday in the other unit."""
    reading, mix_ups = sample.reading, bounds.mix_ups
    if reading.kind == TEMPERATURE and reading.original_unit == "Cel":
        return mix_ups.fahrenheit[0] <= sample.value <= mix_ups.fahrenheit[1]
    if reading.kind == GLUCOSE and reading.original_unit == "mg/dL":
        return mix_ups.mmol[0] <= sample.value <= mix_ups.mmol[1]
    return False


def _pressure_doubts(
    reading: WireReading, systolic: float, bounds: Bounds, limits: Limits, usual: Medians | None
) -> list[Doubt]:
    diastolic = reading.diastolic or 0.0
    found = []
    if not _within(diastolic, limits):
        found.append(Doubt.DIASTOLIC_SOFT_BOUNDS)
    if systolic <= diastolic + bounds.cross.systolic_above_diastolic:
        found.append(Doubt.PRESSURES_TOO_CLOSE)
    low, high = bounds.cross.pulse_pressure
    if not low <= systolic - diastolic <= high:
        found.append(Doubt.PULSE_PRESSURE)
    mean = reading.mean_arterial
    if mean is not None and not diastolic <= mean <= systolic:
        found.append(Doubt.MEAN_OUTSIDE)
    if usual is not None and usual.diastolic is not None:
        found += [Doubt.JUMP] if _jumps(diastolic, usual.diastolic, limits) else []
    return found


def _perfusion_doubts(reading: WireReading, bounds: Bounds) -> list[Doubt]:
    found = []
    index = reading.extra.get("perfusion_index")
    if isinstance(index, int | float) and index < bounds.cross.perfusion_index:
        found.append(Doubt.WEAK_PERFUSION)
    if not reading.pulse:
        found.append(Doubt.PULSE_ABSENT)
    return found


def _weight_doubts(sample: Sample, usual: Medians, bounds: Bounds) -> list[Doubt]:
    if _pounds(sample.value, usual.value, bounds):
        return [Doubt.UNIT_MIX_UP]
    if usual.last_value is None or usual.last_at is None or abs(sample.at - usual.last_at) > _DAY:
        return []
    change = abs(sample.value - usual.last_value)
    cross = bounds.cross
    jumped = change > cross.weight_jump_kg or change > cross.weight_jump_share * usual.last_value
    return [Doubt.JUMP] if jumped else []


def _pounds(value: float, usual: float, bounds: Bounds) -> bool:
    """Pounds taken for kilograms, or the other way round."""
    ratio, tolerance = bounds.mix_ups.pound_ratio, bounds.mix_ups.pound_tolerance
    larger, smaller = max(value, usual), min(value, usual)
    return smaller > 0 and abs(larger / smaller / ratio - 1) <= tolerance


def _disagree(sample: Sample, others: Sequence[OtherRate], bounds: Bounds) -> bool:
    cross = bounds.cross
    return any(
        abs((other.at - sample.at).total_seconds()) <= cross.two_devices_within_s
        and abs(other.rate - sample.value) > cross.two_devices_rate_differs
        for other in others
    )


def _within(value: float, limits: Limits) -> bool:
    return limits.soft[0] <= value <= limits.soft[1]


def _jumps(value: float, usual: float, limits: Limits) -> bool:
    return limits.jump is not None and abs(value - usual) > limits.jump
