"""The audit trail for programs: who saw whom, and whether the chain holds."""

from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import Field

from dashboards.api import edge
from dashboards.api.edge import Asked, Listed, Moment, Page, Text, Told
from dashboards.audit import routes as audit
from dashboards.door import Visit, holding
from dashboards.permissions import Verb

router = edge.router("audit")
Looking = Annotated[Visit, holding(Verb.SEE_AUDIT)]


class Line(Told):
    """One row of the trail."""

    id: int
    at: Moment
    actor: Annotated[str, Field(description="staff:id, or process:name.")]
    who: str | None
    role: str | None
    action: str
    object_kind: str
    object_id: str
    patient_id: UUID | None
    detail: dict[str, object]


class AuditQuery(Asked):
    """Which rows."""

    patient: Annotated[UUID | None, Field(description="Who looked at somebody.")] = None
    staff: Annotated[UUID | None, Field(description="What somebody did.")] = None
    action: Annotated[Text, Field(max_length=40)] = ""
    after: Annotated[int | None, Field(ge=0, le=2**62, description="`next`.")] = None


class Chain(Told):
    """What checking the hash chain found."""

    rows: int
    broken: Annotated[int, Field(description="Rows that do not follow from the one before.")]
    last_at: Moment | None


@router.get("/audit", response_model=Page[Line])
async def audit_trail(visit: Looking, wanted: Annotated[AuditQuery, Query()]) -> Listed[audit.Line]:
    """The trail, newest first."""
    lines = await audit.found(visit, wanted.patient, wanted.staff, wanted.action, wanted.after)
    most = audit.PAGE
    return Listed(items=lines[:most], next=str(lines[most - 1].id) if len(lines) > most else "")


@router.get("/audit/chain", response_model=Chain)
async def audit_chain(visit: Looking) -> audit.Chain:
    """Check the hash chain of this organisation now."""
    return await audit.verified(visit) or audit.Chain(rows=0, broken=0, last_at=None)
