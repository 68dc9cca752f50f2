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
    SEE_FLEET = "see gateways and devices"
    SEE_BILLING = "see billing"
    CLOSE_MONTH = "evaluate, sign, lock and export a billing month"
    SEE_AUDIT = "see who saw whom"
    ADMINISTER = "manage users, roles, teams and rules"
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
    Verb.BREAK_GLASS,
}

ROLES: Mapping[str, frozenset[Verb]] = MappingProxyType(
    {
        "nurse": _CLINICAL,
        "provider": _CLINICAL,
        "coordinator": _CLINICAL - {Verb.CORRECT},
        "billing": _EVERYBODY | {Verb.SEE_PATIENT, Verb.SEE_BILLING, Verb.CLOSE_MONTH},
        "operations": _EVERYBODY | {Verb.SEE_FLEET},
        "administrator": _EVERYBODY | {Verb.ADMINISTER, Verb.SEE_AUDIT, Verb.SEE_FLEET},
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
