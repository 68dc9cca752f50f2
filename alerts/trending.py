"""The personal trend as an alert, where an organisation has switched it on. Pure.

It opens an alert of its own and does nothing else: it never closes, lowers or delays another one.
"""

import dataclasses
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from uuid import UUID

from alerts import sla, trends
from alerts.applicability import holds_for
from alerts.evaluation import Decided, Event
from alerts.policy import Action, Alert, Evidence
from alerts.rules import Catalogue, Rule
from alerts.samples import Sample, Subject, by_metric
from alerts.trends import Trend
from care.calendar import OfficeHours

RULE = "hf_composite"
PROFILE = "hf"
QUIET = timedelta(days=7)
"""After one was closed, no other for a week."""


def wanted(catalogue: Catalogue, subject: Subject, at: datetime) -> bool:
    """True when the organisation wants trends and the patient's profile has them."""
    if not subject.personal_trends:
        return False
    enrolled = any(PROFILE in each.profiles for each in subject.enrolments)
    return enrolled and holds_for(catalogue.profiles[PROFILE].applies, subject, at)


def with_trend(  # noqa: PLR0913, PLR0917  # what was decided, about whom, from what, and when
    decided: Decided,
    rule: Rule,
    samples: Sequence[Sample],
    subject: Subject,
    known: dict[str, Alert],
    hours: OfficeHours,
    *,
    now: datetime,
    new_id: Callable[[], UUID],
) -> Decided:
    """Add a trend alert to the decisions if the score calls for one and none is there."""
    if _rests(known.get(rule.id), now) or not samples:
        return decided
    latest = max(samples, key=lambda each: (each.at, each.id))
    found = trends.trend(by_metric(samples), subject, latest.at)
    if not found.raised:
        return decided
    alert = _alert(rule, found, latest, hours, now, new_id())
    event = Event(
        alert_id=alert.id, action=Action.OPEN, reading_id=latest.id, severity=int(alert.severity)
    )
    return dataclasses.replace(
        decided, alerts=(*decided.alerts, alert), events=(*decided.events, event)
    )


def _rests(known: Alert | None, now: datetime) -> bool:
    return known is not None and (known.closed_at is None or now - known.closed_at < QUIET)


def _alert(  # noqa: PLR0913, PLR0917  # the parts of an alert
    rule: Rule, found: Trend, latest: Sample, hours: OfficeHours, now: datetime, id_: UUID
) -> Alert:
    proof = Evidence(
        reading_id=latest.id,
        at=latest.at,
        severity=rule.severity,
        standing=True,
        headline=f"Personal trend, score {found.score}",
        why=found.why,
        reading_ids=(latest.id,),
        computed={"score": float(found.score), **{s.name: s.value for s in found.signals}},
    )
    return Alert(
        id=id_,
        rule_id=rule.id,
        rule_version=rule.version,
        profile=rule.profile,
        kind="trend",
        route=rule.route,
        severity=rule.severity,
        state="raised",
        headline=proof.headline,
        why=proof.why,
        raised_at=now,
        due_at=sla.due_at(rule.severity, now, hours),
        evidence=MappingProxyType({latest.id: proof}),
    )
