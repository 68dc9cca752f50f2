"""Giving a quarantined reading to a person, refusing it, moving one that went to the wrong person.

For people who have looked at it; the pages call these with a connection of the worker's role, in
the organisation of whoever is signed in. Everything downstream runs again for everybody concerned.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from database import sql
from devices.wire import VERSION, Readings, WireReading
from ingest import acceptance, parameters, store
from ingest.batch import Judged
from ingest.bounds import Bounds, shipped
from ingest.clock import stale
from ingest.decision import Accepted, Decision, Flagged, Quarantined, TimeQuality
from ingest.directory import Connection, Directory, person_of
from ingest.door import Address, Letter, ReadingsLetter
from ingest.people import Assignment, Device, Person


class ReleaseError(ValueError):
    """The reading cannot be released, rejected or moved; the text says why, for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class By:
    """Who does it, for which organisation, when, and why."""

    organisation_id: UUID
    staff_id: UUID
    now: datetime
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """A reading that is now in a chart."""

    reading_id: UUID
    patient_id: UUID
    measured_at: datetime
    flagged: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    """An open row of quarantine."""

    id: UUID
    gateway_id: str
    device_id: str
    topic: str
    payload: bytes
    received_at: datetime


async def release(
    connection: Connection,
    quarantine_id: UUID,
    patient_id: UUID,
    by: By,
    *,
    measured_at: datetime | None = None,
) -> Released:
    """Put a quarantined reading into a patient's chart and queue it for the alert rules.

    Every check but the owner's runs again; `measured_at` is a person's word where no clock could
    be believed. ReleaseError if the reading is still impossible, or gone, or nobody's here.
    """
    rules = shipped()
    parameters.register(connection)
    async with connection.transaction():
        waiting = await _waiting(connection, quarantine_id, by)
        reading = _reading(waiting, measured_at)
        person = await _patient(connection, patient_id, by, rules)
        decision = await _decide(connection, waiting, reading, person, rules)
        if isinstance(decision, Quarantined):
            raise ReleaseError(f"still not usable: {decision.reason} {decision.detail}".strip())
        if measured_at is not None:
            decision = msgspec.structs.replace(decision, time_quality=TimeQuality.UNKNOWN)
        await store.copy_readings(connection, [_judged(waiting, reading, decision)])
        if not stale(decision.measured_at, rules.time, now=by.now):
            await _queue_again(connection, reading.id, patient_id, patient_id, by)
        await _resolve(connection, quarantine_id, "released", by)
        await _audit(connection, "release", reading.id, patient_id, by)
    return Released(
        reading_id=reading.id,
        patient_id=patient_id,
        measured_at=decision.measured_at,
        flagged=tuple(getattr(decision, "reasons", ())),
    )


async def reject(connection: Connection, quarantine_id: UUID, by: By) -> None:
    """Close a quarantined reading or message for good; it stays on record."""
    async with connection.transaction():
        await _resolve(connection, quarantine_id, "rejected", by)
        await _audit(connection, "reject", quarantine_id, None, by)


async def move(
    connection: Connection, reading_id: UUID, owner: UUID, new_owner: UUID, by: By
) -> None:
    """Move a stored reading to the person it belongs to; both are judged again.

    Time and values stay as they are: nothing derived is computed anew for the new owner.
    """
    async with connection.transaction():
        await _patient(connection, new_owner, by, shipped())
        told: dict[str, object] = {
            "reading_id": reading_id,
            "owner": owner,
            "new_owner": new_owner,
            "organisation_id": by.organisation_id,
        }
        if await _run(connection, "move_reading", told) != 1:
            raise ReleaseError(f"reading {reading_id} is not this patient's")
        for patient_id in (owner, new_owner):
            await _queue_again(connection, reading_id, patient_id, new_owner, by)
            await _audit(connection, "move", reading_id, patient_id, by)


async def _waiting(connection: Connection, quarantine_id: UUID, by: By) -> _Waiting:
    cursor = await connection.execute(
        sql.load("ingest")["open_quarantine"],
        {"id": quarantine_id, "organisation_id": by.organisation_id},
    )
    row = await cursor.fetchone()
    if row is None:
        raise ReleaseError("not in quarantine, or somebody was faster")
    gateway_id, device_id, topic, payload, received_at = row
    if gateway_id is None or device_id is None:
        raise ReleaseError("a message that cannot be read has no reading to release")
    return _Waiting(
        id=quarantine_id,
        gateway_id=gateway_id,
        device_id=device_id,
        topic=topic,
        payload=payload,
        received_at=received_at,
    )


