"""From an advertisement to a session: connect, pair where that is allowed, and take the outcome."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from bleak import BleakClient
from bleak.exc import BleakError
from bleak_retry_connector import establish_connection

from devices.model import Pairing
from gateway.guest import Guest, Outcome, Report
from gateway.known import Facts
from gateway.peer import Peer
from gateway.scanner import Heard
from gateway.session import Session, Tools, is_about_bond, not_trusted

log = structlog.get_logger()

_ATTEMPTS = 2
"""Per advertisement: a device that cannot be reached must not keep others waiting."""
_DISCONNECT_WITHIN_S = 10.0
_DROPPED = "device disconnected"
"""bleak's words for a link that came up and broke before the services were known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """One device to visit now."""

    heard: Heard
    guest: Guest
    latest: Callable[[], Heard]
    """What the scanner heard last of it: BlueZ may have made a new object meanwhile."""


async def visit(invitation: Invitation, tools: Tools, connecting: asyncio.Lock) -> Report:
    """Connect (one at a time on an adapter), do what a visit consists of, and hang up."""
    gone = asyncio.Event()
    try:
        async with connecting:
            client = await _connect_as_it_likes(invitation, gone)
    except (BleakError, TimeoutError, OSError, EOFError) as error:
        return Report(outcome=_why_not(error), detail=str(error)[:200])
    session = Session(Peer(client, invitation.guest.model, gone), invitation.guest, tools, gone)
    try:
        report = await session.run()
    finally:
        await _hang_up(client)
        session.over()
    if report.identity is not None and _bonds(invitation) and not report.outcome.is_failure:
        tools.registry.learn(report.identity, Facts(bonded=True))
    return report


async def _connect_as_it_likes(invitation: Invitation, gone: asyncio.Event) -> BleakClient:
    """Connect with a bond if the model wants one; a device that refuses may do without."""
    model = invitation.guest.model
    if not _bonds(invitation):
        return await _connect(invitation, gone, pair=False)
    try:
        return await _connect(invitation, gone, pair=True)
    except BleakError as error:
        if model is None or model.pairing is not Pairing.JUST_WORKS or not is_about_bond(error):
            raise
        gone.clear()
        return await _connect(invitation, gone, pair=False)


async def _connect(invitation: Invitation, gone: asyncio.Event, *, pair: bool) -> BleakClient:
    def lost(_: BleakClient) -> None:
        gone.set()

    return await establish_connection(
        BleakClient,
        invitation.heard.device,
        invitation.guest.name or invitation.guest.address,
        disconnected_callback=lost,
        max_attempts=_ATTEMPTS,
        use_services_cache=False,
        ble_device_callback=lambda: invitation.latest().device,
        pair=pair,
    )


def _why_not(error: BaseException) -> Outcome:
    """What an attempt to connect that failed says of the device."""
    if not_trusted(error):
        return Outcome.NOT_TRUSTED
    return Outcome.DROPPED if _DROPPED in str(error) else Outcome.NOT_REACHED


def _bonds(invitation: Invitation) -> bool:
    """Whether to ask for a bond at once; a generic device asks for it itself if it wants one."""
    model = invitation.guest.model
    return model is not None and not model.is_generic and model.pairing is not Pairing.NONE


async def _hang_up(client: BleakClient) -> None:
    """Disconnect; a device, an adapter or a bus that is gone cannot make us wait for ever."""
    try:
        async with asyncio.timeout(_DISCONNECT_WITHIN_S):
            await client.disconnect()
    except (BleakError, TimeoutError, OSError, EOFError, AssertionError) as error:
        log.info("not_disconnected", error=str(error))
