"""The documentation form: its fields, and the closing form that it becomes. Pure."""

from collections.abc import Mapping
from types import MappingProxyType

from alerts.closing import Action, ClosingForm, Contact, Judged

NO_CONTACT = "none"
CONTACTS: Mapping[str, Contact] = MappingProxyType(
    {
        "reached": Contact(mode="audio", who="patient", result="reached"),
        "caregiver": Contact(mode="audio", who="caregiver", result="reached"),
        "left_message": Contact(mode="voicemail", who="patient", result="left_message"),
        "no_answer": Contact(mode="audio", who="patient", result="no_answer"),
    }
)
FIELDS: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...] = (
    (
        "contact",
        "Outcome",
        (
            ("reached", "Reached patient"),
            ("caregiver", "Reached caregiver"),
            ("left_message", "Left message"),
            ("no_answer", "No answer"),
            (NO_CONTACT, "No contact needed"),
        ),
    ),
    (
        "judged",
        "Reading",
        (
            (Judged.TRUE, "Confirmed"),
            (Judged.ARTEFACT, "False reading"),
            (Judged.WRONG_PERSON, "Wrong person"),
        ),
    ),
    (
        "action",
        "Action",
        (
            (Action.NONE, "None"),
            (Action.EDUCATION, "Education"),
            (Action.MEDICATION_CHANGE, "Medication change"),
            (Action.VISIT, "Visit"),
            (Action.EMERGENCY, "ED or 911"),
            (Action.ORDER, "Order"),
            (Action.REFERRAL, "Referral"),
        ),
    ),
)
NAMES: Mapping[str, str] = MappingProxyType(
    {
        "contacts": "how the patient was contacted",
        "note": "a note",
        "medication_by": "who changed it",
    }
)


def parse(form: Mapping[str, str], *, signed_by: str) -> ClosingForm:
    """Return the closing form of what was filled in; ValueError names what is missing."""
    if not form.get("contact"):
        raise ValueError("Choose an outcome first.")
    contact = CONTACTS.get(form["contact"])
    action = Action(form.get("action") or Action.NONE)
    return ClosingForm(
        action=action,
        note=form.get("note", "").strip(),
        judged=Judged(form.get("judged") or Judged.TRUE),
        contacts=(contact,) if contact else (),
        medication_by=signed_by if action is Action.MEDICATION_CHANGE else "",
        interactive=contact is not None and contact.result == "reached",
    )


def draft_fields(packed: str) -> dict[str, str]:
    """Return the radio buttons of a saved draft."""
    pairs = (part.split("=", 1) for part in packed.split("&") if "=" in part)
    return dict(pairs)


def packed(form: Mapping[str, str]) -> str:
    """Return the radio buttons of a form as one text."""
    names = [name for name, _, _ in FIELDS]
    return "&".join(f"{name}={form[name]}" for name in names if form.get(name, "").isidentifier())


def missing(fields: tuple[str, ...]) -> str:
    """Return what a closing form still needs, in a sentence."""
    words = [NAMES.get(name, name) for name in fields]
    return f"Still needed: {', '.join(words)}."
