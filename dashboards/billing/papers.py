"""A patient's papers: the consent, order, visit, statement, ... that a code waits for."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Literal
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.background import BackgroundTask
from starlette.responses import HTMLResponse, RedirectResponse, Response

from billing import closing
from billing.store import Key
from dashboards.billing import paper, paper_store, papers_forms, words
from dashboards.billing.paper import Paper
from dashboards.door import RefusedError, Visit, holding
from dashboards.patients.routes import known
from dashboards.permissions import Verb
from dashboards.shared import shell
from dashboards.wiring import wiring
from database.pool import connect

router = APIRouter(prefix="/patients/{patient_id}/papers")
Reading = Annotated[Visit, holding(Verb.SEE_PATIENT)]
SEE_OTHER = 303
InMonth = Annotated[str, Query(max_length=7)]
Problem = Literal["FUTURE", "NOT_KEPT"]


@router.get("", response_class=HTMLResponse)
async def page(
    request: Request,
    visit: Reading,
    patient_id: UUID,
    month: InMonth = "",
    problem: Annotated[str, Query(max_length=20)] = "",
) -> HTMLResponse:
    """What is on file for a patient, and forms for what is not."""
    keeper(visit)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawer:
    """A patient's papers as a form adds one to them."""

    request: Request
    visit: Reading
    patient_id: UUID
    month: InMonth = ""

    def moment(self, written: datetime) -> datetime:
        """Return a time of a form, which has no zone, as the practice's."""
        return written.replace(tzinfo=ZoneInfo(self.visit.zone))

    async def keep(self, made: Paper) -> Response:
        """Keep one paper and return to the page; what is wrong with it is said there."""
        problem = await kept(self.visit, self.patient_id, made)
        answer = _back(self.patient_id, self.month, problem or "")
        if not problem:
            again = self.request, self.visit, self.patient_id, self.month
            answer.background = judging(*again)
        return answer


Drawer = Annotated[_Drawer, Depends()]


@router.post("/consent")
async def consent(drawer: Drawer, form: Annotated[papers_forms.Consent, Form()]) -> Response:
    """Record a consent."""
    return await drawer.keep(paper.consent(form, drawer.moment(form.at)))


@router.post("/withdrawal")
async def withdraw(drawer: Drawer, form: Annotated[papers_forms.Withdrawal, Form()]) -> Response:
    """Record that a consent was withdrawn."""
    return await drawer.keep(paper.withdrawal(form, drawer.moment(form.at)))


@router.post("/order")
async def order(drawer: Drawer, form: Annotated[papers_forms.Order, Form()]) -> Response:
    """Record a practitioner's order."""
    return await drawer.keep(paper.order(form, drawer.moment(form.at)))


@router.post("/education")
async def education(drawer: Drawer, form: Annotated[papers_forms.Education, Form()]) -> Response:
    """Record set-up and education."""
    return await drawer.keep(paper.education(form))


@router.post("/visit")
async def seen(drawer: Drawer, form: Annotated[papers_forms.Seen, Form()]) -> Response:
    """Record a visit with the practice."""
    return await drawer.keep(paper.visit(form))


@router.post("/statement")
async def state(drawer: Drawer, form: Annotated[papers_forms.Statement, Form()]) -> Response:
    """Record what the practice states of the patient."""
    return await drawer.keep(paper.statement(form))


@router.post("/device")
async def device(drawer: Drawer, form: Annotated[papers_forms.Device, Form()]) -> Response:
    """Record what stands on a device's label."""
    return await drawer.keep(paper.device(form))


async def kept(visit: Visit, patient_id: UUID, made: Paper) -> Problem | None:
    """Keep one paper unless it lies in the future or belongs to nothing."""
    keeper(visit)
    await known(visit.connection, patient_id)
    today = _today(visit)
    if (made.at and made.at > visit.now) or (made.on and made.on > today):
        return "FUTURE"
    if not await paper_store.keep(visit, patient_id, made.kind, made.filled):
        return "NOT_KEPT"
    await visit.record("change", made.kind, patient_id, patient_id=patient_id, detail=made.told)
    return None


def judging(request: Request, visit: Visit, patient_id: UUID, month: str) -> BackgroundTask | None:
    """Return the work of judging a patient's month again, where there is a worker for it."""
    dsn = wiring(request).settings.worker_dsn
    if not dsn:
        return None
    first = words.month_or_running(month, _today(visit))
    key = Key(organisation=visit.staff.organisation_id, first=first)
    return BackgroundTask(_judged_again, dsn, key, patient_id, visit.now)


def _judged_again(dsn: str, key: Key, patient_id: UUID, now: datetime) -> None:
    with connect(dsn, autocommit=True) as connection:
        closing.judge_again(connection, key, patient_id, now=now)


def keeper(visit: Visit) -> None:
    """Refuse others: papers are kept by whoever documents care, and by whoever closes the month."""
    if not (visit.may(Verb.DOCUMENT) or visit.may(Verb.CLOSE_MONTH)):
        raise RefusedError("Your role does not allow you to keep papers.")


def _today(visit: Visit) -> date:
    return visit.now.astimezone(ZoneInfo(visit.zone)).date()


def _back(patient_id: UUID, month: str, problem: str = "") -> RedirectResponse:
    asked = urlencode({"month": month} | ({"problem": problem} if problem else {}))
    return RedirectResponse(f"/billing/patients/{patient_id}/papers?{asked}", SEE_OTHER)
