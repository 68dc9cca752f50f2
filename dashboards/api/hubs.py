"""One hub for programs: enrolment codes, revocation, orders, and whose devices stand there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import BackgroundTasks, Path, Request, Response
from pydantic import Field

from dashboards.api import edge
from dashboards.api.edge import Asked, Moment, Reason, Text, Told
from dashboards.api.fleet import Device
from dashboards.door import Visit, holding
from dashboards.fleet import hubs, keeping, ordering, routes
from dashboards.fleet.hubs import hub_of, orders_of
from dashboards.fleet.ordering import COMMANDS
from dashboards.gateways import store
from dashboards.permissions import Verb
from dashboards.wiring import wiring

router = edge.router("fleet")
Looking = Annotated[Visit, holding(Verb.SEE_FLEET)]
Keeping = Annotated[Visit, holding(Verb.KEEP_FLEET)]
PLAIN = "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
Plain = Annotated[str, Field(pattern=PLAIN, examples=["gw-elm-5"])]
GatewayId = Annotated[str, Path(pattern=PLAIN)]
DeviceId = Annotated[str, Path(pattern=edge.DEVICE)]
Word = Annotated[Text, Field(max_length=80)]


class Hub(Told):
    """A hub at somebody's home."""

    id: str
    label: str
    site: str
    state: Annotated[str, Field(description="online, offline, ...")]
    last_seen_at: Moment | None
    revoked_at: Moment | None
    enrolled_at: Moment
    status: Annotated[dict[str, object], Field(description="Its last heartbeat.")]
    credential_at: Annotated[Moment | None, Field(description="Null: it has no way in.")]
    code_until: Annotated[Moment | None, Field(description="A one-time code waits until then.")]


class Order(Told):
    """An order to a hub and what became of it."""

    id: UUID
    command: str
    device_id: str | None
    ordered_at: Moment
    expires_at: Moment
    answered_at: Moment | None
    ok: bool | None
    reason: str | None
    who: str


class WholeHub(Told):
    """A hub with its devices and its last orders."""

    hub: Hub
    devices: list[Device]
    orders: Annotated[list[Order], Field(description="Newest first.")]


class NewHub(Asked):
    """A hub that nobody has enrolled yet."""

    gateway: Plain
    site: Plain
    label: Word = ""


class OneTimeCode(Told):
    """What a hub is enrolled with: shown this once."""

    code: str
    expires_at: Moment


class Because(Asked):
    """Why."""

    reason: Reason


class NewOrder(Asked):
    """What a hub shall do."""

    command: Annotated[str, Field(json_schema_extra={"enum": list(COMMANDS)})]
    device: Annotated[Word | None, Field(description="For `forget` and `set_clock`.")] = None


class NewDevice(Asked):
    """A device for a hub."""

    identity: Annotated[Text, Field(min_length=1, max_length=80, description="Serial or address.")]
    model: Annotated[Word, Field(description="Of the known models; empty: not known.")] = ""
    address: Annotated[str, Field(pattern="^([0-9A-F]{2}(:[0-9A-F]{2}){5})?$")] = ""
    passkey: Annotated[str, Field(pattern="^([0-9]{6})?$")] = ""


class Owner(Asked):
    """Whose a device is from now on."""

    mrn: Annotated[Text, Field(max_length=40, description="Empty: nobody's.")] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Whole:
    hub: hubs.Hub
    devices: Sequence[routes.Device]
    orders: Sequence[hubs.Order]


@router.post("/gateways", status_code=201)
async def add_gateway(request: Request, visit: Keeping, asked: NewHub) -> OneTimeCode:
    """Make a hub known; the answer holds its one-time code."""
    with edge.refusing("NOT_ENROLLED"):
        await keeping.registered(visit, asked.gateway, asked.site, asked.label)
    return await _code(request, visit, asked.gateway)


@router.get("/gateways/{gateway_id}", response_model=WholeHub)
async def gateway(visit: Looking, gateway_id: GatewayId) -> _Whole:
    """One hub with its devices and its last orders."""
    found = await hub_of(visit, gateway_id)
    await visit.record("look", "gateway", gateway_id)
    devices = await routes.devices_at(visit, gateway_id)
    return _Whole(hub=found, devices=devices, orders=await orders_of(visit, gateway_id))


@router.post("/gateways/{gateway_id}/code", status_code=201)
async def offer_code(request: Request, visit: Keeping, gateway_id: GatewayId) -> OneTimeCode:
    """Make a fresh one-time code; an older one ends."""
    return await _code(request, visit, gateway_id)


@router.post("/gateways/{gateway_id}/revoke", status_code=204)
async def revoke_gateway(visit: Keeping, gateway_id: GatewayId, asked: Because) -> Response:
    """Shut a hub out until it is enrolled again."""
    with edge.refusing("NO_REASON"):
        await keeping.revoked(visit, gateway_id, asked.reason)
    return Response(status_code=204)


@router.post("/gateways/{gateway_id}/orders", status_code=202, response_model=edge.Made)
async def give_order(
    request: Request, later: BackgroundTasks, visit: Keeping, gateway_id: GatewayId, asked: NewOrder
) -> edge.New:
    """Give a hub an order; what became of it stands among its orders."""
    with edge.refusing("NOT_GIVEN"):
        given = await keeping.ordered(request, visit, gateway_id, asked.command, asked.device)
    later.add_task(ordering.give, wiring(request), given)
    return edge.New(id=given.command.id)


@router.post(
    "/gateways/{gateway_id}/orders/{order_id}/again", status_code=202, response_model=edge.Made
)
async def give_order_again(
    request: Request, later: BackgroundTasks, visit: Keeping, gateway_id: GatewayId, order_id: UUID
) -> edge.New:
    """Give an unanswered order again; it is carried out once."""
    with edge.refusing("NOT_GIVEN"):
        given = await keeping.repeated(request, visit, gateway_id, order_id)
    later.add_task(ordering.give, wiring(request), given)
    return edge.New(id=given.command.id)


@router.post("/gateways/{gateway_id}/devices", status_code=204)
async def add_device(visit: Keeping, gateway_id: GatewayId, asked: NewDevice) -> Response:
    """Give a hub a device."""
    told = store.Device(**asked.model_dump() | {"passkey": asked.passkey or None})
    with edge.refusing("NOT_ADDED"):
        await keeping.installed(visit, gateway_id, told)
    return Response(status_code=204)


@router.post("/devices/{device_id}/assign", status_code=204)
async def assign_device(visit: Keeping, device_id: DeviceId, asked: Owner) -> Response:
    """Say whose a device is from now on; the past stays as it was."""
    with edge.refusing("NO_SUCH_PATIENT"):
        await keeping.assigned(visit, device_id, asked.mrn)
    return Response(status_code=204)


async def _code(request: Request, visit: Visit, gateway_id: str) -> OneTimeCode:
    with edge.refusing("NO_BROKER"):
        code = await keeping.offered(request, visit, gateway_id)
    return OneTimeCode(code=code, expires_at=visit.now + keeping.CODE_LASTS)
