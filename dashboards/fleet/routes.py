"""The fleet page: hubs, devices, and which of them needs a hand."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse

from dashboards.door import Visit, holding
from dashboards.fetch import every, first
from dashboards.permissions import Verb
from dashboards.shared import shell
from dashboards.wiring import wiring
from database import sql

router = APIRouter(tags=["fleet"])
Looking = Annotated[Visit, holding(Verb.SEE_FLEET)]
QUERIES = sql.load("dashboards.fleet")
QUIET = timedelta(days=2)
CAUSES = {
    "hub_offline": "Hub offline",
    "not_measuring": "Patient not measuring",
    "battery": "Low battery",
    "never_seen": "Never seen",
    "unassigned": "Not assigned",
    "fine": "Fine",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """A hub at somebody's home."""

    id: str
    label: str
    site: str
    state: str
    last_seen_at: datetime | None
    revoked_at: datetime | None
    status: dict[str, object]
    devices: int
    patients: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A device, whose it is, and what is the matter with it."""

    id: str
    model: str
    kinds: list[str]
    serial: str | None
    firmware: str | None
    battery: int | None
    last_seen_at: datetime | None
    gateway_id: str | None
    gateway_state: str | None
    patient_id: UUID | None
    family_name: str | None
    given_name: str | None
    mrn: str | None
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What lies in quarantine."""

    identity: int
    technical: int


@router.get("/fleet", response_class=HTMLResponse)
async def fleet(
    request: Request, visit: Looking, state: Annotated[str, Query(max_length=20)] = ""
) -> HTMLResponse:
    """Gateways and devices."""
    devices = await devices_of(visit, state)
    return wiring(request).pages.html(
        request,
        "fleet/page.html",
        await shell(visit, "fleet"),
        gateways=await gateways_of(visit),
        devices=[d for d in devices if state in {"", d.cause}],
        causes=CAUSES,
        tiles=Counter(device.cause for device in devices),
        state=state,
        waiting=await in_quarantine(visit),
    )


async def devices_of(visit: Visit, state: str) -> list[Device]:
    """Look at every device with what is the matter with it."""
    await visit.record("look", "fleet", state or "all")
    return await devices_at(visit, None)


async def devices_at(visit: Visit, gateway: str | None) -> list[Device]:
    """Return the devices of one hub, or all."""
    fields = {"quiet": visit.now - QUIET, "gateway": gateway}
    return await every(visit.connection, Device, QUERIES["devices"], fields)


async def gateways_of(visit: Visit) -> list[Gateway]:
    """Return every hub."""
    return await every(visit.connection, Gateway, QUERIES["gateways"], {})


async def in_quarantine(visit: Visit) -> Waiting | None:
    """Return how much lies in quarantine."""
    return await first(visit.connection, Waiting, QUERIES["quarantine"], {})
