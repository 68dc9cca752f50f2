"""Business days, holidays and the end of the next day of work."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from care.calendar import OfficeHours

DENVER = ZoneInfo("America/Denver")
HOURS = OfficeHours(zone=DENVER)


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2026, 9, 15), True),
        (date(2026, 9, 19), False),
        (date(2026, 11, 26), False),
        (date(2026, 7, 3), False),
    ],
    ids=["Tuesday", "Saturday", "Thanksgiving", "Independence Day, observed"],
)
def test_business_days(day: date, works: bool) -> None:
    assert HOURS.is_business_day(day) is works


def test_the_end_of_the_next_business_day_jumps_weekends_and_holidays() -> None:
    wednesday = datetime(2026, 11, 25, 12, tzinfo=DENVER)
    assert HOURS.end_of_next_business_day(wednesday) == datetime(2026, 11, 27, 17, tzinfo=DENVER)
    friday = datetime(2026, 9, 18, 23, tzinfo=DENVER)
    assert HOURS.end_of_next_business_day(friday) == datetime(2026, 9, 21, 17, tzinfo=DENVER)


def test_own_holidays_count_too() -> None:
    own = OfficeHours(zone=DENVER, extra_holidays=frozenset({date(2026, 9, 15)}), opens=time(9))
    assert not own.is_open(datetime(2026, 9, 15, 12, tzinfo=DENVER))
    assert own.opens_next(datetime(2026, 9, 15, 12, tzinfo=DENVER)) == datetime(
        2026, 9, 16, 9, tzinfo=DENVER
    )


def test_open_from_eight_to_five() -> None:
    assert not HOURS.is_open(datetime(2026, 9, 15, 7, 59, tzinfo=DENVER))
    assert HOURS.is_open(datetime(2026, 9, 15, 8, tzinfo=DENVER))
    assert not HOURS.is_open(datetime(2026, 9, 15, 17, tzinfo=DENVER))
    early = datetime(2026, 9, 15, 6, tzinfo=DENVER)
    assert HOURS.opens_next(early) == datetime(2026, 9, 15, 8, tzinfo=DENVER)
