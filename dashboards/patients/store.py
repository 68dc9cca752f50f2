"""What the patient record reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from alerts.applicability import Level, Override
from dashboards.faces import Named
from dashboards.fetch import Connection, every, first
from database import sql

QUERIES = sql.load("dashboards.patients")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person(Named):
    """A patient, as the banner needs them."""

    id: UUID
    mrn: str
    family_name: str
    given_name: str
    birth_date: date
    sex: str
    time_zone: str | None
    language: str
    phone: str
    site: str
    allergies: list[str]
    conditions: list[str]
    traits: list[str]
    care_team_id: UUID | None
    team_name: str | None
    deceased_on: date | None
    same_name: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """A stay in a care programme."""

    id: UUID
    programme: str
    programme_version: str
    profiles: list[str]
    enrolled_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One reading on a trend."""

    reading_id: UUID
    kind: str
    measured_at: datetime
    value: float
    diastolic: float | None
    pulse: float | None
    status: str
    flags: list[str]
    time_quality: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FullReading:
    """One reading with its whole provenance, down to the raw frame."""

    reading_id: UUID
    kind: str
    measured_at: datetime
    received_at: datetime
    value: float
    diastolic: float | None
    mean_arterial: float | None
    pulse: float | None
    original_value: float | None
    original_unit: str | None
    status: str
    flags: list[str]
    time_quality: str
    device_time: datetime | None
    gateway_time: datetime
    clock_offset_s: float | None
    live: bool
    device_id: str
    gateway_id: str
    sequence: int | None
    user_slot: int | None
    entry: str
    characteristic: str
    frame: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """A change of treatment."""

    at: datetime
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PastAlert:
    """An alert of this patient, open or closed."""

    id: UUID
    episode_id: UUID
    rule_id: str
    rule_version: str
    kind: str
    severity: int
    headline: str
    why: str
    computed: dict[str, object]
    raised_at: datetime
    last_breach_at: datetime
    breaches: int
    late: bool
    closed_at: datetime | None
    outcome: dict[str, object] | None
    closed_by_name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """A device at the patient's home, with its gateway."""

    id: str
    model: str
    kinds: list[str]
    serial: str | None
    firmware: str | None
    battery: int | None
    last_seen_at: datetime | None
    gateway_id: str | None
    user_slot: int | None
    assigned_from: datetime
    gateway_state: str | None
    gateway_seen_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found(Named):
    """One person in a search result."""

    id: UUID
    mrn: str
    family_name: str
    given_name: str
    birth_date: date
    sex: str
    language: str
    phone: str
    conditions: list[str]
    severity: int | None
    headline: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Id:
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class _Day:
    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class _Override:
    id: UUID
    level: str
    rule_id: str
    changes: dict[str, object]
    disabled: bool
    effective_from: datetime
    expires_at: datetime
    patient_id: UUID | None
    programme: str | None

    def signed(self) -> Override:
        """As the alert rules know it."""
        fields = {name: getattr(self, name) for name in self.__slots__ if name != "level"}
        return Override(level=Level[self.level.upper()], **fields)


async def person(connection: Connection, patient_id: UUID) -> Person | None:
    """Return a patient of this organisation."""
    return await first(connection, Person, QUERIES["person"], {"patient_id": patient_id})


async def enrolments(connection: Connection, patient_id: UUID) -> list[Enrolment]:
    """Return the programmes somebody is in."""
    return await every(connection, Enrolment, QUERIES["enrolments"], {"patient_id": patient_id})


async def points(
    connection: Connection,
    patient_id: UUID,
    *,
    since: datetime,
    until: datetime,
    kinds: Sequence[str] | None = None,
) -> list[Point]:
    """Return what was measured, oldest first."""
    wanted = list(kinds) if kinds is not None else None
    fields = {"patient_id": patient_id, "since": since, "until": until, "kinds": wanted}
    return await every(connection, Point, QUERIES["readings"], fields)


async def overrides(connection: Connection, patient_id: UUID, now: datetime) -> list[Override]:
    """Return the signed changes to rules that hold for somebody."""
    fields = {"patient_id": patient_id, "now": now}
    rows = await every(connection, _Override, QUERIES["overrides"], fields)
    return [row.signed() for row in rows]


async def treatments(connection: Connection, patient_id: UUID, since: datetime) -> list[Treatment]:
    """Return changes of treatment, oldest first."""
    fields = {"patient_id": patient_id, "since": since}
    return await every(connection, Treatment, QUERIES["treatments"], fields)


async def past_alerts(connection: Connection, patient_id: UUID, since: datetime) -> list[PastAlert]:
    """Return somebody's alerts, newest first."""
    fields = {"patient_id": patient_id, "since": since}
    return await every(connection, PastAlert, QUERIES["alerts"], fields)


async def open_episode(connection: Connection, patient_id: UUID) -> UUID | None:
    """Return the open clinical episode of somebody."""
    found = await first(connection, _Id, QUERIES["open_episode"], {"patient_id": patient_id})
    return found.id if found else None


async def days_with_readings(
    connection: Connection, patient_id: UUID, *, since: datetime, zone: str
) -> frozenset[date]:
    """Return the local days on which somebody measured."""
    fields = {"patient_id": patient_id, "since": since, "zone": zone}
    days = await every(connection, _Day, QUERIES["days_with_readings"], fields)
    return frozenset(found.day for found in days)


async def equipment(connection: Connection, patient_id: UUID, now: datetime) -> list[Equipment]:
    """Return the devices somebody has."""
    fields = {"patient_id": patient_id, "now": now}
    return await every(connection, Equipment, QUERIES["devices"], fields)


async def readings_page(
    connection: Connection,
    patient_id: UUID,
    *,
    kind: str | None,
    before: tuple[datetime, UUID] | None,
    most: int,
) -> list[FullReading]:
    """Return readings with provenance, newest first, after a cursor."""
    fields = {
        "patient_id": patient_id,
        "kind": kind,
        "before": before and before[0],
        "before_id": before and before[1],
        "most": most,
    }
    return await every(connection, FullReading, QUERIES["readings_page"], fields)


async def search(connection: Connection, wanted: str, most: int) -> list[Found]:
    """Return patients by name, record number, birth date or telephone."""
    fields = {"wanted": wanted, "most": most}
    return await every(connection, Found, QUERIES["search"], fields)


async def recent(connection: Connection, actor: str, most: int) -> list[Found]:
    """Return the patients somebody looked at last."""
    return await every(connection, Found, QUERIES["recent"], {"actor": actor, "most": most})
