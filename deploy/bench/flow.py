"""One contender takes messages while they are published: what it managed, and at what cost."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import get_context

from psycopg import sql

from deploy.bench import common
from deploy.bench.common import Servers
from deploy.bench.contenders.lineup import Contender

PATIENCE_S = 600.0
LEAST = 2000
Watch = Callable[[int, list[int]], None]
"""Told now and then how many readings are stored, and by which processes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What one run showed."""

    per_s: float
    """Messages."""
    consumer_ms: float
    """Processor milliseconds per 1,000 readings."""
    postgres_ms: float
    broker_ms: float
    peak_mb: float


def run(
    servers: Servers,
    contender: Contender,
    messages: int,
    *,
    rate: float | None = None,
    watch: Watch = lambda _stored, _pids: None,
) -> Figures:
    """Publish, at a rate or as fast as the broker takes it; time the first row to the last."""
    count = max(LEAST, int(messages * contender.share))
    _empty(servers)
    processes = contender.start(servers)
    try:
        warm_up(servers, contender)
        pids = [pid for process in processes for pid in common.descendants(process.pid)]
        before = _cpu(servers, pids)
        began_with = _rows(servers, contender.table)
        publisher = get_context("spawn").Process(
            target=common.publish, args=(servers.broker.port, contender.messages(count), rate)
        )
        publisher.start()
        readings = count * contender.each
        took = _wait(
            servers, contender.table, began_with, readings, lambda stored: watch(stored, pids)
        )
        publisher.join()
        used = [now - then for now, then in zip(_cpu(servers, pids), before, strict=True)]
        watch(readings, pids)
        peak = sum(common.memory_mb(pid) for pid in pids)
    finally:
        for process in processes:
            process.kill()
            process.wait()
        for client_id in contender.sessions:
            common.end_session(servers.broker.port, client_id)
    consumer, postgres, broker = (1e6 * each / readings for each in used)
    return Figures(
        per_s=count / took,
        consumer_ms=consumer,
        postgres_ms=postgres,
        broker_ms=broker,
        peak_mb=peak,
    )


def _empty(servers: Servers) -> None:
    with servers.owner() as owner:
        owner.execute("truncate reading, reading_identity, to_evaluate, quarantine, bench_reading")
        owner.execute("checkpoint")


def warm_up(servers: Servers, contender: Contender) -> None:
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


def _wait(
    servers: Servers, table: str, began_with: int, wanted: int, watch: Callable[[int], None]
) -> float:
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
            watch(there)
            time.sleep(pause)
    raise RuntimeError(f"{table}: not everything arrived")


def _cpu(servers: Servers, pids: Sequence[int]) -> list[float]:
    postgres = common.descendants(servers.postgres.pid)
    return [common.cpu_s(pids), common.cpu_s(postgres), common.cpu_s([servers.broker.pid])]
