"""Whose turn it is, with the clock moved by argument."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from alerts import escalation, routing
from alerts.escalation import AfterHours, Clock
from alerts.severity import Severity
from care.calendar import OfficeHours

DENVER = ZoneInfo("America/Denver")
HOURS = OfficeHours(zone=DENVER)
POLICY = escalation.product_policy()
SUNDAY_NIGHT = datetime(2026, 9, 20, 2, tzinfo=DENVER)
TUESDAY_NOON = datetime(2026, 9, 15, 12, tzinfo=DENVER)


def clock(severity: Severity, at: datetime, step: int = 0, *, high_risk: bool = False) -> Clock:
    return Clock(severity=severity, started_at=at, step=step, high_risk=high_risk)


def run(
    severity: Severity, at: datetime, until: timedelta, *, high_risk: bool = False
) -> list[tuple[int, str]]:
    """Look every minute; return (minutes, duty) of each step as it came due."""
    found: list[tuple[int, str]] = []
    step = 0
    for minute in range(int(until.total_seconds() // 60) + 1):
        now = at + timedelta(minutes=minute)
        turn = escalation.turn(
            POLICY, clock(severity, at, step, high_risk=high_risk), HOURS, now=now
        )
        found += [(minute, each.duty.value) for each in turn.steps]
        step = turn.done
    return found


def test_nobody_acknowledges_a_critical_alert_at_two_on_a_sunday_night() -> None:
    assert run(Severity.CRITICAL, SUNDAY_NIGHT, timedelta(minutes=51)) == [
        (0, "primary_on_call"),
        (5, "primary_on_call"),
        (10, "secondary_on_call"),
        (20, "supervising_provider"),
        (30, "medical_director"),
        (40, "primary_on_call"),
        (40, "medical_director"),
        (50, "primary_on_call"),
        (50, "medical_director"),
    ]


def test_high_is_for_the_queue_first_then_for_the_charge_nurse() -> None:
    assert run(Severity.HIGH, TUESDAY_NOON, timedelta(minutes=180)) == [
        (60, "charge_nurse"),
        (120, "supervising_provider"),
        (180, "charge_nurse"),
        (180, "supervising_provider"),
    ]


def test_high_waits_for_the_morning_unless_the_patient_is_at_high_risk() -> None:
    assert run(Severity.HIGH, SUNDAY_NIGHT, timedelta(hours=29)) == []
    first = run(Severity.HIGH, SUNDAY_NIGHT, timedelta(hours=30))[:2]
    assert first == [(30 * 60, "charge_nurse"), (30 * 60, "supervising_provider")]
    at_risk = run(Severity.HIGH, SUNDAY_NIGHT, timedelta(hours=1), high_risk=True)
    assert at_risk == [(60, "charge_nurse")]


@pytest.mark.parametrize(
    ("programmes", "high_risk", "pages_at_night"),
    [
        (["pace"], False, True),
        (["pcmh"], False, False),
        (["pcmh"], True, True),
        (["pcmh", "pace"], False, True),
        ([], True, True),
    ],
    ids=["care around the clock", "waits", "high risk", "the boldest programme wins", "default"],
)
def test_the_programme_says_whether_high_pages_at_night(
    programmes: list[str], *, high_risk: bool, pages_at_night: bool
) -> None:
    policy = routing.after_hours(programmes, routing.table())
    waits = replace(clock(Severity.HIGH, SUNDAY_NIGHT, high_risk=high_risk), after_hours=policy)
    later = SUNDAY_NIGHT + timedelta(hours=1)
    assert bool(escalation.turn(POLICY, waits, HOURS, now=later).steps) is pages_at_night


def test_a_programme_may_hold_even_for_high_risk() -> None:
    holds = replace(clock(Severity.HIGH, SUNDAY_NIGHT, high_risk=True), after_hours=AfterHours.HOLD)
    later = SUNDAY_NIGHT + timedelta(hours=1)
    assert escalation.turn(POLICY, holds, HOURS, now=later).steps == ()


def test_medium_waits_for_the_end_of_the_next_business_day() -> None:
    turn = escalation.turn(POLICY, clock(Severity.MEDIUM, SUNDAY_NIGHT), HOURS, now=SUNDAY_NIGHT)
    assert turn.steps == ()
    assert turn.next_at == datetime(2026, 9, 21, 17, tzinfo=DENVER)


def test_low_pages_nobody() -> None:
    later = TUESDAY_NOON + timedelta(days=30)
    turn = escalation.turn(POLICY, clock(Severity.LOW, TUESDAY_NOON), HOURS, now=later)
    assert (turn.steps, turn.next_at) == ((), None)


@pytest.mark.parametrize("late", [31, 300, 3000])
def test_a_scheduler_that_slept_catches_up_without_a_flood(late: int) -> None:
    now = SUNDAY_NIGHT + timedelta(minutes=late)
    turn = escalation.turn(POLICY, clock(Severity.CRITICAL, SUNDAY_NIGHT), HOURS, now=now)
    assert [each.duty.value for each in turn.steps] == [
        "primary_on_call",
        "primary_on_call",
        "secondary_on_call",
        "supervising_provider",
        "medical_director",
    ]
    assert turn.next_at is not None
    assert timedelta(0) < turn.next_at - now <= timedelta(minutes=10)
