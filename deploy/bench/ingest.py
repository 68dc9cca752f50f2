"""Ingest against what somebody would otherwise use; the last line is one JSON object.

`python -m deploy.bench.ingest [--messages 60000] [--rounds 3] [--workers 1,2] [--only ours,...]`

Each contender takes one-reading messages live: publisher, broker, contender and PostgreSQL share
this machine. Ours does all its checks; the others insert what the message says, unique by id.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from urllib.parse import quote

from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from deploy.bench import common
from deploy.bench.common import Servers, say
from deploy.bench.contenders.table import BRIDGE_INSERT, TABLE

BRIDGE = "mq-bridge==1.2.0"
PATIENTS = 1000
FLOORS = {"careful": 1.5, "bridge": 1.3, "tutorial": 8.0}
CATCH_UP_EACH = 50
CATCH_UP_FLOOR = 60_000
PATIENCE_S = 600.0
CONTENDERS = Path(__file__).parent / "contenders"
Processes = list["subprocess.Popen[bytes]"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """Something that carries readings from the broker to the database."""

    name: str
    start: Callable[[Servers], Processes]
    messages: Callable[[int], list[tuple[str, bytes]]]
    table: str
    share: float = 1.0
    """Of the messages: the slow ones get fewer, so that a round does not take all day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What one run showed."""

    per_s: float
    consumer_ms: float
    """Processor milliseconds per 1,000 readings."""
    postgres_ms: float
    broker_ms: float
    peak_mb: float


def main() -> None:
    """Run the rounds and conclude."""
    told = _arguments()
    chosen = told.only.split(",") if told.only else []
    with common.servers() as servers, _bridge_environment(chosen) as bridge:
        with servers.owner() as owner:
            common.found_clinic(owner, PATIENTS)
            owner.execute(TABLE)
        contenders = [
            each for each in _contenders(bridge, told.workers) if not chosen or each.name in chosen
        ]
        found: dict[str, list[Figures]] = {each.name: [] for each in contenders}
        for number in range(told.rounds):
            for contender in contenders:
                figures = run(servers, contender, told.messages)
                found[contender.name].append(figures)
                _tell(number, contender.name, figures)
        catch_up = None
        if not chosen or "catch_up" in chosen:
            catch_up = run(servers, _catch_up(), told.messages // 10)
            _tell(0, "catch_up", catch_up)
    conclusion = _conclusion(found, told.messages)
    if catch_up is not None:
        conclusion["catch_up_readings_per_s"] = round(catch_up.per_s * CATCH_UP_EACH)
        conclusion["catch_up_floor"] = CATCH_UP_FLOOR
    common.conclude(conclusion)


def run(servers: Servers, contender: Contender, messages: int) -> Figures:
    """Let one contender take messages while they are published; time first row to last."""
    count = max(2000, int(messages * contender.share))
    with servers.owner() as owner:
        owner.execute("truncate reading, reading_identity, to_evaluate, quarantine, bench_reading")
        owner.execute("checkpoint")
    processes = contender.start(servers)
    try:
        _warm_up(servers, contender)
        pids = [pid for process in processes for pid in common.descendants(process.pid)]
        before = _cpu(servers, pids)
        sent = contender.messages(count)
        publisher = get_context("spawn").Process(
            target=common.publish, args=(servers.broker.port, sent)
        )
        began_with = _rows(servers, contender.table)
        publisher.start()
        took = _wait(servers, contender.table, began_with, _readings_in(contender, count))
        publisher.join()
        used = [now - then for now, then in zip(_cpu(servers, pids), before, strict=True)]
        peak = sum(common.memory_mb(pid) for pid in pids)
    finally:
        for process in processes:
            process.kill()
            process.wait()
    readings = _readings_in(contender, count)
    per_thousand = [1e6 * each / readings for each in used]
    return Figures(
        per_s=count / took,
        consumer_ms=per_thousand[0],
        postgres_ms=per_thousand[1],
        broker_ms=per_thousand[2],
        peak_mb=peak,
    )


def _readings_in(contender: Contender, messages: int) -> int:
    return messages * CATCH_UP_EACH if contender.name == "catch_up" else messages


def _warm_up(servers: Servers, contender: Contender) -> None:
    """Publish until something arrives: from then on the contender is subscribed."""
    deadline = time.monotonic() + 60
    while not _rows(servers, contender.table):
        if time.monotonic() > deadline:
            raise RuntimeError(f"{contender.name} stores nothing")
        common.publish(servers.broker.port, contender.messages(20))
        time.sleep(0.3)
    settled = -1
    while settled != (settled := _rows(servers, contender.table)):
        time.sleep(0.5)


def _count(table: str) -> sql.Composed:
    return sql.SQL("select count(*) from {}").format(sql.Identifier(table))


def _rows(servers: Servers, table: str) -> int:
    with servers.owner() as owner:
        row = owner.execute(_count(table)).fetchone()
    return int(row[0]) if row is not None else 0


def _wait(servers: Servers, table: str, began_with: int, wanted: int) -> float:
    """Return seconds from the first new row to the last."""
    first = None
    deadline = time.monotonic() + PATIENCE_S
    pause = 0.005
    with servers.owner() as owner:
        while time.monotonic() < deadline:
            row = owner.execute(_count(table)).fetchone()
            now = time.monotonic()
            there = (int(row[0]) if row is not None else 0) - began_with
            if there and first is None:
                first, pause = now, 0.1
            if first is not None and there >= wanted:
                return now - first
            time.sleep(pause)
    raise RuntimeError(f"{table}: not everything arrived")


def _cpu(servers: Servers, pids: Sequence[int]) -> list[float]:
    postgres = common.descendants(servers.postgres.pid)
    return [common.cpu_s(pids), common.cpu_s(postgres), common.cpu_s([servers.broker.pid])]


def _contenders(bridge: Path | None, workers: str) -> list[Contender]:
    def flat(count: int) -> list[tuple[str, bytes]]:
        return common.flat_messages(count, PATIENTS)

    def ours(count: int) -> list[tuple[str, bytes]]:
        return common.our_messages(count, PATIENTS)

    found = [
        Contender(name=name, start=_script(name), messages=flat, table="bench_reading", share=share)
        for name, share in (("tutorial", 0.15), ("careful", 1.0))
    ]
    if bridge is not None:
        found.append(
            Contender(name="bridge", start=_bridge(bridge), messages=flat, table="bench_reading")
        )
    found += [
        Contender(
            name="ours" if number == "1" else f"ours_{number}_workers",
            start=_ours(int(number)),
            messages=ours,
            table="reading",
        )
        for number in workers.split(",")
    ]
    return found


def _catch_up() -> Contender:
    return Contender(
        name="catch_up",
        start=_ours(1),
        messages=lambda count: common.our_messages(count, PATIENTS, each=CATCH_UP_EACH),
        table="reading",
    )


def _script(name: str) -> Callable[[Servers], Processes]:
    def start(servers: Servers) -> Processes:
        module = f"deploy.bench.contenders.{name}"
        return [common.spawn(module, str(servers.broker.port), servers.postgres.dsn())]

    return start


def _ours(workers: int) -> Callable[[Servers], Processes]:
    def start(servers: Servers) -> Processes:
        return [
            common.spawn(
                "ingest",
                environment={
                    "TIDINGS_INGEST_DSN": servers.postgres.dsn(user="tidings_worker"),
                    "TIDINGS_BROKER_PORT": str(servers.broker.port),
                    "TIDINGS_INGEST_SLOT": str(slot),
                    "TIDINGS_INGEST_SLOTS": str(workers),
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
        return [subprocess.Popen([python, CONTENDERS / "bridge.py", *arguments])]

    return start


@contextmanager
def _bridge_environment(chosen: Sequence[str]) -> Iterator[Path | None]:
    """Yield the Python of an environment with mq-bridge alone; None if it cannot be had."""
    if chosen and "bridge" not in chosen:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="tidings-bench-bridge-") as top:
        venv.create(top, with_pip=True)
        python = Path(top) / "bin" / "python"
        command: list[str | Path] = [
            python,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            BRIDGE,
        ]
        done = subprocess.run(command, check=False)
        if done.returncode:
            say(f"without {BRIDGE}: pip could not install it")
        yield python if done.returncode == 0 else None


def _tell(number: int, name: str, figures: Figures) -> None:
    say(
        f"round {number + 1}  {name:16} {figures.per_s:9,.0f} messages/s   per 1,000 readings:"
        f" consumer {figures.consumer_ms:6.1f} ms, PostgreSQL {figures.postgres_ms:6.1f} ms,"
        f" broker {figures.broker_ms:5.1f} ms   peak {figures.peak_mb:.0f} MB"
    )


def _conclusion(found: dict[str, list[Figures]], messages: int) -> dict[str, object]:
    medians = {
        name: round(statistics.median(each.per_s for each in runs)) for name, runs in found.items()
    }
    best = medians.get("ours")
    ratios = {
        name: round(best / medians[name], 2)
        for name in FLOORS
        if best is not None and name in medians
    }
    return {
        "bench": "ingest",
        "messages": messages,
        "cores": os.cpu_count(),
        "backend": "plain",
        "readings_per_s": medians,
        "ratio_to": ratios,
        "floors": FLOORS,
        "floors_met": all(ratio >= FLOORS[name] for name, ratio in ratios.items()),
        "consumer_ms_per_1000": _median_of(found, "consumer_ms"),
        "postgres_ms_per_1000": _median_of(found, "postgres_ms"),
        "broker_ms_per_1000": _median_of(found, "broker_ms"),
        "peak_mb": _median_of(found, "peak_mb"),
    }


def _median_of(found: dict[str, list[Figures]], field: str) -> dict[str, float]:
    return {
        name: round(statistics.median(getattr(each, field) for each in runs), 1)
        for name, runs in found.items()
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=60_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", default="1,2")
    parser.add_argument("--only", default="", help="contenders, by commas")
    return parser.parse_args(sys.argv[1:])


if __name__ == "__main__":
    main()
