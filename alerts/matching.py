"""Does a rule hold at one sample? One function per kind, over everything known so far. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from alerts.references import Reference, reference
from alerts.rules import Condition, Field, Metric, Rule, RuleKind
from alerts.samples import Sample, Series, Session, Subject, sessions

LEAST_DAYS = 3
"""An average rests on readings of at least so many different days."""
DIGITS = 3
"""Differences are compared after rounding: 83.86 - 82.50 is 1.36, not 1.3599999."""

HYSTERESIS: Mapping[tuple[Metric, Field], float] = MappingProxyType(
    {
        (Metric.BP, Field.SYS): 5,
        (Metric.BP, Field.DIA): 3,
        (Metric.HEART_RATE, Field.VALUE): 5,
        (Metric.SPO2, Field.VALUE): 1,
        (Metric.SPO2, Field.DELTA): 1,
        (Metric.TEMPERATURE, Field.VALUE): 0.2,
        (Metric.TEMPERATURE, Field.DELTA): 0.2,
        (Metric.GLUCOSE, Field.VALUE): 10,
        (Metric.WEIGHT, Field.DELTA_KG): 0.3,
    }
)
"""How far beyond the limit a value must return before it counts as normal again."""
HIGH_WORDS = frozenset({"HI", "hi", "result_too_high", "sensor_result_too_high", "above_range"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A rule that holds: the readings it rests on, newest first, and the numbers compared."""

    samples: tuple[Sample, ...]
    number: float
    condition: Condition | None
    value: float
    dia: float | None = None
    reference: Reference | None = None
    counted: int = 1
    days: int = 0


def matched(rule: Rule, series: Series, sample: Sample, subject: Subject) -> Match | None:
    """Return how the rule holds at this sample, or None."""
    return _KINDS[rule.kind](rule, series, sample, subject, 0.0)


def recovered(rule: Rule, series: Series, sample: Sample, subject: Subject) -> bool:
    """True when the sample is normal for this rule, by a margin (hysteresis)."""
    kind = RuleKind.DELTA if rule.kind is RuleKind.DELTA else RuleKind.SPOT
    return _KINDS[kind](rule, series, sample, subject, 1.0) is None


def qualifies(rule: Rule, sample: Sample, margins: float = 0.0) -> Condition | None:
    """Return the condition that the sample meets by itself, or None."""
    if not margins and rule.calm.holds(sample.value, sample.dia):
        return None
    numbers = {Field.SYS: sample.value, Field.VALUE: sample.value, Field.DIA: sample.dia}
    return _met(rule, numbers, margins, sample)


def _spot(rule: Rule, _: Series, sample: Sample, __: Subject, margins: float) -> Match | None:
    condition = qualifies(rule, sample, margins)
    if condition is None:
        return None
    number = _number(condition, sample)
    return Match(
        samples=(sample,), number=number or 0.0, condition=condition, value=sample.value,
        dia=sample.dia,
    )  # fmt: skip


def _confirmed(rule: Rule, series: Series, sample: Sample, _: Subject, __: float) -> Match | None:
    condition = qualifies(rule, sample)
    if condition is None:
        return None
    chosen = [sample]
    for each in reversed(series.up_to(sample, sample.at - rule.within)[:-1]):
        if chosen[-1].at - each.at >= rule.min_gap and qualifies(rule, each):
            chosen.append(each)
        if len(chosen) == rule.n:
            break
    if len(chosen) < rule.n:
        return None
    return Match(
        samples=tuple(chosen), number=_number(condition, sample) or 0.0, condition=condition,
        value=sample.value, dia=sample.dia, counted=len(chosen),
    )  # fmt: skip


def _average(
    rule: Rule, series: Series, sample: Sample, subject: Subject, margins: float
) -> Match | None:
    trusted = series.trusted
    first, last = trusted.span(sample, sample.at - rule.window)
    if last - first < rule.min_readings:
        return None
    value, dia = _means(trusted.sessions(first, last))
    mean = {Field.SYS: value, Field.VALUE: value, Field.DIA: dia}
    condition = _met(rule, mean, margins)
    if condition is None:
        return None
    usable = trusted.samples[first:last]
    days = len({subject.local_day(each.at) for each in usable})
    if days < LEAST_DAYS:
        return None
    return Match(
        samples=tuple(reversed(usable)), number=mean[condition.field] or 0.0, condition=condition,
        value=value, dia=dia, counted=len(usable), days=days,
    )  # fmt: skip


