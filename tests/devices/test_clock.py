from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import clock, date_time
from devices.clock import CurrentTime, DeviceDateTime
from devices.date_time import DateTime

MOMENT = datetime(2024, 6, 30, 12, 30, 15, 750_000)


@given(st.datetimes())
def test_any_time_survives_to_the_second(moment: datetime) -> None:
    frame = date_time.encode(date_time.of(moment))
    assert date_time.parse(frame).naive() == moment.replace(microsecond=0)


@given(st.datetimes())
def test_the_time_we_write_is_the_time_the_device_shows(moment: datetime) -> None:
    shown = clock.naive(clock.parse(clock.setting(moment)))
    assert shown is not None
    assert abs((shown - moment).total_seconds()) < 1 / 256
    assert clock.naive(clock.parse_date_time(clock.setting_date_time(moment))) == moment.replace(
        microsecond=0
    )


def test_current_time_is_the_standards_bytes() -> None:
    assert clock.setting(MOMENT).hex() == "e807061e0c1e0f07c002"
    assert clock.setting(MOMENT, reason=clock.MANUAL).hex() == "e807061e0c1e0f07c001"
    assert clock.setting_date_time(MOMENT).hex() == "e807061e0c1e0f"


@pytest.mark.parametrize("unknown", ["year", "month", "day"])
def test_an_unset_clock_shows_no_time(unknown: str) -> None:
    unset = DateTime(**({"year": 2024, "month": 6, "day": 30} | {unknown: 0}))
    assert unset.is_unknown
    assert not unset.is_impossible
    assert clock.naive(CurrentTime(moment=unset)) is None
    assert clock.naive(DeviceDateTime(moment=unset)) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"month": 13},
        {"day": 31},
        {"hour": 24},
        {"minute": 60},
        {"second": 60},
        {"year": 10000},
    ],
)
def test_a_time_that_no_clock_has_is_impossible(wrong: dict[str, int]) -> None:
    moment = DateTime(**({"year": 2024, "month": 6, "day": 30} | wrong))
    assert moment.is_impossible
    assert moment.naive() is None


def test_fields_are_shown_as_written() -> None:
    assert clock.fields(clock.parse(bytes.fromhex("da070c120f170600c000"))) == {
        "datetime": "2010-12-18T15:23:06",
        "dow": 0,
        "frac256": 192,
        "reason": 0,
    }
    assert str(DateTime(year=0, month=4, day=17, hour=20, minute=41, second=59)) == (
        "0000-04-17T20:41:59"
    )
