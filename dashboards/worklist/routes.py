"""The worklist's pages: the list, its next rows, changed rows, the pane."""

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse

from dashboards.access import store as access
from dashboards.door import Visit, holding
from dashboards.navigation import NAVIGATION
from dashboards.permissions import Verb, home
from dashboards.views import store as views
from dashboards.wiring import wiring
from dashboards.worklist import gather, store
from dashboards.worklist.answer import shown_filters
from dashboards.worklist.filters import Cursor, Filters

router = APIRouter(tags=["worklist"])
Looking = Annotated[Visit, holding(Verb.SEE_WORKLIST)]
MOST_IDS = 200
UNCOUNTED = {"counts": None}


@router.get("/worklist", response_class=HTMLResponse)
async def worklist(request: Request, visit: Looking) -> HTMLResponse:
    """The worklist with its selected episode."""
    wired = wiring(request)
    filters = Filters.parse(request.query_params)
    listed = await gather.listing(visit, filters)
    choices = await gather.choices(visit, wired.tally)
    opened = _opened(request.query_params.get("open", ""))
    await _looked(request, visit, filters, [row.patient_id for row in listed.rows])
    context = gather.shared(visit, filters)
    context |= await gather.counted(visit, wired.tally)
    return wired.pages.html(
        request,
        "worklist/page.html",
        context,
        here="worklist",
        home=home(visit.staff.role),
        navigation=NAVIGATION,
        glass=await access.live(visit.connection, visit.staff, visit.now),
        rows=listed.rows,
        next_cursor=listed.next_cursor,
        at_cap=listed.at_cap,
        choices=choices,
        teams=await store.teams(visit.connection, visit.staff.id),
        filter_fields=gather.filter_fields(choices),
        own_views=await views.shown(visit.connection, visit.staff.id, filters, visit.now),
        pane=await _selected(request, visit, opened) if opened else None,
    )


@router.get("/worklist/more", response_class=HTMLResponse)
async def more(
    request: Request, visit: Looking, after: Annotated[str, Query(max_length=120)]
) -> HTMLResponse:
    """The next rows, after a cursor."""
    filters = Filters.parse(request.query_params)
    cursor, _, shown = after.partition("~")
    already = int(shown) if shown.isdigit() else 0
    listed = await gather.listing(visit, filters, Cursor.parse(cursor), already)
    await _looked(request, visit, filters, [row.patient_id for row in listed.rows])
    return wiring(request).pages.html(
        request,
        "worklist/rows.html",
        gather.shared(visit, filters),
        rows=listed.rows,
        next_cursor=listed.next_cursor,
        at_cap=listed.at_cap,
    )


@router.get("/worklist/list", response_class=HTMLResponse)
async def fresh_list(request: Request, visit: Looking) -> HTMLResponse:
    """The first rows again: what "Show" on the bar of new alerts fetches."""
    wired = wiring(request)
    filters = Filters.parse(request.query_params)
    listed = await gather.listing(visit, filters)
    await _looked(request, visit, filters, [row.patient_id for row in listed.rows])
    context = gather.shared(visit, filters)
    context |= await gather.counted(visit, wired.tally, fresh=True)
    return wired.pages.html(
        request,
        "worklist/list_answer.html",
        context,
        rows=listed.rows,
        next_cursor=listed.next_cursor,
        at_cap=listed.at_cap,
    )


@router.get("/worklist/rows", response_class=HTMLResponse)
async def rows(
    request: Request,
    visit: Looking,
    ids: Annotated[list[UUID] | None, Query(max_length=MOST_IDS)] = None,
    pane: UUID | None = None,
    *,
    numbers: bool = True,
) -> HTMLResponse:
    """Changed rows among those that a browser shows, or fresh counts; new faces on record."""
    wired = wiring(request)
    filters = Filters.parse(request.query_params)
    event = wired.hub.last
    found = await gather.changed(visit, wired.lately, event, ids or [])
    unseen = wired.looks.new(visit.token_hash, [row.patient_id for row in found])
    if unseen:
        await _looked(request, visit, filters, unseen)
    context = gather.shared(visit, filters)
    context |= await gather.counted_since(visit, wired.tally, event) if numbers else UNCOUNTED
    return wired.pages.html(
        request,
        "worklist/answer.html",
        context,
        rows=found,
        gone=frozenset(),
        pane=await _selected(request, visit, pane, again=True) if pane else None,
        toast="",
        problem="",
    )


@router.get("/worklist/episodes/{episode_id}", response_class=HTMLResponse)
async def episode(request: Request, visit: Looking, episode_id: UUID) -> HTMLResponse:
    """The pane of one episode: a look at its patient, on record."""
    return wiring(request).pages.html(
        request,
        "worklist/pane.html",
        gather.shared(visit, shown_filters(request)),
        pane=await _selected(request, visit, episode_id),
    )


async def _selected(
    request: Request, visit: Visit, episode_id: UUID, *, again: bool = False
) -> gather.Pane:
    """Gather the pane and record the look; `again`: unless this session has it on record."""
    looks = wiring(request).looks
    shown = await gather.pane(visit, episode_id)
    if not again or looks.new(visit.token_hash, [episode_id]):
        await visit.record("look", "episode", episode_id, patient_id=shown.person.id)
        visit.afterwards.append(partial(looks.keep, visit.token_hash, [episode_id]))
    return shown


async def _looked(request: Request, visit: Visit, filters: Filters, patients: list[UUID]) -> None:
    """Put on record whom a list showed."""
    told = {"patients": [str(each) for each in patients]}
    await visit.record("look", "worklist", filters.view, detail=told)
    visit.afterwards.append(partial(wiring(request).looks.keep, visit.token_hash, patients))


def _opened(text: str) -> UUID | None:
    """Return the episode that the address selects."""
    try:
        return UUID(text)
    except ValueError:
        return None
