"""Patients for programs: finding them, their record, trends, readings and alerts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import Field, computed_field

from dashboards.api import edge
from dashboards.api.edge import Asked, Listed, Moment, Page, SeverityWord, Text, Told
from dashboards.door import MissingError, Visit, holding
from dashboards.patients import finding, record, store, tabs
from dashboards.patients.limits import Limits
from dashboards.patients.overview import Overview, overview
from dashboards.patients.routes import frame_of, known
from dashboards.permissions import Verb

router = edge.router("patients")
Looking = Annotated[Visit, holding(Verb.SEE_PATIENT)]


class FoundPatient(Told):
    """One person in a search result."""

    id: UUID
    mrn: str
    family_name: str
    given_name: str
    birth_date: date
    sex: str
    language: str
    conditions: list[str]
    severity: SeverityWord | None
    headline: str | None


class Search(Asked):
    """Names and numbers travel in the body, never in an address."""

    text: Annotated[
        Text,
        Field(min_length=2, max_length=80, description="Name, number, birth date or telephone."),
    ]


class Person(Told):
    """A patient."""

    id: UUID
    mrn: str
    family_name: str
    given_name: str
    birth_date: date
    sex: str
    time_zone: str | None
    language: str
    phone: str
    allergies: list[str]
    conditions: list[str]
    team_name: str | None
    deceased_on: date | None
    same_name: bool


class Enrolment(Told):
    """A stay in a care programme."""

    id: UUID
    programme: str
    programme_version: str
    profiles: Annotated[list[str], Field(description="Alert profiles in force.")]
    enrolled_at: Moment


class PastAlert(Told):
    """An alert, open or closed."""

    id: UUID
    episode_id: UUID
    rule_id: str
    rule_version: str
    kind: str
    severity: SeverityWord
    headline: str
    why: str
    raised_at: Moment
    last_breach_at: Moment
    breaches: int
    closed_at: Moment | None
    closed_by_name: str | None
    outcome: Annotated[dict[str, object] | None, Field(description="The closing form.")]


class Equipment(Told):
    """A device at the patient's home."""

    id: str
    model: str
    kinds: list[str]
    battery: Annotated[int | None, Field(description="Percent.")]
    last_seen_at: Moment | None
    gateway_id: str | None
    gateway_state: str | None


class DeviceDays(Told):
    """This month's days with a reading."""

    counted: int


class PatientRecord(Told):
    """The record's overview."""

    person: Person
    enrolments: list[Enrolment]
    episode_id: Annotated[UUID | None, Field(description="The open episode.")]
    open_alerts: list[PastAlert]
    closed_alerts: Annotated[list[PastAlert], Field(description="The last six.")]
    month: DeviceDays
    month_seconds: Annotated[int, Field(description="Time counted this month, in seconds.")]
    background: list[str]
    quality: str
    equipment: list[Equipment]


class Point(Told):
    """One reading on a trend, in the series' unit."""

    reading_id: UUID
    measured_at: Moment
    value: float
    diastolic: Annotated[float | None, Field(description="mm[Hg].")]
    status: str
    flags: list[str]
    time_quality: str


class Bounds(Told):
    """What the patient's own rules say, in the series' unit; null where no rule says anything."""

    alert_low: float | None
    goal_low: float | None
    goal_high: float | None
    alert_high: float | None


class Series(Told):
    """One kind of reading over some days."""

    kind: str
    unit: Annotated[str, Field(description="UCUM.")]
    limits: Bounds
    words: Annotated[str, Field(description="The chart in a sentence, in the clinic's units.")]
    points: Annotated[list[Point], Field(description="Oldest first.")]


