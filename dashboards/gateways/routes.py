"""The door for boxes: a one-time code becomes an id, a credential and a configuration."""

from typing import Annotated

from fastapi import APIRouter, Body, Request
from starlette.responses import JSONResponse, Response

from dashboards.fetch import Connection
from dashboards.gateways import codes, store
from dashboards.gateways.codes import Code, Verdict
from dashboards.gateways.store import Home, Kept
from dashboards.problems import problem_details
from dashboards.wiring import wiring
from devices import models

router = APIRouter(tags=["gateways"])
HEARTBEAT_S = 60.0
STATUS = {Verdict.UNKNOWN: 403, Verdict.USED: 403, Verdict.EXPIRED: 410}
REFUSED = "Not enrolled"


@router.post("/gateways/enrol", include_in_schema=False)
async def enrol(
    request: Request, code: Annotated[str, Body(embed=True, max_length=100)]
) -> Response:
    """Take a code, once; answer with everything that the box needs to run."""
    wired = wiring(request)
    now = wired.settings.clock()
    caller = request.client.host if request.client else ""
    wait = wired.sign_in_throttle.wait(f"box {caller}", now).total_seconds()
    if wait > 0:
        return problem_details(429, REFUSED, f"Too many attempts. Wait {int(wait) + 1} s.")
    async with wired.pool.connection() as connection, connection.transaction():
        kept = await store.given(connection, code)
        verdict = codes.judge(_code(kept), now)
        home = await _home(connection, kept) if kept and verdict is Verdict.GOOD else None
        if kept is None or home is None:
            return problem_details(STATUS.get(verdict, 403), REFUSED, f"{verdict}.")
        password = await store.admit(connection, home, code, now)
        return JSONResponse(await _answer(connection, home, kept, password))


def _code(kept: Kept | None) -> Code | None:
    return Code(expires_at=kept.expires_at, used_at=kept.used_at) if kept else None


async def _home(connection: Connection, kept: Kept) -> Home | None:
    """Enter the organisation that the code belongs to; return its box."""
    await connection.execute(
        "select set_config('tidings.organisation', %s, true)", (str(kept.organisation_id),)
    )
    return await store.home(connection, kept.gateway_id)


async def _answer(
    connection: Connection, home: Home, kept: Kept, password: str
) -> dict[str, object]:
    """What `gateway/enrolment.py` reads."""
    return {
        "gateway": home.id,
        "site": home.site,
        "zone": home.time_zone,
        "heartbeat_s": HEARTBEAT_S,
        "broker": {**kept.broker, "username": home.id, "password": password},
        "devices": [_told(device) for device in await store.devices(connection, home.id)],
    }


def _told(device: store.Device) -> dict[str, object]:
    return {
        "identity": device.identity,
        "address": device.address,
        "model": device.model if device.model in {one.key for one in models.known()} else "",
        "name": device.name,
        "passkey": device.passkey,
        "consent_user": device.consent_user,
        "consent_code": device.consent_code,
        "expected_every_hours": device.expected_every_hours,
    }
