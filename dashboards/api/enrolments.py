"""Stays in care programmes for programs: which there are, enrol, end."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from fastapi import Response
from pydantic import Field

from care.programme import programmes
from dashboards.api import edge
from dashboards.api.edge import Asked, ConflictError, Listed, Made, Moment, New, Page, Text, Told
from dashboards.door import Visit, holding
from dashboards.patients import enrolment
from dashboards.patients.enrolment import NotEnrolledError
from dashboards.patients.routes import known
from dashboards.permissions import Verb

router = edge.router("patients")
Looking = Annotated[Visit, holding(Verb.SEE_PATIENT)]
Enrolling = Annotated[Visit, holding(Verb.ENROL)]
ProgrammeId = Annotated[Text, Field(max_length=80, json_schema_extra={"enum": list(programmes())})]


class Stay(Told):
    """A stay in a programme."""

    id: UUID
    programme: str
    programme_version: str
    profiles: Annotated[list[str], Field(description="Alert profiles that it brings.")]
    enrolled_at: Moment
    ended_at: Annotated[Moment | None, Field(description="Null: it runs.")]
    end_reason: str


class Programme(Told):
    """A care programme."""

    id: str
    model: Annotated[str, Field(description="Its name.")]
    version: str
    refusal: Annotated[str | None, Field(description="Why nobody may be enrolled now.")]


class NewStay(Asked):
    """Which programme."""

    programme: ProgrammeId


class Ending(Asked):
    """Why it ends."""

    reason: Annotated[Text, Field(min_length=1, max_length=300)]


@router.get("/programmes", response_model=Page[Programme])
async def care_programmes(visit: Enrolling) -> Listed[Mapping[str, object]]:
    """Every care programme, and whether its critical alerts would reach somebody."""
    return Listed(
        items=[
            {
                "id": each.programme.id,
                "model": each.programme.model,
                "version": each.programme.version,
                "refusal": each.refusal,
            }
            for each in await enrolment.offers(visit)
        ]
    )


@router.get("/patients/{patient_id}/enrolments", response_model=Page[Stay])
async def enrolments(visit: Looking, patient_id: UUID) -> Listed[enrolment.Stay]:
    """Every stay of a patient, running ones first."""
    await known(visit.connection, patient_id)
    await visit.record("look", "enrolments", patient_id, patient_id=patient_id)
    return Listed(items=await enrolment.stays(visit, patient_id))


@router.post("/patients/{patient_id}/enrolments", status_code=201, response_model=Made)
async def enrol(visit: Enrolling, patient_id: UUID, asked: NewStay) -> New:
    """Enrol a patient, unless critical alerts would reach nobody."""
    who = await known(visit.connection, patient_id)
    try:
        return New(id=await enrolment.enrolled(visit, who, asked.programme))
    except NotEnrolledError as error:
        raise ConflictError(error.why.name, str(error)) from error


@router.post("/patients/{patient_id}/enrolments/{enrolment_id}/end", status_code=204)
async def end_enrolment(
    visit: Enrolling, patient_id: UUID, enrolment_id: UUID, asked: Ending
) -> Response:
    """End a stay."""
    await known(visit.connection, patient_id)
    await enrolment.ended(visit, patient_id, enrolment_id, asked.reason)
    return Response(status_code=204)
