"""Hand a message to the outside world: apprise for most channels, a signed webhook of our own."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import apprise
import httpx2

from alerts import delivery
from alerts.delivery import Address, Message

TIMEOUT_SECONDS = 20.0
CALL_SECONDS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """Whether the other side took it, and what it said."""

    ok: bool
    detail: str = ""


Sender = Callable[[Address, Message, datetime], Awaitable[Sent]]


async def send(address: Address, message: Message, now: datetime) -> Sent:
    """Send by whatever the address names; never raises, never says more than it must."""
    by = _webhook if address.channel == "webhook" else _apprise
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            return await by(address, message, now)
    except TimeoutError:
        return Sent(ok=False, detail="no answer in time")
    except Exception as error:  # noqa: BLE001  # a channel's trouble is an outcome, not ours
        return Sent(ok=False, detail=type(error).__name__)


async def call(url: str) -> Sent:
    """Give the dead-man signal: whoever listens there raises an alarm when it stops.

    Short, because the timers wait for it.
    """
    try:
        async with asyncio.timeout(CALL_SECONDS), httpx2.AsyncClient() as client:
            answer = await client.get(url)
    except (httpx2.HTTPError, TimeoutError) as error:
        return Sent(ok=False, detail=type(error).__name__)
    return Sent(ok=answer.is_success, detail=str(answer.status_code))


async def _webhook(address: Address, message: Message, now: datetime) -> Sent:
    body = delivery.webhook_body(message)
    headers = {
        "Content-Type": "application/json",
        "X-Tidings-Signature": delivery.signature(address.secret, body, now),
    }
    async with httpx2.AsyncClient(timeout=TIMEOUT_SECONDS) as client:
        answer = await client.post(address.address, content=body, headers=headers)
    return Sent(ok=answer.is_success, detail=str(answer.status_code))


async def _apprise(address: Address, message: Message, _: datetime) -> Sent:
    service = apprise.Apprise()
    if not service.add(address.address):
        return Sent(ok=False, detail="address not understood")
    taken = await service.async_notify(body=message.text, title=message.subject)
    return Sent(ok=bool(taken))
