"""Hubs: enrolment codes shown once, revocation, orders, whose devices stand there."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.background import BackgroundTask
from starlette.responses import HTMLResponse, RedirectResponse, Response

from dashboards.door import MissingError, Visit, holding
from dashboards.fetch import every, first
from dashboards.fleet import keeping, ordering
from dashboards.fleet.routes import CAUSES, QUERIES, devices_at
from dashboards.gateways.mosquitto import PLAIN
from dashboards.gateways.store import Device
from dashboards.permissions import Verb
from dashboards.shared import shell
from dashboards.wiring import wiring
from devices import models

router = APIRouter(prefix="/fleet", tags=["fleet"])
Looking = Annotated[Visit, holding(Verb.SEE_FLEET)]
Keeping = Annotated[Visit, holding(Verb.KEEP_FLEET)]
Word = Annotated[str, Form(max_length=80)]
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


@router.get("/hubs/{gateway_id}", response_class=HTMLResponse)
async def hub(request: Request, visit: Looking, gateway_id: str) -> HTMLResponse:
    """One hub: devices, orders, what may be done."""
    await visit.record("look", "gateway", gateway_id)
    return await _page(request, visit, gateway_id)


@router.get("/hubs/{gateway_id}/orders", response_class=HTMLResponse)
async def answers(request: Request, visit: Looking, gateway_id: str) -> HTMLResponse:
    """The orders of a hub: the piece of the page that asks for itself while one waits."""
    found = await hub_of(visit, gateway_id)
    return wiring(request).pages.html(
        request, "fleet/orders.html", await shell(visit, "fleet"), await _orders(visit, found)
    )


@router.post("/hubs", response_class=HTMLResponse)
async def enrol(
    request: Request, visit: Keeping, gateway: Word = "", site: Word = "", label: Word = ""
) -> HTMLResponse:
    """Make a hub known and show its one-time code, once."""
    await keeping.registered(visit, gateway, site, label)
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
    await keeping.revoked(visit, gateway_id, reason)
    return _to(gateway_id)


@router.post("/hubs/{gateway_id}/orders", response_class=HTMLResponse)
async def order(
    request: Request, visit: Keeping, gateway_id: str, command: Word = "", device: Word = ""
) -> Response:
    """Put an order on record; it is given as soon as that is safe in the database."""
    given = await keeping.ordered(request, visit, gateway_id, command, device or None)
    answer = _to(gateway_id)
    answer.background = BackgroundTask(ordering.give, wiring(request), given)
    return answer


@router.post("/hubs/{gateway_id}/orders/{order_id}/again", response_class=HTMLResponse)
async def again(request: Request, visit: Keeping, gateway_id: str, order_id: UUID) -> Response:
    """Give an unanswered order again."""
    given = await keeping.repeated(request, visit, gateway_id, order_id)
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
    told = Device(identity=identity, model=model, address=address.upper(), passkey=passkey or None)
    await keeping.installed(visit, gateway_id, told)
    return _to(gateway_id)


@router.post("/devices/{device_id}/assign", response_class=HTMLResponse)
async def assign(
    visit: Keeping,
    device_id: str,
    mrn: Annotated[str, Form(max_length=40)] = "",
    back: Word = "",
) -> RedirectResponse:
    """Say whose a device is from now on; with no MRN it is nobody's. The past stays as it was."""
    await keeping.assigned(visit, device_id, mrn)
    return _to(back) if PLAIN.fullmatch(back) else RedirectResponse("/fleet", SEE_OTHER)


async def _offer(request: Request, visit: Visit, gateway_id: str) -> HTMLResponse:
    fresh = await keeping.offered(request, visit, gateway_id)
    return await _page(request, visit, gateway_id, code=fresh)


async def _page(request: Request, visit: Visit, gateway_id: str, code: str = "") -> HTMLResponse:
    found = await hub_of(visit, gateway_id)
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
        code_minutes=keeping.CODE_LASTS // timedelta(minutes=1),
    )


async def _orders(visit: Visit, found: Hub) -> dict[str, object]:
    orders = await orders_of(visit, found.id)
    waits = any(o.answered_at is None and o.expires_at > visit.now for o in orders)
    return {"hub": found, "orders": orders, "waits": waits, "commands": ordering.COMMANDS}


async def orders_of(visit: Visit, gateway_id: str) -> list[Order]:
    """Return a hub's last orders, newest first."""
    return await every(visit.connection, Order, QUERIES["orders"], {"gateway": gateway_id})


async def hub_of(visit: Visit, gateway_id: str) -> Hub:
    """Return one hub."""
    fields = {"gateway": gateway_id, "now": visit.now}
    found = await first(visit.connection, Hub, QUERIES["hub"], fields)
    if found is None:
        raise MissingError
    return found


def _to(gateway_id: str) -> RedirectResponse:
    return RedirectResponse(f"/fleet/hubs/{gateway_id}", SEE_OTHER)
