"""`tidings simulate`: a fleet of homes at a chosen speed; in the end every count must be equal."""

import json
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import Annotated, NoReturn
from uuid import UUID

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from database.migrate import migrate
from database.pool import connect
from deploy.demo.processes import Family, Program, family
from deploy.embedded.account import EmbeddedError
from deploy.embedded.broker import EmbeddedBroker, Kind
from deploy.embedded.postgres import EmbeddedPostgres
from deploy.fleet import counts, street
from deploy.fleet.counts import QUERIES, Verdict
from deploy.fleet.street import CHARACTERISTICS, KINDS, SITE, Device, Fleet

console = Console(stderr=True, highlight=False)
LOOK_EVERY_S = 0.25
SAY_EVERY_S = 15.0
READY_S = 120.0
SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """Where readings go."""

    broker: tuple[str, int]
    dsn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One simulation under way."""

    fleet: Fleet
    devices: list[Device]
    servers: Servers
    organisation: UUID
    place: Path
    radios: int
    """Processes of virtual devices; 0: recorded frames instead."""

    @property
    def truths(self) -> list[Path]:
        """What virtual devices write down."""
        return [self.place / f"truth-{number}.jsonl" for number in range(self.radios)]

    @property
    def outboxes(self) -> list[Path]:
        """The boxes' disks."""
        return [self.place / name / "outbox.db" for name in self.gateways]

    @property
    def gateways(self) -> list[str]:
        """The boxes."""
        return sorted({device.gateway for device in self.devices})

    def measured(self) -> int:
        """How many measurements there were so far."""
        if self.radios:
            return sum(path.read_bytes().count(b"\n") for path in self.truths if path.exists())
        return self.fleet.expected

    def has_begun(self) -> bool:
        """Whether every box is up."""
        return all(outbox.exists() for outbox in self.outboxes)

    def is_drained(self) -> bool:
        """Whether every box knows that its readings are stored."""
        return not any(counts.passed_through(outbox)[1] for outbox in self.outboxes)

    def stored(self) -> int:
        """How many readings the database holds."""
        with connect(self.servers.dsn, autocommit=True) as connection:
            whose = {"organisation": self.organisation}
            row = connection.execute(QUERIES["count"].encode(), whose).fetchone()
        return int(row[0]) if row else 0


def simulate(  # noqa: PLR0913 - the command line's options
    *,
    homes: Annotated[int, typer.Option(min=1, help="How many, a box each.")] = 3,
    days: Annotated[float, typer.Option(min=0.01, help="Simulated time.")] = 1.0,
    per_day: Annotated[float, typer.Option(help="How often each device is used a day.")] = 4.0,
    speed: Annotated[float, typer.Option(min=1, help="Simulated seconds in a real one.")] = 1440.0,
    devices: Annotated[str, typer.Option(help="Of each home.")] = "cuff,scale,glucometer",
    radio: Annotated[
        bool, typer.Option("--radio/--no-radio", help="Virtual Bluetooth, or frames directly.")
    ] = True,
    radios: Annotated[int, typer.Option(min=1, help="Processes of virtual devices.")] = 1,
    patience: Annotated[float, typer.Option(help="Seconds without news before giving up.")] = 120,
    seed: Annotated[int, typer.Option(help="Same seed, same patients.")] = 1,
    dsn: Annotated[str, typer.Option(help="A database's owner, instead of an own one.")] = "",
    broker: Annotated[str, typer.Option(help="HOST:PORT, whose ingest writes there.")] = "",
) -> None:
    """Run a fleet of simulated homes; compare devices, outboxes and database; exit 1 if unequal."""
    kinds = tuple(devices.split(","))
    if not set(kinds) <= CHARACTERISTICS.keys() or len(set(kinds)) != len(kinds):
        _fail(f"devices: any of {', '.join(CHARACTERISTICS)}, each once")
    if bool(dsn) is not bool(broker):
        _fail("give both --dsn and --broker, or neither")
    if radio and shutil.which("dbus-daemon") is None:
        _fail("the virtual radio needs dbus-daemon; without it: --no-radio")
    fleet = Fleet(
        homes=homes,
        days=days,
        per_day=per_day,
        speed=speed,
        kinds=kinds,
        seed=seed,
        started_at=datetime.now(UTC),
    )
    signal.signal(signal.SIGTERM, _interrupted)
    began = monotonic()
    try:
        with TemporaryDirectory(prefix="tidings-fleet-") as top:
            Path(top).chmod(0o711)
            verdict = _simulate(fleet, Path(top), radios if radio else 0, patience, (dsn, broker))
    except EmbeddedError as error:
        _fail(str(error))
    told = {"homes": homes, "days": days, "speed": speed, "radio": radio}
    _tell(verdict, {**told, "took_s": round(monotonic() - began, 1)})
    raise typer.Exit(0 if verdict.equal else 1)


