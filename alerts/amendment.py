"""What becomes of an alert when a breach opens it, joins it or is withdrawn. Pure."""

import dataclasses
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from uuid import UUID

from alerts import policy, sla
from alerts.breach import Breach
from alerts.policy import Alert
from alerts.rules import Metric
from care.calendar import OfficeHours

KIND_OF: Mapping[Metric, str] = MappingProxyType({Metric.BP: "blood_pressure"})
"""devices.reading.Kind where our word differs."""


def opened(breach: Breach, hours: OfficeHours, *, id_: UUID, now: datetime) -> Alert:
    """Return the alert that a first breach opens."""
    rule = breach.rule
    return Alert(
        id=id_,
        rule_id=rule.id,
        rule_version=rule.version,
        profile=rule.profile,
        kind=KIND_OF.get(rule.metric, rule.metric.value),
        route=rule.route,
        severity=breach.severity,
        state="downgraded" if breach.answered_normal else "raised",
        headline=breach.headline,
        why=breach.why,
        raised_at=now,
        due_at=sla.due_at(breach.severity, now, hours),
        evidence=MappingProxyType({breach.reading_id: policy.evidence(breach)}),
    )


def reopened(closed: Alert, breach: Breach, hours: OfficeHours, *, now: datetime) -> Alert:
    """Return a closed alert open again; only what came after its closing counts."""
    again = dataclasses.replace(
        closed, closed_at=None, counts_from=closed.closed_at, rule_version=breach.rule.version
    )
    if breach.at <= (closed.closed_at or breach.at):
        again = dataclasses.replace(again, counts_from=breach.at - timedelta(microseconds=1))
    return changed(again, breach.reading_id, breach, hours, now=now, since=now)


def changed(  # noqa: PLR0913  # the alert, what happened to one of its readings, and when
    alert: Alert,
    reading_id: UUID,
    breach: Breach | None,
    hours: OfficeHours,
    *,
    now: datetime,
    since: datetime | None = None,
) -> Alert:
    """The alert with this evidence added, replaced or withdrawn, and what follows from that."""
    rows = dict(alert.evidence)
    if breach is not None:
        rows[reading_id] = policy.evidence(breach)
    else:
        rows[reading_id] = dataclasses.replace(rows[reading_id], standing=False)
    after = dataclasses.replace(alert, evidence=MappingProxyType(rows))
    standing = after.standing
    severity, first = policy.severity_of(standing), policy.leading(standing)
    worse = severity.worse_than(alert.severity)
    clock = since or (now if worse else alert.raised_at)
    due = sla.due_at(severity, clock, hours)
    stays = since is None and severity is alert.severity
    return dataclasses.replace(
        after,
        severity=severity,
        due_at=alert.due_at if stays else due,
        state=_state(alert, since, worse=worse, standing=standing),
        headline=first.headline if first else alert.headline,
        why=first.why if first else f"{_once(alert.why)}; no longer met after earlier readings",
    )


def _state(
    alert: Alert, since: datetime | None, *, worse: bool, standing: tuple[policy.Evidence, ...]
) -> str:
    if all(each.answered_normal for each in standing):
        return "downgraded"
    if worse or since or alert.state == "downgraded":
        return "raised"
    return alert.state


def _once(why: str) -> str:
    return why.removesuffix("; no longer met after earlier readings")
