"""Who is on call: layers that rotate, hours, holidays, overrides, in the rota's zone. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from care.calendar import OfficeHours


class Duty(StrEnum):
    """What a person is on call for."""

    PRIMARY = "primary_on_call"
    SECONDARY = "secondary_on_call"
    CHARGE_NURSE = "charge_nurse"
    PROVIDER = "supervising_provider"
    DIRECTOR = "medical_director"


class OnHolidays(StrEnum):
    """Whether a layer works on public holidays."""

    AS_USUAL = "as_usual"
    ONLY = "only"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """People who take turns; the lowest layer that is at work is on call."""

    duty: Duty
    members: tuple[UUID, ...]
    starts_at: datetime
    """Naive, wall clock of the rota: the first hand-off; turns change at this time of day."""
    turn: timedelta = timedelta(days=7)
    layer: int = 1
    from_time: time | None = None
    """None: round the clock; a span may pass midnight."""
    to_time: time | None = None
    days: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7)
    """ISO weekdays on which the span begins."""
    on_holidays: OnHolidays = OnHolidays.AS_USUAL
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """One person stands in for whoever it would be."""

    duty: Duty
    staff_id: UUID
    from_at: datetime
    to_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Rota:
    """The layers and overrides of one service."""

    zone: ZoneInfo
    layers: tuple[Layer, ...]
    hours: OfficeHours
    """Knows the public holidays."""
    overrides: tuple[Override, ...] = ()
    programmes: tuple[str, ...] = ()
    """Empty: every programme of the organisation."""


def on_duty(rota: Rota, duty: Duty, at: datetime) -> UUID | None:
    """Return who has this duty at that moment, or None if nobody has."""
    standing_in = [o for o in rota.overrides if o.duty is duty and o.from_at <= at < o.to_at]
    if standing_in:
        return max(standing_in, key=lambda each: each.from_at).staff_id
    local = at.astimezone(rota.zone).replace(tzinfo=None)
    own = sorted((each for each in rota.layers if each.duty is duty), key=lambda each: each.layer)
    for layer in own:
        if _at_work(layer, local, rota.hours):
            return _whose_turn(layer, local)
    return None


def for_programmes(rotas: Iterable[Rota], programmes: Sequence[str]) -> Rota | None:
    """Return the rota that serves a patient: one that names a programme, else a general one."""
    found = list(rotas)
    named = [rota for rota in found if set(rota.programmes) & set(programmes)]
    general = [rota for rota in found if not rota.programmes]
    return next(iter([*named, *general]), None)


def gaps(
    rota: Rota | None, duty: Duty, start: datetime, *, days: int = 7
) -> list[tuple[datetime, datetime]]:
    """Return the spans of the coming days in which nobody has the duty, to the quarter hour."""
    found: list[tuple[datetime, datetime]] = []
    quarter = timedelta(minutes=15)
    for step in range(days * 96):
        at = start + step * quarter
        if rota is not None and on_duty(rota, duty, at) is not None:
            continue
        if found and found[-1][1] == at:
            found[-1] = (found[-1][0], at + quarter)
        else:
            found.append((at, at + quarter))
    return found


def enrolment_refusal(rota: Rota | None, *, pages: bool, at: datetime) -> str | None:
    """Return why nobody may be enrolled into a programme whose rules page people, or None.

    A critical alert must end with a person: primary and provider have to be covered for a week.
    """
    if not pages:
        return None
    for duty in (Duty.PRIMARY, Duty.PROVIDER):
        missing = gaps(rota, duty, at)
        if missing:
            word = duty.value.replace("_", " ")
            return f"Nobody is {word} from {missing[0][0].isoformat(timespec='minutes')}"
    return None


def _at_work(layer: Layer, local: datetime, hours: OfficeHours) -> bool:
    if not layer.members or local < layer.starts_at:
        return False
    if layer.ends_at is not None and local >= layer.ends_at:
        return False
    began = _span_began(layer, local)
    if began is None or began.isoweekday() not in layer.days:
        return False
    holiday = hours.is_holiday(began.date())
    return {
        OnHolidays.AS_USUAL: True,
        OnHolidays.ONLY: holiday,
        OnHolidays.NEVER: not holiday,
    }[layer.on_holidays]


def _span_began(layer: Layer, local: datetime) -> datetime | None:
    """The day on which the running span of hours began; None outside the hours."""
    start, end = layer.from_time, layer.to_time
    if start is None or end is None:
        return local
    now = local.time()
    if start < end:
        return local if start <= now < end else None
    if now >= start:
        return local
    return local - timedelta(days=1) if now < end else None


def _whose_turn(layer: Layer, local: datetime) -> UUID:
    """Counted on the wall clock, so that a hand-off keeps its time of day through the year."""
    return layer.members[(local - layer.starts_at) // layer.turn % len(layer.members)]
