"""Windows follow one another: no gap, no stretch, in any zone."""

from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing import windows
from billing.windows import Window

ZONES = sorted(available_timezones() - {"localtime", "Factory"})
dates = st.dates(date(2000, 1, 1), date(2037, 1, 1))
zones = st.sampled_from(ZONES).map(ZoneInfo)


@given(dates, st.integers(1, 60))
def test_windows_follow_without_gap_or_overlap(anchor: date, length: int) -> None:
    run = list(islice(windows.following(anchor, length), 5))
    assert [window.length for window in run] == [length] * 5
    for first, second in pairwise(run):
        assert second.first == first.last + timedelta(days=1)


@given(dates, st.integers(1, 60), st.integers(0, 900))
def test_the_containing_window_is_one_of_the_run(anchor: date, length: int, ahead: int) -> None:
    day = anchor + timedelta(days=ahead)
    window = windows.containing(anchor, length, day)
    assert window is not None
    assert day in window
    assert window in list(islice(windows.following(anchor, length), ahead // length + 1))


@given(dates, dates)
def test_a_window_that_ends_in_a_month_ends_in_that_month(anchor: date, day: date) -> None:
    month = windows.month_of(day)
    window = windows.ending_in(anchor, 30, month.first)
    expected = [one for one in islice(windows.following(anchor, 30), 500) if one.last in month]
    assert window == (expected[-1] if expected else None)


def test_nothing_before_the_anchor() -> None:
    assert windows.containing(date(2026, 1, 5), 30, date(2026, 1, 4)) is None


@given(dates, zones)
def test_a_local_day_begins_on_its_own_date(day: date, zone: ZoneInfo) -> None:
    begin = windows.midnight(day, zone)
    before = (begin - timedelta(seconds=1)).astimezone(zone).date()
    assert begin.tzinfo is UTC
    assert before < day <= begin.astimezone(zone).date() <= day + timedelta(days=1)


@given(dates, zones, st.integers(0, 86_400 * 40))
def test_closed_means_the_local_date_has_passed(day: date, zone: ZoneInfo, seconds: int) -> None:
    window = Window(first=day, last=day + timedelta(days=29))
    now = windows.midnight(day, zone) + timedelta(seconds=seconds)
    assert windows.closed(window, zone, now) == (now.astimezone(zone).date() > window.last)
    assert windows.closed(window, zone, windows.closing(window, zone))


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("America/New_York", date(2026, 3, 8), 23),
        ("America/New_York", date(2026, 11, 1), 25),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("Asia/Kathmandu", date(2026, 4, 5), 24),
        ("Africa/Cairo", date(2026, 4, 24), 23),
    ],
)
def test_local_days_have_their_own_length(zone: str, day: date, hours: float) -> None:
    window = Window(first=day, last=day)
    where = ZoneInfo(zone)
    lasted = windows.closing(window, where) - windows.opening(window, where)
    assert lasted == timedelta(hours=hours)


def test_month_of_a_leap_day() -> None:
    assert windows.month_of(date(2028, 2, 29)) == Window(
        first=date(2028, 2, 1), last=date(2028, 2, 29)
    )


def test_windows_know_their_dates() -> None:
    window = Window(first=date(2026, 1, 5), last=date(2026, 2, 3))
    assert window.length == 30
    assert date(2026, 2, 3) in window
    assert date(2026, 2, 4) not in window
    assert windows.closed(window, ZoneInfo("UTC"), datetime(2026, 2, 4, tzinfo=UTC))
