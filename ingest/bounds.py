"""The numbers that acceptance compares with: bounds.yaml as typed values; decides nothing."""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from importlib import resources
from types import MappingProxyType

import msgspec
import yaml

from devices.reading import Kind


class BoundsError(ValueError):
    """A bounds file that cannot be used; the text says where."""


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One metric in one age band; `hard` and `soft` are inclusive."""

    hard: tuple[float, float]
    soft: tuple[float, float]
    jump: float | None
    src: str


class CrossChecks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits that look at two values."""

    systolic_above_diastolic: float
    pulse_pressure: tuple[float, float]
    perfusion_index: float
    two_devices_within_s: float
    two_devices_rate_differs: float
    weight_jump_kg: float
    weight_jump_share: float
    wrong_person_share: float


class MixUps(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Values that betray another unit."""

    pound_ratio: float
    pound_tolerance: float
    fahrenheit: tuple[float, float]
    mmol: tuple[float, float]


class OwnerRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a weight points at one of several people."""

    likely_kg: float
    likely_share: float
    others_kg: float


class TimeRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a clock is believed."""

    src: str
    factory_years_to: int
    nonsense_years_from: int
    factory_dates: frozenset[date]
    fault_s: float
    future: timedelta
    stale: timedelta
    gateway_error: timedelta
    oldest_unverified: timedelta
    synced_s: float


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    schema: str
    version: str
    approved_by: str | None
    sources: dict[str, str]
    bands: dict[str, float]
    metrics: dict[str, dict[str, Limits]]
    cross_checks: CrossChecks
    unit_mix_ups: MixUps
    out_of_range: dict[str, dict[str, float]]
    owner: OwnerRules
    time: TimeRules


class BandLimits(msgspec.Struct, frozen=True):
    """The limits of one age band."""

    of_kind: Mapping[str, Limits]
    """Limits of a reading's `value`."""
    diastolic: Limits
    heart_rate: Limits


class Bounds(msgspec.Struct, frozen=True):
    """Everything that bounds.yaml says."""

    version: str
    bands: tuple[tuple[float, str], ...]
    """(age in years from which it holds, name), oldest first."""
    in_band: Mapping[str, BandLimits]
    """Every band is filled: what a metric does not say of it, it has from adults."""
    cross: CrossChecks
    mix_ups: MixUps
    out_of_range: Mapping[tuple[str, str], float]
    owner: OwnerRules
    time: TimeRules

    def band(self, age_years: float | None) -> str:
        """Return the age band; unknown age counts as adult."""
        if age_years is None:
            return self.bands[0][1]
        return next((name for lower, name in self.bands if age_years >= lower), self.bands[-1][1])


METRIC_OF: Mapping[str, str] = MappingProxyType(
    {
        Kind.BLOOD_PRESSURE: "systolic",
        Kind.WEIGHT: "weight",
        Kind.GLUCOSE: "glucose",
        Kind.SPO2: "spo2",
        Kind.TEMPERATURE: "temperature",
        Kind.HEART_RATE: "heart_rate",
        Kind.BODY_COMPOSITION: "body_fat",
    }
)
"""Which metric a reading's `value` is."""


def load(text: str) -> Bounds:
    """Parse the text of a bounds file; BoundsError says what is wrong with it."""
    try:
        told = msgspec.convert(yaml.safe_load(text), _File, strict=False)
    except (msgspec.ValidationError, yaml.YAMLError) as error:
        raise BoundsError(str(error)) from error
    _check(told)
    bands = tuple(sorted(((years, name) for name, years in told.bands.items()), reverse=True))
    return Bounds(
        version=told.version,
        bands=bands,
        in_band={band: _band_limits(told.metrics, band) for band in told.bands},
        cross=told.cross_checks,
        mix_ups=told.unit_mix_ups,
        out_of_range={
            (kind, reason): value
            for kind, by_reason in told.out_of_range.items()
            for reason, value in by_reason.items()
        },
        owner=told.owner,
        time=told.time,
    )


@cache
def shipped() -> Bounds:
    """Return the bounds that this version ships."""
    return load(resources.files("ingest").joinpath("bounds.yaml").read_text(encoding="utf-8"))


def _band_limits(metrics: Mapping[str, Mapping[str, Limits]], band: str) -> BandLimits:
    chosen = {metric: by_band.get(band, by_band["adult"]) for metric, by_band in metrics.items()}
    return BandLimits(
        of_kind={kind: chosen[metric] for kind, metric in METRIC_OF.items()},
        diastolic=chosen["diastolic"],
        heart_rate=chosen["heart_rate"],
    )


def _check(told: _File) -> None:
    if "adult" not in told.bands:
        raise BoundsError("bands: there is no band 'adult'")
    if missing := {*METRIC_OF.values(), "diastolic"} - set(told.metrics):
        raise BoundsError(f"metrics: {sorted(missing)} are missing")
    for metric, by_band in told.metrics.items():
        if "adult" not in by_band:
            raise BoundsError(f"metrics.{metric}: there is no band 'adult'")
        for band, limits in by_band.items():
            _check_limits(f"metrics.{metric}.{band}", limits, told)


def _check_limits(where: str, limits: Limits, told: _File) -> None:
    if where.rsplit(".", 1)[1] not in told.bands:
        raise BoundsError(f"{where}: unknown band")
    if not limits.hard[0] <= limits.soft[0] < limits.soft[1] <= limits.hard[1]:
        raise BoundsError(f"{where}: soft {limits.soft} is not inside hard {limits.hard}")
    if limits.src not in told.sources:
        raise BoundsError(f"{where}: source {limits.src!r} is not listed")
