"""What devices measured, boxes took in and the database holds, side by side."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from database import sql
from deploy.fleet.street import Device, Fleet, measured

QUERIES = sql.load("deploy.fleet")
Connection = psycopg.Connection[tuple[Any, ...]]
Frames = Counter[tuple[str, str]]
"""Device identity and frame (hex): how often."""


class _Truth(msgspec.Struct):
    device: str
    frame: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The counts, and every frame that is not where it should be."""

    device: int
    outbox: int
    database: int
    waiting: int
    """Readings that boxes still have to send."""
    quarantined: dict[str, int]
    """Among those in the database: kept with a reason, which it counts."""
    lost: list[str]
    doubled: list[str]
    invented: list[str]

    @property
    def equal(self) -> bool:
        """Whether every measurement is everywhere, once."""
        wrong = self.lost or self.doubled or self.invented or self.waiting
        return not wrong and self.device == self.outbox == self.database


def truth_of_logs(logs: Iterable[Path], devices: Iterable[Device]) -> Frames:
    """Return what virtual devices wrote down."""
    identity = {device.address: device.identity for device in devices}
    lines = [line for log in logs for line in log.read_bytes().splitlines(keepends=True)]
    told = [msgspec.json.decode(line, type=_Truth) for line in lines if line.endswith(b"\n")]
    return Counter((identity[one.device], one.frame) for one in told)


def truth_of_plan(fleet: Fleet, devices: Iterable[Device]) -> Frames:
    """Return what devices without a radio were going to measure."""
    made = (one for device in devices for one in measured(fleet, device))
    return Counter((one.device.identity, one.frame.hex()) for one in made)


def stored(connection: Connection, organisation: object) -> tuple[Frames, dict[str, int]]:
    """Return the frames in the database, and how many are in quarantine for which reason."""
    whose = {"organisation": organisation}
    frames: Frames = Counter(connection.execute(QUERIES["stored"].encode(), whose).fetchall())
    reasons: Counter[str] = Counter()
    for device, frame, reason in connection.execute(QUERIES["quarantined"].encode(), whose):
        frames[device, frame] += 1
        reasons[reason] += 1
    return frames, dict(reasons)


def passed_through(outbox: Path) -> tuple[int, int]:
    """Return how many readings a box was acknowledged, and how many still wait."""
    if not outbox.exists():
        return 0, 0
    connection = sqlite3.connect(outbox)
    try:
        done = connection.execute("select count(*) from seen").fetchone()[0]
        waits = connection.execute(
            "select (select count(*) from outgoing where kind = 'reading') + count(*) from frame"
        ).fetchone()[0]
    finally:
        connection.close()
    return done, waits


def compare(
    truth: Frames, outboxes: Iterable[Path], held: Frames, quarantined: Mapping[str, int]
) -> Verdict:
    """Return the counts and the differences."""
    passed = [passed_through(outbox) for outbox in outboxes]
    waiting = sum(waits for _, waits in passed)
    return Verdict(
        device=truth.total(),
        outbox=sum(done for done, _ in passed) + waiting,
        database=held.total(),
        waiting=waiting,
        quarantined=dict(quarantined),
        lost=[f"{device} {frame}" for device, frame in truth - held],
        doubled=[f"{device} {frame}" for (device, frame), times in held.items() if times > 1],
        invented=[f"{device} {frame}" for device, frame in held if (device, frame) not in truth],
    )
