"""Breaking the glass: for how long, for which causes, and what is not reason enough. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

LASTS = timedelta(minutes=60)
SHORTEST_REASON = 10
LONGEST_REASON = 500


class Cause(StrEnum):
    """Why a record is opened outside the team; the word is what the trail stores."""

    EMERGENCY = "emergency"
    COVERING = "covering"
    ASKED_BY_PATIENT = "asked_by_patient"
    OTHER = "other"


class Problem(StrEnum):
    """Why the glass stays whole; the value is what the person reads."""

    NO_CAUSE = "Choose why you need this record."
    TOO_SHORT = "Say in a few words what you need the record for: a colleague will read it."


class ReviewProblem(StrEnum):
    """Why a review is not taken; the value is what the person reads."""

    OWN = "Somebody else must review what you opened."
    NO_NOTE = "Write a note: what you checked, and with whom."
    NO_VERDICT = "Say whether it was justified."


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody says who wants a closed record opened."""

    cause: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """A patient behind the glass: enough to be sure who it is, nothing clinical."""

    id: UUID
    mrn: str
    family_name: str
    given_name: str
    birth_date: date
    sex: str
    team_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A record that somebody has open by breaking the glass."""

    id: UUID
    patient_id: UUID
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """One breaking of the glass, as a reviewer sees it."""

    id: UUID
    staff_id: UUID
    who: str
    role: str
    patient_id: UUID
    family_name: str
    given_name: str
    mrn: str
    cause: str
    reason: str
    opened_at: datetime
    until: datetime
    looks: int
    changes: int
    reviewed_by_name: str | None
    reviewed_at: datetime | None
    justified: bool | None
    review_note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """A care team: open to all clinical staff, or closed."""

    id: UUID
    name: str
    closed: bool
    members: int
    patients: int


def problem_with(asked: Asked) -> Problem | None:
    """Return why this is not reason enough, or None."""
    if asked.cause not in set(Cause):
        return Problem.NO_CAUSE
    if not SHORTEST_REASON <= len(asked.reason) <= LONGEST_REASON:
        return Problem.TOO_SHORT
    return None


def problem_with_review(
    *, opened_by: UUID, reviewer: UUID, verdict: str, note: str
) -> ReviewProblem | None:
    """Return why a review is not taken, or None."""
    if opened_by == reviewer:
        return ReviewProblem.OWN
    if verdict not in {"yes", "no"}:
        return ReviewProblem.NO_VERDICT
    return None if note.strip() else ReviewProblem.NO_NOTE
