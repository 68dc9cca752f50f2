from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import clock

NEW_YORK = ZoneInfo("America/New_York")
CAUGHT = datetime(2026, 9, 15, 8, 0, tzinfo=NEW_YORK)
"""Noon UTC, in a home four hours behind."""


@given(st.datetimes(min_value=datetime(1990, 1, 1), timezones=st.just(UTC)))
def test_text_keeps_every_microsecond(moment: datetime) -> None:
    assert clock.from_text(clock.to_text(moment)) == moment


@given(st.lists(st.datetimes(min_value=datetime(1990, 1, 1), timezones=st.just(UTC))))
def test_text_sorts_by_time(moments: list[datetime]) -> None:
    assert sorted(map(clock.to_text, moments)) == [clock.to_text(m) for m in sorted(moments)]


def test_offset_of_a_clock_that_shows_home_time_is_its_zone() -> None:
    offset = clock.offset_s(datetime(2026, 9, 15, 8, 0), CAUGHT)
    assert offset == clock.home_offset_s(CAUGHT) == 4 * 3600


@pytest.mark.parametrize(
    ("device_time", "offset", "fetched", "live"),
    [
        (datetime(2026, 9, 15, 7, 58), None, False, True),
        (datetime(2026, 9, 15, 6, 0), None, False, False),
        (datetime(2026, 9, 15, 7, 58), None, True, True),
        (
            datetime(2021, 1, 1, 0, 5),
            (datetime(2026, 9, 15, 12) - datetime(2021, 1, 1, 0, 6)).total_seconds(),
            True,
            True,
        ),
        (datetime(2026, 9, 15, 11, 58), 0.0, False, True),
        (datetime(2026, 9, 15, 7, 58), 0.0, False, False),
        (None, None, False, True),
        (None, None, True, False),
    ],
    ids=[
        "home time, just now",
        "home time, two hours ago",
        "fetched, but measured just now",
        "factory clock whose offset was read",
        "device on UTC",
        "device on UTC, four hours old",
        "no time, came by itself",
        "no time, fetched",
    ],
)
def test_live_means_measured_now(
    device_time: datetime | None, offset: float | None, fetched: bool, live: bool
) -> None:
    assert clock.live(device_time, offset=offset, caught=CAUGHT, fetched=fetched) is live


@pytest.mark.parametrize(
    ("device_time", "read", "then_set", "expected"),
    [
        (datetime(2021, 1, 1, 0, 1), 180_000_000.0, 0.0, 180_000_000.0),
        (datetime(2026, 9, 15, 11, 59, 59), 180_000_000.0, 0.0, 0.0),
        (datetime(2026, 9, 15, 11, 59, 59), None, 0.0, 0.0),
        (datetime(2021, 1, 1, 0, 1), None, 0.0, None),
        (datetime(2026, 9, 15, 11, 59, 59), 3.0, None, 3.0),
    ],
    ids=["stored before", "measured after", "unread, measured after", "unread, before", "not set"],
)
def test_a_record_has_the_offset_of_the_clock_that_stamped_it(
    device_time: datetime, read: float | None, then_set: float | None, expected: float | None
) -> None:
    assert clock.applies(device_time, read, then_set, CAUGHT) == expected


@pytest.mark.parametrize(
    ("offset", "fault"), [(None, False), (14 * 3600.0, False), (-90_000.0, True), (2e8, True)]
)
def test_no_time_zone_is_a_fault(offset: float | None, fault: bool) -> None:
    assert clock.at_fault(offset) is fault


def test_a_factory_date_tells_no_age() -> None:
    assert not clock.believable(datetime(2021, 1, 1), None, CAUGHT)
    assert clock.believable(datetime(2021, 1, 1), 1.8e8, CAUGHT)
    assert clock.believable(datetime(2026, 8, 1), None, CAUGHT)
    assert clock.believable(None, None, CAUGHT + timedelta(days=1))
