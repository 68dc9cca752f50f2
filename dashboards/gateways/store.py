"""Boxes in the database: codes, credentials, commands, devices; every change with its audit row."""

from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from dashboards import trail
from dashboards.fetch import Connection, every, first, run
from dashboards.gateways import codes
from dashboards.gateways.mosquitto import Account
from database import sql

QUERIES = sql.load("dashboards.gateways")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the broker is, as a box at home sees it."""

    host: str
    port: int
    tls: bool
    ca: str | None = None
    """The authority that signed the broker, as PEM text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A box and where it stands."""

    id: str
    organisation_id: UUID
    site: str
    time_zone: str
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """What a box is told of one of its devices."""

    identity: str
    model: str
    address: str = ""
    name: str = ""
    passkey: str | None = None
    consent_user: int = 1
    consent_code: int | None = None
    expected_every_hours: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A code with what it opens."""

    organisation_id: UUID
    gateway_id: str
    broker: dict[str, str | int | bool | None]
    expires_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """A command that was given before."""

    id: UUID
    gateway_id: str
    command: str
    device_id: str | None
    expires_at: datetime
    ok: bool | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Id:
    id: UUID


async def organisation(connection: Connection, name: str) -> UUID | None:
    """Return the organisation of that name; without a name, the only one there is."""
    found = await first(connection, _Id, QUERIES["only_organisation"], {"name": name})
    return found.id if found else None


async def register(
    connection: Connection, organisation_id: UUID, gateway: str, site: str, label: str = ""
) -> bool:
    """Make the box known; False if it is another organisation's."""
    fields = {"gateway": gateway, "organisation": organisation_id, "site": site, "label": label}
    return await run(connection, QUERIES["put_gateway"], fields) == 1


async def offer(  # noqa: PLR0913 -- whose, where, and the audit's by and now
    connection: Connection,
    home: Home,
    place: Place,
    *,
    by: str,
    now: datetime,
    expires_at: datetime,
) -> str:
    """Return a fresh one-time code for this box; older ones end."""
    code = codes.new()
    fields = {
        "hash": codes.digest(code),
        "organisation": home.organisation_id,
        "gateway": home.id,
        "broker": Jsonb({"host": place.host, "port": place.port, "tls": place.tls, "ca": place.ca}),
        "by": by,
        "now": now,
        "expires_at": expires_at,
    }
    await run(connection, QUERIES["withdraw_codes"], {"gateway": home.id, "now": now})
    await run(connection, QUERIES["put_code"], fields)
    await _note(connection, home, "offer_code", by=by, now=now)
    return code


async def given(connection: Connection, code: str) -> Kept | None:
    """Return the code that somebody gave, locked until the transaction ends."""
    return await first(connection, Kept, QUERIES["code"], {"hash": codes.digest(code)})


async def admit(connection: Connection, home: Home, code: str, now: datetime) -> str:
    """Use the code up; return the password that the box shall have from now on."""
    password = codes.password()
    await run(connection, QUERIES["use_code"], {"hash": codes.digest(code), "now": now})
    fields = {
        "gateway": home.id,
        "organisation": home.organisation_id,
        "hash": codes.hashed(password),
        "now": now,
    }
    await run(connection, QUERIES["put_credential"], fields)
    await run(connection, QUERIES["admit"], fields)
    await run(connection, QUERIES["tell"], fields)
    await _note(connection, home, "enrol", by=f"gateway:{home.id}", now=now)
    return password


async def revoke(
    connection: Connection, home: Home, *, by: str, reason: str, now: datetime
) -> bool:
    """Shut the box out; False if it was out already."""
    fields = {"gateway": home.id, "now": now}
    done = await run(connection, QUERIES["revoke"], fields) == 1
    await run(connection, QUERIES["withdraw_codes"], fields)
    await run(connection, QUERIES["drop_credential"], fields)
    await run(connection, QUERIES["tell"], fields)
    if done:
        await _note(connection, home, "revoke", by=by, now=now, reason=reason)
    return done


async def home(connection: Connection, gateway: str) -> Home | None:
    """Return a box and where it stands."""
    return await first(connection, Home, QUERIES["home"], {"gateway": gateway})


async def devices(connection: Connection, gateway: str) -> list[Device]:
    """Return the devices of this box's home."""
    return await every(connection, Device, QUERIES["devices"], {"gateway": gateway})


async def install(  # noqa: PLR0913 -- whose, what, and the audit's by and now
    connection: Connection,
    home: Home,
    device: Device,
    kinds: list[str],
    *,
    by: str,
    now: datetime,
) -> bool:
    """Give the home a device; False if it is another organisation's."""
    whose = {"organisation": home.organisation_id, "gateway": home.id, "kinds": kinds}
    fields = {**asdict(device), **whose}
    if await run(connection, QUERIES["put_device"], fields) == 0:
        return False
    await run(connection, QUERIES["put_setup"], fields)
    await _note(connection, home, "install_device", by=by, now=now, device=device.identity)
    return True


async def accounts(connection: Connection) -> list[Account]:
    """Return every box with the hash that lets it in, or without one."""
    return await every(connection, Account, QUERIES["accounts"], {})


async def ordered(connection: Connection, command_id: UUID) -> Ordered | None:
    """Return a command that was given before."""
    return await first(connection, Ordered, QUERIES["command"], {"id": command_id})


async def order(
    connection: Connection, home: Home, ordered: Ordered, *, by: str, now: datetime
) -> None:
    """Write down what a box is about to be told."""
    fields = {
        "id": ordered.id,
        "organisation": home.organisation_id,
        "gateway": home.id,
        "command": ordered.command,
        "device": ordered.device_id,
        "by": by,
        "now": now,
        "expires_at": ordered.expires_at,
    }
    await run(connection, QUERIES["put_command"], fields)
    told = {"command": ordered.command, "id": str(ordered.id)}
    await _note(connection, home, "command", by=by, now=now, **told)


async def hand_over(connection: Connection, ordered: Ordered, password: str) -> None:
    """Keep the password that this command carries until the box has it."""
    fields = {"gateway": ordered.gateway_id, "id": ordered.id, "hash": codes.hashed(password)}
    await run(connection, QUERIES["hand_over"], fields)


async def answered(
    connection: Connection, command_id: UUID, *, ok: bool, reason: str, now: datetime
) -> None:
    """Write down what a box answered, and what follows from it if it did what it was told."""
    fields = {"id": command_id, "ok": ok, "reason": reason, "now": now}
    await run(connection, QUERIES["answer"], fields)
    if not ok:
        return
    await run(connection, QUERIES["taken_away"], fields)
    if await run(connection, QUERIES["take_over"], fields):
        await run(connection, QUERIES["tell"], {"gateway": str(command_id)})


async def _note(
    connection: Connection, home: Home, action: str, *, by: str, now: datetime, **detail: str
) -> None:
    await trail.record(
        connection,
        organisation_id=home.organisation_id,
        actor=by,
        action=action,
        object_kind="gateway",
        object_id=home.id,
        now=now,
        detail=detail,
    )
