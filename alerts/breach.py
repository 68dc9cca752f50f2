"""A rule applied to one sample with all that is known: the breach, how bad it is, why. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from alerts import sentences
from alerts.matching import Match, matched, qualifies, recovered
from alerts.rules import Metric, Rule
from alerts.samples import EMPTY, Sample, Series, Subject
from alerts.severity import Severity, mildest, worst

FOLLOW_UP = timedelta(hours=1)
"""A second measurement within this time answers the first."""
ANSWERS_BEFORE = timedelta(minutes=30)
ANSWERS_AFTER = timedelta(hours=2)
LOOK_AHEAD = max(FOLLOW_UP, ANSWERS_AFTER)
"""After this time nothing that happens later changes a breach."""
LATE_AFTER = timedelta(hours=2)
STILL_LATEST_WITHIN = timedelta(hours=6)
LATE_AT_MOST = Severity.MEDIUM
UNCONFIRMED_FLAG_AT_MOST = Severity.HIGH
FLAG_CONFIRMED_WITHIN = timedelta(minutes=30)
TOO_OLD = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """One rule broken at one reading, with everything a nurse or an auditor asks."""

    rule: Rule
    reading_id: UUID
    at: datetime
    severity: Severity
    reading_ids: tuple[UUID, ...]
    computed: Mapping[str, float | str]
    headline: str
    why: str
    late: bool = False
    unconfirmed: bool = False
    answered_normal: bool = False
    """A second measurement was normal: kept for review at a lower severity."""


def breach_at(
    rule: Rule,
    known: Mapping[Metric, Series],
    sample: Sample,
    subject: Subject,
    *,
    now: datetime,
) -> Breach | None:
    """Return the breach of this rule at this sample, judged with everything known, or None."""
    if sample.received_at - sample.at > TOO_OLD:
        return None
    series = known.get(rule.metric, EMPTY)
    match = matched(rule, series, sample, subject)
    unconfirmed = False
    if match is None:
        match = _unconfirmed(rule, series, sample, subject, now)
        unconfirmed = match is not None
    if match is None:
        return None
    return _judged(rule, match, known, subject, unconfirmed=unconfirmed, now=now)


def _judged(  # noqa: PLR0913  # what is known, and how it was found
    rule: Rule,
    match: Match,
    known: Mapping[Metric, Series],
    subject: Subject,
    *,
    unconfirmed: bool,
    now: datetime,
) -> Breach:
    sample, series = match.samples[0], known[rule.metric]
    normal = _answered_normal(rule, series, sample, subject)
    symptoms = _symptoms(rule, known.get(Metric.SURVEY, EMPTY), sample)
    severity = _severity(rule, match, unconfirmed=unconfirmed, normal=normal)
    if symptoms and rule.if_symptoms is not None:
        severity = worst(severity, rule.if_symptoms)
    severity = severity.up(rule.severity_up)
    if _rests_on_a_flag(rule, match, series, now):
        severity = mildest(severity, UNCONFIRMED_FLAG_AT_MOST)
    late = _late(series, sample)
    if late:
        severity = mildest(severity, LATE_AT_MOST)
    told = sentences.Told(unconfirmed=unconfirmed, normal=normal, late=late, symptoms=symptoms)
    return Breach(
        rule=rule,
        reading_id=sample.id,
        at=sample.at,
        severity=severity,
        reading_ids=tuple(each.id for each in match.samples),
        computed=sentences.computed(rule, match),
        headline=sentences.headline(rule, match),
        why=sentences.why(rule, match, told),
        late=late,
        unconfirmed=unconfirmed,
        answered_normal=normal,
    )


def _severity(rule: Rule, match: Match, *, unconfirmed: bool, normal: bool) -> Severity:
    again = rule.remeasure
    if unconfirmed and again and again.unconfirmed is not None:
        return again.unconfirmed
    if normal and again and again.when_normal is not None:
        return again.when_normal
    if rule.worse and rule.worse[0].met_by(match.value):
        return rule.worse[1]
    return rule.severity


def _unconfirmed(
    rule: Rule, series: Series, sample: Sample, subject: Subject, now: datetime
) -> Match | None:
    """The patient was asked to measure again and no normal value came in time: do not wait."""
    again = rule.remeasure
    if again is None or again.unconfirmed is None:
        return None
    condition = qualifies(rule, sample)
    asked = max(sample.at, sample.received_at)
    if condition is None or now < asked + again.no_reply:
        return None
    for later in series.between(sample.at, sample.at + FOLLOW_UP):
        if recovered(rule, series, later, subject):
            return None
    number = sample.dia if condition.field == "dia" else sample.value
    return Match(
        samples=(sample,), number=number or 0.0, condition=condition, value=sample.value,
        dia=sample.dia,
    )  # fmt: skip


def _answered_normal(rule: Rule, series: Series, sample: Sample, subject: Subject) -> bool:
    """True when the last measurement within the hour after it was normal again, by a margin."""
    if rule.remeasure is None or rule.remeasure.when_normal is None:
        return False
    later = series.between(sample.at, sample.at + FOLLOW_UP)
    return bool(later) and recovered(rule, series, later[-1], subject)


def _symptoms(rule: Rule, answers: Series, sample: Sample) -> tuple[str, ...]:
    """Which symptoms of the rule's questionnaire the patient said yes to, around the sample."""
    if not rule.ask:
        return ()
    near = answers.since(sample.at - ANSWERS_BEFORE, sample.at + ANSWERS_AFTER)
    yes = {each.item for each in near if each.questionnaire == rule.ask and each.value >= 1}
    return tuple(sorted(yes))


def _rests_on_a_flag(rule: Rule, match: Match, series: Series, now: datetime) -> bool:
    """True while a doubtful reading stands alone; a second one, or silence, ends the doubt."""
    if not all(each.flagged for each in match.samples):
        return False
    sample = match.samples[0]
    if now >= max(sample.at, sample.received_at) + FLAG_CONFIRMED_WITHIN:
        return False
    near = series.since(sample.at - FLAG_CONFIRMED_WITHIN, sample.at + FLAG_CONFIRMED_WITHIN)
    return not any(each.id != sample.id and qualifies(rule, each) for each in near)


def _late(series: Series, sample: Sample) -> bool:
    """True when it came so late that it pages nobody: older than 2 h, unless it is the news."""
    age = sample.received_at - sample.at
    if age <= LATE_AFTER:
        return False
    newer = series.between(sample.at, sample.received_at)
    replaced = any(each.received_at <= sample.received_at for each in newer)
    return replaced or age > STILL_LATEST_WITHIN
