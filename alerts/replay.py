"""What a set of rules would have done with stored history: counts, differences, examples. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from alerts import applicability
from alerts.applicability import Override
from alerts.breach import breach_at
from alerts.matching import qualifies
from alerts.rules import Catalogue, Metric, Rule, RuleKind
from alerts.samples import EMPTY, Sample, Series, Subject, by_metric
from alerts.severity import Severity

HANDLED_AFTER = {
    Severity.CRITICAL: timedelta(hours=1),
    Severity.HIGH: timedelta(hours=4),
    Severity.MEDIUM: timedelta(hours=24),
    Severity.LOW: timedelta(days=7),
}
"""A replayed alert is taken to be closed after this time; later breaches are a new one."""
MINUTES = {Severity.CRITICAL: 15, Severity.HIGH: 10, Severity.MEDIUM: 6, Severity.LOW: 2}
"""Handling time where the clinic has none of its own on record."""
NIGHT = (22, 7)
BLOCK = timedelta(days=7)
NOISIEST = 10
EXAMPLES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """One alert that the rules would have raised."""

    patient_id: UUID
    rule_id: str
    severity: int
    at: datetime
    reading_id: UUID
    headline: str
    why: str
    night: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Relevant:
    """A real alert that a person closed as true and acted upon."""

    patient_id: UUID
    rule_id: str
    first_at: datetime
    last_at: datetime
    headline: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What one set of rules amounts to."""

    alerts: int
    by_severity: Mapping[str, int]
    by_rule: Mapping[str, int]
    per_patient_week: float
    at_night: int
    nurse_minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A draft beside the rules in force."""

    patients: int
    days: int
    current: Counts
    draft: Counts
    difference: Mapping[str, int]
    """Rule -> alerts more (or fewer) under the draft."""
    noisiest: tuple[tuple[UUID, int], ...]
    examples: tuple[Replayed, ...]
    missed: tuple[Relevant, ...]
    """Alerts that mattered and that the draft would not have raised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """One patient's stored past."""

    subject: Subject
    samples: Sequence[Sample]
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Open:
    """What is known, and by rule the alert that is being handled, while weeks go by."""

    known: Mapping[Metric, Series]
    history: History
    until: dict[str, tuple[datetime, Severity]] = field(default_factory=dict)


def replay(
    catalogue: Catalogue,
    overrides: Sequence[Override],
    history: History,
    *,
    only: frozenset[str] | None = None,
) -> list[Replayed]:
    """Return the alerts that these rules (or only some) would have raised, in order."""
    found: list[Replayed] = []
    open_ = _Open(known=by_metric(history.samples), history=history)
    for start, until in blocks(history):
        rules = applicability.in_force(catalogue, overrides, history.subject, start)
        wanted = [rule for rule in rules if only is None or rule.id in only]
        found += _block(wanted, open_, start, until)
    return found


def both(
    catalogue: Catalogue,
    overrides: Sequence[Override],
    draft: Sequence[Override],
    history: History,
) -> tuple[list[Replayed], list[Replayed]]:
    """Replay the rules in force and the draft in their place; what it leaves alone runs once."""
    current = replay(catalogue, overrides, history)
    replaced = {(each.level, each.programme, each.rule_id) for each in draft}
    kept = [o for o in overrides if (o.level, o.programme, o.rule_id) not in replaced]
    changed = frozenset(each.rule_id for each in draft)
    if not changed:
        return current, current
    rest = [each for each in current if each.rule_id not in changed]
    anew = replay(catalogue, [*kept, *draft], history, only=changed)
    return current, sorted([*rest, *anew], key=lambda each: (each.at, each.rule_id))


def blocks(history: History) -> list[tuple[datetime, datetime]]:
    """The weeks of the history; the rules in force are looked up once in each."""
    found, start = [], history.start
    while start < history.end:
        until = min(start + BLOCK, history.end)
        found.append((start, until))
        start = until
    return found