def _reading(waiting: _Waiting, measured_at: datetime | None) -> WireReading:
    """Return the reading as it came, with a person's word for the time if there is one."""
    try:
        reading = msgspec.json.decode(waiting.payload, type=WireReading)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ReleaseError("a message that cannot be read has no reading to release") from error
    if measured_at is None:
        return reading
    if measured_at.tzinfo is None or measured_at > waiting.received_at:
        raise ReleaseError("the time given is after the reading was received")
    return msgspec.structs.replace(
        reading, at=measured_at, device_time=None, offset_s=None, synced=True, live=True
    )


async def _patient(connection: Connection, patient_id: UUID, by: By, bounds: Bounds) -> Person:
    cursor = await connection.execute(
        sql.load("ingest")["patient"], {"id": patient_id, "organisation_id": by.organisation_id}
    )
    row = await cursor.fetchone()
    if row is None:
        raise ReleaseError("no such patient here")
    birth_date, time_zone = row
    return person_of(patient_id, birth_date, time_zone, bounds, by.now.date())


async def _decide(
    connection: Connection, waiting: _Waiting, reading: WireReading, person: Person, bounds: Bounds
) -> Decision:
    """Judge it as of when it was received: a person's delay does not make it late."""
    directory = Directory(bounds)
    gateways, devices = await directory.look_up(
        connection, [waiting.gateway_id], [waiting.device_id], now=waiting.received_at
    )
    gateway, device = gateways[waiting.gateway_id], devices[waiting.device_id]
    if gateway is None or device is None or device.organisation_id != gateway.organisation_id:
        raise ReleaseError(f"register device {waiting.device_id} first")
    keys = {(person.patient_id.int, reading.kind)}
    context = acceptance.Context(
        gateway=gateway,
        device=device,
        medians=await directory.medians(connection, keys, now=waiting.received_at),
        bounds=bounds,
        now=waiting.received_at,
    )
    return acceptance.decide_for(reading, person, _of(device, person), context)


def _of(device: Device, person: Person) -> Device:
    """The device in this person's hands: its unread clock kept this person's time."""
    held = Assignment(person=person, start=datetime.min)  # noqa: DTZ901 - only the zone is looked at
    return msgspec.structs.replace(device, assignments=(held,))


def _judged(waiting: _Waiting, reading: WireReading, decision: Accepted | Flagged) -> Judged:
    address = Address("", waiting.gateway_id, "readings")
    letter = Letter(waiting.topic, waiting.payload, waiting.received_at)
    message = Readings(
        v=VERSION, gateway=waiting.gateway_id, device=waiting.device_id, readings=[reading]
    )
    return Judged(ReadingsLetter(address, letter, message), 0, reading, decision)


async def _queue_again(
    connection: Connection, reading_id: UUID, patient_id: UUID, owner: UUID, by: By
) -> None:
    told: dict[str, object] = {
        "reading_id": reading_id,
        "patient_id": patient_id,
        "owner": owner,
        "now": by.now,
    }
    await _run(connection, "queue_again", told)


async def _resolve(connection: Connection, quarantine_id: UUID, state: str, by: By) -> None:
    told: dict[str, object] = {
        "id": quarantine_id,
        "organisation_id": by.organisation_id,
        "state": state,
        "staff_id": by.staff_id,
        "now": by.now,
        "note": by.note,
    }
    if await _run(connection, "resolve_quarantine", told) != 1:
        raise ReleaseError("not in quarantine, or somebody was faster")


async def _audit(
    connection: Connection, what: str, object_id: UUID, patient_id: UUID | None, by: By
) -> None:
    told: dict[str, object] = {
        "organisation_id": by.organisation_id,
        "now": by.now,
        "actor": f"staff:{by.staff_id}",
        "object_id": str(object_id),
        "patient_id": patient_id,
        "what": what,
        "note": by.note,
    }
    await _run(connection, "audit_reading", told)


async def _run(connection: Connection, name: str, told: dict[str, Any]) -> int:
    """Run a statement; return how many rows it touched."""
    cursor = await connection.execute(sql.load("ingest")[name], told)
    return cursor.rowcount
