"""Which ordered measurements did not come, counted in the patient's own days. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from alerts.severity import Severity

LOOK_BACK = 30
WINDOW_DAYS = 30
ENOUGH_DAYS = 16
LEAST_DAYS = 2
"""Days of a device window that the two counts of device supply need (defaults.yaml)."""


class Missing(StrEnum):
    """What happens because nothing came."""

    NUDGE = "missing_daily"
    SECOND_NUDGE = "missing_2"
    OUTREACH = "missing_3"
    HEART_FAILURE = "missing_hf_2"
    DEVICE_DAYS = "billing_days_risk"


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


def device_days(measured: Collection[date], first: date | None, today: date) -> Absent | None:
    """Return a line for outreach when the device window can no longer hold enough days.

    Windows of thirty days follow one another from the first measured day. It only informs: the
    billing page counts with all its rules, and what a clinician ordered stays as it is.
    """
    if first is None or first > today:
        return None
    start = window_start(first, today)
    so_far = sum(start <= day < today for day in measured)
    left = WINDOW_DAYS - (today - start).days
    if so_far + left >= ENOUGH_DAYS:
        return None
    return Absent(
        kind="device_days",
        days=so_far + left,
        calls_for=Missing.DEVICE_DAYS,
        severity=Severity.LOW,
        queue="outreach",
    )


def window_start(first: date, today: date) -> date:
    """The first day of the window in which today lies."""
    return today - timedelta(days=(today - first).days % WINDOW_DAYS)


def headline(found: Absent) -> str:
    """The line's first words."""
    if found.calls_for is Missing.DEVICE_DAYS:
        return f"At most {found.days} device days"
    return f"No {found.kind.replace('_', ' ')} for {found.days} days"


def sentence(found: Absent, last: datetime | None) -> str:
    """Why the line is there, in plain words."""
    if found.calls_for is Missing.DEVICE_DAYS:
        enough = LEAST_DAYS if found.days < LEAST_DAYS else ENOUGH_DAYS
        most = f"can reach {found.days}: {enough} are out of reach"
        return f"Days with a reading in this {WINDOW_DAYS}-day window {most}"
    name = found.kind.replace("_", " ")
    since = f"; last reading {last:%d %b}" if last else "; no reading on record"
    return f"No {name} reading on {found.days} ordered days in a row{since}"
