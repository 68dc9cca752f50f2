"""When an organisation is open: business days, holidays, the end of the next one. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import holidays

ISO_WEEK = (1, 2, 3, 4, 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficeHours:
    """Opening hours of an organisation, in its own time zone."""

    zone: ZoneInfo
    opens: time = time(8)
    closes: time = time(17)
    days: tuple[int, ...] = ISO_WEEK
    """ISO weekdays."""
    country: str = "US"
    subdivision: str | None = None
    extra_holidays: frozenset[date] = frozenset()

    def is_holiday(self, day: date) -> bool:
        """True on a public holiday of the country, or one of the organisation's own."""
        return day in self.extra_holidays or day in _public(
            self.country, self.subdivision, day.year
        )

    def is_business_day(self, day: date) -> bool:
        """True when the organisation works on that day."""
        return day.isoweekday() in self.days and not self.is_holiday(day)

    def is_open(self, at: datetime) -> bool:
        """True when somebody is at work at that moment."""
        local = at.astimezone(self.zone)
        return self.is_business_day(local.date()) and self.opens <= local.time() < self.closes

    def next_business_day(self, after: date) -> date:
        """The first day of work after that date."""
        day = after + timedelta(days=1)
        while not self.is_business_day(day):
            day += timedelta(days=1)
        return day

    def end_of_next_business_day(self, at: datetime) -> datetime:
        """Closing time of the first day of work after the local date of that moment."""
        day = self.next_business_day(at.astimezone(self.zone).date())
        return datetime.combine(day, self.closes, self.zone)

    def opens_next(self, at: datetime) -> datetime:
        """The moment itself when open, else the next opening."""
        if self.is_open(at):
            return at
        local = at.astimezone(self.zone)
        today = self.is_business_day(local.date()) and local.time() < self.opens
        day = local.date() if today else self.next_business_day(local.date())
        return datetime.combine(day, self.opens, self.zone)


@cache
def _public(country: str, subdivision: str | None, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays(country, subdiv=subdivision, years=year))