class FullReading(Told):
    """One reading with its provenance, down to the raw frame."""

    reading_id: UUID
    kind: str
    measured_at: Moment
    received_at: Moment
    value: Annotated[float, Field(description="In `unit`; blood pressure: systolic.")]
    diastolic: Annotated[float | None, Field(description="mm[Hg].")]
    mean_arterial: Annotated[float | None, Field(description="mm[Hg].")]
    pulse: Annotated[float | None, Field(description="/min.")]
    original_value: Annotated[float | None, Field(description="In `original_unit`.")]
    original_unit: Annotated[str | None, Field(description="UCUM: the device's own.")]
    status: str
    flags: list[str]
    time_quality: str
    device_time: Moment | None
    gateway_time: Moment
    clock_offset_s: Annotated[float | None, Field(description="Seconds.")]
    live: bool
    device_id: str
    gateway_id: str
    sequence: int | None
    user_slot: int | None
    entry: str
    characteristic: Annotated[str, Field(description="GATT, 16 bit.")]
    frame_hex: Annotated[str, Field(description="The device's bytes.", validation_alias="frame")]

    @computed_field(description="UCUM: of `value`.")  # type: ignore[prop-decorator]  # pydantic's own form
    @property
    def unit(self) -> str:
        """The stored unit."""
        return edge.unit(self.kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Series:
    kind: str
    unit: str
    limits: Limits
    words: str
    points: list[store.Point]


@router.get("/patients", response_model=Page[FoundPatient])
async def recent_patients(visit: Looking) -> Listed[store.Found]:
    """The patients one looked at last."""
    found = await store.recent(visit.connection, f"staff:{visit.staff.id}", 20)
    return Listed(items=found)


@router.post("/patient-search", response_model=Page[FoundPatient])
async def search_patients(visit: Looking, asked: Search) -> Listed[store.Found]:
    """Patients by name, record number, birth date or telephone; fifty at most."""
    return Listed(items=await finding.looked_up(visit, " ".join(asked.text.split())))


@router.get("/patients/{patient_id}", response_model=PatientRecord)
async def patient(visit: Looking, patient_id: UUID) -> Overview:
    """The record's overview: a look, on record."""
    who = await known(visit.connection, patient_id)
    await visit.record("look", "patient", patient_id, patient_id=patient_id)
    return await overview(visit, who, await frame_of(visit, who, record.DEFAULT_DAYS))


@router.get("/patients/{patient_id}/trend", response_model=Page[Series])
async def trend(
    visit: Looking,
    patient_id: UUID,
    days: Annotated[int, Query(ge=1, le=366, description="How many days back.")] = 30,
) -> Listed[_Series]:
    """What was measured, one series a kind, with the patient's own limits."""
    who = await known(visit.connection, patient_id)
    told = {"days": days}
    await visit.record("look", "trend", patient_id, patient_id=patient_id, detail=told)
    stays = await store.enrolments(visit.connection, patient_id)
    frame = await frame_of(visit, who, days)
    past = await store.past_alerts(visit.connection, who.id, frame.since)
    trends = await record.trends(visit.connection, who, stays, frame, alerts=past)
    return Listed(items=_series(trends))


@router.get("/patients/{patient_id}/readings", response_model=Page[FullReading])
async def readings(
    visit: Looking,
    patient_id: UUID,
    kind: Annotated[Text, Query(max_length=40, description="One kind; empty: all.")] = "",
    after: Annotated[Text, Query(max_length=90, description="`next` of the page before.")] = "",
) -> Listed[Mapping[str, object]]:
    """Every reading, newest first, down to the raw frame."""
    await known(visit.connection, patient_id)
    if after and tabs.cursor(after) is None:
        raise MissingError
    found, following = await tabs.page_of_readings(visit, patient_id, kind, after)
    return Listed(items=[_with_hex(each) for each in found], next=following)


@router.get("/patients/{patient_id}/alerts", response_model=Page[PastAlert])
async def patient_alerts(visit: Looking, patient_id: UUID) -> Listed[store.PastAlert]:
    """Every alert of a year with what came of it, newest first."""
    await known(visit.connection, patient_id)
    return Listed(items=await tabs.alerts_of(visit, patient_id))


def _series(found: record.Trends) -> list[_Series]:
    return [
        _Series(
            kind=item.chart.kind,
            unit=edge.unit(item.chart.kind),
            limits=found.limits[item.chart.kind],
            words=item.words,
            points=item.points,
        )
        for item in found.charts
    ]


def _with_hex(reading: store.FullReading) -> Mapping[str, object]:
    """Return a reading with its frame as text."""
    fields = {name: getattr(reading, name) for name in reading.__slots__}
    return fields | {"frame": reading.frame.hex()}
