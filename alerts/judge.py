"""From what was gathered to what is written, for one patient: rules, policy, routing. Pure."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from alerts import applicability, episodes, evaluation, routing, sla, trending
from alerts.amendment import KIND_OF
from alerts.applicability import Override
from alerts.evaluation import Decided, Event, Gathered
from alerts.lifecycle import Episode
from alerts.policy import Action, Alert
from alerts.rules import Catalogue, Rule
from alerts.samples import Sample, Subject
from alerts.severity import Severity
from care.calendar import OfficeHours


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything about one patient that was read for one transaction."""

    subject: Subject
    samples: Sequence[Sample]
    pending: frozenset[UUID]
    since: datetime
    """When the earliest pending reading was measured."""
    overrides: Sequence[Override]
    open: Mapping[str, Alert]
    closed: Mapping[str, Alert]
    held: Sequence[tuple[datetime, datetime | None]]
    hours: OfficeHours
    episode: Episode | None

    @property
    def arrived(self) -> list[Sample]:
        """The samples of the pending readings."""
        return [s for s in self.samples if s.at >= self.since and s.id in self.pending]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What becomes of the patient's line."""

    rules: tuple[Rule, ...]
    decided: Decided
    line: episodes.Line | None


def judge(
    facts: Facts,
    catalogue: Catalogue,
    table: routing.Table,
    *,
    now: datetime,
    new_id: Callable[[], UUID],
) -> Verdict:
    """Return the decisions about one patient's pending readings."""
    rules = applicability.in_force(catalogue, facts.overrides, facts.subject, now)
    gathered = Gathered(
        subject=facts.subject,
        rules=rules,
        samples=tuple(facts.samples),
        pending=facts.pending,
        since=facts.since,
        open=facts.open,
        closed=facts.closed,
        held=tuple(facts.held),
        hours=facts.hours,
    )
    decided = evaluation.evaluate(gathered, now=now, new_id=new_id)
    decided = answered(decided, facts, now=now)
    if trending.wanted(catalogue, facts.subject, now):
        decided = trending.with_trend(
            decided,
            catalogue.rule(trending.RULE),
            facts.samples,
            facts.subject,
            {**facts.closed, **facts.open},
            facts.hours,
            now=now,
            new_id=new_id,
        )
    decided = paced(decided, facts, table, now=now)
    alerts = list({**facts.open, **{a.rule_id: a for a in decided.alerts}}.values())
    line = _line(facts, alerts, decided, table, now=now, new_id=new_id) if alerts else None
    return Verdict(rules=rules, decided=decided, line=line)


def paced(decided: Decided, facts: Facts, table: routing.Table, *, now: datetime) -> Decided:
    """Shorten the time to respond where the patient's programme does so (its `sla_factor`)."""
    return dataclasses.replace(
        decided, alerts=tuple(_in_time(each, facts, table, now) for each in decided.alerts)
    )


def _in_time(alert: Alert, facts: Facts, table: routing.Table, now: datetime) -> Alert:
    factor = routing.route(alert, facts.subject, table).sla_factor
    before = facts.open.get(alert.rule_id)
    if factor == 1 or (before and before.due_at == alert.due_at):
        return alert
    told_anew = before is None or alert.severity.worse_than(before.severity)
    since = now if told_anew else alert.raised_at
    due = sla.due_at(alert.severity, since, facts.hours, factor=factor)
    return dataclasses.replace(alert, due_at=due)


def answered(decided: Decided, facts: Facts, *, now: datetime) -> Decided:
    """Downgrade the open lines about missing measurements that have now come; kept for review."""
    if not any(alert.kind == "adherence" for alert in facts.open.values()):
        return decided
    came = {each.metric: each for each in facts.arrived}
    kinds = {KIND_OF.get(metric, metric.value): each for metric, each in came.items()}
    alerts, events = list(decided.alerts), list(decided.events)
    for alert in facts.open.values():
        reading = kinds.get(alert.profile)
        if alert.kind != "adherence" or reading is None or alert.state == "downgraded":
            continue
        calmed = dataclasses.replace(
            alert,
            severity=Severity.LOW,
            state="downgraded",
            why=f"{alert.why}; measured again since",
            due_at=sla.due_at(Severity.LOW, now, facts.hours),
        )
        alerts.append(calmed)
        events.append(
            Event(alert_id=alert.id, action=Action.MEASURED, reading_id=reading.id, severity=4)
        )
    return dataclasses.replace(decided, alerts=tuple(alerts), events=tuple(events))


def _line(  # noqa: PLR0913  # the line, its alerts, what happened, and the moment
    facts: Facts,
    alerts: Sequence[Alert],
    decided: Decided,
    table: routing.Table,
    *,
    now: datetime,
    new_id: Callable[[], UUID],
) -> episodes.Line | None:
    first = episodes.leading(alerts)
    setting = episodes.Setting(
        subject=facts.subject,
        queue=routing.route(first, facts.subject, table).queue,
        sparkline=sparkline(facts.samples, first.kind),
        arrived=frozenset(KIND_OF.get(s.metric, s.metric.value) for s in facts.arrived),
    )
    return episodes.line(facts.episode, alerts, decided, setting, now=now, new_id=new_id)


def sparkline(samples: Sequence[Sample], kind: str) -> tuple[float, ...]:
    """The last fourteen values of that measurement, oldest first."""
    own = [s for s in samples if KIND_OF.get(s.metric, s.metric.value) == kind]
    latest = sorted(own, key=lambda each: (each.at, each.id))[-episodes.SPARKLINE :]
    return tuple(each.value for each in latest)
