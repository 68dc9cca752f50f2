"""Starts a whole clinic on this machine, in order, and keeps it running; everything on loopback."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from time import monotonic, sleep

import httpx2

from database.migrate import migrate
from database.pool import connect
from deploy.demo import clinic, duty, homes
from deploy.demo.homes import LiveDevice
from deploy.demo.place import Place
from deploy.demo.processes import Child, Family, ProcessError, Program, family
from deploy.demo.seed import SEED, address, seed
from deploy.embedded.broker import EmbeddedBroker, free_port
from deploy.embedded.postgres import EmbeddedPostgres

Say = Callable[[str], None]
START_S = 60.0
TURN_S = 0.2


class NoRadioError(RuntimeError):
    """This machine cannot run the virtual radio; the message offers the way without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What whoever starts the demo may choose."""

    place: Place
    port: int = 0
    radio: bool = True
    every_s: float = 12.0
    """Seconds between the measurements of one device."""
    sockets: Path
    """A directory whose path is short enough for unix sockets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clinic:
    """A running demo."""

    place: Place
    dsn: str
    """As the database's owner."""
    url: str
    password: str
    ready_at: datetime
    devices: list[LiveDevice]
    postgres: EmbeddedPostgres
    broker: EmbeddedBroker
    processes: Family


@contextmanager
def running(wishes: Wishes, say: Say) -> Iterator[Clinic]:
    """Start everything, yield when a browser can sign in, and end everything afterwards."""
    _can_run(wishes)
    place = wishes.place
    place.make()
    with (
        EmbeddedPostgres(place.database) as postgres,
        EmbeddedBroker(place.broker) as broker,
        family(place.logs) as processes,
    ):
        say(f"PostgreSQL and the broker ({broker.kind.value}) run on loopback")
        applied = migrate(postgres.dsn())
        say(f"Schema: {len(applied)} migrations applied" if applied else "Schema is up to date")
        pager = free_port()
        loaded = _seed(postgres.dsn(), place.password(), f"http://127.0.0.1:{pager}")
        say(f"Clinic: {loaded:,} readings loaded" if loaded else "Clinic: kept from last time")
        processes.start(Program(name="pager", module="deploy.demo.pager", arguments=[str(pager)]))
        url = _start_servers(wishes, postgres, broker, processes)
        say("Web application, ingest and alert worker run")
        devices = homes.live_devices(clinic.residents(seed=SEED, today=date.today()))  # noqa: DTZ011 - only ages hang on it
        _start_homes(wishes, broker, processes, devices)
        say(f"{len(homes.LIVING_AT)} homes with {len(devices)} devices measure")
        yield Clinic(
            place=place,
            dsn=postgres.dsn(),
            url=url,
            password=place.password(),
            ready_at=datetime.now(UTC),
            devices=devices,
            postgres=postgres,
            broker=broker,
            processes=processes,
        )


def keep(clinic_: Clinic, say: Say) -> None:
    """Start again whatever falls, until interrupted."""
    for name, server in (("PostgreSQL", clinic_.postgres), ("the broker", clinic_.broker)):
        if not server.alive():
            say(f"{name} fell; starting it again")
            server.restart()
    for name in clinic_.processes.watch():
        say(f"{name} fell; starting it again (its log is in {clinic_.place.logs})")


def _can_run(wishes: Wishes) -> None:
    if wishes.radio and shutil.which("dbus-daemon") is None:
        raise NoRadioError(
            "The virtual radio needs dbus-daemon (Debian/Ubuntu: apt-get install dbus-daemon; "
            "not on macOS). Without it, recorded frames can take its place: --no-radio"
        )


def _seed(dsn: str, password: str, pager: str) -> int:
    with connect(dsn) as connection:
        loaded = seed(connection, now=datetime.now(UTC), password=password)
        duty.arrange(connection, pager=pager)
    return loaded