def _delta(
    rule: Rule, series: Series, sample: Sample, subject: Subject, margins: float
) -> Match | None:
    found = reference(rule, series, sample, subject)
    if found is None:
        return None
    change = round(sample.value - found.value, DIGITS)
    percent = round(100 * change / found.value, DIGITS) if found.value else 0.0
    numbers: dict[Field, float | None] = {Field.DELTA: change, Field.DELTA_KG: change}
    numbers[Field.PCT] = percent
    condition = _met(rule, numbers, margins)
    if condition is None:
        return None
    number = numbers[condition.field] or 0.0
    return Match(
        samples=(sample, *found.samples), number=number, condition=condition,
        value=sample.value, reference=found,
    )  # fmt: skip


def _count(rule: Rule, series: Series, sample: Sample, _: Subject, __: float) -> Match | None:
    """Sessions, not single readings: three squeezes in a row are one event."""
    if not _counts(rule, sample):
        return None
    window = series.up_to(sample, sample.at - rule.window)
    hits = [s for s in sessions(window) if any(_counts(rule, each) for each in s.samples)]
    if len(hits) < rule.n:
        return None
    readings = [each for s in hits for each in s.samples if _counts(rule, each)]
    condition = qualifies(rule, sample) if rule.conditions else None
    return Match(
        samples=tuple(reversed(readings)), number=float(len(hits)), condition=condition,
        value=sample.value, dia=sample.dia, counted=len(hits),
    )  # fmt: skip


def _trend(*_: object) -> Match | None:
    """Personal trends have their own switch and their own module."""
    return None


_KINDS: Mapping[RuleKind, Callable[[Rule, Series, Sample, Subject, float], Match | None]] = (
    MappingProxyType(
        {
            RuleKind.SPOT: _spot,
            RuleKind.CONFIRMED: _confirmed,
            RuleKind.AVERAGE: _average,
            RuleKind.DELTA: _delta,
            RuleKind.COUNT: _count,
            RuleKind.TREND: _trend,
        }
    )
)


def _counts(rule: Rule, sample: Sample) -> bool:
    if rule.flag:
        return rule.flag in sample.flags
    return qualifies(rule, sample) is not None


def _met(
    rule: Rule,
    numbers: Mapping[Field, float | None],
    margins: float,
    sample: Sample | None = None,
) -> Condition | None:
    """The first condition of `any` that holds, or the first of `all` if all of them do."""
    for condition in rule.all:
        if not _holds(rule, condition, numbers, margins, sample):
            return None
    for condition in rule.any:
        if _holds(rule, condition, numbers, margins, sample):
            return condition
    return rule.all[0] if rule.all and not rule.any else None


def _holds(
    rule: Rule,
    condition: Condition,
    numbers: Mapping[Field, float | None],
    margins: float,
    sample: Sample | None,
) -> bool:
    if condition.field is Field.FLAG:
        return sample is not None and _flag_present(condition.flag, sample)
    if condition.item and (sample is None or sample.item != condition.item):
        return False
    value = numbers.get(condition.field)
    if value is None:
        return False
    if margins:
        own = rule.hysteresis
        margin = margins * (own if own is not None else margin_of(rule.metric, condition))
        value = value + margin if condition.upward else value - margin
    return condition.met_by(round(value, DIGITS))


def margin_of(metric: Metric, condition: Condition) -> float:
    """The hysteresis of one comparison; none where the table has none."""
    return HYSTERESIS.get((metric, condition.field), 0.0)


def _number(condition: Condition, sample: Sample) -> float | None:
    return sample.dia if condition.field is Field.DIA else sample.value


def _flag_present(flag: str, sample: Sample) -> bool:
    return bool(sample.flags & HIGH_WORDS) if flag == "HI" else flag in sample.flags


def _means(found: Sequence[Session]) -> tuple[float, float | None]:
    value = sum(each.value for each in found) / len(found)
    lower = [each.dia for each in found if each.dia is not None]
    return round(value, DIGITS), round(sum(lower) / len(lower), DIGITS) if lower else None
