"""A patient's open alerts as one line of the worklist: severity, words, clock, snooze. Pure."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from alerts.evaluation import Decided, Event
from alerts.lifecycle import Episode, awake
from alerts.policy import TELLS, Action, Alert
from alerts.samples import Subject
from alerts.severity import Severity

SPARKLINE = 14
HIGH_RISK = "high_risk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The episode after an evaluation, and whether somebody has to be told of it anew."""

    episode: Episode
    new: bool
    tells: bool
    woken: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What the line needs besides the alerts."""

    subject: Subject
    queue: str
    sparkline: tuple[float, ...]
    """The latest values of the leading alert's measurement; empty: not known, keep the old."""
    arrived: frozenset[str] = frozenset()
    """Measurements that have just arrived."""


def leading(alerts: Sequence[Alert]) -> Alert:
    """The alert that gives the line its words: the worst, then the one due first."""
    return min(alerts, key=lambda each: (each.severity, each.due_at, each.rule_id))


def line(  # noqa: PLR0913  # the line, its alerts, what happened, and the moment
    episode: Episode | None,
    alerts: Sequence[Alert],
    decided: Decided,
    setting: Setting,
    *,
    now: datetime,
    new_id: Callable[[], UUID],
) -> Line | None:
    """Return the patient's line after these decisions; None when nothing is or was open."""
    if not alerts:
        return None
    tells = any(event.action in TELLS for event in decided.events)
    if episode is None:
        fresh = _fresh(alerts, setting, now=now, id_=new_id())
        return Line(episode=fresh, new=True, tells=True, woken=False)
    wakes = episode.snoozed_until is not None and _wakes(episode, alerts, decided, setting)
    after = awake(episode) if wakes else episode
    after = _updated(after, alerts, setting)
    worsened = tells and after.severity < episode.worst_severity
    if worsened and (after.owner_id is None or after.severity == Severity.CRITICAL):
        after = dataclasses.replace(after, acknowledged_at=None)
    worst = min(after.severity, episode.worst_severity)
    after = dataclasses.replace(after, worst_severity=worst)
    return Line(episode=after, new=False, tells=tells or wakes, woken=wakes)


def _updated(episode: Episode, alerts: Sequence[Alert], setting: Setting) -> Episode:
    first = leading(alerts)
    return dataclasses.replace(
        episode,
        queue=setting.queue or episode.queue,
        severity=int(first.severity),
        headline=first.headline,
        why=first.why,
        kind=first.kind,
        alert_count=len(alerts),
        due_at=min(each.due_at for each in alerts),
        sparkline=setting.sparkline or episode.sparkline,
        risk=int(HIGH_RISK in setting.subject.traits),
    )


def _fresh(alerts: Sequence[Alert], setting: Setting, *, now: datetime, id_: UUID) -> Episode:
    first = leading(alerts)
    return Episode(
        id=id_,
        organisation_id=setting.subject.organisation_id,
        patient_id=setting.subject.id,
        queue=setting.queue,
        severity=int(first.severity),
        technical=first.technical,
        headline=first.headline,
        why=first.why,
        alert_count=len(alerts),
        opened_at=now,
        due_at=min(each.due_at for each in alerts),
        owner_id=None,
        claimed_at=None,
        lease_until=None,
        snoozed_until=None,
        snooze_reason=None,
        sparkline=setting.sparkline,
        closed_at=None,
        version=1,
        wakes_on_reading=False,
        snoozed_kinds=(),
        snoozed_severity=None,
        kind=first.kind,
        risk=int(HIGH_RISK in setting.subject.traits),
        waiting="",
        closed_by=None,
        reopened_at=None,
        cosign_due_at=None,
        cosigned_by=None,
        cosigned_at=None,
        worst_severity=int(first.severity),
        acknowledged_at=None,
    )


def _wakes(episode: Episode, alerts: Sequence[Alert], decided: Decided, setting: Setting) -> bool:
    """A snooze is not undone by an equal reading and always broken by a worse one."""
    if episode.wakes_on_reading and setting.arrived & set(episode.snoozed_kinds):
        return True
    by_id = {each.id: each for each in alerts}
    return any(_worse(episode, by_id.get(e.alert_id), e) for e in decided.events)


def _worse(episode: Episode, alert: Alert | None, event: Event) -> bool:
    if alert is None or event.action not in TELLS:
        return False
    if event.action is Action.RAISE or event.severity < (episode.snoozed_severity or Severity.LOW):
        return True
    elsewhere = alert.kind not in episode.snoozed_kinds
    return elsewhere and event.severity <= Severity.HIGH
