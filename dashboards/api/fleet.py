"""Gateways and devices for programs."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from pydantic import Field

from dashboards.api import edge
from dashboards.api.edge import Listed, Moment, Page, Told
from dashboards.door import Visit, holding
from dashboards.fleet import routes as fleet
from dashboards.permissions import Verb

router = edge.router("fleet")
Looking = Annotated[Visit, holding(Verb.SEE_FLEET)]
Cause = Literal["hub_offline", "not_measuring", "battery", "never_seen", "unassigned", "fine"]


class Gateway(Told):
    """A hub at somebody's home."""

    id: str
    label: str
    site: str
    state: Annotated[str, Field(description="online, offline, ...")]
    last_seen_at: Moment | None
    revoked_at: Moment | None
    status: Annotated[dict[str, object], Field(description="Its last heartbeat.")]
    devices: int
    patients: int


class Device(Told):
    """A device, whose it is, and what is the matter with it."""

    id: str
    model: str
    kinds: list[str]
    serial: str | None
    firmware: str | None
    battery: Annotated[int | None, Field(description="Percent.")]
    last_seen_at: Moment | None
    gateway_id: str | None
    gateway_state: str | None
    patient_id: UUID | None
    cause: Annotated[str, Field(description="`hub_offline` is not the patient's doing.")]


@router.get("/gateways", response_model=Page[Gateway])
async def gateways(visit: Looking) -> Listed[fleet.Gateway]:
    """Every hub; offline ones first."""
    await visit.record("look", "fleet", "gateways")
    return Listed(items=await fleet.gateways_of(visit))


@router.get("/devices", response_model=Page[Device])
async def devices(
    visit: Looking, cause: Annotated[Cause | None, Query()] = None
) -> Listed[fleet.Device]:
    """Every device with what is the matter with it."""
    found = await fleet.devices_of(visit, cause or "")
    return Listed(items=[each for each in found if cause in {None, each.cause}])
