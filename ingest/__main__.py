"""`python -m ingest`: one worker process; the only place here that reads clock and environment."""

import asyncio
import gc
import os
import signal
from datetime import UTC, datetime

from prometheus_client import start_http_server
from psycopg import AsyncConnection

from ingest import replaying
from ingest.bounds import shipped
from ingest.directory import Directory
from ingest.metrics import Metrics
from ingest.settings import Settings, from_environment
from ingest.slots import Worker
from ingest.supervisor import supervise

LOOPBACK = "127.0.0.1"
GARBAGE_THRESHOLD = 50_000
"""Objects; a batch makes as many, and nearly all die without the collector."""


def clock() -> datetime:
    """Return the time now."""
    return datetime.now(UTC)


def main() -> None:
    """Consume until SIGTERM or Ctrl-C."""
    asyncio.run(work(from_environment(os.environ, clock)))


def supervised(workers: int, first_slot: int, slots: int) -> int:
    """Run several workers on this machine until a signal asks them to stop."""
    return supervise(os.environ, workers, first_slot, slots)


def rescued(dsn: str) -> tuple[int, int]:
    """Judge unreadable frames in quarantine again: how many there were, and could be placed."""

    async def _rescue() -> tuple[int, int]:
        async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
            return await replaying.rescue(connection, clock())

    return asyncio.run(_rescue())


async def work(settings: Settings) -> None:
    """Run one worker until a signal asks it to stop."""
    gc.freeze()  # what stays is never looked at again; batches are garbage by count, not by age
    gc.set_threshold(GARBAGE_THRESHOLD, 20, 50)
    metrics = Metrics()
    if settings.metrics_port:
        start_http_server(settings.metrics_port, addr=LOOPBACK, registry=metrics.registry)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await Worker(settings, metrics, Directory(shipped())).run(stop)


if __name__ == "__main__":
    main()
