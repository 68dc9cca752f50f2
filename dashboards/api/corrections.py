"""Whose reading is it, for programs: the review queue, and corrections of stored readings."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query, Request, Response
from pydantic import Field

from dashboards.api import edge
from dashboards.api.edge import Asked, ConflictError, Listed, Moment, Page, Reason, Told
from dashboards.door import Visit, holding
from dashboards.identity import mending, store
from dashboards.identity.mending import Correction
from dashboards.patients.routes import known
from dashboards.permissions import Verb
from ingest.release import ReleaseError

router = edge.router("identity")
Correcting = Annotated[Visit, holding(Verb.CORRECT)]


class Candidate(Told):
    """Somebody the reading may belong to."""

    id: UUID
    family_name: str
    given_name: str
    birth_date: date
    mrn: str
    device_id: str
    user_slot: Annotated[int | None, Field(description="On a device that several people share.")]
    last_value: Annotated[float | None, Field(description="Their last one of this kind.")]


class Waiting(Told):
    """One reading that nobody owns yet."""

    id: UUID
    gateway_id: str | None
    device_id: str | None
    reason: Annotated[str, Field(description="Why it could not be used.")]
    value: Annotated[str, Field(description="In words and the clinic's units; may be empty.")]
    received_at: Moment
    times_seen: int
    candidates: list[Candidate]


class OneReading(Told):
    """A stored reading, and the others whose it may be."""

    reading_id: UUID
    patient_id: UUID
    kind: str
    measured_at: Moment
    value: Annotated[float, Field(description="In the kind's stored unit.")]
    diastolic: Annotated[float | None, Field(description="mm[Hg].")]
    status: str
    candidates: list[Candidate]


class Release(Asked):
    """Whose the reading is."""

    patient_id: UUID


class Because(Asked):
    """Why."""

    reason: Reason


class Move(Because):
    """Whose the reading really is, and why."""

    owner: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    id: UUID
    gateway_id: str | None
    device_id: str | None
    reason: str
    value: str
    received_at: object
    times_seen: int
    candidates: list[store.Candidate]


@dataclass(frozen=True, slots=True, kw_only=True)
class _One:
    reading_id: UUID
    patient_id: UUID
    kind: str
    measured_at: object
    value: float
    diastolic: float | None
    status: str
    candidates: list[store.Candidate]


@router.get("/identity", response_model=Page[Waiting])
async def identity_review(
    visit: Correcting,
    queue: Annotated[Literal["identity_review", "technical"], Query()] = "identity_review",
) -> Listed[_Waiting]:
    """The review queue with the people that each reading may belong to."""
    rows, candidates = await store.waiting(visit, queue)
    return Listed(
        items=[
            _Waiting(
                id=row.id,
                gateway_id=row.gateway_id,
                device_id=row.device_id,
                reason=row.reason,
                value=row.value,
                received_at=row.received_at,
                times_seen=row.times_seen,
                candidates=candidates.get(row.id, []),
            )
            for row in rows
        ]
    )


@router.post("/identity/{quarantine_id}/release", status_code=204)
async def release_reading(
    request: Request, visit: Correcting, quarantine_id: UUID, asked: Release
) -> Response:
    """Give a reading to a person, who is judged again."""
    try:
        await mending.given(request, visit, quarantine_id, asked.patient_id)
    except ReleaseError as error:
        raise ConflictError("NOT_RELEASED", str(error)) from error
    return Response(status_code=204)


@router.post("/identity/{quarantine_id}/reject", status_code=204)
async def reject_reading(
    request: Request, visit: Correcting, quarantine_id: UUID, asked: Because
) -> Response:
    """Close a row for good; it stays on record."""
    await mending.rejected(request, visit, quarantine_id, asked.reason)
    return Response(status_code=204)


@router.get("/patients/{patient_id}/readings/{reading_id}", response_model=OneReading)
async def reading(visit: Correcting, patient_id: UUID, reading_id: UUID) -> _One:
    """A stored reading, and the others whose it may be."""
    await known(visit.connection, patient_id)
    found, candidates = await store.one_with_candidates(visit, patient_id, reading_id)
    return _One(
        reading_id=found.reading_id,
        patient_id=found.patient_id,
        kind=found.kind,
        measured_at=found.measured_at,
        value=found.value,
        diastolic=found.diastolic,
        status=found.status,
        candidates=candidates,
    )


@router.post("/patients/{patient_id}/readings/{reading_id}/move", status_code=204)
async def move_reading(
    request: Request, visit: Correcting, patient_id: UUID, reading_id: UUID, asked: Move
) -> Response:
    """Give a reading to the right person; both are judged again."""
    form = Correction(owner=asked.owner, reason=asked.reason)
    return await _corrected(request, visit, patient_id, reading_id, form)


@router.post("/patients/{patient_id}/readings/{reading_id}/strike", status_code=204)
async def strike_reading(
    request: Request, visit: Correcting, patient_id: UUID, reading_id: UUID, asked: Because
) -> Response:
    """Mark a reading as an artefact; what rested on it is judged again."""
    form = Correction(reason=asked.reason)
    return await _corrected(request, visit, patient_id, reading_id, form)


async def _corrected(
    request: Request, visit: Visit, patient_id: UUID, reading_id: UUID, form: Correction
) -> Response:
    try:
        await mending.corrected(request, visit, patient_id, reading_id, form)
    except ReleaseError as error:
        raise ConflictError("NOT_CORRECTED", str(error)) from error
    return Response(status_code=204)
