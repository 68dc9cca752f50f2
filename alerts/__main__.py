"""`python -m alerts`: the alert process; the only place here that reads the environment."""

import asyncio
import os
import signal

from prometheus_client import start_http_server

from alerts import process
from alerts.settings import Settings, from_environment

LOOPBACK = "127.0.0.1"


def main() -> None:
    """Judge, keep timers and deliver until SIGTERM or Ctrl-C."""
    asyncio.run(work(from_environment(os.environ)))


async def work(settings: Settings) -> None:
    """Run until a signal asks to stop."""
    if settings.metrics_port:
        start_http_server(settings.metrics_port, addr=LOOPBACK)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await process.run(settings, stop)


if __name__ == "__main__":
    main()
