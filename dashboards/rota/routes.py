"""`/rota`: who is on call now and next, and, for those who keep it, the forms behind."""

from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from alerts import oncall
from care.rota import Duty
from dashboards.door import Visit, holding
from dashboards.permissions import Verb
from dashboards.rota import form, keeping, schedule, store
from dashboards.rota.form import Filled, FormError
from dashboards.rota.schedule import DAYS, DUTIES, Shift
from dashboards.rota.store import KeptLayer, Named, StandIn
from dashboards.shared import shell
from dashboards.wiring import wiring

router = APIRouter(prefix="/rota", tags=["rota"])
Looking = Annotated[Visit, holding(Verb.SEE_ROTA)]
Keeping = Annotated[Visit, holding(Verb.KEEP_ROTA)]
SEE_OTHER = 303
UNUSABLE = 422
RECENT = timedelta(days=7)
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One rota with its coming fortnight."""

    rota: Named
    shifts: dict[Duty, list[Shift]]
    uncovered: list[Duty]
    layers: list[KeptLayer]
    stand_ins: list[StandIn]

    def now(self, duty: Duty) -> Shift:
        """Who has the duty at this moment."""
        return self.shifts[duty][0]


@router.get("", response_class=HTMLResponse)
async def rota(request: Request, visit: Looking) -> HTMLResponse:
    """Who is on call, teams, hours, incidents."""
    await visit.record("look", "rota", "all")
    return await _page(request, visit)


@router.post("", response_class=HTMLResponse)
async def add(request: Request, visit: Keeping) -> Response:
    """Begin a rota for some programmes, or for all."""
    return await _done(request, visit, keeping.add_rota(visit, await _filled(request)))


@router.post("/hours", response_class=HTMLResponse)
async def hours(request: Request, visit: Keeping) -> Response:
    """Set opening hours and holidays."""
    return await _done(request, visit, keeping.set_hours(visit, await _filled(request)))


@router.post("/{rota_id}/layers", response_class=HTMLResponse)
async def add_layer(request: Request, visit: Keeping, rota_id: UUID) -> Response:
    """Add a layer: people who take turns."""
    return await _done(request, visit, keeping.add_layer(visit, rota_id, await _filled(request)))


@router.post("/{rota_id}/layers/{layer_id}/remove", response_class=HTMLResponse)
async def drop_layer(visit: Keeping, rota_id: UUID, layer_id: UUID) -> RedirectResponse:
    """Take a layer away."""
    await keeping.drop_layer(visit, rota_id, layer_id)
    return _back()


@router.post("/{rota_id}/overrides", response_class=HTMLResponse)
async def stand_in(request: Request, visit: Keeping, rota_id: UUID) -> Response:
    """Let somebody stand in for a while."""
    return await _done(request, visit, keeping.add_stand_in(visit, rota_id, await _filled(request)))


@router.post("/{rota_id}/overrides/{override_id}/remove", response_class=HTMLResponse)
async def drop_stand_in(visit: Keeping, rota_id: UUID, override_id: UUID) -> RedirectResponse:
    """Take a stand-in back."""
    await keeping.drop_stand_in(visit, rota_id, override_id)
    return _back()


@router.post("/teams", response_class=HTMLResponse)
async def add_team(request: Request, visit: Keeping) -> Response:
    """Begin a team."""
    return await _done(request, visit, keeping.add_team(visit, await _filled(request)))


@router.post("/teams/{team_id}/members", response_class=HTMLResponse)
async def add_member(request: Request, visit: Keeping, team_id: UUID) -> Response:
    """Add somebody to a team: its patients become theirs to see."""
    try:
        chosen = form.staff((await _filled(request)).get("staff_id"))
    except FormError as error:
        return await _page(request, visit, problem=str(error))
    return await _done(request, visit, keeping.add_member(visit, team_id, chosen))


@router.post("/teams/{team_id}/members/{staff_id}/remove", response_class=HTMLResponse)
async def drop_member(visit: Keeping, team_id: UUID, staff_id: UUID) -> RedirectResponse:
    """Take somebody out of a team."""
    await keeping.drop_member(visit, team_id, staff_id)
    return _back()


async def _done(request: Request, visit: Visit, change: Awaitable[None]) -> Response:
    """Make the change and return to the page, or show what is wrong with the form."""
    try:
        await change
    except FormError as error:
        return await _page(request, visit, problem=str(error))
    return _back()


async def _page(request: Request, visit: Visit, problem: str = "") -> HTMLResponse:
    members: dict[UUID, list[store.Member]] = {}
    for each in await store.members(visit.connection):
        members.setdefault(each.care_team_id, []).append(each)
    people = await store.people(visit.connection)
    return wiring(request).pages.html(
        request,
        "rota/page.html",
        await shell(visit, "rota"),
        rotas=await shown(visit),
        people=people,
        names={each.id: each.display_name for each in people},
        duties=DUTIES,
        days=DAYS,
        weekdays=WEEKDAYS,
        hours=await store.hours(visit.connection),
        teams=await store.teams(visit.connection),
        members=members,
        incidents=await store.incidents(visit.connection, visit.now - RECENT),
        enrolment=await enrolment(visit),
        problem=problem,
        status=UNUSABLE if problem else 200,
    )


async def shown(visit: Visit) -> list[Shown]:
    """Every rota with who has which duty when."""
    start = schedule.quarter(visit.now)
    layers = await store.layers(visit.connection)
    stand_ins = await store.stand_ins(visit.connection, visit.now)
    named = await store.rotas(visit.connection)
    found = await oncall.rotas(visit.connection, visit.staff.organisation_id)
    shown = []
    for each, kept in zip(named, found, strict=True):
        shifts = {duty: schedule.shifts(kept, duty, start) for duty in DUTIES}
        shown.append(
            Shown(
                rota=each,
                shifts=shifts,
                uncovered=schedule.uncovered(shifts),
                layers=[layer for layer in layers if layer.rota_id == each.id],
                stand_ins=[one for one in stand_ins if one.rota_id == each.id],
            )
        )
    return shown


async def enrolment(visit: Visit) -> list[tuple[str, str | None]]:
    """Programmes that have patients, each with why nobody more may be enrolled, or None."""
    here = visit.staff.organisation_id
    return [
        (
            each.name,
            await oncall.enrolment_refusal(
                visit.connection, here, each.name, each.profiles, visit.now
            ),
        )
        for each in await store.programmes(visit.connection)
    ]


async def _filled(request: Request) -> Filled:
    values = (await request.form()).multi_items()
    return Filled(values=[(name, str(value)) for name, value in values])


def _back() -> RedirectResponse:
    return RedirectResponse("/rota", SEE_OTHER)
