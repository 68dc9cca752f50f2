"""May this draft be published, by this person, from that day on? Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

LONGEST = timedelta(days=365)
REVIEW_BEFORE = timedelta(days=30)
FURTHEST = timedelta(days=180)
"""A version may be signed for so long ahead; later, what-if says too little about it."""


class Refusal(StrEnum):
    """Why a draft stays a draft."""

    NO_DRAFT = "This version was published or dropped already."
    SAME_PERSON = "A second person publishes: you wrote part of this draft."
    NOTHING = "The draft changes nothing."
    OUTDATED = "Another version was published meanwhile: begin a new draft from it."
    NO_WHAT_IF = "Ask what-if first, over the draft as it is now."
    NO_REASON = "Say why: the reason stays with the version."
    PAST = "A version cannot begin in the past."
    TOO_FAR = "A version can begin within 180 days."


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """What somebody wants to publish."""

    is_draft: bool
    is_changed: bool
    is_current: bool
    """Nothing was published since the draft began."""
    has_what_if: bool
    writers: Collection[UUID]
    by: UUID
    reason: str
    effective_from: datetime


def refusal(signing: Signing, *, now: datetime) -> Refusal | None:
    """Return why it may not be published, or None."""
    checks = (
        (not signing.is_draft, Refusal.NO_DRAFT),
        (signing.by in signing.writers, Refusal.SAME_PERSON),
        (not signing.is_changed, Refusal.NOTHING),
        (not signing.is_current, Refusal.OUTDATED),
        (not signing.has_what_if, Refusal.NO_WHAT_IF),
        (not signing.reason.strip(), Refusal.NO_REASON),
        (signing.effective_from < now, Refusal.PAST),
        (signing.effective_from > now + FURTHEST, Refusal.TOO_FAR),
    )
    return next((why for holds, why in checks if holds), None)


def begins(text: str, zone: str, now: datetime) -> datetime | None:
    """Return when a version begins: now for today or nothing, midnight of a later day."""
    here = ZoneInfo(zone)
    try:
        day = date.fromisoformat(text) if text else now.astimezone(here).date()
    except ValueError:
        return None
    if day == now.astimezone(here).date():
        return now
    return datetime.combine(day, time(0), here)


def ends(text: str, zone: str, begin: datetime) -> datetime | None:
    """Return when a limit expires: the end of that day, a year after its beginning at most."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    at = datetime.combine(day, time(0), ZoneInfo(zone)) + timedelta(days=1)
    return at if begin < at <= begin + LONGEST else None
