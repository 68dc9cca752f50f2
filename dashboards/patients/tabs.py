"""The record's other pages: readings with their provenance, alerts with their outcome."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse

from dashboards import units
from dashboards.door import Visit, holding
from dashboards.patients import enrolling, store
from dashboards.patients.routes import banner, known
from dashboards.permissions import Verb
from dashboards.wiring import wiring

router = APIRouter(prefix="/patients/{patient_id}", tags=["patients"])
router.include_router(enrolling.router)
Looking = Annotated[Visit, holding(Verb.SEE_PATIENT)]
PAGE = 50
A_YEAR = timedelta(days=365)


@router.get("/readings", response_class=HTMLResponse)
async def readings(
    request: Request,
    visit: Looking,
    patient_id: UUID,
    kind: Annotated[str, Query(max_length=40)] = "",
    before: Annotated[str, Query(max_length=90)] = "",
) -> HTMLResponse:
    """Every reading, newest first, down to the raw frame."""
    who = await known(visit.connection, patient_id)
    found, following = await page_of_readings(visit, patient_id, kind, before)
    return wiring(request).pages.html(
        request,
        "patients/readings.html",
        await banner(visit, who, "readings"),
        readings=found,
        following=following,
        kind=kind,
        kinds=[(name, how.name) for name, how in units.MEASURES.items()],
    )


async def page_of_readings(
    visit: Visit, patient_id: UUID, kind: str, before: str
) -> tuple[list[store.FullReading], str]:
    """Look at a page of readings; return it with the cursor of the next one, if there is one."""
    await visit.record("look", "readings", patient_id, patient_id=patient_id)
    found = await store.readings_page(
        visit.connection, patient_id, kind=kind or None, before=cursor(before), most=PAGE + 1
    )
    last = found[PAGE - 1] if len(found) > PAGE else None
    return found[:PAGE], f"{last.measured_at.isoformat()}_{last.reading_id}" if last else ""


@router.get("/alerts", response_class=HTMLResponse)
async def alerts(request: Request, visit: Looking, patient_id: UUID) -> HTMLResponse:
    """Every alert of a year with what came of it."""
    who = await known(visit.connection, patient_id)
    found = await alerts_of(visit, patient_id)
    return wiring(request).pages.html(
        request, "patients/alerts.html", await banner(visit, who, "alerts"), alerts=found
    )


async def alerts_of(visit: Visit, patient_id: UUID) -> list[store.PastAlert]:
    """Look at every alert of a year."""
    await visit.record("look", "alerts", patient_id, patient_id=patient_id)
    return await store.past_alerts(visit.connection, patient_id, visit.now - A_YEAR)


def cursor(text: str) -> tuple[datetime, UUID] | None:
    """Read `time_id`; None for anything else."""
    try:
        at, identity = text.split("_")
        moment = datetime.fromisoformat(at)
        return (moment, UUID(identity)) if moment.tzinfo else None
    except ValueError:
        return None