def compare(  # noqa: PLR0913  # two replays, what mattered, and over what
    current: Sequence[Replayed],
    draft: Sequence[Replayed],
    relevant: Iterable[Relevant],
    *,
    patients: int,
    days: int,
    minutes: Mapping[Severity, float] = MINUTES,
) -> Comparison:
    """Put two replays side by side."""
    raised: dict[UUID, list[datetime]] = {}
    for each in draft:
        raised.setdefault(each.patient_id, []).append(each.at)
    before, after = Counter(r.rule_id for r in current), Counter(r.rule_id for r in draft)
    changed = {rule: after[rule] - before[rule] for rule in sorted(before | after)}
    noisy = Counter(each.patient_id for each in draft).most_common(NOISIEST)
    return Comparison(
        patients=patients,
        days=days,
        current=counts(current, patients=patients, days=days, minutes=minutes),
        draft=counts(draft, patients=patients, days=days, minutes=minutes),
        difference={rule: delta for rule, delta in changed.items() if delta},
        noisiest=tuple(noisy),
        examples=_examples(draft),
        missed=tuple(r for r in relevant if not _caught(r, raised.get(r.patient_id, ()))),
    )


def counts(
    found: Sequence[Replayed],
    *,
    patients: int,
    days: int,
    minutes: Mapping[Severity, float] = MINUTES,
) -> Counts:
    """Add up one replay."""
    by_severity = Counter(Severity(each.severity) for each in found)
    weeks = patients * days / 7
    return Counts(
        alerts=len(found),
        by_severity={severity.word: by_severity[severity] for severity in Severity},
        by_rule=dict(sorted(Counter(each.rule_id for each in found).items())),
        per_patient_week=round(len(found) / weeks, 3) if weeks else 0.0,
        at_night=sum(each.night for each in found),
        nurse_minutes=round(sum(minutes[s] * n for s, n in by_severity.items())),
    )


def _block(rules: Sequence[Rule], open_: _Open, start: datetime, until: datetime) -> list[Replayed]:
    """Judge the readings of one week."""
    fresh: list[Replayed] = []
    for rule in rules:
        series = open_.known.get(rule.metric, EMPTY)
        by_itself = rule.kind in (RuleKind.SPOT, RuleKind.CONFIRMED)
        for sample in series.since(start, until - timedelta(microseconds=1)):
            if by_itself and qualifies(rule, sample) is None:
                continue
            raised = _raised(rule, sample, open_)
            if raised is not None:
                fresh.append(raised)
    return sorted(fresh, key=lambda each: (each.at, each.rule_id))


def _raised(rule: Rule, sample: Sample, open_: _Open) -> Replayed | None:
    subject = open_.history.subject
    if rule.id in open_.until and _attached(open_.until, rule, rule.worst, sample.at):
        return None
    breach = breach_at(rule, open_.known, sample, subject, now=open_.history.end)
    if breach is None or _attached(open_.until, rule, breach.severity, sample.at):
        return None
    open_.until[rule.id] = (sample.at, breach.severity)
    return Replayed(
        patient_id=subject.id,
        rule_id=rule.id,
        severity=int(breach.severity),
        at=sample.at,
        reading_id=sample.id,
        headline=breach.headline,
        why=breach.why,
        night=_at_night(subject, sample.at),
    )


def _attached(
    running: Mapping[str, tuple[datetime, Severity]], rule: Rule, severity: Severity, at: datetime
) -> bool:
    """True when the breach belongs to an alert that is still being handled."""
    if rule.id not in running:
        return False
    raised_at, worst = running[rule.id]
    rest = max(HANDLED_AFTER[worst], rule.max_one_per or timedelta(0))
    return at < raised_at + rest and severity >= worst


def _at_night(subject: Subject, at: datetime) -> bool:
    hour = at.astimezone(subject.zone).hour
    return hour >= NIGHT[0] or hour < NIGHT[1]


def _examples(draft: Sequence[Replayed]) -> tuple[Replayed, ...]:
    """One of each rule, the worst first."""
    seen: dict[str, Replayed] = {}
    for each in sorted(draft, key=lambda r: (r.severity, r.at, r.reading_id)):
        seen.setdefault(each.rule_id, each)
    return tuple(seen.values())[:EXAMPLES]


def _caught(alert: Relevant, raised: Sequence[datetime]) -> bool:
    """True when the draft raises anything for this patient about then."""
    early, late = alert.first_at - timedelta(hours=12), alert.last_at + timedelta(hours=12)
    return any(early <= at <= late for at in raised)
