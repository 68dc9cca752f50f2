"""What the papers page reads and keeps."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from dashboards.door import Visit
from dashboards.fetch import every, run
from database import sql

QUERIES = sql.load("dashboards.billing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """A consent on file."""

    id: UUID
    programme: str
    at: datetime
    method: str
    withdrawn_at: datetime | None
    text_version: str
    cost_share_told: bool
    one_practitioner_told: bool
    who: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order on file."""

    programme: str
    at: datetime
    ended_at: datetime | None
    ordering_npi: str
    icd10: list[str]
    goal: str
    who: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """A time of monitoring."""

    programme: str
    started_on: date
    education_on: date | None
    education_note: str
    who: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A visit on file."""

    kind: str
    on: date
    npi: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A device that the patient has or had, and what its label says."""

    id: str
    model: str
    serial: str | None
    make: str
    udi: str
    listing: str
    fda_listed: bool | None
    more_specific_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What the practice stated of a patient."""

    name: str
    value: bool | str
    on: date
    who: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Papers:
    """Everything on file for a patient that billing rests on."""

    consents: list[Consent]
    orders: list[Order]
    episodes: list[Episode]
    visits: list[Seen]
    devices: list[Device]
    statements: list[Stated]


async def papers(visit: Visit, patient_id: UUID) -> Papers:
    """Return what is on file."""
    told, at = {"patient": patient_id}, visit.connection
    return Papers(
        consents=await every(at, Consent, QUERIES["consents"], told),
        orders=await every(at, Order, QUERIES["orders"], told),
        episodes=await every(at, Episode, QUERIES["episodes"], told),
        visits=await every(at, Seen, QUERIES["visits"], told),
        devices=await every(at, Device, QUERIES["devices"], told),
        statements=await every(at, Stated, QUERIES["statements"], told),
    )


async def keep(visit: Visit, patient_id: UUID, kind: str, filled: Mapping[str, object]) -> bool:
    """Keep one paper; False when there was nothing that it belongs to."""
    told = {"patient": patient_id, "staff_id": visit.staff.id, "now": visit.now, **filled}
    return await run(visit.connection, QUERIES[f"keep_{kind}"], told) > 0
