"""What work costs as stored readings grow; the last line is one JSON object.

`python -m deploy.bench.scale [--patients 1000,10000,30000] [--each 30] [--full]`

Each level has a fresh database, filled with COPY: so many patients in clinics of at most 10,000, a
reading a day each. Measured are ingest (the same 1,000 homes send, spread over all), the queries
of a patient's page and those of a clinic's worklist, asked twice: what counts is the second time,
as a small clinic's pages have all been read before and a large level's mostly not; what the first
time took is told too. `--full` goes to 1,000,000 patients.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from typing import Any
from uuid import UUID

import psycopg

from database import sql
from database.pool import connect
from deploy.bench import common
from deploy.bench.common import Servers, say

CLINIC = 10_000
HOMES = 1000
OPEN_SHARE = 10
"""One patient in so many has an open episode: the smallest clinic too fills its worklist's page."""
FLOOR = 1.5
PIECE = 500_000
ROUNDS = 100
SHOWN = timedelta(days=90)
PATIENCE_S = 300.0
FULL = "1000,10000,100000,1000000"
EACH = 30
"""Readings of each patient: 30 million at the largest level, some 15 GB on disk."""
Connection = psycopg.Connection[tuple[Any, ...]]

FOUND = (
    "clinics", "numbered", "patients", "gateways", "devices", "assignments", "episodes", "settle",
)  # fmt: skip
QUERIES = sql.load("deploy.bench")


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """What one size showed."""

    patients: int
    readings: int
    load_s: float
    database_mb: float
    ingest_per_s: float
    patient_ms: float
    worklist_ms: float
    counts_ms: float
    first_patient_ms: float
    first_worklist_ms: float


def main() -> None:
    """Measure every level and conclude."""
    told = _arguments()
    sizes = [int(each) for each in (FULL if told.full else told.patients).split(",")]
    levels = []
    for patients in sizes:
        level = measure(patients, told.each, told.messages)
        say(
            f"{level.patients:9,} patients {level.readings:11,} readings"
            f" ({level.database_mb:,.0f} MB, loaded in {level.load_s:.0f} s):"
            f" ingest {level.ingest_per_s:,.0f}/s, patient {level.patient_ms:.2f} ms,"
            f" worklist {level.worklist_ms:.2f} ms, its counts {level.counts_ms:.2f} ms"
            f" (for the first time {level.first_patient_ms:.2f} and {level.first_worklist_ms:.2f})"
        )
        levels.append(level)
    common.conclude(conclusion(levels))


def measure(patients: int, each: int, messages: int) -> Level:
    """Fill a fresh database and measure it."""
    with common.servers() as servers:
        now = datetime.now(UTC)
        began = time.monotonic()
        with servers.owner() as owner:
            _found(owner, patients, now)
            _fill(servers, owner, patients, each, now)
            loaded = time.monotonic() - began
            owner.execute("vacuum analyze")
            owner.execute("checkpoint")
            size = owner.execute("select pg_database_size(current_database())").fetchone()
        pages = _ask(servers, patients, now)
        return Level(
            patients=patients,
            readings=patients * each,
            load_s=round(loaded, 1),
            database_mb=round(size[0] / 1e6, 1) if size else 0,
            ingest_per_s=round(_ingest(servers, patients, messages)),
            **pages,
        )


def conclusion(levels: Sequence[Level]) -> dict[str, object]:
    """Compare every level with the smallest."""
    first = levels[0]
    ratios = {
        "ingest": max(first.ingest_per_s / level.ingest_per_s for level in levels),
        "patient": max(level.patient_ms / first.patient_ms for level in levels),
        "worklist": max(level.worklist_ms / first.worklist_ms for level in levels),
    }
    return {
        "bench": "scale",
        "cores": os.cpu_count(),
        "backend": "plain",
        "levels": [asdict(level) for level in levels],
        "worst_ratio": {name: round(ratio, 2) for name, ratio in ratios.items()},
        "floor": FLOOR,
        "floors_met": all(ratio <= FLOOR for ratio in ratios.values()),
    }


def _found(owner: Connection, patients: int, now: datetime) -> None:
    told = {
        "patients": patients,
        "clinics": (patients - 1) // CLINIC + 1,
        "clinic": CLINIC,
        "share": OPEN_SHARE,
        "now": now,
    }
    for name in FOUND:
        owner.execute(QUERIES[name], told)
    owner.execute("alter table bench_patient add primary key (number)")


def _fill(servers: Servers, owner: Connection, patients: int, each: int, now: datetime) -> None:
    """Copy the history in, a piece at a time; no trigger notes days, whose sums nobody asks for."""
    owner.execute("set session_replication_role = replica")
    with connect(servers.postgres.dsn(), autocommit=True) as source:
        for first in range(0, patients * each, PIECE):
            last = min(first + PIECE, patients * each) - 1
            told = {"first": first, "last": last, "patients": patients, "each": each, "now": now}
            for what in ("readings", "identities"):
                _pipe(source, QUERIES[f"history_{what}"], told, owner, QUERIES[f"into_{what}"])
            if patients * each > PIECE:
                say(f"  {last + 1:,} of {patients * each:,} readings")


