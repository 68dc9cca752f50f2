"""The audit viewer: by patient (who looked), by person (what they did)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import HTMLResponse

from dashboards.door import Visit, holding
from dashboards.fetch import every, first
from dashboards.permissions import Verb
from dashboards.shared import shell
from dashboards.wiring import wiring
from database import sql

router = APIRouter(prefix="/audit", tags=["audit"])
Looking = Annotated[Visit, holding(Verb.SEE_AUDIT)]
QUERIES = sql.load("dashboards.audit")
PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row of the trail."""

    id: int
    at: datetime
    actor: str
    who: str | None
    role: str | None
    action: str
    object_kind: str
    object_id: str
    patient_id: UUID | None
    family_name: str | None
    given_name: str | None
    mrn: str | None
    detail: dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Colleague:
    """Somebody whose doings can be listed."""

    id: UUID
    display_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Action:
    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """What checking the chain found."""

    rows: int
    broken: int
    last_at: datetime | None


class Wanted(BaseModel):
    """What the address asks for; empty fields of the filter form are no restriction."""

    patient: str = ""
    staff: str = ""
    action: Annotated[str, Field(max_length=40)] = ""
    before: Annotated[int | None, Field(ge=0, le=2**62)] = None


@router.get("", response_class=HTMLResponse)
async def trail(
    request: Request, visit: Looking, wanted: Annotated[Wanted, Query()]
) -> HTMLResponse:
    """The trail, newest first."""
    patient, staff = _uuid(wanted.patient), _uuid(wanted.staff)
    lines = await found(visit, patient, staff, wanted.action, wanted.before)
    actions = await every(visit.connection, _Action, QUERIES["actions"], {})
    return wiring(request).pages.html(
        request,
        "audit/page.html",
        await shell(visit, "audit"),
        lines=lines[:PAGE],
        following=lines[PAGE - 1].id if len(lines) > PAGE else None,
        people=await every(visit.connection, Colleague, QUERIES["people"], {}),
        actions=[each.action for each in actions],
        patient=patient,
        staff=staff,
        action=wanted.action,
    )


@router.get("/chain", response_class=HTMLResponse)
async def chain(request: Request, visit: Looking) -> HTMLResponse:
    """Check the hash chain of this organisation now."""
    checked = await verified(visit)
    return wiring(request).pages.html(request, "audit/chain.html", chain=checked)


async def verified(visit: Visit) -> Chain | None:
    """Check the hash chain of this organisation."""
    return await first(visit.connection, Chain, QUERIES["broken"], {})


async def found(
    visit: Visit, patient: UUID | None, staff: UUID | None, action: str, before: int | None
) -> list[Line]:
    """Look at the trail, newest first; one line more than a page tells that there are more."""
    fields = {
        "before": before,
        "patient_id": patient,
        "actor": f"staff:{staff}" if staff else None,
        "action": action or None,
        "most": PAGE + 1,
    }
    lines = await every(visit.connection, Line, QUERIES["trail"], fields)
    await visit.record("look", "audit", str(patient or staff or "all"), patient_id=patient)
    return lines


def _uuid(text: str) -> UUID | None:
    """Return an id, or None for what is none."""
    try:
        return UUID(text)
    except ValueError:
        return None