def _start_servers(
    wishes: Wishes, postgres: EmbeddedPostgres, broker: EmbeddedBroker, processes: Family
) -> str:
    port = wishes.port or free_port()
    worker = postgres.dsn(user="tidings_worker")
    to_broker = {"TIDINGS_BROKER_HOST": broker.host, "TIDINGS_BROKER_PORT": str(broker.port)}
    programs = (
        Program(
            name="web",
            module="dashboards",
            environment={
                "TIDINGS_WEB_DSN": postgres.dsn(user="tidings_web"),
                "TIDINGS_WORKER_DSN": worker,
                "TIDINGS_WEB_PORT": str(port),
                "TIDINGS_GATEWAY_BROKER_HOST": broker.host,
                "TIDINGS_GATEWAY_BROKER_PORT": str(broker.port),
                "TIDINGS_GATEWAY_BROKER_TLS": "0",
                **to_broker,
                "TIDINGS_DEMO_SIGN_INS": f"{address('maya')};{address('ada')}",
            },
        ),
        Program(
            name="ingest",
            module="ingest",
            environment={
                "TIDINGS_INGEST_DSN": worker,
                "TIDINGS_INGEST_METRICS_PORT": str(free_port()),
                **to_broker,
            },
        ),
        Program(
            name="alerts",
            module="alerts",
            environment={
                "TIDINGS_ALERTS_DSN": worker,
                "TIDINGS_ALERTS_METRICS_PORT": str(free_port()),
                "TIDINGS_ALERTS_LINK": f"http://127.0.0.1:{port}",
            },
        ),
    )
    neighbours = Program(name="neighbours", module="deploy.demo.neighbours", environment=to_broker)
    upkeep = Program(
        name="maintenance",
        module="deploy.maintain",
        arguments=["--every=600"],
        environment={"TIDINGS_ALERTS_DSN": worker},
    )
    children = [processes.start(program) for program in (*programs, neighbours, upkeep)]
    url = f"http://127.0.0.1:{port}"
    _wait(lambda: _answers(f"{url}/healthz"), children, "the web application")
    return url


def _start_homes(
    wishes: Wishes, broker: EmbeddedBroker, processes: Family, devices: list[LiveDevice]
) -> None:
    buses = _radio(wishes, processes, devices) if wishes.radio else {}
    for gateway in homes.LIVING_AT:
        folder = wishes.place.homes / gateway
        folder.mkdir(exist_ok=True)
        processes.start(
            Program(
                name=gateway,
                module="gateway",
                environment={
                    "TIDINGS_SITE": clinic.SITE,
                    "TIDINGS_GATEWAY": gateway,
                    "TIDINGS_OUTBOX": str(folder / "outbox.db"),
                    "TIDINGS_HEARTBEAT_S": "15",
                    "TIDINGS_ZONE": clinic.TIME_ZONE,
                    "TIDINGS_CLOCK": "trusted",
                    "TIDINGS_BROKER_HOST": broker.host,
                    "TIDINGS_BROKER_PORT": str(broker.port),
                    "TIDINGS_GATEWAY_METRICS_PORT": str(free_port()),
                    **_ears(wishes, folder, gateway, buses, devices),
                },
            )
        )


def _ears(
    wishes: Wishes,
    folder: Path,
    gateway: str,
    buses: dict[str, str],
    devices: list[LiveDevice],
) -> dict[str, str]:
    """Return how this gateway hears its devices: over its own bus, or from a plan of frames."""
    if wishes.radio:
        return {
            "DBUS_SYSTEM_BUS_ADDRESS": buses[gateway],
            "TIDINGS_RADIO_SIMULATED": "true",
            "TIDINGS_RADIO_ACCEPT_UNKNOWN": "true",
            "TIDINGS_RADIO_IDLE_S": "2",
            "TIDINGS_RADIO_COOL_DOWN_S": "2",
        }
    plan = folder / "recorded.jsonl"
    plan.write_text(homes.recorded_plan(devices, gateway, every_s=wishes.every_s))
    return {"TIDINGS_RADIO_RECORDED": str(plan)}


def _radio(wishes: Wishes, processes: Family, devices: list[LiveDevice]) -> dict[str, str]:
    """Start the virtual devices; return each gateway's bus."""
    plan = wishes.place.homes / "radio.json"
    plan.write_text(homes.radio_plan(devices, every_s=wishes.every_s, seed=SEED))
    truth = wishes.place.homes / "measured.jsonl"
    buses = wishes.place.homes / "buses.json"
    buses.unlink(missing_ok=True)
    arguments = [f"--plan={plan}", f"--truth={truth}", f"--buses={buses}"]
    arguments.append(f"--bus-folder={wishes.sockets}")  # the same addresses after a restart
    child = processes.start(Program(name="radio", module="gateway.simulated", arguments=arguments))
    _wait(buses.exists, [child], "the virtual radio")
    found: dict[str, str] = json.loads(buses.read_text())
    return found


def _wait(done: Callable[[], bool], children: list[Child], what: str) -> None:
    deadline = monotonic() + START_S
    while not done():
        for child in children:
            if child.process.poll() is not None:
                raise ProcessError(f"{child.program.name} did not start; see {child.log}")
        if monotonic() > deadline:
            raise ProcessError(f"{what} did not answer within {START_S:.0f} s")
        sleep(TURN_S)


def _answers(url: str) -> bool:
    try:
        return httpx2.get(url, timeout=2).is_success
    except httpx2.TransportError:
        return False
