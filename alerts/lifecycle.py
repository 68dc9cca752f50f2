"""What a person may do with an episode, and what becomes of it. Pure: `now` is an argument."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from alerts.closing import ClosingForm, incomplete
from alerts.severity import SNOOZE_AT_MOST, Severity

LEASE = timedelta(minutes=20)
UNDO_WITHIN = timedelta(seconds=8)
COSIGN_WITHIN = timedelta(hours=24)
CLINICAL = frozenset({"nurse", "provider"})
"""Roles that may close critical and high episodes."""


class Refusal(StrEnum):
    """Why an operation was not done; the value is what the user reads."""

    NOT_FOUND = "There is no such episode."
    CLOSED = "This episode is already closed."
    STILL_OPEN = "This episode is still open."
    TAKEN = "Another person has it."
    NOT_YOURS = "Only the person who has it can do this."
    ALREADY_YOURS = "You already have it."
    REASON_NEEDED = "A reason is needed."
    TOO_LONG = "That is longer than this severity may be snoozed."
    NOT_AHEAD = "The time must lie ahead."
    NOT_SNOOZED = "It is not snoozed."
    NEEDS_CLINICIAN = "Critical and high episodes are closed by a nurse or a provider."
    NEEDS_PROVIDER = "Only a provider can co-sign."
    OWN_SIGNATURE = "A co-signature comes from a second person."
    NOTHING_TO_SIGN = "No co-signature is due."
    FORM_INCOMPLETE = "The closing form is incomplete."
    TOO_LATE = "It is too late to undo this."
    NOTHING_TO_UNDO = "There is nothing of yours to undo."
    NEWER_EPISODE = "A newer episode of this patient is open."
    ONLY_LOW = "Only low episodes can be closed together."


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts: a signed-in member of staff."""

    staff_id: UUID
    organisation_id: UUID
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One row of the worklist, as stored."""

    id: UUID
    organisation_id: UUID
    patient_id: UUID
    queue: str
    severity: int
    technical: bool
    headline: str
    why: str
    alert_count: int
    opened_at: datetime
    due_at: datetime
    owner_id: UUID | None
    claimed_at: datetime | None
    lease_until: datetime | None
    snoozed_until: datetime | None
    snooze_reason: str | None
    sparkline: tuple[float, ...]
    closed_at: datetime | None
    version: int
    wakes_on_reading: bool
    snoozed_kinds: tuple[str, ...]
    snoozed_severity: int | None
    kind: str
    risk: int
    waiting: str
    closed_by: UUID | None
    reopened_at: datetime | None
    cosign_due_at: datetime | None
    cosigned_by: UUID | None
    cosigned_at: datetime | None
    worst_severity: int
    acknowledged_at: datetime | None


Outcome = Episode | Refusal
Decide = Callable[[Episode], Outcome]


def claimed(episode: Episode, actor: Actor, *, now: datetime) -> Outcome:
    """Give an unowned episode to the actor; this is the acknowledgement that ends paging."""
    if episode.closed_at:
        return Refusal.CLOSED
    if episode.owner_id == actor.staff_id and episode.acknowledged_at:
        return Refusal.ALREADY_YOURS
    if episode.owner_id not in (None, actor.staff_id) and not _lease_over(episode, now):
        return Refusal.TAKEN
    return _owned_by(episode, actor, now)


def taken_over(episode: Episode, actor: Actor, reason: str, *, now: datetime) -> Outcome:
    """Take an episode from its owner; the reason is told to that person."""
    if episode.closed_at:
        return Refusal.CLOSED
    if episode.owner_id == actor.staff_id:
        return Refusal.ALREADY_YOURS
    if not reason.strip():
        return Refusal.REASON_NEEDED
    return _owned_by(episode, actor, now)


def kept(episode: Episode, actor: Actor, *, now: datetime) -> Outcome:
    """Renew the owner's lease; called while the person is working on it."""
    if episode.closed_at:
        return Refusal.CLOSED
    if episode.owner_id != actor.staff_id:
        return Refusal.NOT_YOURS
    return dataclasses.replace(episode, lease_until=now + LEASE)


def released(episode: Episode, actor: Actor) -> Outcome:
    """Put an episode back into its queue."""
    if episode.closed_at:
        return Refusal.CLOSED
    if episode.owner_id != actor.staff_id:
        return Refusal.NOT_YOURS
    return unowned(episode)


def unowned(episode: Episode) -> Episode:
    """The episode without an owner."""
    return dataclasses.replace(episode, owner_id=None, claimed_at=None, lease_until=None)


