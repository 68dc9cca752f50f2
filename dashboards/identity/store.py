"""Readings that nobody owns yet, stored ones about to be corrected, and whose they may be."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import msgspec

from dashboards import units
from dashboards.door import MissingError, Visit
from dashboards.faces import Named
from dashboards.fetch import Connection, every, first, run
from database import sql
from devices.wire import WireReading

QUERIES = sql.load("dashboards.identity")


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
class Candidate(Named):
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


async def kept(visit: Visit, quarantine_id: UUID) -> None:
    """Refuse a row that this organisation does not have."""
    if await first(visit.connection, _Id, QUERIES["kept"], {"id": quarantine_id}) is None:
        raise MissingError


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


async def strike(
    connection: Connection, visit: Visit, patient_id: UUID, reading_id: UUID, reason: str
) -> bool:
    """Mark an artefact and judge again what rested on it; False if it was one already."""
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
            return False
        await run(connection, QUERIES["judge_again"], fields)
        await run(connection, QUERIES["audit_artefact"], fields)
    return True
