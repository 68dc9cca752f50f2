"""Save and delete views over the worklist."""

from typing import Annotated
from urllib.parse import parse_qsl
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, RedirectResponse

from dashboards.door import MissingError, RefusedError, Visit, holding
from dashboards.permissions import Verb
from dashboards.views import store
from dashboards.wiring import wiring
from dashboards.worklist.filters import Filters

router = APIRouter(prefix="/worklist/views", tags=["worklist"])
Looking = Annotated[Visit, holding(Verb.SEE_WORKLIST)]
SEE_OTHER = 303


@router.get("", include_in_schema=False)
async def views(request: Request, visit: Looking) -> HTMLResponse:
    """The saved views with their numbers: the piece of the worklist that asks for itself."""
    filters = Filters.parse(request.query_params)
    found = await store.shown(visit.connection, visit.staff.id, filters, visit.now)
    return wiring(request).pages.html(
        request, "worklist/own_views.html", visit=visit, filters=filters, own_views=found
    )


@router.post("", include_in_schema=False)
async def add(
    visit: Looking,
    name: Annotated[str, Form(max_length=40)] = "",
    query: Annotated[str, Form(max_length=500)] = "",
    shared: Annotated[str, Form(max_length=3)] = "",
) -> RedirectResponse:
    """Save what the worklist shows now under a name."""
    filters = Filters.parse(dict(parse_qsl(query)))
    await added(visit, name, filters, shared=bool(shared))
    return RedirectResponse(filters.address(), SEE_OTHER)


async def added(visit: Visit, name: str, filters: Filters, *, shared: bool) -> None:
    """Save a view; one's own of the same name is replaced."""
    if not name.strip():
        raise RefusedError("Give the view a name.")
    told = {"name": name.strip(), "query": filters.query, "shared": shared}
    await store.add(visit.connection, visit.staff.id, name.strip(), filters, shared=shared)
    await visit.record("change", "view", "new", detail=told)


@router.post("/{view_id}/delete", include_in_schema=False)
async def drop(visit: Looking, view_id: UUID) -> RedirectResponse:
    """Delete a view of one's own."""
    await dropped(visit, view_id)
    return RedirectResponse("/worklist", SEE_OTHER)


async def dropped(visit: Visit, view_id: UUID) -> None:
    """Delete a view of one's own."""
    if not await store.drop(visit.connection, visit.staff.id, view_id):
        raise MissingError
    await visit.record("change", "view", view_id, detail={"what": "delete"})
