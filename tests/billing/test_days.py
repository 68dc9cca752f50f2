"""A day is the patient's local date; another reading never takes one away."""

import copy
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing import case, days, pack
from billing.days import DayCount
from billing.record import Case, Consent, Patient, Reading, Stay
from billing.windows import Window

RULES = pack.named("us-medicare-cy2026").parameters
ZONES = sorted(available_timezones() - {"localtime", "Factory"})
WINDOW = Window(first=date(2026, 3, 1), last=date(2026, 3, 30))
FIRST = datetime(2026, 2, 26, tzinfo=UTC)

Raw = dict[str, Any]


def reading(minute: int, *, manual: bool = False, late: int = 0) -> Reading:
    at = FIRST + timedelta(minutes=minute)
    return Reading(
        id=f"R{minute}/{manual}/{late}",
        at=at,
        device="bp-1",
        program="RPM",
        manual=manual,
        received_at=at + timedelta(hours=late),
    )


some_readings = st.lists(
    st.builds(
        reading,
        st.integers(0, 36 * 24 * 60),
        manual=st.booleans(),
        late=st.integers(0, 80),
    ),
    max_size=40,
)
zones = st.sampled_from(ZONES).map(ZoneInfo)


def counted(readings: list[Reading], zone: ZoneInfo, stays: tuple[Stay, ...] = ()) -> DayCount:
    patient = Patient(id="P1", zone=zone, established=True)
    record = Case(
        patient=patient,
        organisation_zone=zone,
        as_of=datetime(2026, 5, 1, tzinfo=UTC),
        families=("rpm_device",),
        consents=(Consent(id="C1", program="RPM", at=FIRST + timedelta(days=1)),),
        readings=tuple(readings),
        stays=stays,
    )
    return days.count(record, RULES, program="RPM", window=WINDOW, zone=zone)


@given(some_readings, st.integers(0, 36 * 24 * 60), zones)
def test_another_reading_never_lowers_the_count(
    readings: list[Reading], minute: int, zone: ZoneInfo
) -> None:
    before = counted(readings, zone).total
    assert before <= counted([*readings, reading(minute)], zone).total <= before + 1


@given(some_readings, zones)
def test_the_count_is_the_local_dates_of_what_counts(
    readings: list[Reading], zone: ZoneInfo
) -> None:
    found = counted(readings, zone)
    assert set(found.days) == {
        row.at.astimezone(zone).date() for day in found.days.values() for row in day
    }
    assert all(day in WINDOW for day in found.days)
    assert found.total <= WINDOW.length


@given(some_readings, zones)
def test_every_reading_of_the_window_counts_or_has_a_reason(
    readings: list[Reading], zone: ZoneInfo
) -> None:
    found = counted(readings, zone)
    inside = [row for row in readings if row.at.astimezone(zone).date() in WINDOW]
    assert len(found.reading_ids) + sum(found.left_out.values()) == len(inside)


@given(some_readings, zones, st.permutations(range(40)))
def test_order_means_nothing(readings: list[Reading], zone: ZoneInfo, order: list[int]) -> None:
    shuffled = [readings[place] for place in order if place < len(readings)]
    assert counted(shuffled, zone) == counted(readings, zone)


@given(some_readings, zones)
def test_a_hospital_stay_only_takes_days_away(readings: list[Reading], zone: ZoneInfo) -> None:
    stay = Stay(first=date(2026, 3, 10), last=date(2026, 3, 12))
    free, staying = counted(readings, zone), counted(readings, zone, (stay,))
    gone = set(free.days) - set(staying.days)
    assert set(staying.days) <= set(free.days)
    assert gone <= {date(2026, 3, 10), date(2026, 3, 11), date(2026, 3, 12)}


@given(some_readings, zones, st.integers(1, 30))
def test_the_threshold_is_met_by_the_day_that_fills_it(
    readings: list[Reading], zone: ZoneInfo, threshold: int
) -> None:
    found = counted(readings, zone)
    moment = found.reached_at(threshold)
    assert (moment is None) == (found.total < threshold)
    if moment is not None:
        assert moment.astimezone(zone).date() == sorted(found.days)[threshold - 1]


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        ({"entry": "manual"}, "manual"),
        ({"entry": "patient_reported"}, "manual"),
        ({"status": "quarantined"}, "quarantined"),
        ({"quarantined": True}, "quarantined"),
        ({"status": "entered-in-error"}, "entered_in_error"),
        ({"entered_in_error": True}, "entered_in_error"),
        ({"valid": False}, "invalid"),
        ({"owner": "ambiguous"}, "owner_not_confirmed"),
        ({"owner_confirmed": False}, "owner_not_confirmed"),
        ({"at": "2026-01-06T07:30:00"}, "without_zone"),
        ({"at": None}, "unreadable"),
        ({"received_at": "2026-02-04T00:00:00-05:00"}, "late"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_reading_that_does_not_count_has_its_reason(
    month: Callable[..., Raw], field: Raw, reason: str
) -> None:
    raw = month()
    raw["readings"][1] |= field
    parsed = case.parse(raw)
    window = Window(first=date(2026, 1, 5), last=date(2026, 2, 3))
    zone = ZoneInfo("America/New_York")
    found = days.count(parsed, RULES, program="RPM", window=window, zone=zone)
    assert (found.total, found.left_out) == (15, {reason: 1})


def test_released_from_quarantine_the_day_counts_again(month: Callable[..., Raw]) -> None:
    held = month()
    held["readings"][1]["status"] = "quarantined"
    released = copy.deepcopy(held)
    released["readings"][1]["status"] = "valid"
    window = Window(first=date(2026, 1, 5), last=date(2026, 2, 3))
    zone = ZoneInfo("America/New_York")
    totals = [
        days.count(case.parse(raw), RULES, program="RPM", window=window, zone=zone).total
        for raw in (held, released)
    ]
    assert totals == [15, 16]
