"""Whose reading is it? One tap gives it to somebody; both people are judged again."""

from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from dashboards.door import Visit, holding
from dashboards.identity import mending, store
from dashboards.identity.mending import Correction
from dashboards.patients.routes import banner, known
from dashboards.permissions import Verb
from dashboards.shared import shell
from dashboards.wiring import wiring
from ingest.release import ReleaseError

router = APIRouter(tags=["identity"])
Correcting = Annotated[Visit, holding(Verb.CORRECT)]
QUEUES = {"identity_review": "Whose reading?", "technical": "Cannot be used"}
SEE_OTHER = 303


@router.get("/identity", response_class=HTMLResponse)
async def queue_page(
    request: Request,
    visit: Correcting,
    queue: Annotated[str, Query(max_length=30)] = "identity_review",
    problem: Annotated[str, Query(max_length=200)] = "",
) -> HTMLResponse:
    """The review queue with the people that each reading may belong to."""
    queue = queue if queue in QUEUES else "identity_review"
    rows, candidates = await store.waiting(visit, queue)
    return wiring(request).pages.html(
        request,
        "identity/page.html",
        await shell(visit, "fleet"),
        rows=rows,
        candidates=candidates,
        queues=QUEUES,
        queue=queue,
        problem=problem,
    )


@router.post("/identity/{quarantine_id}/release", response_class=HTMLResponse)
async def give(
    request: Request,
    visit: Correcting,
    quarantine_id: UUID,
    patient_id: Annotated[UUID, Form()],
) -> Response:
    """Give a quarantined reading to a person."""
    try:
        await mending.given(request, visit, quarantine_id, patient_id)
    except ReleaseError as error:
        return _back(str(error))
    return _back()


@router.post("/identity/{quarantine_id}/reject", response_class=HTMLResponse)
async def refuse(
    request: Request,
    visit: Correcting,
    quarantine_id: UUID,
    reason: Annotated[str, Form(max_length=300)] = "nobody's",
) -> Response:
    """Close a row for good; it stays on record."""
    await mending.rejected(request, visit, quarantine_id, reason)
    return _back()


@router.get("/patients/{patient_id}/readings/{reading_id}/correct", response_class=HTMLResponse)
async def ask_correction(
    request: Request, visit: Correcting, patient_id: UUID, reading_id: UUID, problem: str = ""
) -> HTMLResponse:
    """Ask what is wrong with a stored reading."""
    who = await known(visit.connection, patient_id)
    found, candidates = await store.one_with_candidates(visit, patient_id, reading_id)
    return wiring(request).pages.html(
        request,
        "identity/correct.html",
        await banner(visit, who, "readings"),
        reading=found,
        candidates=candidates,
        problem=problem[:200],
    )


@router.post("/patients/{patient_id}/readings/{reading_id}/correct", response_class=HTMLResponse)
async def correct(
    request: Request,
    visit: Correcting,
    patient_id: UUID,
    reading_id: UUID,
    form: Annotated[Correction, Form()],
) -> Response:
    """Move a reading to its owner, or strike it as an artefact; what rested on it runs again."""
    try:
        await mending.corrected(request, visit, patient_id, reading_id, form)
    except ReleaseError as error:
        return _again(patient_id, reading_id, str(error))
    return RedirectResponse(f"/patients/{patient_id}/readings", SEE_OTHER)


def _back(problem: str = "") -> RedirectResponse:
    return RedirectResponse(f"/identity?{urlencode({'problem': problem})}", SEE_OTHER)


def _again(patient_id: UUID, reading_id: UUID, problem: str) -> RedirectResponse:
    query = urlencode({"problem": problem})
    address = f"/patients/{patient_id}/readings/{reading_id}/correct?{query}"
    return RedirectResponse(address, SEE_OTHER)
