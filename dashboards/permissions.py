"""Who may do what: roles as data, deny by default. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Verb(StrEnum):
    """What a route needs; the value is what the administrator's matrix shows."""

    SEE_WORKLIST = "see the worklist"
    SEE_PATIENT = "see a patient's record"
    ACT = "claim, snooze, escalate and resolve alerts"
    DOCUMENT = "write notes and record time"
    CORRECT = "correct readings and resolve identity questions"
    ENROL = "enroll patients in programs, and end it"
    SEE_FLEET = "see gateways and devices"
    SEE_BILLING = "see billing"
    CLOSE_MONTH = "evaluate, sign, lock and export a billing month"
    SEE_AUDIT = "see who saw whom"
    ADMINISTER = "manage users, roles, teams and rules"
    DRAFT_RULES = "draft alert rules and ask what-if"
    PUBLISH_RULES = "publish alert rules as the second person"
    SET_LIMITS = "set alert limits of one patient"
    SEE_ROTA = "see who is on call"
    KEEP_ROTA = "keep teams and the on-call rota"
    KEEP_FLEET = "enroll, command and revoke gateways, assign devices"
    BREAK_GLASS = "open a record outside the care team, with a reason"
    OWN_ACCOUNT = "manage one's own account"


_EVERYBODY = frozenset({Verb.OWN_ACCOUNT})
_CLINICAL = _EVERYBODY | {
    Verb.SEE_WORKLIST,
    Verb.SEE_PATIENT,
    Verb.ACT,
    Verb.DOCUMENT,
    Verb.CORRECT,
    Verb.SEE_FLEET,
    Verb.SEE_ROTA,
    Verb.BREAK_GLASS,
}
_RULES = frozenset({Verb.DRAFT_RULES, Verb.PUBLISH_RULES, Verb.SET_LIMITS})
_HOUSE = frozenset({Verb.SEE_ROTA, Verb.KEEP_ROTA, Verb.SEE_FLEET, Verb.KEEP_FLEET})

ROLES: Mapping[str, frozenset[Verb]] = MappingProxyType(
    {
        "nurse": _CLINICAL,
        "provider": _CLINICAL | _RULES | {Verb.ENROL},
        "coordinator": _CLINICAL - {Verb.CORRECT} | {Verb.KEEP_ROTA, Verb.ENROL},
        "billing": _EVERYBODY | {Verb.SEE_PATIENT, Verb.SEE_BILLING, Verb.CLOSE_MONTH},
        "operations": _EVERYBODY | _HOUSE - {Verb.KEEP_ROTA},
        "administrator": _EVERYBODY | _HOUSE | {Verb.ADMINISTER, Verb.SEE_AUDIT, Verb.DRAFT_RULES},
        "auditor": _EVERYBODY | {Verb.SEE_AUDIT},
    }
)

HOME: Mapping[str, str] = MappingProxyType(
    {"billing": "/billing", "operations": "/fleet", "administrator": "/admin", "auditor": "/audit"}
)
"""Where a role starts; everyone else starts on the worklist."""


def may(role: str, verb: Verb) -> bool:
    """Whether `role` holds `verb`; an unknown role holds nothing."""
    return verb in ROLES.get(role, frozenset())


def home(role: str) -> str:
    """Return the page that a role sees first."""
    return HOME.get(role, "/worklist")
