"""Saved views in the database."""

from datetime import datetime
from uuid import UUID

from dashboards.fetch import Connection, every, run
from dashboards.views import saved
from dashboards.views.saved import Counted, Facet, Saved
from dashboards.worklist.filters import Filters
from database import sql

QUERIES = sql.load("dashboards.views")


async def shown(
    connection: Connection, staff_id: UUID, filters: Filters, now: datetime
) -> list[Counted]:
    """Return somebody's views and those that others share, with their numbers."""
    views = await every(connection, Saved, QUERIES["views"], {"staff_id": staff_id})
    facets = await every(connection, Facet, QUERIES["facets"], {}) if views else []
    return saved.counted(views, facets, filters, now=now)


async def add(
    connection: Connection, staff_id: UUID, name: str, filters: Filters, *, shared: bool
) -> None:
    """Save a view; one's own of the same name is replaced."""
    fields = {"staff_id": staff_id, "name": name, "query": filters.query, "shared": shared}
    await run(connection, QUERIES["add"], fields)


async def drop(connection: Connection, staff_id: UUID, view_id: UUID) -> bool:
    """Delete a view of one's own; False if there is none."""
    return await run(connection, QUERIES["drop"], {"staff_id": staff_id, "id": view_id}) == 1
