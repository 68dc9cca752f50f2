"""One patient's pending readings against the rules in force: what changes, and why. Pure.

Readings are judged in the order of their measurement, each with what was known up to then, so that
one call with many readings does what many calls with one reading do. A reading that arrives late
also re-judges the later ones whose windows it falls into, and those it answers.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from uuid import UUID

from alerts import amendment, policy
from alerts.breach import ANSWERS_BEFORE, FLAG_CONFIRMED_WITHIN, LOOK_AHEAD, Breach, breach_at
from alerts.matching import qualifies, recovered
from alerts.policy import Action, Alert
from alerts.rules import Against, Metric, Rule, RuleKind
from alerts.samples import EMPTY, Sample, Series, Subject, series, with_sample
from care.calendar import OfficeHours


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """Everything that was read about one patient before deciding."""

    subject: Subject
    rules: tuple[Rule, ...]
    samples: tuple[Sample, ...]
    pending: frozenset[UUID]
    """Readings and answers to judge; they are among the samples."""
    open: Mapping[str, Alert] = field(default_factory=lambda: MappingProxyType({}))
    closed: Mapping[str, Alert] = field(default_factory=lambda: MappingProxyType({}))
    """The last one closed lately, by rule."""
    since: datetime | None = None
    """No pending reading was measured before this: saves looking at the others one by one."""
    held: tuple[tuple[datetime, datetime | None], ...] = ()
    hours: OfficeHours

    @property
    def arrived(self) -> list[Sample]:
        """The samples of the pending readings."""
        start = self.since
        return [
            s for s in self.samples if (start is None or s.at >= start) and s.id in self.pending
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of the record: what was done with which alert because of which reading."""

    alert_id: UUID
    action: Action
    reading_id: UUID
    severity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A patient is asked to measure again, to answer questions, or is sent a text."""

    rule: Rule
    sample: Sample
    due_at: datetime
    measure_after: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What has to be written: alerts as they are now, what happened to them, what to ask."""

    alerts: tuple[Alert, ...] = ()
    events: tuple[Event, ...] = ()
    asks: tuple[Ask, ...] = ()


@dataclass(slots=True, kw_only=True)
class _Bench:
    """The alerts while readings are judged one after another."""

    gathered: Gathered
    now: datetime
    new_id: Callable[[], UUID]
    alerts: dict[str, Alert]
    touched: dict[UUID, Alert] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    asks: list[Ask] = field(default_factory=list)


def evaluate(gathered: Gathered, *, now: datetime, new_id: Callable[[], UUID]) -> Decided:
    """Judge the pending readings and return every change they call for."""
    bench = _Bench(gathered=gathered, now=now, new_id=new_id, alerts=dict(gathered.open))
    known = _known_before(gathered)
    for group in _pending_in_order(gathered):
        for sample in group:
            known[sample.metric] = with_sample(known.get(sample.metric, EMPTY), sample)
        for rule, anchor in _affected(gathered.rules, group, known):
            _judge(bench, rule, anchor, known)
        _ask(bench, group, known)
    gone = _never_was(bench)
    return Decided(
        alerts=tuple(each for each in bench.touched.values() if each.id not in gone),
        events=tuple(each for each in bench.events if each.alert_id not in gone),
        asks=tuple(bench.asks),
    )


def _never_was(bench: _Bench) -> set[UUID]:
    """Alerts that opened and lost their ground within this one call: nobody has seen them."""
    seen = {each.id for each in (*bench.gathered.open.values(), *bench.gathered.closed.values())}
    return {each.id for each in bench.touched.values() if not each.standing} - seen


def _known_before(gathered: Gathered) -> dict[Metric, Series]:
    earliest = min((group[0].at for group in _pending_in_order(gathered)), default=None)
    found: dict[Metric, list[Sample]] = {}
    for each in gathered.samples:
        if earliest is None or each.at < earliest or each.id not in gathered.pending:
            found.setdefault(each.metric, []).append(each)
    return {metric: series(each) for metric, each in found.items()}


def _pending_in_order(gathered: Gathered) -> list[list[Sample]]:
    groups: dict[UUID, list[Sample]] = {}
    for each in gathered.arrived:
        groups.setdefault(each.id, []).append(each)
    return sorted(groups.values(), key=lambda group: (group[0].at, group[0].id))


def _affected(
    rules: Sequence[Rule], group: Sequence[Sample], known: Mapping[Metric, Series]
) -> Iterable[tuple[Rule, Sample]]:
    """Every (rule, sample) whose judgement this new reading or answer can change."""
    for rule in rules:
        for sample in group:
            if rule.metric is sample.metric:
                for anchor in _anchors(rule, sample, known[rule.metric]):
                    yield rule, anchor
            elif sample.questionnaire and rule.ask == sample.questionnaire:
                near = known.get(rule.metric, EMPTY)
                for anchor in near.since(sample.at - LOOK_AHEAD, sample.at + ANSWERS_BEFORE):
                    yield rule, anchor


