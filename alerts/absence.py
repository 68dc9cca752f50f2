"""Which ordered measurements did not come, counted in the patient's own days. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from alerts.severity import Severity

LOOK_BACK = 30


class Missing(StrEnum):
    """What happens because nothing came."""

    NUDGE = "missing_daily"
    SECOND_NUDGE = "missing_2"
    OUTREACH = "missing_3"
    HEART_FAILURE = "missing_hf_2"


class Excuse(StrEnum):
    """Why silence is no absence; the excuse is then the work item."""

    GATEWAY = "gateway offline"
    DEVICE = "device fault"
    AWAY = "hospital stay or hold"
    UNKNOWN_DAY = "time zone not known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """What was ordered to be measured."""

    kind: str
    days_of_week: tuple[int, ...]
    from_on: date
    to_on: date | None
    times_per_day: int = 1

    def is_due(self, day: date) -> bool:
        """True when a measurement was ordered for that day."""
        begun = self.from_on <= day and (self.to_on is None or day <= self.to_on)
        return begun and day.isoweekday() in self.days_of_week


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """Missed days in a row of one measurement, and what that calls for."""

    kind: str
    days: int
    calls_for: Missing
    severity: Severity | None
    queue: str = ""


def missed_days(
    ordered: Ordered, measured: Collection[date], today: date, rests: Iterable[date] = ()
) -> int:
    """Return how many ordered days in a row, up to yesterday, brought nothing.

    Today counts only once it is over. Days in `rests` (hospital, hold) are no days of the order.
    """
    excused = set(rests)
    missed = 0
    for back in range(1, LOOK_BACK + 1):
        day = today - timedelta(days=back)
        if day in measured or day < ordered.from_on:
            break
        if ordered.is_due(day) and day not in excused:
            missed += 1
    return 0 if today in measured else missed


def absent(kind: str, missed: int, *, heart_failure: bool) -> Absent | None:
    """Return what so many missed days call for; the heavier where two lines hold."""
    if heart_failure and kind == "weight" and missed >= 2:  # noqa: PLR2004  # defaults.yaml, missing_hf_2
        return Absent(
            kind=kind,
            days=missed,
            calls_for=Missing.HEART_FAILURE,
            severity=Severity.MEDIUM,
            queue="rn_triage",
        )
    if missed >= 3:  # noqa: PLR2004  # defaults.yaml, missing_3
        return Absent(
            kind=kind,
            days=missed,
            calls_for=Missing.OUTREACH,
            severity=Severity.MEDIUM,
            queue="outreach",
        )
    steps = {1: Missing.NUDGE, 2: Missing.SECOND_NUDGE}
    return (
        Absent(kind=kind, days=missed, calls_for=steps[missed], severity=None) if missed else None
    )


def excuse(*, offline: bool, fault: bool, held: bool, zone_known: bool) -> Excuse | None:
    """Return why silence is no absence now, or None."""
    if not zone_known:
        return Excuse.UNKNOWN_DAY
    if held:
        return Excuse.AWAY
    if offline:
        return Excuse.GATEWAY
    return Excuse.DEVICE if fault else None


def days_at_risk(days_so_far: int, days_left: int) -> bool:
    """True when a billing window can no longer hold sixteen days, or not even two.

    For outreach only: it never changes what a clinician ordered.
    """
    possible = days_so_far + days_left
    return possible < 16 or possible < 2  # noqa: PLR2004  # the two thresholds of device supply


def sentence(found: Absent, last: datetime | None) -> str:
    """Why the line is there, in plain words."""
    name = found.kind.replace("_", " ")
    since = f"; last reading {last:%d %b}" if last else "; no reading on record"
    return f"No {name} reading on {found.days} ordered days in a row{since}"
