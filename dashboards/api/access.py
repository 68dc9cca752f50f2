"""Broken glass for programs: what was opened, its review, and which teams are closed."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Response
from pydantic import Field

from dashboards.access import routes as access
from dashboards.access import store
from dashboards.access.glass import Broken
from dashboards.api import edge
from dashboards.api.edge import Asked, Listed, Moment, Page, Text, Told
from dashboards.door import Visit, holding
from dashboards.permissions import Verb

router = edge.router("access")
Reviewing = Annotated[Visit, holding(Verb.SEE_AUDIT)]
Administering = Annotated[Visit, holding(Verb.ADMINISTER)]


class Glass(Told):
    """A record that somebody opened outside the care team."""

    id: UUID
    staff_id: UUID
    who: str
    role: str
    patient_id: UUID
    cause: str
    reason: str
    opened_at: Moment
    until: Moment
    looks: Annotated[int, Field(description="At the record meanwhile.")]
    changes: int
    reviewed_by_name: str | None
    reviewed_at: Moment | None
    justified: bool | None
    review_note: str | None


class Review(Asked):
    """Whether it was justified, and what was checked."""

    verdict: Literal["yes", "no"]
    note: Annotated[Text, Field(min_length=1, max_length=2000)]


class Closing(Asked):
    """Whether only members see a team's patients."""

    closed: Annotated[bool, Field(strict=True)]


@router.get("/broken-glass", response_model=Page[Glass])
async def broken_glass(visit: Reviewing) -> Listed[Broken]:
    """Records that were opened outside the care team; those to review first."""
    await visit.record("look", "glass", "all")
    return Listed(items=await store.queue(visit.connection, access.MOST))


@router.post("/broken-glass/{glass_id}/review", status_code=204)
async def review_glass(visit: Reviewing, glass_id: UUID, asked: Review) -> Response:
    """Say whether it was justified, as somebody else."""
    with edge.refusing("NOT_REVIEWED"):
        await access.reviewed(visit, glass_id, asked.verdict, asked.note.strip())
    return Response(status_code=204)


@router.post("/teams/{team_id}/close", status_code=204)
async def close_team(visit: Administering, team_id: UUID, asked: Closing) -> Response:
    """Close a team's patients to others, or open them."""
    with edge.refusing("NOBODY_LEFT"):
        await access.closed_off(visit, team_id, closed=asked.closed)
    return Response(status_code=204)
