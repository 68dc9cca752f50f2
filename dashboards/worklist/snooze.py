"""How long something may rest: the choices that its severity allows. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from alerts.severity import SNOOZE_AT_MOST, Severity

MORNING = 8


class Until(StrEnum):
    """The choices of the dialog."""

    QUARTER = "15m"
    HOUR = "1h"
    MORNING = "morning"
    READING = "reading"


LABELS = {
    Until.QUARTER: "15 minutes",
    Until.HOUR: "1 hour",
    Until.MORNING: "Tomorrow 8:00",
    Until.READING: "Until the next reading",
}


def moment(until: Until, severity: Severity, now: datetime, zone: str) -> datetime:
    """Return when the snooze ends; a reading may end it earlier."""
    if until is Until.QUARTER:
        return now + timedelta(minutes=15)
    if until is Until.HOUR:
        return now + timedelta(hours=1)
    if until is Until.READING:
        return now + SNOOZE_AT_MOST[severity]
    tomorrow = now.astimezone(ZoneInfo(zone)) + timedelta(days=1)
    return tomorrow.replace(hour=MORNING, minute=0, second=0, microsecond=0)


def choices(severities: Iterable[int], now: datetime, zone: str) -> list[tuple[str, str]]:
    """Return the choices that the worst of several severities allows."""
    worst = Severity(min(severities, default=1))
    longest = SNOOZE_AT_MOST[worst]
    return [
        (until.value, LABELS[until])
        for until in Until
        if moment(until, worst, now, zone) - now <= longest
    ]


def longest(severity: int) -> str:
    """Return the limit in words."""
    span = SNOOZE_AT_MOST[Severity(severity)]
    hours = span.total_seconds() / 3600
    if hours < 1:
        return f"{int(hours * 60)} minutes"
    return f"{int(hours)} hours" if hours < 48 else f"{int(hours / 24)} days"  # noqa: PLR2004 -- two days
