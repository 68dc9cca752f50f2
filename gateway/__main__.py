"""Run the box: `python -m gateway`; only this module reads the clock and the environment."""

import argparse
import asyncio
import logging
import os
import random
import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog

from gateway import settings as settings_door
from gateway.box import Box
from gateway.recorded import PlanError
from gateway.sealing import SealError
from gateway.settings import Settings, SettingsError
from gateway.surroundings import Surroundings
from gateway.synced import clock_is_synced

DEFAULT_CONFIG = "/etc/tidings/gateway.toml"
EXIT_SETTINGS = 78
_MEGABYTE = 1_000_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Read settings, run until SIGTERM; return the exit code."""
    given = _parser().parse_args(arguments)
    _log_to_stderr(given.log_level)
    try:
        settings = _settings(given)
        return asyncio.run(_run(settings))
    except (SettingsError, SealError, PlanError) as error:
        sys.stderr.write(f"tidings gateway: {error}\n")
        return EXIT_SETTINGS


async def _run(settings: Settings) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return await Box(settings, _surroundings(settings)).run(stop)


def _surroundings(settings: Settings) -> Surroundings:
    return Surroundings(
        now=lambda: datetime.now(UTC),
        draw=random.random,
        zone=ZoneInfo(settings.zone),
        synced=_trusted if settings.clock == "trusted" else clock_is_synced,
        disk_free_mb=_disk_gauge(Path(settings.outbox).resolve().parent),
    )


def _trusted() -> bool:
    return True


def _disk_gauge(folder: Path) -> Callable[[], int | None]:
    def free() -> int | None:
        try:
            return shutil.disk_usage(folder).free // _MEGABYTE
        except OSError:
            return None

    return free


def _settings(given: argparse.Namespace) -> Settings:
    path = Path(given.config or os.environ.get("TIDINGS_GATEWAY_CONFIG", DEFAULT_CONFIG))
    wanted = given.config is not None or path.exists()
    return settings_door.read(
        path if wanted else None,
        os.environ,
        site=given.site,
        gateway=given.gateway,
        outbox=given.outbox,
        metrics_port=given.metrics_port,
        radio__recorded=given.recorded,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tidings gateway run", description=__doc__)
    parser.add_argument("--config", help=f"TOML file (default {DEFAULT_CONFIG})")
    parser.add_argument("--site", help="site id, second level of every topic")
    parser.add_argument("--gateway", help="this box's id")
    parser.add_argument("--outbox", help="SQLite file that survives power cuts")
    parser.add_argument("--metrics-port", help="Prometheus metrics on 127.0.0.1 (0: none)")
    parser.add_argument("--recorded", help="play this plan of recorded frames: no radio")
    parser.add_argument("--log-level", default="info", choices=("debug", "info", "warning"))
    return parser


def _log_to_stderr(level: str) -> None:
    """One JSON object a line; identifiers, never a measurement."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


if __name__ == "__main__":
    sys.exit(main())
