"""Who is who: gateways, devices with their assignments, and what is usual for a patient.

Read set-wise per batch. Assignments are held for a second at most, less than any hand needs to pass
a device on; medians, which move slowly, for some minutes. Both caches are bounded.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from psycopg import AsyncConnection

from database import sql
from ingest import rows
from ingest.bounds import Bounds
from ingest.people import Assignment, Device, Gateway, Medians, OtherRate, Person

ASSIGNMENTS_HOLD = timedelta(seconds=1)
MEDIANS_HOLD = timedelta(minutes=10)
MEDIANS_KEPT = 50_000
"""About 15 MB."""
RATES_WITHIN = timedelta(minutes=5)
DAYS_PER_YEAR = 365.2425
Key = tuple[int, str]
"""Patient id as a number, which hashes in a fifth of the time, and kind."""
Connection = AsyncConnection[tuple[Any, ...]]


class Directory:
    """The look-ups of one worker, shared by its writers."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._gateways: dict[str, Gateway | None] = {}
        self._devices: dict[str, Device | None] = {}
        self._read_at: datetime | None = None
        self._medians: dict[Key, tuple[datetime, Medians | None]] = {}

    async def look_up(
        self,
        connection: Connection,
        gateways: Iterable[str],
        devices: Iterable[str],
        *,
        now: datetime,
    ) -> tuple[Mapping[str, Gateway | None], Mapping[str, Device | None]]:
        """Return what is known of these gateways and devices; None for the unknown."""
        if self._read_at is None or not now - ASSIGNMENTS_HOLD <= self._read_at <= now:
            self._gateways, self._devices, self._read_at = {}, {}, now
        known_gateways, known_devices = self._gateways, self._devices
        missing = [each for each in gateways if each not in known_gateways]
        if missing:
            # nothing is held as unknown before the answer: another writer looks in meanwhile,
            # and a database that goes away must not make a stranger of a gateway
            registered = await _gateways(connection, missing)
            known_gateways.update({**dict.fromkeys(missing), **registered})
        absent = [each for each in devices if each not in known_devices]
        if absent:
            found = await _devices(connection, absent, self._bounds, now.date())
            known_devices.update(dict.fromkeys(absent))
            known_devices.update(found)
        return known_gateways, known_devices

    async def medians(
        self, connection: Connection, keys: set[Key], *, now: datetime
    ) -> Mapping[Key, Medians | None]:
        """Return what is usual for these people; None where there is too little."""
        held = self._medians
        found = {}
        missing = []
        for key in keys:
            entry = held.get(key)
            if entry is not None and now - entry[0] <= MEDIANS_HOLD:
                found[key] = entry[1]
            else:
                missing.append(key)
        if missing:
            read = await _medians(connection, missing, now)
            if len(held) > MEDIANS_KEPT:
                held.clear()
            for key in missing:
                found[key] = usual = read.get(key)
                held[key] = (now, usual)
        return found

    async def other_rates(
        self, connection: Connection, people: Sequence[UUID], *, around: Sequence[datetime]
    ) -> Mapping[UUID, Sequence[OtherRate]]:
        """Return recent pulses of these people, by person."""
        if not people:
            return {}
        span = {
            "patients": list(people),
            "since": min(around) - RATES_WITHIN,
            "until": max(around) + RATES_WITHIN,
        }
        rows = await (await connection.execute(sql.load("ingest")["other_rates"], span)).fetchall()
        found: dict[UUID, list[OtherRate]] = defaultdict(list)
        for patient_id, device_id, at, rate in rows:
            found[patient_id].append(OtherRate(device_id=device_id, at=at, rate=rate))
        return found


def person_of(
    patient_id: UUID, born: date, zone: str | None, bounds: Bounds, today: date
) -> Person:
    """Return a patient as plausibility needs one."""
    band = bounds.band((today - born).days / DAYS_PER_YEAR)
    return Person(patient_id=patient_id, band=band, zone=_zone(zone))


async def _gateways(connection: Connection, ids: list[str]) -> dict[str, Gateway]:
    rows = await (await connection.execute(sql.load("ingest")["gateways"], (ids,))).fetchall()
    return {
        name: Gateway(id=name, organisation_id=organisation, revoked=revoked)
        for name, organisation, revoked in rows
    }


async def _devices(
    connection: Connection, ids: list[str], bounds: Bounds, today: date
) -> dict[str, Device]:
    rows = await (await connection.execute(sql.load("ingest")["devices"], (ids,))).fetchall()
    held: dict[str, list[Assignment]] = defaultdict(list)
    heads = {}
    for name, organisation, averaging, retired_at, slot, start, end, person, born, zone in rows:
        heads[name] = (organisation, averaging, retired_at)
        if person is not None:
            patient = person_of(person, born, zone, bounds, today)
            held[name].append(Assignment(person=patient, slot=slot, start=start, end=end))
    return {
        name: Device(
            id=name,
            organisation_id=organisation,
            averaging=averaging,
            retired_at=retired_at,
            assignments=tuple(held[name]),
        )
        for name, (organisation, averaging, retired_at) in heads.items()
    }


async def _medians(connection: Connection, keys: list[Key], now: datetime) -> dict[Key, Medians]:
    told = {
        "patients": rows.uuid_array([UUID(int=person) for person, _ in keys]),
        "kinds": rows.text_array([kind for _, kind in keys]),
        "now": now,
    }
    lines = await (await connection.execute(sql.load("ingest")["medians"], told)).fetchall()
    return {
        (person.int, kind): Medians(
            value=value,
            diastolic=diastolic,
            pulse=pulse,
            last_value=last_value,
            last_at=last_at,
        )
        for person, kind, value, diastolic, pulse, last_value, last_at in lines
    }


@lru_cache(maxsize=1024)
def _zone(name: str | None) -> ZoneInfo | None:
    """Return the zone; a name that is none is as good as no name."""
    try:
        return None if name is None else ZoneInfo(name)
    except (ValueError, OSError):
        return None
