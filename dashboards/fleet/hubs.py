"""Hubs: enrolment codes shown once, revocation, orders, whose devices stand there."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from psycopg.errors import InsufficientPrivilege
from starlette.background import BackgroundTask
from starlette.responses import HTMLResponse, RedirectResponse, Response

from dashboards.door import MissingError, RefusedError, Visit, holding
from dashboards.fetch import every, first, run
from dashboards.fleet import ordering
from dashboards.fleet.routes import CAUSES, QUERIES, devices_at
from dashboards.gateways import store
from dashboards.gateways.mosquitto import PLAIN
from dashboards.gateways.store import Home, Place
from dashboards.permissions import Verb
from dashboards.settings import BoxDoor
from dashboards.shared import shell
from dashboards.wiring import wiring
from devices import models
from ingest.settings import Broker

router = APIRouter(prefix="/fleet", tags=["fleet"])
Looking = Annotated[Visit, holding(Verb.SEE_FLEET)]
Keeping = Annotated[Visit, holding(Verb.KEEP_FLEET)]
Word = Annotated[str, Form(max_length=80)]
CODE_LASTS = timedelta(minutes=30)
SEE_OTHER = 303


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """One hub as staff see it."""

    id: str
    label: str
    site: str
    state: str
    last_seen_at: datetime | None
    revoked_at: datetime | None
    enrolled_at: datetime
    status: dict[str, object]
    credential_at: datetime | None
    code_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order to a hub and what became of it."""

    id: UUID
    command: str
    device_id: str | None
    ordered_at: datetime
    expires_at: datetime
    answered_at: datetime | None
    ok: bool | None
    reason: str | None
    who: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Patient:
    patient_id: UUID


@router.get("/hubs/{gateway_id}", response_class=HTMLResponse)
async def hub(request: Request, visit: Looking, gateway_id: str) -> HTMLResponse:
    """One hub: devices, orders, what may be done."""
    await visit.record("look", "gateway", gateway_id)
    return await _page(request, visit, gateway_id)


@router.get("/hubs/{gateway_id}/orders", response_class=HTMLResponse)
async def answers(request: Request, visit: Looking, gateway_id: str) -> HTMLResponse:
    """The orders of a hub: the piece of the page that asks for itself while one waits."""
    found = await _hub(visit, gateway_id)
    return wiring(request).pages.html(
        request, "fleet/orders.html", await shell(visit, "fleet"), await _orders(visit, found)
    )


@router.post("/hubs", response_class=HTMLResponse)
async def enrol(
    request: Request, visit: Keeping, gateway: Word = "", site: Word = "", label: Word = ""
) -> HTMLResponse:
    """Make a hub known and show its one-time code, once."""
    if not (PLAIN.fullmatch(gateway) and PLAIN.fullmatch(site)):
        raise RefusedError("Id and site: letters, digits, dot, dash and underscore only.")
    try:
        async with visit.connection.transaction():
            known = await store.register(
                visit.connection, visit.staff.organisation_id, gateway, site, label
            )
    except InsufficientPrivilege:
        known = False
    if not known:
        raise RefusedError("That id is taken. Choose another.")
    return await _offer(request, visit, gateway)


@router.post("/hubs/{gateway_id}/code", response_class=HTMLResponse)
async def code(request: Request, visit: Keeping, gateway_id: str) -> HTMLResponse:
    """Show a fresh one-time code, once; an older one ends."""
    return await _offer(request, visit, gateway_id)


@router.post("/hubs/{gateway_id}/revoke", response_class=HTMLResponse)
async def revoke(
    visit: Keeping, gateway_id: str, reason: Annotated[str, Form(max_length=300)] = ""
) -> RedirectResponse:
    """Shut a hub out: it can neither publish nor read until it is enrolled again."""
    home = await _home(visit, gateway_id)
    if not reason.strip():
        raise RefusedError("Say why the hub is shut out.")
    await store.revoke(visit.connection, home, by=_me(visit), reason=reason.strip(), now=visit.now)
    return _to(gateway_id)


@router.post("/hubs/{gateway_id}/orders", response_class=HTMLResponse)
async def order(
    request: Request, visit: Keeping, gateway_id: str, command: Word = "", device: Word = ""
) -> Response:
    """Put an order on record; it is given as soon as that is safe in the database."""
    home = await _home(visit, gateway_id)
    given = await ordering.write_down(visit, _broker(request), home, command, device or None)
    answer = _to(gateway_id)
    answer.background = BackgroundTask(ordering.give, wiring(request), given)
    return answer


