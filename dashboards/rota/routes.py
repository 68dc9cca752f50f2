"""`/rota`: who is on call now and next, and, for those who keep it, the forms behind."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from alerts import oncall
from care.rota import Duty
from dashboards.door import MissingError, Visit, holding
from dashboards.permissions import Verb
from dashboards.rota import form, schedule, store
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
    filled = await _filled(request)
    try:
        zone = form.zone(filled.get("zone"))
        await _put(visit, "put_rota", "rota", zone=zone, **_named(filled), programmes=filled.all(
            "programmes"
        ))  # fmt: skip
    except FormError as error:
        return await _page(request, visit, problem=str(error))
    return _back()


@router.post("/hours", response_class=HTMLResponse)
async def hours(request: Request, visit: Keeping) -> Response:
    """Set opening hours and holidays."""
    try:
        fields = form.hours(await _filled(request))
    except FormError as error:
        return await _page(request, visit, problem=str(error))
    await store.change(visit.connection, "put_hours", **fields)
    await _record(visit, "hours", visit.staff.organisation_id, fields)
    return _back()


@router.post("/{rota_id}/layers", response_class=HTMLResponse)
async def add_layer(request: Request, visit: Keeping, rota_id: UUID) -> Response:
    """Add a layer: people who take turns."""
    await _known(visit, rota_id)
    try:
        fields = form.layer(await _filled(request))
        await _work_here(visit, fields["members"])
    except FormError as error:
        return await _page(request, visit, problem=str(error))
    await store.change(visit.connection, "put_layer", rota_id=rota_id, **fields)
    await _record(visit, "rota", rota_id, {"what": "add a layer", **fields})
    return _back()


@router.post("/{rota_id}/layers/{layer_id}/remove", response_class=HTMLResponse)
async def drop_layer(visit: Keeping, rota_id: UUID, layer_id: UUID) -> RedirectResponse:
    """Take a layer away."""
    if not await store.change(visit.connection, "drop_layer", rota_id=rota_id, id=layer_id):
        raise MissingError
    await _record(visit, "rota", rota_id, {"what": "remove a layer", "layer": layer_id})
    return _back()


@router.post("/{rota_id}/overrides", response_class=HTMLResponse)
async def stand_in(request: Request, visit: Keeping, rota_id: UUID) -> Response:
    """Let somebody stand in for a while."""
    named = await _known(visit, rota_id)
    try:
        fields = form.stand_in(await _filled(request), named.time_zone)
        await _work_here(visit, [fields["staff_id"]])
    except FormError as error:
        return await _page(request, visit, problem=str(error))
    await store.change(visit.connection, "put_override", rota_id=rota_id, **fields)
    await _record(visit, "rota", rota_id, {"what": "stand in", **fields})
    return _back()


@router.post("/{rota_id}/overrides/{override_id}/remove", response_class=HTMLResponse)
async def drop_stand_in(visit: Keeping, rota_id: UUID, override_id: UUID) -> RedirectResponse:
    """Take a stand-in back."""
    if not await store.change(visit.connection, "drop_override", rota_id=rota_id, id=override_id):
        raise MissingError
    await _record(visit, "rota", rota_id, {"what": "no stand-in", "override": override_id})
    return _back()


@router.post("/teams", response_class=HTMLResponse)
async def add_team(request: Request, visit: Keeping) -> Response:
    """Begin a team."""
    try:
        await _put(visit, "put_team", "team", **_named(await _filled(request)))
    except FormError as error:
        return await _page(request, visit, problem=str(error))
    return _back()


@router.post("/teams/{team_id}/members", response_class=HTMLResponse)
async def add_member(request: Request, visit: Keeping, team_id: UUID) -> Response:
    """Add somebody to a team: its patients become theirs to see."""
    if not await store.knows(visit.connection, "team", team_id=team_id):
        raise MissingError
    chosen = (await _filled(request)).get("staff_id")
    people = {str(each.id) for each in await store.people(visit.connection)}
    if chosen not in people:
        return await _page(request, visit, problem="Choose a person.")
    told = {"team_id": team_id, "staff_id": UUID(chosen)}
    if await store.change(visit.connection, "put_member", **told):
        await _record(visit, "team", team_id, {"what": "add", "staff": chosen})
    return _back()


@router.post("/teams/{team_id}/members/{staff_id}/remove", response_class=HTMLResponse)
async def drop_member(visit: Keeping, team_id: UUID, staff_id: UUID) -> RedirectResponse:
    """Take somebody out of a team."""
    told = {"team_id": team_id, "staff_id": staff_id}
    if not await store.change(visit.connection, "drop_member", **told):
        raise MissingError
    await _record(visit, "team", team_id, {"what": "remove", "staff": staff_id})
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
        rotas=await _shown(visit),
        people=people,
        names={each.id: each.display_name for each in people},
        duties=DUTIES,
        days=DAYS,
        weekdays=WEEKDAYS,
        hours=await store.hours(visit.connection),
        teams=await store.teams(visit.connection),
        members=members,
        incidents=await store.incidents(visit.connection, visit.now - RECENT),
        enrolment=await _enrolment(visit),
        problem=problem,
        status=UNUSABLE if problem else 200,
    )


async def _shown(visit: Visit) -> list[Shown]:
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


async def _enrolment(visit: Visit) -> list[tuple[str, str | None]]:
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


def _named(filled: Filled) -> dict[str, object]:
    name = filled.get("name")[:80]
    if not name:
        raise FormError("Give it a name.")
    return {"name": name}


async def _put(visit: Visit, query: str, kind: str, **fields: object) -> None:
    """Make something that has a name of its own."""
    if not await store.change(visit.connection, query, **fields):
        raise FormError("That name is taken.")
    await _record(visit, kind, "new", fields)


async def _known(visit: Visit, rota_id: UUID) -> Named:
    named = await store.rotas(visit.connection)
    found = next((each for each in named if each.id == rota_id), None)
    if found is None:
        raise MissingError
    return found


async def _work_here(visit: Visit, staff: object) -> None:
    wanted = staff if isinstance(staff, list) else []
    if not await store.knows_all(visit.connection, wanted):
        raise FormError("Choose people who work here.")


async def _record(visit: Visit, kind: str, what: object, told: dict[str, object]) -> None:
    """Keep the change on the trail, values as text."""
    detail = {name: _text(value) for name, value in told.items()}
    await visit.record("change", kind, what, detail=detail)


def _text(value: object) -> object:
    if isinstance(value, list):
        return [str(each) for each in value]
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _back() -> RedirectResponse:
    return RedirectResponse("/rota", SEE_OTHER)
