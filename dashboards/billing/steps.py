"""What billing staff do with a month: evaluate, sign, lock, export, re-open, ask."""

import asyncio
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from typing import Annotated, Protocol, TypeVar
from uuid import UUID, uuid4

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from billing import closing, jobs
from billing.fields import CaseError
from billing.files import Format
from billing.gather import Connection
from billing.gather_case import month_named
from billing.jobs import Kind, Order
from billing.month import RefusedError as MonthRefusedError
from billing.store import Key
from dashboards.billing import store, words
from dashboards.billing.store import Job
from dashboards.door import MissingError, Visit, holding
from dashboards.patients.routes import known
from dashboards.permissions import Verb
from dashboards.wiring import wiring
from database.pool import connect

router = APIRouter(prefix="/billing", tags=["billing"])
Closing = Annotated[Visit, holding(Verb.CLOSE_MONTH)]
SEE_OTHER = 303
DUE_IN = timedelta(days=3)
UNDER_WAY: set[asyncio.Task[None]] = set()
"""Work that runs in this process: kept here so that it is not collected."""
Given = TypeVar("Given")


class Step(Protocol):
    """A step of `billing.closing` that lacks only who takes it, and when."""

    def __call__(self, connection: Connection, key: Key, /, *, by: str, now: datetime) -> object:
        """Take it."""


class NotNowError(Exception):
    """The month does not allow it now; `problem` is one of words.PROBLEMS."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


@router.post("/{month}/jobs/{kind}")
async def work(
    request: Request, visit: Closing, month: str, kind: Kind, form: Annotated[str, Form()] = "xlsx"
) -> Response:
    """Begin long work; the page shows how far it is."""
    first = named(month)
    written = Format(form) if form in set(Format) else Format.XLSX
    try:
        await begun(request, visit, first, kind, written)
    except NotNowError as error:
        return to_month(first, error.problem)
    return to_month(first)


async def begun(request: Request, visit: Visit, first: date, kind: Kind, form: Format) -> UUID:
    """Begin long work; return the id under which its progress can be read."""
    dsn = _worker(request)
    order = Order(
        id=uuid4(), key=key_of(visit, first), kind=kind, by=who(visit), now=visit.now, form=form
    )
    if not await asyncio.to_thread(jobs.begin, dsn, order):
        raise NotNowError("BUSY")
    task = asyncio.create_task(asyncio.to_thread(jobs.run, dsn, order))
    UNDER_WAY.add(task)
    task.add_done_callback(UNDER_WAY.discard)
    return order.id


@router.post("/jobs/{job_id}/cancel")
async def cancel(visit: Closing, job_id: UUID) -> Response:
    """Call long work off."""
    return to_month((await called_off(visit, job_id)).first)


async def called_off(visit: Visit, job_id: UUID) -> Job:
    """Call long work off; what has ended stays as it is."""
    if await store.call_off(visit, job_id):
        await visit.record("change", "billing_job", job_id, detail={"what": "call off"})
    found = await store.job(visit, job_id)
    if found is None:
        raise MissingError
    return found


@router.post("/{month}/review")
async def review(request: Request, visit: Closing, month: str) -> Response:
    """Close collecting."""
    return await _taken(request, visit, month, closing.review)


@router.post("/{month}/sign")
async def sign(
    request: Request, visit: Closing, month: str, note: Annotated[str, Form(max_length=300)] = ""
) -> Response:
    """Sign the month off."""
    return await _taken(request, visit, month, partial(closing.sign_off, note=note))


@router.post("/{month}/reopen")
async def reopen(
    request: Request, visit: Closing, month: str, reason: Annotated[str, Form(max_length=300)] = ""
) -> Response:
    """Go back to collecting, with a reason."""
    return await _taken(request, visit, month, partial(closing.reopen, reason=reason))


@router.post("/{month}/lines/{line_id}/confirm")
async def confirm(
    request: Request,
    visit: Closing,
    month: str,
    line_id: str,
    reason: Annotated[str, Form(max_length=300)] = "",
) -> Response:
    """State that a line that waited for review still stands."""
    await known_line(visit, line_id)
    step = partial(closing.confirm, line_id=line_id, reason=reason)
    return await _taken(request, visit, month, step)


async def known_line(visit: Visit, line_id: str) -> None:
    """Refuse a line that this organisation does not have."""
    if await store.line_owner(visit, line_id) is None:
        raise MissingError


@router.post("/patients/{patient_id}/ask")
async def ask(
    visit: Closing,
    patient_id: UUID,
    mend: Annotated[str, Form(max_length=20)],
    back: Annotated[str, Form(max_length=7)] = "",
) -> Response:
    """Ask the care team for what is missing: a task of theirs."""
    await asked(visit, patient_id, mend)
    return to_month(named(back) if back else visit.now.date())


async def asked(visit: Visit, patient_id: UUID, mend: str) -> bool:
    """Give the care team a task; False when it has that one already."""
    await known(visit.connection, patient_id)
    words_of = words.MEND_TITLES.get(mend)
    if words_of is None:
        raise MissingError
    title = f"Billing: {words_of}"
    made = await store.ask(visit, patient_id, title, (visit.now + DUE_IN).date())
    if made:
        await visit.record(
            "change", "task", patient_id, patient_id=patient_id, detail={"title": title}
        )
    return made


async def _taken(request: Request, visit: Visit, month: str, step: Step) -> RedirectResponse:
    """Take one step as the visitor; a refusal comes back as words."""
    first = named(month)
    key, by, now = key_of(visit, first), who(visit), visit.now
    try:
        await stepped(request, lambda connection: step(connection, key, by=by, now=now))
    except NotNowError as error:
        return to_month(first, error.problem)
    return to_month(first)


async def stepped(request: Request, step: Callable[[Connection], object]) -> None:
    """Take one step of a month on a worker's connection."""
    try:
        await asyncio.to_thread(_on_connection, _worker(request), step)
    except MonthRefusedError as error:
        raise NotNowError(error.refusal.name) from error


def _worker(request: Request) -> str:
    """Return the worker's way in; a web process may have none."""
    dsn = wiring(request).settings.worker_dsn
    if not dsn:
        raise NotNowError("NO_WORKER")
    return dsn


def _on_connection(dsn: str, step: Callable[[Connection], Given]) -> Given:
    with connect(dsn, autocommit=True) as connection:
        return step(connection)


def named(text: str) -> date:
    """Return the first day of a month."""
    try:
        return month_named(text)
    except CaseError:
        raise MissingError from None


def key_of(visit: Visit, first: date) -> Key:
    """Return a month of the visitor's organisation."""
    return Key(organisation=visit.staff.organisation_id, first=first)


def who(visit: Visit) -> str:
    """Return the visitor as the trail names them."""
    return f"staff:{visit.staff.id}"


def to_month(first: date, problem: str = "") -> RedirectResponse:
    """Return to the month, with a problem in words if there is one."""
    tail = f"&problem={problem}" if problem else ""
    return RedirectResponse(f"/billing?month={first:%Y-%m}{tail}", SEE_OTHER)
