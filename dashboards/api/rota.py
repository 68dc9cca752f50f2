"""Who is on call, opening hours, teams and incidents for programs."""

from collections.abc import Awaitable, Mapping
from datetime import date, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Response
from pydantic import BeforeValidator, Field

from care.rota import Duty, OnHolidays
from dashboards.api import edge
from dashboards.api.edge import (
    WHOLE,
    Asked,
    ConflictError,
    Listed,
    Moment,
    Page,
    SeverityWord,
    Text,
    Told,
)
from dashboards.door import MissingError, Visit, holding
from dashboards.permissions import Verb
from dashboards.rota import keeping, store
from dashboards.rota import routes as rota
from dashboards.rota.form import Filled, FormError
from dashboards.rota.keeping import StrangerError

router = edge.router("rota")
Looking = Annotated[Visit, holding(Verb.SEE_ROTA)]
Keeping = Annotated[Visit, holding(Verb.KEEP_ROTA)]
Name = Annotated[Text, Field(min_length=1, max_length=80)]
Word = Annotated[Text, Field(max_length=80)]
Weekdays = Annotated[
    tuple[Annotated[int, Field(strict=True, ge=1, le=7), WHOLE], ...],
    Field(min_length=1, max_length=7, description="1 is Monday."),
]
Clock = Annotated[str, Field(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["17:30"])]
WallClock = Annotated[
    str,
    Field(
        pattern="^20[0-9][0-9]-[01][0-9]-[0-3][0-9]T([01][0-9]|2[0-3]):[0-5][0-9]$",
        description="In the rota's time zone.",
        examples=["2026-12-24T08:00"],
    ),
]

ToldTime = Annotated[str, BeforeValidator(lambda at: f"{at:%H:%M}"), Field(examples=["17:30"])]


class Shift(Told):
    """One stretch of one duty."""

    duty: Duty
    from_at: Moment
    to_at: Moment
    staff_id: Annotated[UUID | None, Field(description="Null: nobody.")]


class Layer(Told):
    """People who take turns at a duty."""

    id: UUID
    duty: Duty
    layer: Annotated[int, Field(description="The lowest that is at work is on call.")]
    members: list[UUID]
    starts_at: Annotated[
        str,
        BeforeValidator(lambda at: f"{at:%Y-%m-%dT%H:%M}"),
        Field(description="In the rota's time zone."),
    ]
    turn: Annotated[timedelta, Field(description="How long one has the duty.")]
    from_time: ToldTime | None
    to_time: ToldTime | None
    days: Weekdays
    on_holidays: OnHolidays


class StandIn(Told):
    """Somebody who stands in for a while."""

    id: UUID
    duty: Duty
    who: str
    from_at: Moment
    to_at: Moment
    reason: str


class Rota(Told):
    """A rota with its coming fortnight."""

    id: UUID
    name: str
    time_zone: str
    programmes: Annotated[list[str], Field(description="Empty: all.")]
    shifts: list[Shift]
    uncovered: Annotated[list[Duty], Field(description="Duties with a gap that must have none.")]
    layers: list[Layer]
    stand_ins: list[StandIn]


class Hours(Told):
    """When the organisation is open, and which holidays it keeps."""

    opens: ToldTime
    closes: ToldTime
    days: Weekdays
    country: str
    subdivision: str | None
    extra_holidays: list[date]


class Incident(Told):
    """Something about the system that operations must see to."""

    rule_id: str
    subject: str
    queue: str
    severity: SeverityWord
    headline: str
    why: str
    opened_at: Moment
    last_seen_at: Moment
    times_seen: int
    closed_at: Moment | None
    close_reason: str


class NewRota(Asked):
    """A rota for some programmes, or for all."""

    name: Name
    zone: Annotated[Text, Field(max_length=60, description="IANA name.")]
    programmes: Annotated[tuple[Word, ...], Field(max_length=20, description="Empty: all.")] = ()


class NewLayer(Asked):
    """People who take turns."""

    duty: Duty
    members: Annotated[list[UUID], Field(min_length=1, max_length=40)]
    starts_at: WallClock
    layer: Annotated[int, Field(strict=True, ge=1, le=9), WHOLE] = 1
    turn: Annotated[int, Field(strict=True, ge=1, le=60, description="Days."), WHOLE] = 7
    from_time: Annotated[Clock | None, Field(description="With `to_time`, or neither.")] = None
    to_time: Clock | None = None
    days: Weekdays = (1, 2, 3, 4, 5, 6, 7)
    on_holidays: OnHolidays = OnHolidays.AS_USUAL


class NewStandIn(Asked):
    """Who stands in, and for how long."""

    duty: Duty
    staff_id: UUID
    from_at: WallClock
    to_at: Annotated[WallClock, Field(examples=["2026-12-25T08:00"])]
    reason: Annotated[Text, Field(max_length=300)] = ""


