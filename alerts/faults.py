"""What is wrong with a home's equipment now, and how bad: the numbers of defaults.yaml. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.severity import Severity

OFFLINE_AFTER = timedelta(hours=2)
OFFLINE_LONG = timedelta(hours=24)
BACKLOG = 100
BACKLOG_OLD = timedelta(hours=6)
BATTERY_LOW = 20
BATTERY_EMPTY = 5
CLOCK_OFF = timedelta(minutes=5)
CLOCK_FAR_OFF = timedelta(hours=24)
GATEWAY_CLOCK_OFF = timedelta(seconds=60)
FAILURES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What is known of one device of a patient and of the gateway it speaks through."""

    gateway: str | None
    heard_at: datetime | None
    ever_heard: bool
    depth: int
    oldest: datetime | None
    gateway_offset_s: float | None
    device: str
    battery: int | None
    clock_offset_s: float | None
    failures: int
    clock_fault: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong."""

    rule_id: str
    severity: Severity
    headline: str
    why: str


def faults(state: State, *, now: datetime) -> list[Fault]:
    """Return everything that is wrong; an empty list closes what was open."""
    checks = (_offline, _backlog, _gateway_clock, _battery, _device_clock, _failures)
    return [found for check in checks if (found := check(state, now)) is not None]


def _offline(state: State, now: datetime) -> Fault | None:
    if state.gateway is None or not state.ever_heard or state.heard_at is None:
        return None
    silent = now - state.heard_at
    if silent <= OFFLINE_AFTER:
        return None
    long = silent > OFFLINE_LONG
    return Fault(
        rule_id="gw_offline",
        severity=Severity.MEDIUM if long else Severity.LOW,
        headline="Home gateway offline",
        why=f"No heartbeat for more than {'24' if long else '2'} hours: readings cannot arrive",
    )


def _backlog(state: State, now: datetime) -> Fault | None:
    old = state.oldest is not None and now - state.oldest > BACKLOG_OLD
    if state.depth <= BACKLOG and not old:
        return None
    return Fault(
        rule_id="gw_backlog",
        severity=Severity.LOW,
        headline="Readings wait in the home",
        why="More than 100 readings, or one older than 6 hours, have not reached the server",
    )


def _gateway_clock(state: State, _: datetime) -> Fault | None:
    offset = state.gateway_offset_s
    if offset is None or abs(offset) <= GATEWAY_CLOCK_OFF.total_seconds():
        return None
    return Fault(
        rule_id="gw_clock",
        severity=Severity.MEDIUM,
        headline="Gateway clock wrong",
        why="The gateway's clock differs from the server's by more than a minute",
    )


def _battery(state: State, _: datetime) -> Fault | None:
    if state.battery is None or state.battery > BATTERY_LOW:
        return None
    empty = state.battery <= BATTERY_EMPTY
    return Fault(
        rule_id="dev_battery",
        severity=Severity.MEDIUM if empty else Severity.LOW,
        headline=f"Battery {'nearly empty' if empty else 'low'}",
        why=f"A device's battery is at {BATTERY_EMPTY if empty else BATTERY_LOW} % or less",
    )


def _device_clock(state: State, _: datetime) -> Fault | None:
    offset = abs(state.clock_offset_s or 0.0)
    far = state.clock_fault or offset > CLOCK_FAR_OFF.total_seconds()
    if not far and offset <= CLOCK_OFF.total_seconds():
        return None
    return Fault(
        rule_id="dev_clock",
        severity=Severity.MEDIUM if far else Severity.LOW,
        headline="Device clock wrong",
        why=f"A device's clock is off by more than {'a day' if far else '5 minutes'}",
    )


def _failures(state: State, _: datetime) -> Fault | None:
    if state.failures < FAILURES:
        return None
    return Fault(
        rule_id="dev_error",
        severity=Severity.LOW,
        headline="Measurements fail",
        why="Three or more measurements failed within 24 hours: show the patient how to measure",
    )
