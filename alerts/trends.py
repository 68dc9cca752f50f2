"""Personal trends in heart failure: deviations from a patient's own values. Pure, off by default.

Three inputs and the symptom answers give a score; two or more raise one alert. What it is, what it
was tried on and what it must not be used for stands in docs/model-card.md. It never closes or
lowers an alert of a rule.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import fmean, median

from alerts.rules import Metric
from alerts.samples import EMPTY, Sample, Series, Subject

SHORT = timedelta(days=5)
LONG = timedelta(days=20)
USUAL = timedelta(days=28)
GUARD = timedelta(days=3)
"""The days just before now are not part of what is usual."""
LEAST_DAYS = 10
WEIGHT_KG = 0.5
"""How far the short mean may leave the long one (moving-average convergence)."""
ROBUST_Z = 2.0
SCALE = 1.4826
"""Median absolute deviation to standard deviation, for a normal spread."""
LEAST_SPREAD = {Metric.HEART_RATE: 3.0, Metric.BP: 5.0}
SCORE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One input that leaves the patient's own range, with the numbers behind it."""

    name: str
    value: float
    usual: float
    by: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """The score at one moment."""

    at: datetime
    score: int
    signals: tuple[Signal, ...]

    @property
    def raised(self) -> bool:
        """True when enough inputs agree."""
        return self.score >= SCORE

    @property
    def why(self) -> str:
        """The sentence that an alert carries."""
        told = [f"{s.name} {s.value:.1f}, usually {s.usual:.1f}" for s in self.signals]
        return f"Personal trend: {'; '.join(told)}"


def trend(
    known: Mapping[Metric, Series], subject: Subject, at: datetime, *, symptoms: bool = False
) -> Trend:
    """Return the score from everything known up to that moment."""
    found = [
        _weight(known.get(Metric.WEIGHT, EMPTY), subject, at),
        _robust("resting heart rate", Metric.HEART_RATE, known, subject, at),
        _robust("systolic", Metric.BP, known, subject, at),
    ]
    signals = tuple(each for each in found if each is not None)
    return Trend(at=at, score=len(signals) + symptoms, signals=signals)


def _weight(series: Series, subject: Subject, at: datetime) -> Signal | None:
    """Weight: the mean of five mornings has risen above the mean of twenty."""
    days = _daily(series.since(at - LONG, at), subject, first=True)
    if len(days) < LEAST_DAYS:
        return None
    recent = [value for day, value in days if day > subject.local_day(at - SHORT)]
    if not recent:
        return None
    short, long = fmean(recent), fmean(value for _, value in days)
    if short - long < WEIGHT_KG:
        return None
    return Signal(name="weight", value=short, usual=long, by=short - long)


def _robust(
    name: str, metric: Metric, known: Mapping[Metric, Series], subject: Subject, at: datetime
) -> Signal | None:
    """Heart rate upwards, systolic either way: the last days against the own usual spread."""
    series = known.get(metric, EMPTY)
    before = _daily(series.since(at - USUAL - GUARD, at - GUARD), subject, first=False)
    if len(before) < LEAST_DAYS:
        return None
    recent = [v for _, v in _daily(series.between(at - GUARD, at), subject, first=False)]
    if not recent:
        return None
    usual = median(value for _, value in before)
    spread = SCALE * median(abs(value - usual) for _, value in before)
    z = (fmean(recent) - usual) / max(spread, LEAST_SPREAD[metric])
    beyond = z >= ROBUST_Z if metric is Metric.HEART_RATE else abs(z) >= ROBUST_Z
    return Signal(name=name, value=fmean(recent), usual=usual, by=z) if beyond else None


def _daily(samples: Sequence[Sample], subject: Subject, *, first: bool) -> list[tuple[date, float]]:
    """One value a local day: the first (weight) or the median (the others)."""
    days: dict[date, list[float]] = {}
    for each in samples:
        if not each.flagged:
            days.setdefault(subject.local_day(each.at), []).append(each.value)
    return [(day, values[0] if first else median(values)) for day, values in days.items()]