@router.post("/hubs/{gateway_id}/orders/{order_id}/again", response_class=HTMLResponse)
async def again(request: Request, visit: Keeping, gateway_id: str, order_id: UUID) -> Response:
    """Give an unanswered order again."""
    home = await _home(visit, gateway_id)
    given = await ordering.repeat(visit, _broker(request), home, order_id)
    answer = _to(gateway_id)
    answer.background = BackgroundTask(ordering.give, wiring(request), given)
    return answer


@router.post("/hubs/{gateway_id}/devices", response_class=HTMLResponse)
async def install(  # noqa: PLR0913, PLR0917 -- the fields of the form
    visit: Keeping,
    gateway_id: str,
    identity: Word = "",
    model: Word = "",
    address: Annotated[str, Form(max_length=20)] = "",
    passkey: Annotated[str, Form(max_length=6)] = "",
) -> RedirectResponse:
    """Give a hub a device; the hub learns of it when it is enrolled."""
    home = await _home(visit, gateway_id)
    if not identity or (model and model not in {one.key for one in models.known()}):
        raise RefusedError("Give the device's serial number or address, and a known model.")
    told = store.Device(
        identity=identity, model=model, address=address.upper(), passkey=passkey or None
    )
    try:
        async with visit.connection.transaction():
            done = await store.install(
                visit.connection, home, told, [], by=_me(visit), now=visit.now
            )
    except InsufficientPrivilege:
        done = False
    if not done:
        raise RefusedError("That device belongs elsewhere.")
    return _to(gateway_id)


@router.post("/devices/{device_id}/assign", response_class=HTMLResponse)
async def assign(
    visit: Keeping,
    device_id: str,
    mrn: Annotated[str, Form(max_length=40)] = "",
    back: Word = "",
) -> RedirectResponse:
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
    return _to(back) if PLAIN.fullmatch(back) else RedirectResponse("/fleet", SEE_OTHER)


async def _offer(request: Request, visit: Visit, gateway_id: str) -> HTMLResponse:
    home = await _home(visit, gateway_id)
    door = wiring(request).settings.boxes
    if door is None:
        raise RefusedError("TIDINGS_GATEWAY_BROKER_HOST is not set: use `tidings gateways code`.")
    fresh = await store.offer(
        visit.connection,
        home,
        _place(door),
        by=_me(visit),
        now=visit.now,
        expires_at=visit.now + CODE_LASTS,
    )
    return await _page(request, visit, gateway_id, code=fresh)


def _place(door: BoxDoor) -> Place:
    ca = Path(door.ca).read_text("utf-8") if door.ca else None
    return Place(host=door.host, port=door.port, tls=door.tls, ca=ca)


async def _page(request: Request, visit: Visit, gateway_id: str, code: str = "") -> HTMLResponse:
    found = await _hub(visit, gateway_id)
    settings = wiring(request).settings
    return wiring(request).pages.html(
        request,
        "fleet/hub.html",
        await shell(visit, "fleet"),
        await _orders(visit, found),
        devices=await devices_at(visit, gateway_id),
        causes=CAUSES,
        models=models.known(),
        with_device=ordering.WITH_DEVICE,
        can_order=settings.broker is not None,
        can_offer=settings.boxes is not None,
        code=code,
        code_minutes=CODE_LASTS // timedelta(minutes=1),
    )


async def _orders(visit: Visit, found: Hub) -> dict[str, object]:
    orders = await every(visit.connection, Order, QUERIES["orders"], {"gateway": found.id})
    waits = any(o.answered_at is None and o.expires_at > visit.now for o in orders)
    return {"hub": found, "orders": orders, "waits": waits, "commands": ordering.COMMANDS}


async def _hub(visit: Visit, gateway_id: str) -> Hub:
    fields = {"gateway": gateway_id, "now": visit.now}
    found = await first(visit.connection, Hub, QUERIES["hub"], fields)
    if found is None:
        raise MissingError
    return found


async def _home(visit: Visit, gateway_id: str) -> Home:
    found = await store.home(visit.connection, gateway_id)
    if found is None:
        raise MissingError
    return found


def _broker(request: Request) -> Broker:
    found = wiring(request).settings.broker
    if found is None:
        raise RefusedError("TIDINGS_BROKER_HOST is not set: use `tidings gateways command`.")
    return found


def _me(visit: Visit) -> str:
    return f"staff:{visit.staff.id}"


def _to(gateway_id: str) -> RedirectResponse:
    return RedirectResponse(f"/fleet/hubs/{gateway_id}", SEE_OTHER)
