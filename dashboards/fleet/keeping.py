"""What is done to hubs and devices, for pages and programs: checked, then written and audited."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from fastapi import Request
from psycopg.errors import InsufficientPrivilege

from dashboards.door import MissingError, RefusedError, Visit
from dashboards.fetch import first, run
from dashboards.fleet import ordering
from dashboards.fleet.ordering import Given
from dashboards.fleet.routes import QUERIES
from dashboards.gateways import store
from dashboards.gateways.mosquitto import PLAIN
from dashboards.gateways.store import Device, Home, Place
from dashboards.settings import BoxDoor
from dashboards.wiring import wiring
from devices import models
from ingest.settings import Broker

CODE_LASTS = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Patient:
    patient_id: UUID


async def registered(visit: Visit, gateway: str, site: str, label: str) -> None:
    """Make a hub known."""
    if not (PLAIN.fullmatch(gateway) and PLAIN.fullmatch(site)):
        raise RefusedError("Id and site: letters, digits, dot, dash and underscore only.")
    try:
        async with visit.connection.transaction():
            done = await store.register(
                visit.connection, visit.staff.organisation_id, gateway, site, label
            )
    except InsufficientPrivilege:
        done = False
    if not done:
        raise RefusedError("That id is taken. Choose another.")


async def offered(request: Request, visit: Visit, gateway_id: str) -> str:
    """Return a fresh one-time code of a hub; an older one ends."""
    home = await home_of(visit, gateway_id)
    door = wiring(request).settings.boxes
    if door is None:
        raise RefusedError("TIDINGS_GATEWAY_BROKER_HOST is not set: use `tidings gateways code`.")
    return await store.offer(
        visit.connection,
        home,
        _place(door),
        by=_me(visit),
        now=visit.now,
        expires_at=visit.now + CODE_LASTS,
    )


async def revoked(visit: Visit, gateway_id: str, reason: str) -> None:
    """Shut a hub out: it can neither publish nor read until it is enrolled again."""
    home = await home_of(visit, gateway_id)
    if not reason.strip():
        raise RefusedError("Say why the hub is shut out.")
    await store.revoke(visit.connection, home, by=_me(visit), reason=reason.strip(), now=visit.now)


async def ordered(
    request: Request, visit: Visit, gateway_id: str, command: str, device: str | None
) -> Given:
    """Put an order on record, to be given as soon as that is safe in the database."""
    home = await home_of(visit, gateway_id)
    return await ordering.write_down(visit, _broker(request), home, command, device)


async def repeated(request: Request, visit: Visit, gateway_id: str, order_id: UUID) -> Given:
    """Return an unanswered order, to be given again."""
    home = await home_of(visit, gateway_id)
    told = await ordering.waiting(visit, home, order_id)
    return ordering.to_give(visit, _broker(request), home, told)


async def installed(visit: Visit, gateway_id: str, device: Device) -> None:
    """Give a hub a device; the hub learns of it when it is enrolled."""
    home = await home_of(visit, gateway_id)
    known = {"", *(one.key for one in models.known())}
    if not device.identity or device.model not in known:
        raise RefusedError("Give the device's serial number or address, and a known model.")
    try:
        async with visit.connection.transaction():
            done = await store.install(
                visit.connection, home, device, [], by=_me(visit), now=visit.now
            )
    except InsufficientPrivilege:
        done = False
    if not done:
        raise RefusedError("That device belongs elsewhere.")


async def assigned(visit: Visit, device_id: str, mrn: str) -> None:
    """Say whose a device is from now on; with no MRN it is nobody's. The past stays as it was."""
    fields = {"device": device_id, "mrn": mrn.replace(" ", ""), "now": visit.now}
    if not await run(visit.connection, QUERIES["device_known"], fields):
        raise MissingError
    await run(visit.connection, QUERIES["unassign"], fields)
    whose = await first(visit.connection, _Patient, QUERIES["assign"], fields) if mrn else None
    if mrn and whose is None:
        raise RefusedError("No patient has that MRN.")
    patient = whose.patient_id if whose else None
    await visit.record("assign", "device", device_id, patient_id=patient)


async def home_of(visit: Visit, gateway_id: str) -> Home:
    """Return a hub and where it stands."""
    found = await store.home(visit.connection, gateway_id)
    if found is None:
        raise MissingError
    return found


def _place(door: BoxDoor) -> Place:
    ca = Path(door.ca).read_text("utf-8") if door.ca else None
    return Place(host=door.host, port=door.port, tls=door.tls, ca=ca)


def _broker(request: Request) -> Broker:
    found = wiring(request).settings.broker
    if found is None:
        raise RefusedError("TIDINGS_BROKER_HOST is not set: use `tidings gateways command`.")
    return found


def _me(visit: Visit) -> str:
    return f"staff:{visit.staff.id}"
