"""Views that people save over the worklist, for programs."""

from typing import Annotated
from uuid import UUID

from fastapi import Response
from pydantic import Field

from dashboards.api import edge
from dashboards.api.edge import Asked, Listed, Page, Text, Told
from dashboards.api.worklist import Wanted
from dashboards.door import Visit, holding
from dashboards.permissions import Verb
from dashboards.views import routes as views
from dashboards.views import store
from dashboards.views.saved import Counted
from dashboards.worklist.filters import Filters

router = edge.router("worklist")
Looking = Annotated[Visit, holding(Verb.SEE_WORKLIST)]


class Saved(Told):
    """A named query over the worklist."""

    id: UUID
    name: str
    query: Annotated[str, Field(description="As `/worklist` takes it in its address.")]
    shared: Annotated[bool, Field(description="Everybody of the clinic sees it.")]
    mine: bool
    owner: str


class View(Told):
    """A saved view with its number."""

    view: Saved
    count: Annotated[int | None, Field(description="Null: only a scan could tell.")]


class NewView(Asked):
    """What to save under which name; one's own view of that name is replaced."""

    name: Annotated[Text, Field(min_length=1, max_length=40)]
    shared: Annotated[bool, Field(strict=True)] = False
    wanted: Wanted


@router.get("/views", response_model=Page[View])
async def saved_views(visit: Looking) -> Listed[Counted]:
    """One's own views, and those that others share."""
    found = await store.shown(visit.connection, visit.staff.id, Filters(), visit.now)
    return Listed(items=found)


@router.post("/views", status_code=204)
async def save_view(visit: Looking, asked: NewView) -> Response:
    """Save a view."""
    with edge.refusing("NO_NAME"):
        await views.added(visit, asked.name, asked.wanted.filters(), shared=asked.shared)
    return Response(status_code=204)


@router.post("/views/{view_id}/delete", status_code=204)
async def delete_view(visit: Looking, view_id: UUID) -> Response:
    """Delete a view of one's own."""
    await views.dropped(visit, view_id)
    return Response(status_code=204)