def _pipe(
    source: Connection, query: str, told: Mapping[str, object], target: Connection, into: str
) -> None:
    with source.cursor().copy(query, told) as out, target.cursor().copy(into) as back:
        for block in out:
            back.write(block)


def _ask(servers: Servers, patients: int, now: datetime) -> dict[str, float]:
    """Return milliseconds of the pages' queries, as the web role asks them."""
    page, work = sql.load("dashboards.patients"), sql.load("dashboards.worklist")
    with servers.owner() as owner:
        told = {"step": max(patients // ROUNDS, 1), "most": ROUNDS}
        people = owner.execute(QUERIES["some"], told).fetchall()
    spent: dict[str, list[float]] = {}
    names = ("person", "enrolments", "readings", "kinds", "treatments", "alerts", "devices")
    with connect(servers.postgres.dsn(user="tidings_web"), autocommit=True) as web:
        for patient, organisation in [*people[:3], *people]:  # the first ones warm up
            web.execute(
                "select set_config('tidings.organisation', %s, false)", (str(organisation),)
            )
            one = _patient(patient, now)
            for again in ("first_", ""):
                took = {
                    "patient_ms": _timed(web, [page[name] for name in names], one),
                    "worklist_ms": _timed(web, [work["rows"]], _list(now)),
                    "counts_ms": _timed(web, [work["counts"]], _list(now)),
                }
                for name, milliseconds in took.items():
                    spent.setdefault(again + name, []).append(milliseconds)
    del spent["first_counts_ms"]
    return {name: round(statistics.median(each[3:]), 3) for name, each in spent.items()}


def _timed(web: Connection, queries: Sequence[str], told: Mapping[str, object]) -> float:
    began = time.perf_counter()
    for query in queries:
        web.execute(query, told).fetchall()
    return (time.perf_counter() - began) * 1000


def _patient(patient: UUID, now: datetime) -> dict[str, object]:
    return {
        "patient_id": patient,
        "since": now - SHOWN,
        "until": now,
        "now": now,
        "kinds": None,
    }


def _list(now: datetime) -> dict[str, object]:
    free = (
        "after_id", "after_severity", "after_due", "severities", "technical", "queue", "not_queue",
        "owner", "due_before", "language", "team", "programme", "condition", "metric",
    )  # fmt: skip
    told: dict[str, object] = dict.fromkeys(free)
    soon = now + timedelta(minutes=30)
    return {**told, "snoozed": False, "unowned": False, "most": 50, "now": now, "soon": soon}


def _ingest(servers: Servers, patients: int, messages: int) -> float:
    """Return readings a second of one worker, from the first row stored to the last."""
    worker = common.spawn(
        "ingest",
        environment={
            "TIDINGS_INGEST_DSN": servers.postgres.dsn(user="tidings_worker"),
            "TIDINGS_BROKER_PORT": str(servers.broker.port),
        },
    )
    try:
        with servers.owner() as owner:
            _warm_up(servers, owner, patients)
            before = _stored(owner)
            sent = _messages(messages, patients)
            publisher = get_context("spawn").Process(
                target=common.publish, args=(servers.broker.port, sent)
            )
            publisher.start()
            took = _wait(owner, before, messages)
            publisher.join()
    finally:
        worker.kill()
        worker.wait()
    return messages / took


def _messages(count: int, patients: int) -> list[tuple[str, bytes]]:
    """Return messages of the same number of homes, whatever the level, spread over all."""
    step = max(patients // HOMES, 1)
    made = []
    for topic, body in common.our_messages(count, min(HOMES, patients)):
        number = topic.split("/")[3].removeprefix("gw")
        there = str(int(number) * step).encode()
        moved = body.replace(b'"gw%b"' % number.encode(), b'"gw%b"' % there)
        moved = moved.replace(b'"cuff%b"' % number.encode(), b'"cuff%b"' % there)
        made.append((topic.replace(f"gw{number}/", f"gw{there.decode()}/"), moved))
    return made


def _warm_up(servers: Servers, owner: Connection, patients: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not _stored(owner):
        if time.monotonic() > deadline:
            raise RuntimeError("ingest stores nothing")
        common.publish(servers.broker.port, _messages(20, patients))
        time.sleep(0.3)
    settled = -1
    while settled != (settled := _stored(owner)):
        time.sleep(0.5)


def _stored(owner: Connection) -> int:
    """Rows to be judged: one for every reading stored since the database was filled."""
    row = owner.execute("select count(*) from to_evaluate").fetchone()
    return int(row[0]) if row else 0


def _wait(owner: Connection, before: int, wanted: int) -> float:
    first, deadline = None, time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        there, now = _stored(owner) - before, time.monotonic()
        if there and first is None:
            first = now
        if first is not None and there >= wanted:
            return now - first
        time.sleep(0.005 if first is None else 0.05)
    raise RuntimeError("not everything arrived")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", default="1000,10000,30000", help="levels, by commas")
    parser.add_argument("--each", type=int, default=EACH, help="readings of each patient")
    parser.add_argument("--messages", type=int, default=20_000, help="sent to ingest a level")
    parser.add_argument("--full", action="store_true", help=f"levels {FULL}")
    return parser.parse_args(sys.argv[1:])


if __name__ == "__main__":
    main()
