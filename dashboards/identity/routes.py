"""Whose reading is it? One tap gives it to somebody; both people are judged again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

import msgspec
import psycopg
from fastapi import APIRouter, Form, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import HTMLResponse, RedirectResponse, Response

from dashboards import units
from dashboards.door import MissingError, RefusedError, Visit, holding
from dashboards.fetch import Connection, every, first, run
from dashboards.patients.routes import banner, known
from dashboards.permissions import Verb
from dashboards.shared import shell
from dashboards.wiring import wiring
from database import sql
from database.pool import OPTIONS
from devices.wire import WireReading
from ingest.release import By, ReleaseError, move, reject, release

router = APIRouter(tags=["identity"])
Correcting = Annotated[Visit, holding(Verb.CORRECT)]
QUERIES = sql.load("dashboards.identity")
QUEUES = {"identity_review": "Whose reading?", "technical": "Cannot be used"}
SEE_OTHER = 303
NOT_SET_UP = "This server may not change readings: TIDINGS_WORKER_DSN is not set."


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One open row of quarantine."""

    id: UUID
    gateway_id: str | None
    device_id: str | None
    reason: str
    detail: str
    payload: bytes
    gateway_time: datetime | None
    received_at: datetime
    times_seen: int
    queue: str

    @property
    def reading(self) -> WireReading | None:
        """What the device said, if that can be read."""
        try:
            return msgspec.json.decode(self.payload, type=WireReading)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None

    @property
    def value(self) -> str:
        """Return the value in words, or nothing."""
        read = self.reading
        if read is None or read.value is None:
            return ""
        how = units.measure(read.kind)
        return f"{how.name} {units.value(read.kind, read.value, read.diastolic)} {how.unit}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Somebody the reading may belong to."""

    id: UUID
    family_name: str
    given_name: str
    birth_date: date
    mrn: str
    sex: str
    device_id: str
    user_slot: int | None
    assigned_from: datetime
    assigned_to: datetime | None
    last_value: float | None

    @property
    def name(self) -> str:
        """FAMILY, Given."""
        return f"{self.family_name.upper()}, {self.given_name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OneReading:
    """A stored reading about to be corrected."""

    reading_id: UUID
    patient_id: UUID
    kind: str
    measured_at: datetime
    value: float
    diastolic: float | None
    status: str
    device_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Id:
    id: UUID


class Correction(BaseModel):
    """The correction form: an owner moves the reading, none strikes it."""

    owner: UUID | None = None
    reason: Annotated[str, Field(max_length=300)] = ""


@router.get("/identity", response_class=HTMLResponse)
async def queue_page(
    request: Request,
    visit: Correcting,
    queue: Annotated[str, Query(max_length=30)] = "identity_review",
    problem: Annotated[str, Query(max_length=200)] = "",
) -> HTMLResponse:
    """The review queue with the people that each reading may belong to."""
    queue = queue if queue in QUEUES else "identity_review"
    rows, candidates = await waiting(visit, queue)
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


async def waiting(visit: Visit, queue: str) -> tuple[list[Waiting], dict[UUID, list[Candidate]]]:
    """Look at a queue, and at the people that each reading in it may belong to."""
    rows = await every(visit.connection, Waiting, QUERIES["waiting"], {"queue": queue})
    candidates = {row.id: await _candidates(visit, row) for row in rows if row.value}
    shown = {str(one.id) for several in candidates.values() for one in several}
    await visit.record("look", "identity_review", queue, detail={"patients": sorted(shown)})
    return rows, candidates


async def _candidates(visit: Visit, row: Waiting) -> list[Candidate]:
    read = row.reading
    fields = {
        "device_id": row.device_id,
        "gateway_id": row.gateway_id,
        "kind": read.kind if read else "",
    }
    return await every(visit.connection, Candidate, QUERIES["candidates"], fields)


@router.post("/identity/{quarantine_id}/release", response_class=HTMLResponse)
async def give(
    request: Request,
    visit: Correcting,
    quarantine_id: UUID,
    patient_id: Annotated[UUID, Form()],
) -> Response:
    """Give a quarantined reading to a person."""
    try:
        await given(request, visit, quarantine_id, patient_id)
    except ReleaseError as error:
        return _back(str(error))
    return _back()


async def given(request: Request, visit: Visit, quarantine_id: UUID, patient_id: UUID) -> None:
    """Give a quarantined reading to a person; ReleaseError says why not."""
    await _kept(visit, quarantine_id)
    await known(visit.connection, patient_id)
    async with _worker(request) as connection:
        await release(connection, quarantine_id, patient_id, by(visit, "identity review"))


