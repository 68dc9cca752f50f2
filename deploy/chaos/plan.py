"""What goes wrong, and when: plans drawn from a seed, the same for the same seed. Pure."""

import random
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What can go wrong."""

    KILL = "kill -9"
    STOP = "SIGTERM"
    CUT = "network cut"
    SLOW = "slow network"
    DISK_FULL = "disk full"
    CLOCK_JUMP = "clock jump"


TARGETS = {
    Kind.KILL: ("broker", "ingest", "database", "alerts"),
    Kind.STOP: ("broker", "ingest", "database", "alerts"),
    Kind.CUT: ("homes", "ingest"),
    Kind.SLOW: ("homes", "ingest"),
    Kind.DISK_FULL: ("database",),
    Kind.CLOCK_JUMP: ("homes",),
}
MOST_FAULTS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong: from `at_s` on, for `lasts_s`, counted from the first reading."""

    at_s: float
    kind: Kind
    target: str
    lasts_s: float
    seconds: float = 0.0
    """How far a clock jumps."""

    def __str__(self) -> str:
        return f"{self.at_s:.1f}s {self.kind} {self.target} for {self.lasts_s:.1f}s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run: traffic and faults."""

    number: int
    workers: int
    readings: int
    lasts_s: float
    faults: tuple[Fault, ...]


def draw(number: int, seed: int, *, readings: int, lasts_s: float) -> Plan:
    """Return plan `number` of a seed."""
    chance = random.Random(f"{seed}/{number}")
    faults = sorted(
        (_fault(chance, lasts_s) for _ in range(chance.randint(1, MOST_FAULTS))),
        key=lambda fault: fault.at_s,
    )
    return Plan(
        number=number,
        workers=chance.choice((1, 1, 2)),
        readings=readings,
        lasts_s=lasts_s,
        faults=tuple(faults),
    )


def _fault(chance: random.Random, lasts_s: float) -> Fault:
    kind = chance.choice(list(Kind))
    return Fault(
        at_s=round(chance.uniform(0.2, lasts_s), 2),
        kind=kind,
        target=chance.choice(TARGETS[kind]),
        lasts_s=round(chance.uniform(0.1, 2.0), 2),
        seconds=chance.choice((-7200.0, -90.0, 90.0, 7200.0)),
    )
