"""`python -m ingest`: one worker process; the only place here that reads clock and environment."""

import asyncio
import os
import signal
from datetime import UTC, datetime

from prometheus_client import start_http_server

from ingest.bounds import shipped
from ingest.directory import Directory
from ingest.metrics import Metrics
from ingest.settings import Settings, from_environment
from ingest.slots import Worker

LOOPBACK = "127.0.0.1"


def clock() -> datetime:
    """Return the time now."""
    return datetime.now(UTC)


def main() -> None:
    """Consume until SIGTERM or Ctrl-C."""
    asyncio.run(work(from_environment(os.environ, clock)))


async def work(settings: Settings) -> None:
    """Run one worker until a signal asks it to stop."""
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