def _anchors(rule: Rule, sample: Sample, known: Series) -> Iterable[Sample]:
    """The readings around it that it can bring to breach, or calm.

    One that is inside the limits by itself cannot come to breach; what came before is judged again
    only where the rule looks ahead, or where this one may end a doubt.
    """
    ahead = rule.looks_ahead
    start = sample.at - (LOOK_AHEAD if ahead else FLAG_CONFIRMED_WITHIN)
    by_itself = rule.kind in (RuleKind.SPOT, RuleKind.CONFIRMED)
    for each in known.since(start, sample.at + reach(rule)):
        before = each.at < sample.at and not ahead and not each.flagged
        if not before and (not by_itself or qualifies(rule, each)):
            yield each


def reach(rule: Rule) -> timedelta:
    """How long after a reading it can still count for a later one."""
    if rule.kind is RuleKind.DELTA:
        days = 15 if rule.against is Against.MEDIAN_14D else 9
        return timedelta(days=days)
    return max(rule.window, rule.within, LOOK_AHEAD)


def _judge(bench: _Bench, rule: Rule, anchor: Sample, known: Mapping[Metric, Series]) -> None:
    gathered = bench.gathered
    breach = breach_at(rule, known, anchor, gathered.subject, now=bench.now)
    alert, closed = bench.alerts.get(rule.id), gathered.closed.get(rule.id)
    if breach is None and alert is None:
        return
    action = policy.decide(
        breach,
        alert,
        anchor.id,
        held=_held(gathered, anchor.at),
        last_closed=closed,
        recovered_since=closed is not None and _recovered_since(rule, closed, anchor, known, bench),
    )
    _do(bench, rule, anchor, breach, action)


def _do(bench: _Bench, rule: Rule, anchor: Sample, breach: Breach | None, action: Action) -> None:
    alert = bench.alerts.get(rule.id)
    if action in (Action.UNCHANGED, Action.HELD, Action.TOO_SOON, Action.PAST):
        return
    if action is Action.OPEN and breach:
        alert = amendment.opened(breach, bench.gathered.hours, id_=bench.new_id(), now=bench.now)
    elif action is Action.REOPEN and breach:
        closed = bench.gathered.closed[rule.id]
        alert = amendment.reopened(closed, breach, bench.gathered.hours, now=bench.now)
    elif alert is not None:
        alert = amendment.changed(alert, anchor.id, breach, bench.gathered.hours, now=bench.now)
    if alert is not None:
        bench.alerts[rule.id] = bench.touched[alert.id] = alert
        bench.events.append(
            Event(
                alert_id=alert.id,
                action=action,
                reading_id=anchor.id,
                severity=int(alert.severity),
            )
        )


def _held(gathered: Gathered, at: datetime) -> bool:
    return any(start <= at and (end is None or at < end) for start, end in gathered.held)


def _recovered_since(
    rule: Rule, closed: Alert, anchor: Sample, known: Mapping[Metric, Series], bench: _Bench
) -> bool:
    """True when a reading between the closing and this one was normal again."""
    if closed.closed_at is None:
        return False
    subject, readings = bench.gathered.subject, known.get(rule.metric, EMPTY)
    between = readings.between(closed.closed_at, anchor.at)
    return any(recovered(rule, readings, each, subject) for each in between if each is not anchor)


def _ask(bench: _Bench, group: Sequence[Sample], known: Mapping[Metric, Series]) -> None:
    """Ask for a second measurement or for symptoms where this reading is beyond a limit."""
    for rule in bench.gathered.rules:
        for sample in group:
            if rule.metric is sample.metric and _to_ask(rule, sample, known, bench):
                bench.asks.append(_asking(rule, sample))


def _to_ask(rule: Rule, sample: Sample, known: Mapping[Metric, Series], bench: _Bench) -> bool:
    if not (rule.looks_ahead or sample.flagged or rule.patient_message):
        return False
    if rule.kind is RuleKind.CONFIRMED:
        return qualifies(rule, sample) is not None
    return breach_at(rule, known, sample, bench.gathered.subject, now=bench.now) is not None


def _asking(rule: Rule, sample: Sample) -> Ask:
    asked = max(sample.at, sample.received_at)
    again = rule.remeasure
    silence = again.no_reply if again else FLAG_CONFIRMED_WITHIN
    return Ask(
        rule=rule,
        sample=sample,
        due_at=asked + silence,
        measure_after=asked + (again.wait if again else timedelta(0)),
    )
