"""What a change is measured from: yesterday's first reading, a week ago, an own median. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from alerts.rules import Against, Rule
from alerts.samples import Sample, Series, Subject

LEAST_FOR_MEDIAN = 3
ABOUT_DAYS = {Against.THREE_DAYS_AGO: (3, 2), Against.SEVEN_DAYS_AGO: (7, 4)}
"""Days back to look for a first reading: the full distance, else nearer, never farther."""
MEDIAN_DAYS = {Against.MEDIAN_7D: 7, Against.MEDIAN_14D: 14}
WORDS = {
    Against.PREVIOUS_DAY_FIRST: "yesterday's first reading",
    Against.THREE_DAYS_AGO: "the first reading three days ago",
    Against.SEVEN_DAYS_AGO: "the first reading a week ago",
    Against.MEDIAN_7D: "the patient's own median of 7 days",
    Against.MEDIAN_14D: "the patient's own median of 14 days",
    Against.BASELINE: "the weight at the start of the programme",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """The number that a reading is compared with, and the readings behind it."""

    value: float
    words: str
    samples: tuple[Sample, ...] = ()


def reference(rule: Rule, series: Series, sample: Sample, subject: Subject) -> Reference | None:
    """Return what the rule compares this sample with; None if the patient has no such reading."""
    against = rule.against
    if against is None:
        return None
    if against is Against.BASELINE:
        start = subject.baselines.get(rule.metric)
        return None if start is None else Reference(value=start, words=WORDS[against])
    if against in MEDIAN_DAYS:
        return _median(series, sample, MEDIAN_DAYS[against], WORDS[against])
    return _earlier_day(rule, series, sample, subject, against)


def _median(series: Series, sample: Sample, days: int, words: str) -> Reference | None:
    """The median of the days before, without the session that is being judged."""
    before = sample.at - timedelta(minutes=10)
    usual = [s for s in series.since(sample.at - timedelta(days=days), before) if not s.flagged]
    if len(usual) < LEAST_FOR_MEDIAN:
        return None
    value = median(each.value for each in usual)
    return Reference(value=value, words=words, samples=tuple(usual[-1:]))


def _earlier_day(
    rule: Rule, series: Series, sample: Sample, subject: Subject, against: Against
) -> Reference | None:
    farthest, nearest = ABOUT_DAYS.get(against, (1, 1))
    for days in range(farthest, nearest - 1, -1):
        first = _first_of_day(series, sample.at, subject, days)
        if first is None or (rule.max_gap and sample.at - first.at > rule.max_gap):
            continue
        words = WORDS[against] if days == farthest else f"the first reading {days} days ago"
        return Reference(value=first.value, words=words, samples=(first,))
    return None


def _first_of_day(series: Series, at: datetime, subject: Subject, days: int) -> Sample | None:
    wanted = subject.local_day(at) - timedelta(days=days)
    near = series.since(at - timedelta(days=days + 1, hours=2), at - timedelta(days=days - 1))
    for each in near:
        if subject.local_day(each.at) == wanted:
            return each
    return None
