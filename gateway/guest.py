"""Whom a visit is paid to, and what came of it. Values only."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from devices.model import Model


class Outcome(StrEnum):
    """How a visit ended."""

    READ = "read"
    EMPTY = "empty"
    FOREIGN = "foreign"
    NOT_REACHED = "not_reached"
    DROPPED = "dropped"
    """The link came up and broke before the device had shown what it offers."""
    NOT_TRUSTED = "not_trusted"
    HUNG_UP = "hung_up"
    FAILED = "failed"
    NOT_STORED = "not_stored"

    @property
    def is_failure(self) -> bool:
        """Whether to try again, and to count it against the device."""
        return self not in (Outcome.READ, Outcome.EMPTY, Outcome.FOREIGN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """The user slot and code that a scale wants before it shows anything."""

    user: int
    code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """Whom we visit, as far as is known before we connect."""

    address: str
    model: Model | None
    name: str = ""
    consent: Consent | None = None
    welcome: Callable[[str], bool]
    """Whether a device of this identity belongs here."""
    enrol: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came of a visit."""

    outcome: Outcome
    identity: str | None = None
    frames: int = 0
    detail: str = ""
    sequence_reset: bool = False