def snoozed(  # noqa: PLR0913  # a snooze is these facts
    episode: Episode,
    actor: Actor,
    until: datetime,
    reason: str,
    *,
    on_reading: bool,
    kinds: tuple[str, ...],
    now: datetime,
) -> Outcome:
    """Rest an episode; a worse reading always wakes it, an equal one does not."""
    if episode.closed_at:
        return Refusal.CLOSED
    if episode.owner_id not in (None, actor.staff_id) and not _lease_over(episode, now):
        return Refusal.TAKEN
    if not reason.strip():
        return Refusal.REASON_NEEDED
    if until <= now:
        return Refusal.NOT_AHEAD
    if until - now > SNOOZE_AT_MOST[Severity(episode.severity)]:
        return Refusal.TOO_LONG
    return dataclasses.replace(
        unowned(episode),
        snoozed_until=until,
        snooze_reason=reason.strip(),
        wakes_on_reading=on_reading,
        snoozed_kinds=kinds,
        snoozed_severity=episode.severity,
        acknowledged_at=episode.acknowledged_at or now,
    )


def awake(episode: Episode) -> Episode:
    """The episode without its snooze."""
    return dataclasses.replace(
        episode,
        snoozed_until=None,
        snooze_reason=None,
        wakes_on_reading=False,
        snoozed_kinds=(),
        snoozed_severity=None,
    )


def unsnoozed(episode: Episode) -> Outcome:
    """End a snooze by hand."""
    if episode.closed_at:
        return Refusal.CLOSED
    return awake(episode) if episode.snoozed_until else Refusal.NOT_SNOOZED


def escalated(episode: Episode, reason: str) -> Outcome:
    """Send an episode upwards: it waits for a provider and is paged at once."""
    if episode.closed_at:
        return Refusal.CLOSED
    if not reason.strip():
        return Refusal.REASON_NEEDED
    return dataclasses.replace(awake(episode), waiting="provider")


def waiting(episode: Episode, actor: Actor, on: str) -> Outcome:
    """Note that the patient or a provider has to answer first; '' ends it."""
    if episode.closed_at:
        return Refusal.CLOSED
    if episode.owner_id != actor.staff_id:
        return Refusal.NOT_YOURS
    return dataclasses.replace(episode, waiting=on)


def resolved(episode: Episode, actor: Actor, form: ClosingForm, *, now: datetime) -> Outcome:
    """Close an episode with its form; a critical one then waits for a provider's signature."""
    severity = Severity(episode.worst_severity)
    clinical = not episode.technical
    if episode.closed_at:
        return Refusal.CLOSED
    if episode.owner_id not in (None, actor.staff_id) and not _lease_over(episode, now):
        return Refusal.TAKEN
    if clinical and severity <= Severity.HIGH and actor.role not in CLINICAL:
        return Refusal.NEEDS_CLINICIAN
    if clinical and incomplete(form, severity):
        return Refusal.FORM_INCOMPLETE
    to_sign = clinical and severity is Severity.CRITICAL and actor.role != "provider"
    return dataclasses.replace(
        awake(episode),
        owner_id=episode.owner_id or actor.staff_id,
        lease_until=None,
        waiting="",
        closed_at=now,
        closed_by=actor.staff_id,
        cosign_due_at=now + COSIGN_WITHIN if to_sign else None,
        acknowledged_at=episode.acknowledged_at or now,
    )


def cosigned(episode: Episode, actor: Actor, *, now: datetime) -> Outcome:
    """Put a provider's signature under a closed critical episode."""
    if not episode.closed_at:
        return Refusal.STILL_OPEN
    if not episode.cosign_due_at or episode.cosigned_at:
        return Refusal.NOTHING_TO_SIGN
    if actor.role != "provider":
        return Refusal.NEEDS_PROVIDER
    if actor.staff_id == episode.closed_by:
        return Refusal.OWN_SIGNATURE
    return dataclasses.replace(episode, cosigned_by=actor.staff_id, cosigned_at=now)


def reopened(episode: Episode, reason: str, *, now: datetime) -> Outcome:
    """Open a closed episode again, unowned, in its queue."""
    if not episode.closed_at:
        return Refusal.STILL_OPEN
    if not reason.strip():
        return Refusal.REASON_NEEDED
    return dataclasses.replace(
        unowned(episode),
        closed_at=None,
        closed_by=None,
        cosign_due_at=None,
        cosigned_by=None,
        cosigned_at=None,
        reopened_at=now,
    )


def handed_over(episode: Episode, to: UUID | None, *, now: datetime) -> Episode:
    """Give an open episode to the next shift, or back to its queue."""
    if to is None:
        return unowned(episode)
    return dataclasses.replace(episode, owner_id=to, claimed_at=now, lease_until=now + LEASE)


def alert_state(episode: Episode) -> str:
    """The state of an open episode's alerts, as the life cycle names it."""
    if episode.snoozed_until:
        return "snoozed"
    if episode.waiting:
        return f"waiting_{episode.waiting}"
    if episode.owner_id:
        return "in_progress" if episode.claimed_at != episode.acknowledged_at else "acknowledged"
    return "acknowledged" if episode.acknowledged_at else "raised"


def _owned_by(episode: Episode, actor: Actor, now: datetime) -> Episode:
    return dataclasses.replace(
        awake(episode),
        owner_id=actor.staff_id,
        claimed_at=now,
        lease_until=now + LEASE,
        acknowledged_at=episode.acknowledged_at or now,
    )


def _lease_over(episode: Episode, now: datetime) -> bool:
    return episode.lease_until is not None and episode.lease_until <= now
