"""Who takes part in `deploy.bench.ingest`, and how each is started."""

import subprocess
import tempfile
import venv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from psycopg.conninfo import conninfo_to_dict

from deploy.bench import common
from deploy.bench.common import Servers, say
from deploy.bench.contenders.table import BRIDGE_INSERT

BRIDGE = "mq-bridge==1.2.0"
PATIENTS = 1000
CATCH_UP_EACH = 50
HERE = Path(__file__).parent
Processes = list["subprocess.Popen[bytes]"]
Messages = list[tuple[str, bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """Something that carries readings from the broker to the database."""

    name: str
    start: Callable[[Servers], Processes]
    messages: Callable[[int], Messages]
    table: str
    share: float = 1.0
    """Of the messages: the slow ones get fewer, so that a round does not take all day."""
    sessions: tuple[str, ...]
    """Its client ids: once it is gone, the broker must not queue for it at the others' expense."""
    each: int = 1
    """Readings in a message."""


def contenders(bridge: Path | None, workers: Sequence[int]) -> list[Contender]:
    """Return everybody, the slowest first; `bridge` is the Python that has mq-bridge."""

    def flat(count: int) -> Messages:
        return common.flat_messages(count, PATIENTS)

    found = [
        Contender(
            name=name,
            start=_script(name),
            messages=flat,
            table="bench_reading",
            share=share,
            sessions=(name,),
        )
        for name, share in (("tutorial", 0.1), ("careful", 1.0))
    ]
    if bridge is not None:
        found.append(
            Contender(
                name="bridge",
                start=_bridge(bridge),
                messages=flat,
                table="bench_reading",
                sessions=("bridge",),
            )
        )
    return found + [ours(number) for number in workers]


def ours(workers: int, *, each: int = 1, metrics_port: int = 0) -> Contender:
    """Return ours with so many workers; with 50 readings in a message it is catching up."""
    name = "ours" if workers == 1 else f"ours_{workers}_workers"
    return Contender(
        name=name if each == 1 else "catch_up",
        start=_ours(workers, metrics_port),
        messages=lambda count: common.our_messages(count, PATIENTS, each=each),
        table="reading",
        sessions=tuple(f"ingest-{slot}" for slot in range(workers)),
        each=each,
    )


@contextmanager
def bridge_environment(chosen: Sequence[str]) -> Iterator[Path | None]:
    """Yield the Python of an environment with mq-bridge alone; None if it cannot be had."""
    if chosen and "bridge" not in chosen:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="tidings-bench-bridge-") as top:
        venv.create(top, with_pip=True)
        python = Path(top) / "bin" / "python"
        quietly = ("--quiet", "--disable-pip-version-check")
        done = subprocess.run([python, "-m", "pip", "install", *quietly, BRIDGE], check=False)
        if done.returncode:
            say(f"without {BRIDGE}: pip could not install it")
        yield python if done.returncode == 0 else None


def _script(name: str) -> Callable[[Servers], Processes]:
    def start(servers: Servers) -> Processes:
        module = f"deploy.bench.contenders.{name}"
        return [common.spawn(module, str(servers.broker.port), servers.postgres.dsn())]

    return start


def _ours(workers: int, metrics_port: int) -> Callable[[Servers], Processes]:
    def start(servers: Servers) -> Processes:
        return [
            common.spawn(
                "ingest",
                environment={
                    "TIDINGS_INGEST_DSN": servers.postgres.dsn(user="tidings_worker"),
                    "TIDINGS_BROKER_PORT": str(servers.broker.port),
                    "TIDINGS_INGEST_SLOT": str(slot),
                    "TIDINGS_INGEST_SLOTS": str(workers),
                    "TIDINGS_INGEST_METRICS_PORT": str(metrics_port),
                },
            )
            for slot in range(workers)
        ]

    return start


def _bridge(python: Path) -> Callable[[Servers], Processes]:
    def start(servers: Servers) -> Processes:
        parts = conninfo_to_dict(servers.postgres.dsn())
        host = quote(str(parts["host"]), safe="")
        url = f"postgres://{parts['user']}@localhost/{parts['dbname']}?host={host}"
        arguments = [str(servers.broker.port), url, BRIDGE_INSERT]
        return [subprocess.Popen([python, HERE / "bridge.py", *arguments])]

    return start
