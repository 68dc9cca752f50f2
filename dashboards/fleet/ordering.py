"""Orders to a hub from a page: written down first, then given, the answer kept when it comes."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

import structlog

from dashboards.door import MissingError, RefusedError, Visit
from dashboards.gateways import codes, orders, store
from dashboards.gateways.store import Home, Ordered
from dashboards.wiring import Wiring
from database.pool import as_organisation
from devices import wire
from ingest.settings import Broker

ROTATE = "rotate_credential"
COMMANDS = {
    "report_now": "Report now",
    "pair": "Pair a device",
    "forget": "Forget a device",
    "set_clock": "Set a device's clock",
    ROTATE: "Rotate the credential",
}
WITH_DEVICE = frozenset({"forget", "set_clock"})
LASTS = timedelta(hours=1)
WAIT_S = 30.0
log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """An order that is on record and shall now be given."""

    home: Home
    broker: Broker
    command: wire.Command
    organisation: UUID


async def write_down(
    visit: Visit, broker: Broker, home: Home, what: str, device: str | None
) -> Given:
    """Put an order on record; a new password travels in the order and is kept as a hash."""
    if what not in COMMANDS or (what in WITH_DEVICE and not device):
        raise RefusedError("Choose an order, and the device that it is about.")
    if home.revoked_at is not None:
        raise RefusedError("This hub is revoked: enroll it again first.")
    fresh = codes.password() if what == ROTATE else None
    told = Ordered(
        id=uuid4(),
        gateway_id=home.id,
        command=what,
        device_id=device,
        expires_at=visit.now + LASTS,
        ok=None,
        reason=None,
    )
    await store.order(visit.connection, home, told, by=f"staff:{visit.staff.id}", now=visit.now)
    if fresh:
        await store.hand_over(visit.connection, told, fresh)
    return to_give(visit, broker, home, told, fresh)


async def waiting(visit: Visit, home: Home, order_id: UUID) -> Ordered:
    """Return an order of this hub that may be given again: it is carried out once."""
    told = await store.ordered(visit.connection, order_id)
    if told is None or told.gateway_id != home.id:
        raise MissingError
    if told.ok is not None or told.command == ROTATE or told.expires_at <= visit.now:
        raise RefusedError("This order cannot be repeated. Give a new one.")
    return told


async def give(wired: Wiring, given: Given) -> None:
    """Give an order and keep its answer; without one it stays open until it expires."""
    topic = f"tidings/v{wire.MAJOR}/{given.home.site}/{given.home.id}"
    now = wired.settings.clock()
    try:
        result = await asyncio.to_thread(
            orders.give, given.broker, topic, given.command, now=now, wait_s=WAIT_S
        )
    except orders.UnreachableError as error:
        log.warning("order not given", order=str(given.command.id), reason=str(error))
        return
    if result is None:
        return
    async with as_organisation(wired.pool, given.organisation) as connection:
        await store.answered(
            connection,
            given.command.id,
            ok=result.ok,
            reason=result.reason,
            now=wired.settings.clock(),
        )


def to_give(
    visit: Visit, broker: Broker, home: Home, told: Ordered, fresh: str | None = None
) -> Given:
    """Return an order that is on record, ready to be given."""
    command = wire.Command(
        v=wire.VERSION,
        id=told.id,
        command=told.command,  # type: ignore[arg-type]  # one of COMMANDS, checked when written
        expires_at=told.expires_at,
        device=told.device_id,
        arguments={"password": fresh} if fresh else {},
    )
    return Given(
        home=home, broker=broker, command=command, organisation=visit.staff.organisation_id
    )
