"""`tidings gateways`: let a box in, shut it out, tell it what to do, keep the broker's accounts."""

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar
from uuid import UUID, uuid4

import typer
from psycopg import AsyncConnection
from rich.console import Console

from dashboards.fetch import Connection
from dashboards.gateways import broker as accounts
from dashboards.gateways import codes, orders, store
from dashboards.gateways.mosquitto import PLAIN
from dashboards.gateways.store import Device, Home, Ordered, Place
from devices import models, wire
from ingest.settings import Broker

app = typer.Typer(help="Boxes at home: codes, revocation, orders.", no_args_is_help=True)
console = Console(highlight=False, soft_wrap=True)
T = TypeVar("T")
ROTATE = "rotate_credential"
COMMANDS = ("pair", "forget", "set_clock", "report_now", ROTATE)

Dsn = Annotated[str, typer.Option(envvar="TIDINGS_WORKER_DSN", help="Database, as tidings_worker.")]
Gateway = Annotated[str, typer.Argument(help="The box's id.")]


@app.command()
def code(  # noqa: PLR0913 -- the command line's options
    *,
    dsn: Dsn,
    gateway: Annotated[str, typer.Option(help="The box's id: letters, digits, . _ -")],
    site: Annotated[str, typer.Option(help="Which home or ward: the same alphabet.")],
    organisation: Annotated[str, typer.Option(help="Its name; may be left out if alone.")] = "",
    label: Annotated[str, typer.Option(help="What staff call the box.")] = "",
    minutes: Annotated[int, typer.Option(min=1, max=1440, help="How long the code lasts.")] = 30,
    host: Annotated[
        str, typer.Option(envvar="TIDINGS_GATEWAY_BROKER_HOST", help="Broker, as the box sees it.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="TIDINGS_GATEWAY_BROKER_PORT")] = 8883,
    tls: Annotated[bool, typer.Option(envvar="TIDINGS_GATEWAY_BROKER_TLS")] = True,
    ca: Annotated[
        Path | None,
        typer.Option(envvar="TIDINGS_GATEWAY_BROKER_CA", help="The broker's authority, PEM."),
    ] = None,
) -> None:
    """Make the box known and print a one-time code for `tidings gateway enrol`."""
    for name in (gateway, site):
        if not PLAIN.fullmatch(name):
            _fail(f"{name!r} cannot be part of a topic: letters, digits, . _ - only")
    place = Place(host=host, port=port, tls=tls, ca=ca.read_text("utf-8") if ca else None)
    lasts = timedelta(minutes=minutes)

    async def offer(connection: Connection) -> str:
        whose = await store.organisation(connection, organisation)
        if whose is None:
            _fail(f"no organisation {organisation!r}" if organisation else "name the organisation")
        if not await store.register(connection, whose, gateway, site, label):
            _fail(f"{gateway} belongs to another organisation")
        now, home = _now(), await _home(connection, gateway)
        until = now + lasts
        return await store.offer(connection, home, place, by=_me(), now=now, expires_at=until)

    console.print(f"{_with(dsn, offer)}", style="bold")
    console.print(
        f"good once, for {minutes} minutes: tidings gateway enrol --server ... --code ..."
    )


@app.command()
def device(  # noqa: PLR0913 -- the command line's options
    *,
    dsn: Dsn,
    gateway: Gateway,
    identity: Annotated[str, typer.Argument(help="Serial number, System ID or address.")],
    model: Annotated[str, typer.Option(help="As `tidings device list` names it.")] = "",
    address: Annotated[str, typer.Option(help="Bluetooth address.")] = "",
    name: Annotated[str, typer.Option(help="As it advertises.")] = "",
    passkey: Annotated[str | None, typer.Option(help="Six digits.")] = None,
    consent_user: Annotated[int, typer.Option()] = 1,
    consent_code: Annotated[int | None, typer.Option()] = None,
    every_hours: Annotated[float | None, typer.Option(help="Silence is an event after.")] = None,
) -> None:
    """Give a home a device; the box learns of it when it is enrolled."""
    if model and model not in {one.key for one in models.known()}:
        _fail(f"{model} is no known model: see `tidings device list`")
    told = Device(
        identity=identity,
        model=model,
        address=address.upper(),
        name=name,
        passkey=passkey,
        consent_user=consent_user,
        consent_code=consent_code,
        expected_every_hours=every_hours,
    )

    async def install(connection: Connection) -> bool:
        home = await _home(connection, gateway)
        return await store.install(connection, home, told, [], by=_me(), now=_now())

    if not _with(dsn, install):
        _fail(f"{identity} belongs to another organisation")
    console.print(f"{identity} is at {gateway}")


@app.command()
def revoke(
    dsn: Dsn, gateway: Gateway, reason: Annotated[str, typer.Option(help="For the trail.")] = ""
) -> None:
    """Shut a box out: it can neither publish nor read until it is enrolled again."""

    async def shut(connection: Connection) -> bool:
        home = await _home(connection, gateway)
        return await store.revoke(connection, home, by=_me(), reason=reason, now=_now())

    console.print(f"{gateway} is revoked" if _with(dsn, shut) else f"{gateway} was revoked before")


@app.command()
def command(  # noqa: PLR0913 -- the command line's options
    *,
    dsn: Dsn,
    gateway: Gateway,
    what: Annotated[str, typer.Argument(help=", ".join(COMMANDS))],
    device: Annotated[str | None, typer.Option(help="Identity; for pair also a model.")] = None,
    passkey: Annotated[str | None, typer.Option()] = None,
    seconds: Annotated[int | None, typer.Option(help="How long pairing is open.")] = None,
    minutes: Annotated[int, typer.Option(min=1, help="The order ends unheard after.")] = 60,
    wait: Annotated[float, typer.Option(help="Seconds to wait for the answer.")] = 30.0,
    again: Annotated[UUID | None, typer.Option(help="Id of an order to repeat.")] = None,
    host: Annotated[str, typer.Option(envvar="TIDINGS_BROKER_HOST")] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="TIDINGS_BROKER_PORT")] = 1883,
    username: Annotated[str, typer.Option(envvar="TIDINGS_BROKER_USERNAME")] = "",
    password: Annotated[str, typer.Option(envvar="TIDINGS_BROKER_PASSWORD")] = "",
    ca: Annotated[str, typer.Option(envvar="TIDINGS_BROKER_CA")] = "",
) -> None:
    """Tell a box what to do and print its answer; repeated, an order is carried out once."""
    if what not in COMMANDS:
        _fail(f"{what} is none of {', '.join(COMMANDS)}")
    fresh = codes.password() if what == ROTATE and again is None else None
    order = wire.Command(
        v=wire.VERSION,
        id=again or uuid4(),
        command=what,  # type: ignore[arg-type]  # one of COMMANDS, checked above
        expires_at=_now() + timedelta(minutes=minutes),
        device=device,
        passkey=passkey,
        seconds=seconds,
        arguments={"password": fresh} if fresh else {},  # kept nowhere: repeated, it goes without
    )
    place = Broker(host=host, port=port, username=username, password=password, tls=bool(ca), ca=ca)
    home = _with(dsn, lambda connection: _order(connection, gateway, order, fresh))
    topic = f"tidings/v{wire.MAJOR}/{home.site}/{home.id}"
    try:
        result = orders.give(place, topic, order, now=_now(), wait_s=wait)
    except orders.UnreachableError as error:
        _fail(f"order {order.id} not given: {error}")
    _tell(dsn, gateway, order, result)


