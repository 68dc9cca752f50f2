"""A patient's stays in care programmes: who may begin one now, who is in which, who has left."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from alerts import oncall
from care.programme import Programme, programmes
from dashboards.door import MissingError, Visit
from dashboards.fetch import every, first, run
from dashboards.patients.store import QUERIES, Person

INHERIT = "inherit"
"""A programme that brings no alert profile of its own: those of the patient's others hold."""


class NotNow(StrEnum):
    """Why somebody is not enrolled; the value is what the person reads."""

    NO_PROGRAMME = "There is no such program."
    DIED = "The patient has died."
    ALREADY = "The patient is in that program already."
    NOBODY_ON_CALL = "Its critical alerts would reach nobody"


class NotEnrolledError(Exception):
    """Nobody was enrolled; the words may be shown."""

    def __init__(self, why: NotNow, words: str = "") -> None:
        super().__init__(f"{why}: {words}." if words else why)
        self.why = why


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """A stay in a programme, running or ended."""

    id: UUID
    programme: str
    programme_version: str
    profiles: list[str]
    enrolled_at: datetime
    ended_at: datetime | None
    end_reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A programme that ships, and why nobody may begin it now, if so."""

    programme: Programme
    refusal: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Id:
    id: UUID


async def stays(visit: Visit, patient_id: UUID) -> list[Stay]:
    """Return every stay of a patient, running ones first."""
    return await every(visit.connection, Stay, QUERIES["stays"], {"patient_id": patient_id})


async def offers(visit: Visit) -> list[Offer]:
    """Return every programme, and whether its alerts would reach somebody."""
    return [
        Offer(programme=each, refusal=await _nobody_on_call(visit, each))
        for each in sorted(programmes().values(), key=lambda each: each.model)
    ]


async def enrolled(visit: Visit, who: Person, programme_id: str) -> UUID:
    """Begin a stay; NotEnrolledError says why not."""
    programme = programmes().get(programme_id)
    if programme is None:
        raise NotEnrolledError(NotNow.NO_PROGRAMME)
    if who.deceased_on is not None:
        raise NotEnrolledError(NotNow.DIED)
    nobody = await _nobody_on_call(visit, programme)
    if nobody:
        raise NotEnrolledError(NotNow.NOBODY_ON_CALL, nobody)
    fields = {
        "patient_id": who.id,
        "programme": programme.id,
        "version": programme.version,
        "profiles": _profiles(programme),
        "now": visit.now,
    }
    made = await first(visit.connection, _Id, QUERIES["enrol"], fields)
    if made is None:
        raise NotEnrolledError(NotNow.ALREADY)
    told = {"what": "enrol", "programme": programme.id, "version": programme.version}
    await visit.record("change", "enrolment", made.id, patient_id=who.id, detail=told)
    return made.id


async def ended(visit: Visit, patient_id: UUID, enrolment_id: UUID, reason: str) -> None:
    """End a stay: its alert profiles judge nothing that is measured from now on."""
    fields = {"id": enrolment_id, "patient_id": patient_id, "reason": reason, "now": visit.now}
    if await run(visit.connection, QUERIES["end_stay"], fields) != 1:
        raise MissingError
    told = {"what": "end", "reason": reason}
    await visit.record("change", "enrolment", enrolment_id, patient_id=patient_id, detail=told)


async def _nobody_on_call(visit: Visit, programme: Programme) -> str | None:
    return await oncall.enrolment_refusal(
        visit.connection,
        visit.staff.organisation_id,
        programme.id,
        _profiles(programme),
        visit.now,
    )


def _profiles(programme: Programme) -> list[str]:
    return [each for each in programme.profiles if each != INHERIT]
