"""Readings as rules see them: one metric, in time order, with the patient they belong to. Pure."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
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


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """Readings within ten minutes of the first one, with their mean."""

    samples: tuple[Sample, ...]
    value: float
    dia: float | None

    @property
    def at(self) -> datetime:
        """When it began."""
        return self.samples[0].at


@dataclass(frozen=True, kw_only=True)
class Series:
    """All known samples of one metric of one patient, oldest first; what is derived is kept."""

    samples: tuple[Sample, ...]
    times: tuple[datetime, ...]

    @cached_property
    def trusted(self) -> "Series":
        """The samples that nobody doubts."""
        if not any(each.flagged for each in self.samples):
            return self
        return series(each for each in self.samples if not each.flagged)

    def remember(self, shorter: "Series", *, before: int) -> None:
        """Take over the sessions of a series that is the same up to that place."""
        known = shorter._sessions  # noqa: SLF001  # another of our own
        self._sessions.update({k: v for k, v in known.items() if v[0] < before})

    @cached_property
    def _sessions(self) -> dict[int, tuple[int, Session]]:
        """By the place of its first sample: where the session ends, and the session."""
        return {}

    def sessions(self, first: int, last: int) -> list[Session]:
        """The sessions of samples[first:last]."""
        found: list[Session] = []
        while first < last:
            end, session = self._session_from(first)
            found.append(session if end <= last else _session(self.samples[first:last]))
            first = end
        return found

    def _session_from(self, first: int) -> tuple[int, Session]:
        known = self._sessions.get(first)
        if known is None:
            end = bisect_right(self.times, self.times[first] + SESSION)
            known = self._sessions[first] = end, _session(self.samples[first:end])
        return known

    def between(self, after: datetime, until: datetime) -> tuple[Sample, ...]:
        """Samples with after < at <= until."""
        return self.samples[bisect_right(self.times, after) : bisect_right(self.times, until)]

    def since(self, start: datetime, until: datetime) -> tuple[Sample, ...]:
        """Samples with start <= at <= until."""
        return self.samples[bisect_left(self.times, start) : bisect_right(self.times, until)]

    def up_to(self, sample: Sample, start: datetime) -> tuple[Sample, ...]:
        """Samples from `start` to this one, itself the last; equal times are ordered by id."""
        first, last = self.span(sample, start)
        return self.samples[first:last]

    def span(self, sample: Sample, start: datetime) -> tuple[int, int]:
        """The places of the samples from `start` to this one."""
        low, high = bisect_left(self.times, start), bisect_right(self.times, sample.at)
        until = _order(sample)
        while high > low and _order(self.samples[high - 1]) > until:
            high -= 1
        return low, high


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
    longer = Series(
        samples=(*known.samples[:place], sample, *known.samples[place:]),
        times=(*known.times[:place], sample.at, *known.times[place:]),
    )
    longer.remember(known, before=place)
    return longer


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


def sessions(samples: Sequence[Sample]) -> list[Session]:
    """Group readings; of three or more the first is dropped from the mean."""
    return series(samples).sessions(0, len(samples))


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
