"""Time spent, for programs: entries, adding by hand, correcting one's own."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from dashboards.api import edge
from dashboards.api.edge import Asked, ConflictError, GivenMoment, Moment, Reason, Text, Told
from dashboards.door import Visit, holding
from dashboards.minutes import routes as minutes
from dashboards.minutes import store
from dashboards.minutes.month import month_start
from dashboards.minutes.routes import PROBLEMS, ByHand
from dashboards.patients.routes import known
from dashboards.permissions import Verb

router = edge.router("time")
Documenting = Annotated[Visit, holding(Verb.DOCUMENT)]
BACK = timedelta(days=62)


class Entry(Told):
    """An interval of one person's work for one patient."""

    id: UUID
    staff_id: UUID
    staff_name: str
    staff_role: str
    programme: str
    activity: str
    interactive: Annotated[bool, Field(description="Two-way audio, video or in person.")]
    mode: str | None
    with_whom: str | None
    started_at: Moment
    ended_at: Moment
    seconds: int
    note: str
    source: Annotated[str, Field(description="timer or manual.")]
    replaced_at: Annotated[Moment | None, Field(description="A correction took its place.")]
    replaces: UUID | None
    correction_reason: str | None


class Time(Told):
    """What is counted for a patient."""

    month_seconds: Annotated[int, Field(description="This month: the union over everybody.")]
    entries: Annotated[list[Entry], Field(description="Two months and more, newest first.")]


class NewEntry(Asked):
    """Time that no timer counted."""

    activity: Literal["review", "live_contact", "documentation", "care_plan", "coordination"]
    note: Annotated[Text, Field(min_length=1, max_length=2000)]
    started_at: Annotated[GivenMoment, Field(description="With its offset from UTC.")]
    minutes: Annotated[float, Field(strict=True, gt=0, le=480)]
    mode: Annotated[
        Literal["audio", "video", "in_person"] | None, Field(description="Of live contact.")
    ] = None


class Corrected(Asked):
    """What an entry should have been."""

    minutes: Annotated[float, Field(strict=True, ge=0, le=480, description="0 withdraws it.")]
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class _Time:
    month_seconds: int
    entries: list[store.Entry]


@router.get("/patients/{patient_id}/time", response_model=Time)
async def time(visit: Documenting, patient_id: UUID) -> _Time:
    """Everything counted for a patient."""
    await known(visit.connection, patient_id)
    await visit.record("look", "time", patient_id, patient_id=patient_id)
    return await _counted(visit, patient_id)


@router.post("/patients/{patient_id}/time", status_code=201, response_model=Time)
async def add_time(visit: Documenting, patient_id: UUID, asked: NewEntry) -> _Time:
    """Add time by hand."""
    form = ByHand(
        activity=asked.activity,
        note=asked.note,
        started=asked.started_at,
        minutes=asked.minutes,
        mode=asked.mode or "",
    )
    problem = await minutes.added(visit, patient_id, asked.started_at, form)
    return await _unless(problem, visit, patient_id)


@router.post("/patients/{patient_id}/time/{entry_id}/correct", response_model=Time)
async def correct_time(
    visit: Documenting, patient_id: UUID, entry_id: UUID, asked: Corrected
) -> _Time:
    """Shorten or withdraw one's own entry; the original stays, with the reason."""
    problem = await minutes.corrected(visit, patient_id, entry_id, asked.minutes, asked.reason)
    return await _unless(problem, visit, patient_id)


async def _unless(problem: str, visit: Visit, patient_id: UUID) -> _Time:
    if problem:
        raise ConflictError(problem.upper(), PROBLEMS[problem])
    return await _counted(visit, patient_id)


async def _counted(visit: Visit, patient_id: UUID) -> _Time:
    since = month_start(visit)
    return _Time(
        month_seconds=await store.month_seconds(visit, patient_id, since),
        entries=await store.entries(visit, patient_id, since - BACK),
    )
