"""Which days count as missed, and when a device window cannot be filled any more."""

from datetime import date, timedelta

import pytest

from alerts import absence
from alerts.absence import Missing

FIRST = date(2026, 9, 1)
DAY = timedelta(days=1)


def days(count: int) -> set[date]:
    return {FIRST + n * DAY for n in range(count)}


@pytest.mark.parametrize(
    ("measured", "day", "possible"),
    [
        (1, 16, None),
        (1, 17, 15),
        (15, 29, None),
        (15, 30, None),
        (14, 30, 15),
        (0, 29, 2),
        (0, 30, 1),
    ],
    ids=[
        "sixteen can still be reached",
        "one day less and they cannot",
        "nearly there",
        "today makes the sixteenth",
        "today cannot",
        "two are left",
        "not even two",
    ],
)
def test_a_window_is_at_risk_from_the_day_its_count_is_out_of_reach(
    measured: int, day: int, possible: int | None
) -> None:
    found = absence.device_days(days(measured), FIRST, FIRST + (day - 1) * DAY)
    assert (found.days if found else None) == possible


def test_the_next_window_counts_anew() -> None:
    today = FIRST + 30 * DAY
    assert absence.window_start(FIRST, today) == today
    assert absence.device_days(days(3), FIRST, today) is None


def test_before_the_first_reading_there_is_no_window() -> None:
    assert absence.device_days((), None, FIRST) is None
    assert absence.device_days((), FIRST + DAY, FIRST) is None


def test_it_is_a_low_line_for_outreach_and_says_what_is_possible() -> None:
    found = absence.device_days((), FIRST, FIRST + 29 * DAY)
    assert found is not None
    assert (found.calls_for, int(found.severity or 0)) == (Missing.DEVICE_DAYS, 4)
    assert absence.headline(found) == "At most 1 device days"
    assert absence.sentence(found, None).endswith("can reach 1: 2 are out of reach")
