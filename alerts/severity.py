"""The four severities: codes in data, words for people, and how long a person may take."""

from datetime import timedelta
from enum import IntEnum


class Severity(IntEnum):
    """1 is the worst; compare with `worse_than`, not with <."""

    CRITICAL = 1
    HIGH = 2
    MEDIUM = 3
    LOW = 4

    @property
    def word(self) -> str:
        """What users read."""
        return self.name.lower()

    @property
    def code(self) -> str:
        """What data says: S1 to S4."""
        return f"S{self.value}"

    def worse_than(self, other: "Severity") -> bool:
        """True when this one asks for a quicker answer."""
        return self.value < other.value

    def up(self, steps: int) -> "Severity":
        """The severity so many steps worse, at most critical."""
        return Severity(max(1, self.value - steps))


def from_code(code: str) -> Severity:
    """Return the severity of S1 to S4; ValueError on anything else."""
    if code not in ("S1", "S2", "S3", "S4"):
        raise ValueError(f"{code!r} is no severity: S1, S2, S3 or S4")
    return Severity(int(code[1]))


def worst(first: Severity, second: Severity) -> Severity:
    """The one that asks for the quicker answer."""
    return min(first, second)


def mildest(first: Severity, second: Severity) -> Severity:
    """The one that leaves more time."""
    return max(first, second)


SNOOZE_AT_MOST = {
    Severity.CRITICAL: timedelta(minutes=30),
    Severity.HIGH: timedelta(hours=4),
    Severity.MEDIUM: timedelta(hours=72),
    Severity.LOW: timedelta(days=30),
}
"""Starting values; defaults.yaml says the same and a test compares them."""
