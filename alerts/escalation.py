"""Whose turn it is, given how long an episode has waited: steps, after-hours, repeats. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

import msgspec

from alerts import catalogue, definition
from alerts.severity import Severity, from_code
from care.calendar import OfficeHours
from care.rota import Duty

REPEAT_CRITICAL = timedelta(minutes=10)
REPEAT_HIGH = timedelta(minutes=60)
END_OF_DAY = "end_of_next_business_day"


class AfterHours(StrEnum):
    """When a high alert may page outside the hours, by the patient's programme."""

    PAGE = "page"
    IF_HIGH_RISK = "page_if_high_risk"
    HOLD = "hold"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One person to reach, so long after the clock started."""

    after: timedelta | None
    """None: at the end of the next business day."""
    duty: Duty
    via: tuple[str, ...]
    """Channels in the order to try."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The running clock of one episode."""

    severity: Severity
    started_at: datetime
    step: int
    """How many steps have been done."""
    high_risk: bool = False
    technical: bool = False
    after_hours: AfterHours = AfterHours.IF_HIGH_RISK


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What is due now, how many steps are done after it, and when to look again."""

    steps: tuple[Step, ...]
    done: int
    next_at: datetime | None


Policy = Mapping[Severity, tuple[Step, ...]]


class _Node(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    at: str
    duty: Duty
    via: tuple[str, ...]


def product_policy() -> Policy:
    """Return the steps of defaults.yaml."""
    told = msgspec.convert(catalogue.defaults()["escalation"], dict[str, list[_Node]])
    return MappingProxyType(
        {from_code(code): tuple(_step(node) for node in nodes) for code, nodes in told.items()}
    )


def turn(policy: Policy, clock: Clock, hours: OfficeHours, *, now: datetime) -> Turn:
    """Return every step that is due by now and not yet done, and when the next one is.

    A critical clock never rests: after its last step primary and director are reached again every
    ten minutes until a person has it.
    """
    due: list[Step] = []
    number = clock.step
    while True:
        moment = due_at(policy, clock, number, hours)
        if moment is None or moment > now:
            return Turn(steps=tuple(due), done=number, next_at=moment)
        if number < len(policy[clock.severity]) or not due:
            due += step_at(policy, clock, number)
        number += 1


def due_at(policy: Policy, clock: Clock, number: int, hours: OfficeHours) -> datetime | None:
    """When the step of that number is due; None when there is none."""
    steps = policy[clock.severity]
    if number >= len(steps):
        return _repeat_at(policy, clock, number, hours)
    after = steps[number].after
    if after is None:
        return hours.end_of_next_business_day(clock.started_at).astimezone(UTC)
    return _in_hours(clock, clock.started_at + after, hours)


def step_at(policy: Policy, clock: Clock, number: int) -> tuple[Step, ...]:
    """Whom the step of that number reaches; beyond the last one, first and last again."""
    steps = policy[clock.severity]
    if number < len(steps):
        return (steps[number],)
    return tuple({each.duty: each for each in (steps[0], steps[-1])}.values())


def _repeat_at(policy: Policy, clock: Clock, number: int, hours: OfficeHours) -> datetime | None:
    every = {Severity.CRITICAL: REPEAT_CRITICAL, Severity.HIGH: REPEAT_HIGH}.get(clock.severity)
    steps = policy[clock.severity]
    last = steps[-1].after if steps else None
    if every is None or last is None:
        return None
    beyond = number - len(steps) + 1
    return _in_hours(clock, clock.started_at + last + every * beyond, hours)


def _in_hours(clock: Clock, moment: datetime, hours: OfficeHours) -> datetime:
    """Critical always counts; high waits for the morning unless the programme lets it page."""
    if clock.severity is Severity.CRITICAL or (_may_page(clock) and not clock.technical):
        return moment
    return hours.opens_next(moment).astimezone(UTC)


def _may_page(clock: Clock) -> bool:
    if clock.after_hours is AfterHours.IF_HIGH_RISK:
        return clock.high_risk
    return clock.after_hours is AfterHours.PAGE


def _step(node: _Node) -> Step:
    after = None if node.at == END_OF_DAY else definition.duration(node.at, "escalation")
    return Step(after=after, duty=node.duty, via=node.via)
