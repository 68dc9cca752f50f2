"""Many boxes on one machine, at the speed of simulated time: `python -m deploy.fleet.boxes FILE`.

With a radio each box is a forked process, since bleak's system bus is the process's; with recorded
frames all boxes share one. The file holds the boxes' settings; SIGTERM ends everything in order.
"""

import asyncio
import ctypes
import logging
import os
import random
import signal
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import msgspec
import structlog

import gateway.backoff
import gateway.publisher
import gateway.radio  # and bleak: once, before the forks
import gateway.reception
import gateway.settings
import gateway.turns
import gateway.watchdog
from gateway.box import Box
from gateway.settings import Tree, build
from gateway.simulated.bus import SYSTEM_BUS
from gateway.surroundings import Surroundings

PR_SET_PDEATHSIG = 1
CALM_S = 0.05
"""Between the starts of two boxes."""


class Boxes(msgspec.Struct, frozen=True, kw_only=True):
    """Who is to run, and what time it is for them."""

    boxes: list[Tree]
    buses: dict[str, str] = {}
    """Bus by gateway; empty: there is no radio."""
    speed: float
    started_at: datetime
    shows: datetime


def main(path: Path) -> int:
    """Run all boxes until told to stop."""
    _log_what_matters()
    wanted = msgspec.json.decode(path.read_bytes(), type=Boxes)
    stretch(wanted.speed)
    if wanted.buses:
        return _fork_all(wanted)
    return asyncio.run(_run(wanted, wanted.boxes))


def stretch(speed: float) -> None:
    """Make what the box waits for a radio or a broker as long in real time as it always is.

    Its clock is the simulated one, which runs `speed` times as fast; radios do not.
    """
    for module, names in (
        (gateway.turns, ("_FAILURE_WAIT", "_LONGEST_FAILURE_WAIT", "_LONGEST_IDLE_WAIT")),
        (gateway.turns, ("_SILENCE",)),
        (gateway.reception, ("_FRESH",)),
        (gateway.watchdog, ("SILENT_AFTER", "RECOVER_AGAIN_AFTER")),
        (gateway.watchdog, ("_RESTART_WAIT", "_LONGEST_WAIT")),
        (gateway.publisher, ("_AFTER_LOST_SESSION",)),
    ):
        for name in names:
            setattr(module, name, getattr(module, name) * speed)
    minute = timedelta(minutes=1) * speed
    pace = gateway.backoff.Pace
    gateway.publisher._UNDELIVERED = pace(first=minute / 30, longest=minute)  # noqa: SLF001
    setattr(gateway.settings, "Pace", partial(pace, longest=15 * minute))  # noqa: B010 - as above


def _fork_all(wanted: Boxes) -> int:
    """One process for each home; all share what was imported."""
    children = [_fork(wanted, tree) for tree in wanted.boxes]

    def end_all(*_: object) -> None:
        for child in children:
            _end(child)

    signal.signal(signal.SIGTERM, end_all)
    for child in children:
        os.waitpid(child, 0)
    return 0


def _fork(wanted: Boxes, tree: Tree) -> int:
    parent = os.getpid()
    child = os.fork()
    if child:
        return child
    try:
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() == parent:
            os.environ[SYSTEM_BUS] = wanted.buses[str(tree["gateway"])]
            asyncio.run(_run(wanted, [tree]))
    finally:
        os._exit(0)


def _end(child: int) -> None:
    try:
        os.kill(child, signal.SIGTERM)
    except ProcessLookupError:
        return


async def _run(wanted: Boxes, trees: list[Tree]) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with asyncio.TaskGroup() as group:
        for tree in trees:
            group.create_task(_live(wanted, tree, stop))
            await asyncio.sleep(CALM_S)
    return 0


async def _live(wanted: Boxes, tree: Tree, stop: asyncio.Event) -> None:
    """Run one box; start it again when it wants that, as its supervisor would."""
    settings = build(dict(tree))
    while not stop.is_set():
        code = await Box(settings, _surroundings(wanted)).run(stop)
        if not stop.is_set():
            structlog.get_logger().warning("box_ended", gateway=settings.gateway, code=code)
            await asyncio.sleep(1)


def _surroundings(wanted: Boxes) -> Surroundings:
    return Surroundings(
        now=lambda: wanted.shows + (datetime.now(UTC) - wanted.started_at) * wanted.speed,
        draw=random.random,
        zone=UTC,
        synced=lambda: True,
        disk_free_mb=lambda: 10_000,
    )


def _log_what_matters() -> None:
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
