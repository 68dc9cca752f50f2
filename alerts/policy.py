"""What to do about a breach, given what the care team already has. Pure: `now` is an argument."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from alerts.breach import Breach
from alerts.severity import Severity, worst

REOPEN_WITHIN = timedelta(hours=24)


class Action(StrEnum):
    """What happens next, and why; the value is written to the record of the episode."""

    OPEN = "open: first breach"
    REOPEN = "reopen: the same again within a day of closing"
    RAISE = "raise: worse than the open alert"
    ATTACH = "attach: same alert, nothing new"
    DOWNGRADE = "downgrade: normal when measured again"
    MEASURED = "downgrade: the missing measurement has come"
    WITHDRAW = "withdraw: an earlier reading arrived and took its ground away"
    UNCHANGED = "unchanged: already on record"
    HELD = "hold: the patient is away or in hospital"
    TOO_SOON = "rest: at most one such alert in this time"
    PAST = "attach: belongs to an alert that a person has closed"


TELLS = frozenset({Action.OPEN, Action.REOPEN, Action.RAISE})
"""Actions after which somebody must be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One breach as stored behind an alert."""

    reading_id: UUID
    at: datetime
    severity: Severity
    standing: bool
    headline: str
    why: str
    reading_ids: tuple[UUID, ...]
    computed: Mapping[str, float | str]
    late: bool = False
    answered_normal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert of one rule with all its evidence; its severity and words follow from that."""

    id: UUID
    rule_id: str
    rule_version: str
    profile: str
    kind: str
    route: str
    severity: Severity
    state: str
    headline: str
    why: str
    raised_at: datetime
    due_at: datetime
    evidence: Mapping[UUID, Evidence] = field(default_factory=lambda: MappingProxyType({}))
    closed_at: datetime | None = None
    counts_from: datetime | None = None
    """Evidence up to here was dealt with when a person closed the alert."""
    technical: bool = False

    @property
    def standing(self) -> tuple[Evidence, ...]:
        """Evidence that still holds, oldest first."""
        start = self.counts_from
        held = [e for e in self.evidence.values() if e.standing and (not start or e.at > start)]
        return tuple(sorted(held, key=lambda each: (each.at, each.reading_id)))


def decide(  # noqa: PLR0913  # what is on record about this rule and this reading
    breach: Breach | None,
    alert: Alert | None,
    reading_id: UUID,
    *,
    held: bool,
    last_closed: Alert | None,
    recovered_since: bool,
) -> Action:
    """Return what this evaluation of one rule at one reading calls for."""
    known = alert.evidence.get(reading_id) if alert else None
    if breach is None:
        return Action.WITHDRAW if known and known.standing else Action.UNCHANGED
    if alert is not None:
        return _with_open(breach, alert, known)
    if held and breach.severity is not Severity.CRITICAL:
        return Action.HELD
    if last_closed is not None:
        return _after_closed(breach, last_closed, recovered_since=recovered_since)
    return Action.OPEN


def evidence(breach: Breach) -> Evidence:
    """A breach as it is stored."""
    return Evidence(
        reading_id=breach.reading_id,
        at=breach.at,
        severity=breach.severity,
        standing=True,
        headline=breach.headline,
        why=breach.why,
        reading_ids=breach.reading_ids,
        computed=breach.computed,
        late=breach.late,
        answered_normal=breach.answered_normal,
    )


def severity_of(held: tuple[Evidence, ...]) -> Severity:
    """The worst severity of what stands; low when nothing stands any more."""
    found = Severity.LOW
    for each in held:
        found = worst(found, each.severity)
    return found


def leading(held: tuple[Evidence, ...]) -> Evidence | None:
    """The latest of the worst: what the headline and the sentence come from."""
    return min(held, key=lambda e: (e.severity, -e.at.timestamp(), e.reading_id), default=None)


def _with_open(breach: Breach, alert: Alert, known: Evidence | None) -> Action:
    if known and known.standing and known == evidence(breach):
        return Action.UNCHANGED
    if breach.severity.worse_than(alert.severity):
        return Action.RAISE
    milder = known is not None and known.severity.worse_than(breach.severity)
    return Action.DOWNGRADE if milder else Action.ATTACH


def _after_closed(breach: Breach, closed: Alert, *, recovered_since: bool) -> Action:
    """Tell the same problem, an old reading and a new problem apart after a person closed one."""
    closed_at = closed.closed_at or breach.at
    judged = closed.evidence.get(breach.reading_id)
    if judged is not None or breach.at <= closed_at:
        worse = breach.severity.worse_than(judged.severity if judged else closed.severity)
        return Action.REOPEN if worse else Action.PAST
    rest = breach.rule.max_one_per
    if rest and breach.at < closed.raised_at + rest:
        return Action.TOO_SOON
    if breach.at - closed_at < REOPEN_WITHIN and not recovered_since:
        return Action.REOPEN
    return Action.OPEN
