"""The closing form: what a person says when an alert is done with, and what may not be left out."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from alerts.severity import Severity


class Judged(StrEnum):
    """What the reading turned out to be."""

    TRUE = "true"
    ARTEFACT = "artefact"
    WRONG_PERSON = "wrong_person"


class Action(StrEnum):
    """What was done; anything but NONE counts the alert as useful."""

    NONE = "none"
    EDUCATION = "education"
    MEDICATION_CHANGE = "medication_change"
    VISIT = "visit"
    EMERGENCY = "emergency"
    ORDER = "order"
    REFERRAL = "referral"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """One attempt to reach somebody."""

    mode: str
    """audio, video, in_person, sms, portal, voicemail, email."""
    who: str
    """patient, caregiver, provider, ..."""
    result: str
    """reached, no_answer, left_message, ..."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosingForm:
    """The form as filled in; `minutes` proposes a time entry."""

    action: Action
    note: str
    judged: Judged = Judged.TRUE
    contacts: tuple[Contact, ...] = ()
    symptoms: str = ""
    assessment: str = ""
    medication_by: str = ""
    informed_provider: bool = False
    follow_up_on: date | None = None
    minutes: int | None = None
    programme: str = ""
    interactive: bool = False


def incomplete(form: ClosingForm, severity: Severity) -> tuple[str, ...]:
    """Return the fields that this severity still needs; none means that the form may be sent."""
    missing = [] if form.note.strip() else ["note"]
    true = form.judged is Judged.TRUE
    if severity is Severity.CRITICAL and true and not form.contacts:
        missing.append("contacts")
    if form.action is Action.MEDICATION_CHANGE and not form.medication_by.strip():
        missing.append("medication_by")
    return tuple(missing)


def as_words(form: ClosingForm) -> dict[str, object]:
    """The form as it is stored with the alert."""
    return {
        "judged": form.judged.value,
        "action": form.action.value,
        "note": form.note.strip(),
        "contacts": [{"mode": c.mode, "who": c.who, "result": c.result} for c in form.contacts],
        "symptoms": form.symptoms,
        "assessment": form.assessment,
        "medication_by": form.medication_by,
        "informed_provider": form.informed_provider,
        "follow_up_on": form.follow_up_on.isoformat() if form.follow_up_on else None,
        "minutes": form.minutes,
        "programme": form.programme,
        "interactive": form.interactive,
    }
