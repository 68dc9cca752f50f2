"""A patient's papers: the consent, order, education, visit or device that a code waits for."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Query, Request
from starlette.background import BackgroundTask
from starlette.responses import HTMLResponse, RedirectResponse, Response

from billing import closing
from billing.store import Key
from dashboards.billing import paper_store, papers_forms, words
from dashboards.billing.papers_forms import Listed
from dashboards.door import RefusedError, Visit, holding
from dashboards.patients.routes import known
from dashboards.permissions import Verb
from dashboards.shared import shell
from dashboards.wiring import wiring
from dashboards.worklist.store import organisation
from database.pool import connect

router = APIRouter(prefix="/patients/{patient_id}/papers")
Reading = Annotated[Visit, holding(Verb.SEE_PATIENT)]
SEE_OTHER = 303
Filled = Mapping[str, object]


@router.get("", response_class=HTMLResponse)
async def page(
    request: Request,
    visit: Reading,
    patient_id: UUID,
    month: Annotated[str, Query(max_length=7)] = "",
    problem: Annotated[str, Query(max_length=20)] = "",
) -> HTMLResponse:
    """What is on file for a patient, and forms for what is not."""
    _keeper(visit)
    person = await known(visit.connection, patient_id)
    base = await shell(visit, "billing")
    await visit.record("look", "papers", patient_id, patient_id=patient_id)
    return wiring(request).pages.html(
        request,
        "billing/papers.html",
        base,
        person=person,
        month=words.month_or_running(month, visit.now.date()),
        papers=await paper_store.papers(visit, patient_id),
        forms=papers_forms,
        problem=words.PROBLEMS.get(problem, ""),
    )


@router.post("/consent")
async def consent(
    request: Request,
    visit: Reading,
    patient_id: UUID,
    form: Annotated[papers_forms.Consent, Form()],
    month: Annotated[str, Query(max_length=7)] = "",
) -> Response:
    """Record a consent."""
    at = await _moment(visit, form.at)
    filled = form.model_dump() | {"at": at}
    told = {"program": form.program.value, "at": at.isoformat(), "method": form.method.value}
    return await _kept(request, visit, patient_id, month, "consent", filled, told, at=at)


@router.post("/withdrawal")
async def withdraw(
    request: Request,
    visit: Reading,
    patient_id: UUID,
    form: Annotated[papers_forms.Withdrawal, Form()],
    month: Annotated[str, Query(max_length=7)] = "",
) -> Response:
    """Record that a consent was withdrawn."""
    at = await _moment(visit, form.at)
    told = {"withdrawn_at": at.isoformat(), "consent": str(form.consent_id)}
    filled: Filled = {"at": at, "id": form.consent_id}
    return await _kept(request, visit, patient_id, month, "withdrawal", filled, told, at=at)


@router.post("/order")
async def order(
    request: Request,
    visit: Reading,
    patient_id: UUID,
    form: Annotated[papers_forms.Order, Form()],
    month: Annotated[str, Query(max_length=7)] = "",
) -> Response:
    """Record a practitioner's order."""
    at = await _moment(visit, form.at)
    codes = list(papers_forms.diagnoses_of(form.icd10))
    filled = form.model_dump() | {"at": at, "icd10": codes}
    told = {"program": form.program.value, "at": at.isoformat(), "icd10": codes}
    return await _kept(request, visit, patient_id, month, "order", filled, told, at=at)


@router.post("/education")
async def education(
    request: Request,
    visit: Reading,
    patient_id: UUID,
    form: Annotated[papers_forms.Education, Form()],
    month: Annotated[str, Query(max_length=7)] = "",
) -> Response:
    """Record set-up and education."""
    told = {"program": form.program.value, "education_on": form.education_on.isoformat()}
    last = max(form.education_on, form.started_on)
    filled = form.model_dump()
    return await _kept(request, visit, patient_id, month, "education", filled, told, on=last)


@router.post("/visit")
async def seen(
    request: Request,
    visit: Reading,
    patient_id: UUID,
    form: Annotated[papers_forms.Seen, Form()],
    month: Annotated[str, Query(max_length=7)] = "",
) -> Response:
    """Record a visit with the practice."""
    told = {"kind": form.kind.value, "on": form.on.isoformat()}
    filled = form.model_dump()
    return await _kept(request, visit, patient_id, month, "visit", filled, told, on=form.on)


@router.post("/device")
async def device(
    request: Request,
    visit: Reading,
    patient_id: UUID,
    form: Annotated[papers_forms.Device, Form()],
    month: Annotated[str, Query(max_length=7)] = "",
) -> Response:
    """Record what stands on a device's label."""
    listed = {Listed.YES: True, Listed.NO: False}.get(form.listed)
    filled = form.model_dump() | {"listed": listed}
    told = {"device": form.device_id, "udi": form.udi, "listed": form.listed.value}
    return await _kept(request, visit, patient_id, month, "device", filled, told)


async def _kept(  # noqa: PLR0913, PLR0917  one place where papers are kept, audited and judged
    request: Request,
    visit: Visit,
    patient_id: UUID,
    month: str,
    kind: str,
    filled: Filled,
    told: Filled,
    *,
    at: datetime | None = None,
    on: date | None = None,
) -> Response:
    """Keep one paper unless it lies in the future; then judge the patient's month again."""
    _keeper(visit)
    await known(visit.connection, patient_id)
    today = visit.now.astimezone(await _zone(visit)).date()
    if (at is not None and at > visit.now) or (on is not None and on > today):
        return _back(patient_id, month, "FUTURE")
    if not await paper_store.keep(visit, patient_id, kind, filled):
        return _back(patient_id, month, "NOT_KEPT")
    await visit.record("change", kind, patient_id, patient_id=patient_id, detail=told)
    answer = _back(patient_id, month)
    dsn = wiring(request).settings.worker_dsn
    if dsn:
        first = words.month_or_running(month, today)
        key = Key(organisation=visit.staff.organisation_id, first=first)
        answer.background = BackgroundTask(_judged_again, dsn, key, patient_id, visit.now)
    return answer


def _judged_again(dsn: str, key: Key, patient_id: UUID, now: datetime) -> None:
    with connect(dsn, autocommit=True) as connection:
        closing.judge_again(connection, key, patient_id, now=now)


def _keeper(visit: Visit) -> None:
    """Papers are kept by whoever documents care, and by whoever closes the month."""
    if not (visit.may(Verb.DOCUMENT) or visit.may(Verb.CLOSE_MONTH)):
        raise RefusedError("Your role does not allow you to keep papers.")


async def _zone(visit: Visit) -> ZoneInfo:
    return ZoneInfo((await organisation(visit.connection)).time_zone)


async def _moment(visit: Visit, written: datetime) -> datetime:
    """Return a time of a form, which has no zone, as the practice's."""
    return written.replace(tzinfo=await _zone(visit))


def _back(patient_id: UUID, month: str, problem: str = "") -> RedirectResponse:
    asked = urlencode({"month": month} | ({"problem": problem} if problem else {}))
    return RedirectResponse(f"/billing/patients/{patient_id}/papers?{asked}", SEE_OTHER)