@app.command()
def broker(  # noqa: PLR0913 -- the command line's options
    *,
    dsn: Dsn,
    passwords: Annotated[Path, typer.Option(help="mosquitto's password_file.")],
    access: Annotated[Path, typer.Option(help="mosquitto's acl_file.")],
    pid_file: Annotated[Path | None, typer.Option(help="mosquitto's pid_file.")] = None,
    pid: Annotated[int | None, typer.Option(help="Or its process id.")] = None,
    server: Annotated[str, typer.Option(help="The user of ingest.")] = "ingest",
    watch: Annotated[bool, typer.Option("--watch", help="Go on until Ctrl-C.")] = False,
) -> None:
    """Write mosquitto's accounts from the database and make it look again."""

    def whom() -> int | None:
        return int(pid_file.read_text("ascii")) if pid_file else pid

    files = accounts.Files(passwords=passwords, access=access, server=server, pid=whom)

    async def keep() -> None:
        async with aclosing(accounts.follow(dsn, files)) as turns:
            async for changed in turns:
                console.print("accounts written" if changed else "accounts are up to date")

    if watch:
        asyncio.run(keep())
        return
    changed = _with(dsn, lambda connection: accounts.write(connection, files))
    console.print("accounts written" if changed else "accounts are up to date")


async def _order(
    connection: Connection, gateway: str, order: wire.Command, password: str | None
) -> Home:
    """Write the order down, unless it was given before."""
    home = await _home(connection, gateway)
    if home.revoked_at is not None:
        _fail(f"{gateway} is revoked")
    before = await store.ordered(connection, order.id)
    if before is not None and (before.gateway_id, before.command) != (gateway, order.command):
        _fail(f"{order.id} was another order")
    if before is None:
        told = Ordered(
            id=order.id,
            gateway_id=gateway,
            command=order.command,
            device_id=order.device,
            expires_at=order.expires_at,
            ok=None,
            reason=None,
        )
        await store.order(connection, home, told, by=_me(), now=_now())
        if password is not None:
            await store.hand_over(connection, told, password)
    return home


def _tell(dsn: str, gateway: str, order: wire.Command, result: wire.Result | None) -> None:
    """Write the answer down and print it."""
    if result is None:
        _fail(f"{gateway} has not answered yet; ask again with --again {order.id}")

    async def note(connection: Connection) -> None:
        await store.answered(connection, order.id, ok=result.ok, reason=result.reason, now=_now())

    _with(dsn, note)
    console.print(f"{gateway}: {'done' if result.ok else 'refused'}: {result.reason} ({order.id})")
    if not result.ok:
        raise typer.Exit(1)


async def _home(connection: Connection, gateway: str) -> Home:
    found = await store.home(connection, gateway)
    if found is None:
        _fail(f"there is no box {gateway}")
    return found


def _with(dsn: str, work: Callable[[Connection], Awaitable[T]]) -> T:
    """Do some work in one transaction."""

    async def do() -> T:
        async with await AsyncConnection.connect(dsn, prepare_threshold=None) as connection:
            return await work(connection)

    return asyncio.run(do())


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 -- the edge: nobody could pass it in


def _me() -> str:
    """Who sits at the command line, for the trail."""
    return f"operator:{getpass.getuser()}"


def _fail(text: str) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(1)
