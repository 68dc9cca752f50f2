"""Readings as rules see them: one metric, in time order, with the patient they belong to. Pure."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from types import MappingProxyType
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from alerts.rules import Metric

SESSION = timedelta(minutes=10)
DROP_FIRST_FROM = 3
"""A session of this many readings does without its first one."""


class Sample(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One number (or two, for blood pressure) of one reading, or one answered survey item.

    A msgspec struct, because every judgement makes dozens of them: ten times as quick to build.
    """

    id: UUID
    metric: Metric
    at: datetime
    received_at: datetime
    value: float
    dia: float | None = None
    flags: frozenset[str] = frozenset()
    flagged: bool = False
    """Kept and shown, but not enough to page anybody by itself."""
    item: str = ""
    questionnaire: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """All known samples of one metric of one patient, oldest first."""

    samples: tuple[Sample, ...]
    times: tuple[datetime, ...]

    def between(self, after: datetime, until: datetime) -> tuple[Sample, ...]:
        """Samples with after < at <= until."""
        return self.samples[bisect_right(self.times, after) : bisect_right(self.times, until)]

    def since(self, start: datetime, until: datetime) -> tuple[Sample, ...]:
        """Samples with start <= at <= until."""
        return self.samples[bisect_left(self.times, start) : bisect_right(self.times, until)]

    def up_to(self, sample: Sample, start: datetime) -> tuple[Sample, ...]:
        """Samples from `start` to this one, itself the last; equal times are ordered by id."""
        low, high = bisect_left(self.times, start), bisect_right(self.times, sample.at)
        until = _order(sample)
        while high > low and _order(self.samples[high - 1]) > until:
            high -= 1
        return self.samples[low:high]


EMPTY = Series(samples=(), times=())


def series(samples: Iterable[Sample]) -> Series:
    """Put samples in order; each reading comes once."""
    ordered = tuple(sorted(samples, key=_order))
    return Series(samples=ordered, times=tuple([each.at for each in ordered]))


def with_sample(known: Series, sample: Sample) -> Series:
    """The series with one more sample at its place; one that is there already changes nothing."""
    low, high = bisect_left(known.times, sample.at), bisect_right(known.times, sample.at)
    same = known.samples[low:high]
    if any(each.id == sample.id and each.item == sample.item for each in same):
        return known
    order = _order(sample)
    place = low + sum(_order(each) < order for each in same)
    return Series(
        samples=(*known.samples[:place], sample, *known.samples[place:]),
        times=(*known.times[:place], sample.at, *known.times[place:]),
    )


def by_metric(samples: Iterable[Sample]) -> dict[Metric, Series]:
    """Return each metric's series."""
    found: dict[Metric, list[Sample]] = {}
    for each in samples:
        found.setdefault(each.metric, []).append(each)
    return {metric: series(each) for metric, each in found.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """A stay in a programme, as far as rules depend on it."""

    programme: str
    profiles: tuple[str, ...]
    enrolled_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What rules may know of a patient at the moment of evaluation."""

    id: UUID
    organisation_id: UUID
    zone: ZoneInfo
    birth_date: date
    conditions: frozenset[str] = frozenset()
    traits: frozenset[str] = frozenset()
    enrolments: tuple[Enrolment, ...] = ()
    baselines: Mapping[Metric, float] = field(default_factory=lambda: MappingProxyType({}))
    zone_known: bool = True
    personal_trends: bool = False

    def local_day(self, at: datetime) -> date:
        """The patient's calendar day of a moment."""
        return at.astimezone(self.zone).date()

    def age_on(self, day: date) -> int:
        """Completed years."""
        before = (day.month, day.day) < (self.birth_date.month, self.birth_date.day)
        return day.year - self.birth_date.year - before


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """Readings within ten minutes of the first one, with their mean."""

    samples: tuple[Sample, ...]
    value: float
    dia: float | None

    @property
    def at(self) -> datetime:
        """When it began."""
        return self.samples[0].at


def sessions(samples: Sequence[Sample]) -> list[Session]:
    """Group readings; of three or more the first is dropped from the mean."""
    done: list[Session] = []
    start, count = 0, len(samples)
    while start < count:
        end_at, stop = samples[start].at + SESSION, start + 1
        while stop < count and samples[stop].at <= end_at:
            stop += 1
        done.append(_session(tuple(samples[start:stop])))
        start = stop
    return done


def _session(group: tuple[Sample, ...]) -> Session:
    counted = group[1:] if len(group) >= DROP_FIRST_FROM else group
    lower = [each.dia for each in counted if each.dia is not None]
    return Session(
        samples=group,
        value=sum([each.value for each in counted]) / len(counted),
        dia=sum(lower) / len(lower) if lower else None,
    )


def _order(sample: Sample) -> tuple[datetime, UUID]:
    return sample.at, sample.id
