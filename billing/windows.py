"""Device windows: consecutive local dates that follow one another without gap or stretch."""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """First and last local date, both counted."""

    first: date
    last: date

    @property
    def length(self) -> int:
        """Return how many dates the window has."""
        return (self.last - self.first).days + 1

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


def following(anchor: date, length: int) -> Iterator[Window]:
    """Yield the windows from an anchor on, each starting the day after the last one ended."""
    first = anchor
    while True:
        last = first + (length - 1) * DAY
        yield Window(first=first, last=last)
        first = last + DAY


def containing(anchor: date, length: int, day: date) -> Window | None:
    """Return the window in which a day lies; before the anchor there is none."""
    if day < anchor:
        return None
    first = anchor + ((day - anchor).days // length) * length * DAY
    return Window(first=first, last=first + (length - 1) * DAY)


def ending_in(anchor: date, length: int, month: date) -> Window | None:
    """Return the window whose last day, the date of service, lies in a month (the later of two)."""
    last_of_month = month_of(month).last
    window = containing(anchor, length, last_of_month)
    if window is None:
        return None
    if window.last > last_of_month:
        window = Window(first=window.first - length * DAY, last=window.first - DAY)
    return window if window.first >= anchor and window.last >= month else None


@lru_cache(maxsize=512)
def month_of(day: date) -> Window:
    """Return the calendar month of a day."""
    last = monthrange(day.year, day.month)[1]
    return Window(first=day.replace(day=1), last=day.replace(day=last))


def opening(window: Window, zone: ZoneInfo) -> datetime:
    """Return the instant at which the first local day begins."""
    return midnight(window.first, zone)


def closing(window: Window, zone: ZoneInfo) -> datetime:
    """Return the instant at which the last local day is over."""
    return midnight(window.last + DAY, zone)


def closed(window: Window, zone: ZoneInfo, now: datetime) -> bool:
    """Tell whether the local date has passed the window's last day."""
    return now.astimezone(zone).date() > window.last


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant of a local date in UTC, also where midnight is skipped."""
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)