def _simulate(
    fleet: Fleet, top: Path, radios: int, patience: float, given: tuple[str, str]
) -> Verdict:
    """Start everything, wait until all has arrived or nothing moves any more, compare."""
    with (
        family(top / "logs") as processes,
        _servers(top, processes, *given) as servers,
    ):
        fleet = replace(fleet, started_at=datetime.now(UTC))
        devices = street.devices(fleet)
        run = Run(
            fleet=fleet,
            devices=devices,
            servers=servers,
            organisation=_populate(servers.dsn, fleet, devices),
            place=top,
            radios=radios,
        )
        _start(run, processes)
        _wait(run, processes, patience)
        processes.stop()
        return _compare(run)


@contextmanager
def _servers(top: Path, processes: Family, dsn: str, broker: str) -> Iterator[Servers]:
    """Yield the given broker and database, or own ones with an ingest between them."""
    if dsn:
        host, port = broker.rsplit(":", 1)
        yield Servers(broker=(host, int(port)), dsn=dsn)
        return
    with (
        EmbeddedPostgres(top / "postgres") as postgres,
        EmbeddedBroker(top / "broker", kind=Kind.MOSQUITTO) as own,
    ):
        migrate(postgres.dsn())
        environment = {
            "TIDINGS_INGEST_DSN": postgres.dsn(user="tidings_worker"),
            "TIDINGS_BROKER_HOST": own.host,
            "TIDINGS_BROKER_PORT": str(own.port),
        }
        processes.start(Program(name="ingest", module="ingest", environment=environment))
        try:
            yield Servers(broker=(own.host, own.port), dsn=postgres.dsn())
        finally:
            processes.stop()


def _populate(dsn: str, fleet: Fleet, devices: list[Device]) -> UUID:
    """Make the fleet known: an organisation of its own, a patient in each home."""
    with connect(dsn) as connection:
        name = {"name": f"Simulated fleet {fleet.started_at.isoformat()}"}
        row = connection.execute(QUERIES["organisation"].encode(), name).fetchone()
        if row is None:
            raise RuntimeError("no organisation")
        told = {
            "organisation": row[0],
            "site": SITE,
            "gateways": sorted({device.gateway for device in devices}),
            "devices": [device.identity for device in devices],
            "kinds": [KINDS[device.kind] for device in devices],
            "homes": [device.gateway for device in devices],
        }
        for query in ("gateways", "patients", "devices", "assignments"):
            connection.execute(QUERIES[query].encode(), told)
        organisation: UUID = row[0]
        return organisation


def _start(run: Run, processes: Family) -> None:
    """Start devices, then boxes."""
    buses = _start_radios(run, processes) if run.radios else {}
    trees = []
    for gateway, outbox in zip(run.gateways, run.outboxes, strict=True):
        outbox.parent.mkdir()
        own = [device for device in run.devices if device.gateway == gateway]
        tree = street.box(own[0], run.fleet, str(outbox), run.servers.broker)
        if not run.radios:
            tree["radio"] = {"recorded": str(_recording(run.fleet, own, outbox.parent))}
        trees.append(tree)
    told = {
        "boxes": trees,
        "buses": buses,
        "speed": run.fleet.speed,
        "started_at": run.fleet.started_at,
        "shows": run.fleet.shows,
    }
    file = run.place / "boxes.json"
    file.write_bytes(msgspec.json.encode(told))
    processes.start(Program(name="boxes", module="deploy.fleet.boxes", arguments=[str(file)]))