class NewHours(Asked):
    """When the organisation is open."""

    opens: Clock
    closes: Clock
    days: Weekdays
    country: Annotated[str, Field(pattern="^[A-Z]{2}$", examples=["US"])]
    subdivision: Annotated[str, Field(pattern="^[A-Z0-9]{0,3}$", description="A state.")] = ""
    extra_holidays: Annotated[tuple[edge.GivenDate, ...], Field(max_length=40)] = ()


class NewTeam(Asked):
    """A care team."""

    name: Name


@router.get("/rotas", response_model=Page[Rota])
async def rotas(visit: Looking) -> Listed[Mapping[str, object]]:
    """Who is on call in the coming fortnight, and why."""
    await visit.record("look", "rota", "all")
    return Listed(items=[_told(each) for each in await rota.shown(visit)])


@router.post("/rotas", status_code=204)
async def add_rota(visit: Keeping, asked: NewRota) -> Response:
    """Begin a rota."""
    return await _done(keeping.add_rota(visit, _filled(asked)))


@router.post("/rotas/{rota_id}/layers", status_code=204)
async def add_layer(visit: Keeping, rota_id: UUID, asked: NewLayer) -> Response:
    """Add people who take turns."""
    return await _done(keeping.add_layer(visit, rota_id, _filled(asked)))


@router.post("/rotas/{rota_id}/layers/{layer_id}/remove", status_code=204)
async def remove_layer(visit: Keeping, rota_id: UUID, layer_id: UUID) -> Response:
    """Take a layer away."""
    return await _done(keeping.drop_layer(visit, rota_id, layer_id))


@router.post("/rotas/{rota_id}/overrides", status_code=204)
async def add_stand_in(visit: Keeping, rota_id: UUID, asked: NewStandIn) -> Response:
    """Let somebody stand in for a while."""
    return await _done(keeping.add_stand_in(visit, rota_id, _filled(asked)))


@router.post("/rotas/{rota_id}/overrides/{override_id}/remove", status_code=204)
async def remove_stand_in(visit: Keeping, rota_id: UUID, override_id: UUID) -> Response:
    """Take a stand-in back."""
    return await _done(keeping.drop_stand_in(visit, rota_id, override_id))


@router.get("/hours", response_model=Hours)
async def hours(visit: Looking) -> store.Hours:
    """When the organisation is open."""
    return await store.hours(visit.connection)


@router.post("/hours", status_code=204)
async def set_hours(visit: Keeping, asked: NewHours) -> Response:
    """Set opening hours and holidays."""
    given = asked.model_dump() | {"extra_holidays": " ".join(map(str, asked.extra_holidays))}
    return await _done(keeping.set_hours(visit, _values(given)))


@router.post("/teams", status_code=204)
async def add_team(visit: Keeping, asked: NewTeam) -> Response:
    """Begin a care team."""
    return await _done(keeping.add_team(visit, _filled(asked)))


@router.post("/teams/{team_id}/members/{staff_id}", status_code=204)
async def add_member(visit: Keeping, team_id: UUID, staff_id: UUID) -> Response:
    """Add somebody to a team: its patients become theirs to see."""
    return await _done(keeping.add_member(visit, team_id, staff_id))


@router.post("/teams/{team_id}/members/{staff_id}/remove", status_code=204)
async def remove_member(visit: Keeping, team_id: UUID, staff_id: UUID) -> Response:
    """Take somebody out of a team."""
    return await _done(keeping.drop_member(visit, team_id, staff_id))


@router.get("/incidents", response_model=Page[Incident])
async def incidents(visit: Looking) -> Listed[store.Incident]:
    """What operations must see to: open first, then a week of closed ones."""
    return Listed(items=await store.incidents(visit.connection, visit.now - rota.RECENT))


async def _done(change: Awaitable[None]) -> Response:
    try:
        await change
    except StrangerError as error:
        raise MissingError from error
    except FormError as error:
        raise ConflictError("UNUSABLE", str(error)) from error
    return Response(status_code=204)


def _filled(asked: Asked) -> Filled:
    """Return a body as the page's form says the same."""
    return _values(asked.model_dump(exclude_none=True))


def _values(given: Mapping[str, object]) -> Filled:
    several = {
        name: each if isinstance(each, list | tuple) else [each] for name, each in given.items()
    }
    return Filled(values=[(name, str(each)) for name, found in several.items() for each in found])


def _told(shown: rota.Shown) -> Mapping[str, object]:
    shifts = [
        {"duty": duty, "from_at": each.from_at, "to_at": each.to_at, "staff_id": each.staff_id}
        for duty, found in shown.shifts.items()
        for each in found
    ]
    return {
        "id": shown.rota.id,
        "name": shown.rota.name,
        "time_zone": shown.rota.time_zone,
        "programmes": shown.rota.programmes,
        "shifts": shifts,
        "uncovered": shown.uncovered,
        "layers": shown.layers,
        "stand_ins": shown.stand_ins,
    }
