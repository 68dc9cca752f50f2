"""The record's page of programmes: enrol, and end a stay."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from dashboards.door import Visit, holding
from dashboards.patients import enrolment
from dashboards.patients.enrolment import NotEnrolledError
from dashboards.patients.routes import banner, known
from dashboards.permissions import Verb
from dashboards.wiring import wiring

router = APIRouter(prefix="/programs")
Looking = Annotated[Visit, holding(Verb.SEE_PATIENT)]
Enrolling = Annotated[Visit, holding(Verb.ENROL)]
SEE_OTHER = 303
UNUSABLE = 422
NO_REASON = "Say why it ends."


@router.get("", response_class=HTMLResponse)
async def programs(request: Request, visit: Looking, patient_id: UUID) -> HTMLResponse:
    """Which programmes a patient is in, was in, and may begin."""
    await visit.record("look", "enrolments", patient_id, patient_id=patient_id)
    return await _page(request, visit, patient_id)


@router.post("", response_class=HTMLResponse)
async def enrol(
    request: Request,
    visit: Enrolling,
    patient_id: UUID,
    programme: Annotated[str, Form(max_length=80)] = "",
) -> Response:
    """Enrol the patient, unless its critical alerts would reach nobody."""
    who = await known(visit.connection, patient_id)
    try:
        await enrolment.enrolled(visit, who, programme)
    except NotEnrolledError as error:
        return await _page(request, visit, patient_id, problem=str(error))
    return _back(patient_id)


@router.post("/{enrolment_id}/end", response_class=HTMLResponse)
async def end(
    request: Request,
    visit: Enrolling,
    patient_id: UUID,
    enrolment_id: UUID,
    reason: Annotated[str, Form(max_length=300)] = "",
) -> Response:
    """End a stay, with a reason."""
    await known(visit.connection, patient_id)
    if not reason.strip():
        return await _page(request, visit, patient_id, problem=NO_REASON)
    await enrolment.ended(visit, patient_id, enrolment_id, reason.strip())
    return _back(patient_id)


async def _page(
    request: Request, visit: Visit, patient_id: UUID, problem: str = ""
) -> HTMLResponse:
    who = await known(visit.connection, patient_id)
    stays = await enrolment.stays(visit, patient_id)
    running = [each for each in stays if each.ended_at is None]
    begun = {each.programme for each in running}
    offers = await enrolment.offers(visit) if visit.may(Verb.ENROL) else []
    return wiring(request).pages.html(
        request,
        "patients/programs.html",
        await banner(visit, who, "programs"),
        running=running,
        past=[each for each in stays if each.ended_at is not None],
        offers=[each for each in offers if each.programme.id not in begun],
        problem=problem,
        status=UNUSABLE if problem else 200,
    )


def _back(patient_id: UUID) -> RedirectResponse:
    return RedirectResponse(f"/patients/{patient_id}/programs", SEE_OTHER)
