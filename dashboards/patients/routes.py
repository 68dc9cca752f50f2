"""The patient record's pages."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse

from dashboards.door import MissingError, Visit, holding
from dashboards.fetch import Connection
from dashboards.minutes.month import month_seconds
from dashboards.patients import record, store
from dashboards.patients.chart import Frame
from dashboards.patients.overview import TABS, Overview, overview
from dashboards.patients.store import Person
from dashboards.permissions import Verb
from dashboards.shared import shell
from dashboards.wiring import wiring

router = APIRouter(prefix="/patients", tags=["patients"])
Looking = Annotated[Visit, holding(Verb.SEE_PATIENT)]


async def known(connection: Connection, patient_id: UUID) -> Person:
    """Return a patient of this organisation, or the same answer as for no patient at all."""
    found = await store.person(connection, patient_id)
    if found is None:
        raise MissingError
    return found


async def frame_of(visit: Visit, who: Person, days: int) -> Frame:
    """Return the time that charts cover, in the patient's zone."""
    return Frame(now=visit.now, days=days, zone=who.time_zone or visit.zone)


async def shared(visit: Visit) -> dict[str, object]:
    """Return what every page of the record may ask for."""
    return {**await shell(visit, "patients"), "tabs": TABS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Banner:
    """Who a page of the record is about."""

    person: Person
    enrolments: list[store.Enrolment]
    month_seconds: int


async def banner(visit: Visit, who: Person, tab: str) -> dict[str, object]:
    """Return what the banner and the tabs of every page of the record show."""
    return {
        **await shared(visit),
        "tab": tab,
        "pane": Banner(
            person=who,
            enrolments=await store.enrolments(visit.connection, who.id),
            month_seconds=await month_seconds(visit, who.id),
        ),
    }


@router.get("/{patient_id}", response_class=HTMLResponse)
async def patient(
    request: Request, visit: Looking, patient_id: UUID, days: Annotated[int, Query()] = 30
) -> HTMLResponse:
    """The overview: trends on the left, why and what on the right."""
    who = await known(visit.connection, patient_id)
    await visit.record("look", "patient", patient_id, patient_id=patient_id)
    frame = await frame_of(visit, who, record.days(days))
    seen: Overview = await overview(visit, who, frame)
    return wiring(request).pages.html(
        request, "patients/overview.html", await shared(visit), tab="overview", pane=seen
    )


@router.get("/{patient_id}/trend", response_class=HTMLResponse)
async def trend(
    request: Request,
    visit: Looking,
    patient_id: UUID,
    days: Annotated[int, Query()] = 30,
    lead: Annotated[str, Query(max_length=40)] = "",
) -> HTMLResponse:
    """The pane's trend card over another range."""
    who = await known(visit.connection, patient_id)
    await visit.record(
        "look", "trend", patient_id, patient_id=patient_id, detail={"days": record.days(days)}
    )
    frame = await frame_of(visit, who, record.days(days))
    seen = await overview(visit, who, frame, lead=lead)
    return wiring(request).pages.html(
        request, "patients/trend.html", await shared(visit), pane=seen
    )