def _start_radios(run: Run, processes: Family) -> dict[str, str]:
    """Start the virtual devices of all homes, in several processes; return their buses."""
    homes = run.fleet.homes
    files = []
    for number, truth in enumerate(run.truths):
        own = [one for one in run.devices if one.home * run.radios // homes == number]
        plan, buses = run.place / f"plan-{number}.json", run.place / f"buses-{number}.json"
        plan.write_bytes(msgspec.json.encode(street.radio_plan(run.fleet, own)))
        arguments = ["--plan", str(plan), "--truth", str(truth), "--buses", str(buses)]
        name = f"devices-{number}"
        processes.start(Program(name=name, module="gateway.simulated", arguments=arguments))
        files.append(buses)
    deadline = monotonic() + READY_S
    while not all(file.exists() for file in files):
        if monotonic() > deadline:
            _fail(f"the virtual devices did not start: {_logs(run.place)}")
        sleep(LOOK_EVERY_S)
    found: dict[str, str] = {}
    for file in files:
        found |= msgspec.json.decode(file.read_bytes(), type=dict[str, str])
    return found


def _recording(fleet: Fleet, own: list[Device], folder: Path) -> Path:
    """Write the frames that a box without a radio plays."""
    lines = [
        street.recorded_line(fleet, device, list(street.measured(fleet, device))) for device in own
    ]
    path = folder / "frames.jsonl"
    path.write_bytes(b"\n".join(msgspec.json.encode(line) for line in lines))
    return path


def _wait(run: Run, processes: Family, patience: float) -> None:
    """Return when everything is stored, or when nothing has moved for a while, once all are up."""
    moved, said, before = monotonic(), 0.0, (-1, -1)
    given_up = moved + READY_S
    while True:
        now = (run.measured(), run.stored())
        starting = not run.has_begun() and monotonic() < given_up
        if now != before or starting:
            moved, before = monotonic(), now
        if monotonic() - moved > patience or (min(now) >= run.fleet.expected and run.is_drained()):
            return
        if monotonic() - said > SAY_EVERY_S:
            said = monotonic()
            console.print(f"measured {now[0]:,}, stored {now[1]:,} of {run.fleet.expected:,}")
        for name in processes.watch():
            console.print(f"[red]{name} fell:[/] {_logs(run.place)}")
        sleep(LOOK_EVERY_S)


def _compare(run: Run) -> Verdict:
    """Count everywhere; the boxes have ended."""
    if run.radios:
        truth = counts.truth_of_logs(run.truths, run.devices)
    else:
        truth = counts.truth_of_plan(run.fleet, run.devices)
    with connect(run.servers.dsn) as connection:
        held, quarantined = counts.stored(connection, run.organisation)
    return counts.compare(truth, run.outboxes, held, quarantined)


def _logs(place: Path) -> str:
    """What the processes said last."""
    said = [log.read_text(errors="replace")[-300:] for log in (place / "logs").glob("*.log")]
    return " | ".join(text for text in said if text)


def _tell(verdict: Verdict, told: dict[str, float]) -> None:
    """Print the counts for people, and on the last line for programs."""
    Console().print(_table(verdict))
    counted = {
        name: value[:SHOWN] if isinstance(value, list) else value
        for name, value in asdict(verdict).items()
    }
    typer.echo(json.dumps({**told, "equal": verdict.equal, **counted}))


def _table(verdict: Verdict) -> Table:
    drawn = Table("", "readings", title="From the devices to the database")
    drawn.add_row("device", f"{verdict.device:,}")
    drawn.add_row("outbox", f"{verdict.outbox:,}")
    drawn.add_row("database", f"{verdict.database:,}")
    for reason, times in verdict.quarantined.items():
        drawn.add_row(f"  of these in quarantine: {reason}", f"{times:,}")
    for name in ("lost", "doubled", "invented"):
        drawn.add_row(name, f"{len(getattr(verdict, name)):,}")
    drawn.add_row("equal", "yes" if verdict.equal else "NO")
    return drawn


def _interrupted(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _fail(text: str) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(2)