@router.post("/identity/{quarantine_id}/reject", response_class=HTMLResponse)
async def refuse(
    request: Request,
    visit: Correcting,
    quarantine_id: UUID,
    reason: Annotated[str, Form(max_length=300)] = "nobody's",
) -> Response:
    """Close a row for good; it stays on record."""
    await rejected(request, visit, quarantine_id, reason)
    return _back()


async def _kept(visit: Visit, quarantine_id: UUID) -> None:
    """Refuse a row that this organisation does not have."""
    if await first(visit.connection, _Id, QUERIES["kept"], {"id": quarantine_id}) is None:
        raise MissingError


async def rejected(request: Request, visit: Visit, quarantine_id: UUID, reason: str) -> None:
    """Close a row for good."""
    async with _worker(request) as connection:
        try:
            await reject(connection, quarantine_id, by(visit, reason.strip() or "rejected"))
        except ReleaseError as error:
            raise MissingError from error


@router.get("/patients/{patient_id}/readings/{reading_id}/correct", response_class=HTMLResponse)
async def ask_correction(
    request: Request, visit: Correcting, patient_id: UUID, reading_id: UUID, problem: str = ""
) -> HTMLResponse:
    """Ask what is wrong with a stored reading."""
    who = await known(visit.connection, patient_id)
    found, candidates = await one_with_candidates(visit, patient_id, reading_id)
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
        await corrected(request, visit, patient_id, reading_id, form)
    except ReleaseError as error:
        return _again(patient_id, reading_id, str(error))
    return RedirectResponse(f"/patients/{patient_id}/readings", SEE_OTHER)


async def corrected(
    request: Request, visit: Visit, patient_id: UUID, reading_id: UUID, form: Correction
) -> None:
    """Move a reading or strike it; ReleaseError says why not."""
    await known(visit.connection, patient_id)
    await one(visit, patient_id, reading_id)
    reason = form.reason.strip()
    if not reason:
        raise ReleaseError("Say why.")
    async with _worker(request) as connection:
        if form.owner:
            await known(visit.connection, form.owner)
            await move(connection, reading_id, patient_id, form.owner, by(visit, reason))
        else:
            await _strike(connection, visit, patient_id, reading_id, reason)


def by(visit: Visit, note: str) -> By:
    """Return who does it."""
    return By(
        organisation_id=visit.staff.organisation_id,
        staff_id=visit.staff.id,
        now=visit.now,
        note=note,
    )


async def one_with_candidates(
    visit: Visit, patient_id: UUID, reading_id: UUID
) -> tuple[OneReading, list[Candidate]]:
    """Look at a reading, and at the others whose it may be."""
    found = await one(visit, patient_id, reading_id)
    await visit.record("look", "reading", reading_id, patient_id=patient_id)
    fields = {"device_id": found.device_id, "gateway_id": None, "kind": found.kind}
    candidates = await every(visit.connection, Candidate, QUERIES["candidates"], fields)
    return found, [each for each in candidates if each.id != patient_id]


async def one(visit: Visit, patient_id: UUID, reading_id: UUID) -> OneReading:
    """Return a stored reading of this patient."""
    fields = {"patient_id": patient_id, "reading_id": reading_id}
    found = await first(visit.connection, OneReading, QUERIES["one_reading"], fields)
    if found is None:
        raise MissingError
    return found


async def _strike(
    connection: Connection, visit: Visit, patient_id: UUID, reading_id: UUID, reason: str
) -> None:
    """Mark an artefact and judge again what rested on it."""
    fields = {
        "patient_id": patient_id,
        "reading_id": reading_id,
        "organisation_id": visit.staff.organisation_id,
        "actor": f"staff:{visit.staff.id}",
        "now": visit.now,
        "reason": reason,
    }
    async with connection.transaction():
        if await run(connection, QUERIES["mark_artefact"], fields) != 1:
            raise ReleaseError("This reading is struck already.")
        await run(connection, QUERIES["judge_again"], fields)
        await run(connection, QUERIES["audit_artefact"], fields)


@asynccontextmanager
async def _worker(request: Request) -> AsyncIterator[Connection]:
    """Open a connection that may change readings; the web role may not."""
    dsn = wiring(request).settings.worker_dsn
    if not dsn:
        raise RefusedError(NOT_SET_UP)
    connection = await psycopg.AsyncConnection.connect(
        dsn, autocommit=True, prepare_threshold=None, options=OPTIONS
    )
    async with connection:
        yield connection


def _back(problem: str = "") -> RedirectResponse:
    return RedirectResponse(f"/identity?{urlencode({'problem': problem})}", SEE_OTHER)


def _again(patient_id: UUID, reading_id: UUID, problem: str) -> RedirectResponse:
    query = urlencode({"problem": problem})
    address = f"/patients/{patient_id}/readings/{reading_id}/correct?{query}"
    return RedirectResponse(address, SEE_OTHER)
