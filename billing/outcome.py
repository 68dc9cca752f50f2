"""What an evaluation says: lines to bill, codes not to bill, and the facts behind both."""

from dataclasses import dataclass, field
from datetime import date, datetime

Fact = bool | int | str | dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The ids of everything a line rests on; `limiting` cut its minutes without giving any."""

    readings: tuple[str, ...] = ()
    entries: tuple[str, ...] = ()
    limiting: tuple[str, ...] = ()
    consents: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()
    education: str = ""
    statements: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One code that may be billed, for which period and why."""

    code: str
    units: int
    family: str
    service_from: date
    service_to: date
    date_of_service: date
    threshold_met_at: datetime | None
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """One code that may not be billed, with its one reason and how far away it is."""

    code: str
    family: str
    reason: str
    have: int | None = None
    need: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The judgement of one family."""

    lines: tuple[Line, ...] = ()
    blocked: tuple[Blocked, ...] = ()
    facts: dict[str, Fact] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """The judgement of one case: every code of the families asked for is in exactly one list."""

    pack: str
    version: str
    digest: str
    lines: tuple[Line, ...]
    not_billable: tuple[Blocked, ...]
    facts: dict[str, Fact]
    remarks: tuple[str, ...] = ()

    def line(self, code: str) -> Line | None:
        """Return the line of a code, if it may be billed."""
        return next((line for line in self.lines if line.code == code), None)

    def reason(self, code: str) -> str | None:
        """Return the reason of a code that may not be billed."""
        return next((row.reason for row in self.not_billable if row.code == code), None)
