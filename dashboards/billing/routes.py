"""The month's page, one patient in it, files and evidence: everything that only looks."""

import asyncio
from datetime import date
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import HTMLResponse, Response, StreamingResponse

from billing import evidence, gather_papers, pdf, windows
from billing import pack as packs
from billing.dossier import Dossier
from billing.fields import CaseError
from dashboards.billing import answering, download, papers, store, words
from dashboards.billing import patient as patients
from dashboards.door import MissingError, Visit, holding
from dashboards.permissions import Verb
from dashboards.shared import shell
from dashboards.wiring import wiring
from database.pool import connect

router = APIRouter(prefix="/billing", tags=["billing"])
router.include_router(answering.router)
router.include_router(papers.router)
Looking = Annotated[Visit, holding(Verb.SEE_BILLING)]
PAGE = 50
TYPES = {
    "pdf": "application/pdf",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "837p": "text/plain; charset=us-ascii",
    "fhir": "application/fhir+json",
}
Context = dict[str, object]
VOCABULARY: Context = {
    "states": words.STATES,
    "statuses": words.STATUSES,
    "gauge": words.gauge,
    "days_shown": words.DAYS_SHOWN,
    "minutes_shown": words.MINUTES_SHOWN,
    "mends": words.MEND_TITLES,
    "papers": words.PAPERS,
    "kinds": words.KINDS,
}
"""What the month's page calls things."""


class Wanted(BaseModel):
    """What the address asks for."""

    month: Annotated[str, Field(max_length=7)] = ""
    status: Annotated[str, Field(max_length=10)] = "all"
    after: UUID | None = None
    problem: Annotated[str, Field(max_length=20)] = ""


@router.get("", response_class=HTMLResponse)
async def month(
    request: Request, visit: Looking, wanted: Annotated[Wanted, Query()]
) -> HTMLResponse:
    """The month: counts, patients, what is missing, steps and files."""
    base = await shell(visit, "billing")
    today = visit.now.astimezone(ZoneInfo(str(base["zone"]))).date()
    shown = words.month_or_running(wanted.month, today)
    status = wanted.status if wanted.status in words.STATUSES else "all"
    listed = await _listed(visit, shown, status, wanted.after)
    kept = await _kept(visit, shown)
    await visit.record("look", "billing_month", f"{shown:%Y-%m}", detail={"status": status})
    return wiring(request).pages.html(
        request,
        "billing/page.html",
        base | VOCABULARY | _calendar(shown, today) | listed | kept,
        problem=words.PROBLEMS.get(wanted.problem, ""),
    )


def _calendar(shown: date, today: date) -> Context:
    """Return which month it is, and the rules that hold in it."""
    return {
        "month": shown,
        "months": words.months(shown, today),
        "how_long": words.how_long(shown, today),
        "rules": rules_of(shown),
        "over": windows.month_of(shown).last < today,
    }


async def _listed(visit: Visit, shown: date, status: str, after: UUID | None) -> Context:
    """Return a page of the month's patients, and how many there are of each kind."""
    rows = await store.rows(visit, shown, status, after, PAGE + 1)
    return {
        "totals": await store.totals(visit, shown),
        "tab": status,
        "rows": rows[:PAGE],
        "following": rows[PAGE - 1].patient_id if len(rows) > PAGE else None,
        "started": after is not None,
    }


async def _kept(visit: Visit, shown: date) -> Context:
    """Return what was done with the month: state, signature, steps, files, long work."""
    stand = await store.stand(visit, shown)
    return {
        "stand": stand,
        "signer": await store.signer(visit, stand.signed_by),
        "steps": await store.steps(visit, shown),
        "files": await store.files(visit, shown),
        "job": await store.last_job(visit, shown),
    }


def rules_of(month: date) -> packs.Pack | None:
    """Return the rule pack of a month; the page says so when there is none."""
    try:
        return packs.in_force(windows.month_of(month).last)
    except CaseError:
        return None


@router.get("/patients/{patient_id}", response_class=HTMLResponse)
async def one_patient(
    request: Request, visit: Looking, patient_id: UUID, wanted: Annotated[Wanted, Query()]
) -> HTMLResponse:
    """Every day and every minute of a patient's month: the answer to an auditor."""
    base = await shell(visit, "billing")
    shown = words.month_or_running(wanted.month, visit.now.date())
    found = await store.person(visit, shown, patient_id)
    if found is None:
        raise MissingError
    await visit.record(
        "look", "billing_patient", patient_id, patient_id=patient_id, detail={"month": str(shown)}
    )
    return wiring(request).pages.html(
        request,
        "billing/patient.html",
        base,
        month=shown,
        person=found,
        seen=patients.seen(found.facts),
        lines={each.code: each for each in await store.lines(visit, shown, patient_id)},
        names=await store.staff_names(visit),
        left_out=words.LEFT_OUT,
        papers=words.PAPERS,
        problem=words.PROBLEMS.get(wanted.problem, ""),
    )


@router.get("/jobs/{job_id}", response_class=HTMLResponse)
async def job(request: Request, visit: Looking, job_id: UUID) -> HTMLResponse:
    """How far a piece of long work is."""
    found = await store.job(visit, job_id)
    if found is None:
        raise MissingError
    context: dict[str, object] = {"job": found, "kinds": words.KINDS, "visit": visit}
    return wiring(request).pages.html(request, "billing/job.html", context)


@router.get("/files/{file_id}")
async def file(request: Request, visit: Looking, file_id: UUID) -> Response:
    """A file that was written, a piece at a time."""
    found = await store.kept(visit, file_id)
    if found is None:
        raise MissingError
    await visit.record("export", "billing_file", file_id, detail={"name": found.name})
    pieces = download.pieces(wiring(request).pool, visit.staff.organisation_id, file_id)
    headers = named(found.name) | {"Content-Length": str(found.size)}
    return StreamingResponse(pieces, headers=headers, media_type=type_of(found.format))


@router.get("/lines/{line_id}/evidence.{kind}")
async def line_evidence(request: Request, visit: Looking, line_id: str, kind: str) -> Response:
    """The evidence of a line as PDF, CSV or JSON."""
    return attached(
        await evidence_of(request, visit, line_id, kind), f"evidence-{line_id}.{kind}", kind
    )


async def evidence_of(request: Request, visit: Visit, line_id: str, kind: str) -> bytes:
    """Write the evidence of a line; that it left is on the trail."""
    owner = await store.line_owner(visit, line_id)
    if owner is None or kind not in ("pdf", "csv", "json"):
        raise MissingError
    dsn = wiring(request).settings.worker_dsn
    organisation = visit.staff.organisation_id
    made = await asyncio.to_thread(_evidence, dsn, organisation, line_id, kind)
    await visit.record("export", "bill_line", line_id, patient_id=owner, detail={"evidence": kind})
    return made


def _evidence(dsn: str, organisation: UUID, line_id: str, kind: str) -> bytes:
    with connect(dsn) as connection:
        found: Dossier = gather_papers.evidence(connection, organisation, line_id)
    make = {"pdf": pdf.as_pdf, "csv": evidence.as_csv, "json": evidence.as_json}
    return make[kind](found)


def attached(content: bytes, name: str, kind: str) -> Response:
    """Return bytes as a file to keep."""
    return Response(content, headers=named(name), media_type=type_of(kind))


def named(name: str) -> dict[str, str]:
    """Return the header under whose name a browser keeps a file."""
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def type_of(kind: str) -> str:
    """Return the media type of a format."""
    return TYPES.get(kind, "application/octet-stream")
