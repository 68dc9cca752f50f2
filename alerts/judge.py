"""From what was gathered to what is written, for one patient: rules, policy, routing. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from alerts import applicability, episodes, evaluation, routing
from alerts.applicability import Override
from alerts.evaluation import KIND_OF, Decided, Gathered
from alerts.lifecycle import Episode
from alerts.policy import Alert
from alerts.rules import Catalogue, Rule
from alerts.samples import Sample, Subject
from care.calendar import OfficeHours


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything about one patient that was read for one transaction."""

    subject: Subject
    samples: Sequence[Sample]
    pending: frozenset[UUID]
    overrides: Sequence[Override]
    open: Mapping[str, Alert]
    closed: Mapping[str, Alert]
    held: Sequence[tuple[datetime, datetime | None]]
    hours: OfficeHours
    episode: Episode | None


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
        open=facts.open,
        closed=facts.closed,
        held=tuple(facts.held),
        hours=facts.hours,
    )
    decided = evaluation.evaluate(gathered, now=now, new_id=new_id)
    alerts = list({**facts.open, **{a.rule_id: a for a in decided.alerts}}.values())
    line = _line(facts, alerts, decided, table, now=now, new_id=new_id) if alerts else None
    return Verdict(rules=rules, decided=decided, line=line)


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
        arrived=frozenset(
            KIND_OF.get(s.metric, s.metric.value) for s in facts.samples if s.id in facts.pending
        ),
    )
    return episodes.line(facts.episode, alerts, decided, setting, now=now, new_id=new_id)


def sparkline(samples: Sequence[Sample], kind: str) -> tuple[float, ...]:
    """The last fourteen values of that measurement, oldest first."""
    own = [s for s in samples if KIND_OF.get(s.metric, s.metric.value) == kind]
    latest = sorted(own, key=lambda each: (each.at, each.id))[-episodes.SPARKLINE :]
    return tuple(each.value for each in latest)
