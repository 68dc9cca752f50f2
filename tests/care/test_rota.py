"""Who is on call, by the wall clock of the rota."""

import dataclasses
import uuid
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from care.calendar import OfficeHours
from care.rota import (
    Duty,
    Layer,
    OnHolidays,
    Override,
    Rota,
    enrolment_refusal,
    for_programmes,
    gaps,
    on_duty,
)

DENVER = ZoneInfo("America/Denver")
HOURS = OfficeHours(zone=DENVER)
ANN, BEN, CAT, DOC = (uuid.UUID(int=n) for n in range(1, 5))
WEEKLY = Layer(duty=Duty.PRIMARY, members=(ANN, BEN), starts_at=datetime(2026, 3, 2, 8))
"""Mondays at eight, from 2 March 2026."""


def rota(*layers: Layer, **more: tuple[Override, ...]) -> Rota:
    return Rota(zone=DENVER, layers=layers, hours=HOURS, **more)


def local(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=DENVER)  # type: ignore[misc,arg-type]  # year, month, day, ...


@pytest.mark.parametrize(
    ("at", "who"),
    [
        (local(2026, 3, 2, 7, 59), None),
        (local(2026, 3, 2, 8, 0), ANN),
        (local(2026, 3, 9, 7, 59), ANN),
        (local(2026, 3, 9, 8, 0), BEN),
        (local(2026, 11, 2, 7, 59), ANN),
        (local(2026, 11, 2, 8, 0), BEN),
    ],
    ids=["before", "first", "last minute", "hand-off after summer time", "winter", "winter turn"],
)
def test_a_hand_off_keeps_its_hour_through_the_year(at: datetime, who: uuid.UUID | None) -> None:
    assert on_duty(rota(WEEKLY), Duty.PRIMARY, at.astimezone(UTC)) == who


def test_a_night_layer_passes_midnight_and_belongs_to_the_day_it_began() -> None:
    nights = dataclasses.replace(
        WEEKLY, members=(CAT,), from_time=time(17), to_time=time(8), days=(5,)
    )
    ask = rota(nights)
    assert on_duty(ask, Duty.PRIMARY, local(2026, 3, 6, 23)) == CAT
    assert on_duty(ask, Duty.PRIMARY, local(2026, 3, 7, 7, 59)) == CAT
    assert on_duty(ask, Duty.PRIMARY, local(2026, 3, 7, 8)) is None
    assert on_duty(ask, Duty.PRIMARY, local(2026, 3, 7, 23)) is None


def test_the_lowest_layer_at_work_wins() -> None:
    nights = dataclasses.replace(WEEKLY, members=(CAT,), from_time=time(17), to_time=time(8))
    under = dataclasses.replace(WEEKLY, layer=2)
    ask = rota(under, nights)
    assert on_duty(ask, Duty.PRIMARY, local(2026, 3, 3, 20)) == CAT
    assert on_duty(ask, Duty.PRIMARY, local(2026, 3, 3, 12)) == ANN


def test_holidays_have_their_own_layer() -> None:
    usual = dataclasses.replace(WEEKLY, on_holidays=OnHolidays.NEVER)
    special = dataclasses.replace(WEEKLY, members=(DOC,), on_holidays=OnHolidays.ONLY)
    ask = rota(usual, special)
    assert on_duty(ask, Duty.PRIMARY, local(2026, 7, 3, 12)) == DOC  # the 4th is a Saturday
    assert on_duty(ask, Duty.PRIMARY, local(2026, 7, 6, 12)) == ANN


def test_an_override_replaces_whoever_it_would_be() -> None:
    start = local(2026, 3, 3, 12)
    swap = Override(
        duty=Duty.PRIMARY, staff_id=DOC, from_at=start, to_at=start + timedelta(hours=4)
    )
    ask = rota(WEEKLY, overrides=(swap,))
    assert on_duty(ask, Duty.PRIMARY, start) == DOC
    assert on_duty(ask, Duty.PRIMARY, start + timedelta(hours=4)) == ANN
    assert on_duty(ask, Duty.PROVIDER, start) is None


def test_a_programmes_own_rota_comes_before_the_general_one() -> None:
    general, own = rota(WEEKLY), dataclasses.replace(rota(WEEKLY), programmes=("cti",))
    assert for_programmes([general, own], ["pcmh", "cti"]) is own
    assert for_programmes([general, own], ["pcmh"]) is general
    assert for_programmes([own], ["pcmh"]) is None


def test_gaps_are_found_to_the_quarter_hour() -> None:
    days = dataclasses.replace(WEEKLY, from_time=time(8), to_time=time(17))
    start = local(2026, 3, 3, 12)
    first = gaps(rota(days), Duty.PRIMARY, start, days=1)[0]
    assert first == (local(2026, 3, 3, 17), local(2026, 3, 4, 8))
    assert gaps(rota(WEEKLY), Duty.PRIMARY, start) == []


def test_enrolment_is_refused_while_nobody_is_on_call() -> None:
    at = local(2026, 3, 3, 12)
    provider = dataclasses.replace(WEEKLY, duty=Duty.PROVIDER)
    assert enrolment_refusal(rota(WEEKLY, provider), pages=True, at=at) is None
    assert enrolment_refusal(None, pages=False, at=at) is None
    refused = enrolment_refusal(rota(WEEKLY), pages=True, at=at)
    assert refused == "Nobody is supervising provider from 2026-03-03T12:00-07:00"
    assert enrolment_refusal(None, pages=True, at=at) is not None
