"""Recorded frames instead of a radio: a plan file is played behind the scanner, into the outbox.

Each line of a plan is a JSON object: `device`, `char`, `every_s`, and either `hex` (one frame or a
list that is repeated; `{time}` and `{seq}` are filled in) or `values` (named ranges to draw from).
"""

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import msgspec
import structlog

from devices import blood_pressure, date_time, glucose, weight
from gateway import clock
from gateway.known import Device
from gateway.outbox import Outbox, Visit
from gateway.registry import Registry
from gateway.surroundings import Surroundings

log = structlog.get_logger()

Range = tuple[float, float]


class PlanError(ValueError):
    """The plan cannot be played; the message names the line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One device that speaks at intervals."""

    device: str
    char: str
    every_s: float
    model: str = ""
    after_s: float = 0.0
    times: int | None = None
    """How often; None: for ever."""
    hex: str | list[str] = ""
    values: dict[str, Range] = field(default_factory=dict)
    quirk: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Player:
    """What playing a plan needs of the world."""

    outbox: Outbox
    registry: Registry
    around: Surroundings
    caught: Callable[[], None]
    """Called after each frame, so that the publisher looks at once."""
    seed: int = 1


def read_plan(path: Path) -> list[Line]:
    """Return the lines of a plan file."""
    try:
        plan = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PlanError(f"{path}: {error}") from error
    lines = []
    for number, text in enumerate(plan.splitlines(), start=1):
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        try:
            line = msgspec.json.decode(text, type=Line)
            frame(line, 0, datetime(2026, 1, 1), random.Random(0))  # noqa: DTZ001  # a device's time
        except (msgspec.DecodeError, ValueError, LookupError, TypeError) as error:
            raise PlanError(f"{path}:{number}: {error}") from error
        lines.append(line)
    return lines


def frame(line: Line, count: int, local: datetime, draw: random.Random) -> bytes:
    """Return the bytes that the device sends at its `count`-th measurement."""
    moment = date_time.of(local)
    if line.values:
        picked = {name: round(draw.uniform(*pair), 1) for name, pair in line.values.items()}
        return _ENCODERS[line.char](picked, moment, count)
    choices = [line.hex] if isinstance(line.hex, str) else line.hex
    text = choices[count % len(choices)]
    text = text.replace("{time}", date_time.encode(moment).hex())
    return bytes.fromhex(text.replace("{seq}", count.to_bytes(2, "little").hex()))


async def play(lines: list[Line], player: Player) -> None:
    """Play the plan until it ends, or for as long as the box runs."""
    async with asyncio.TaskGroup() as group:
        for number, line in enumerate(lines):
            group.create_task(_play_line(line, player, random.Random(player.seed + number)))


async def _play_line(line: Line, player: Player, draw: random.Random) -> None:
    player.registry.remember(Device(identity=line.device, model=line.model, enrolled=True))
    await asyncio.sleep(line.after_s)
    count = 0
    while line.times is None or count < line.times:
        _measure(line, count, player, draw)
        count += 1
        await asyncio.sleep(line.every_s)


def _measure(line: Line, count: int, player: Player, draw: random.Random) -> None:
    """One measurement, along the path that a notification takes."""
    now = player.around.now()
    local = now.astimezone(player.around.zone).replace(tzinfo=None)
    offset = clock.offset_s(local, now)
    visit = player.outbox.begin_visit(
        Visit(
            device=line.device,
            model=line.model,
            quirk=line.quirk,
            clock_known=True,
            synced=player.around.synced(),
            offset_s=round(offset),
        )
    )
    raw = frame(line, count, local, draw)
    player.outbox.catch(visit, line.char, raw, at=now)
    player.outbox.end_visit(visit)
    player.caught()
    log.info("recorded_frame", device=line.device, char=line.char)


def _blood_pressure(values: Mapping[str, float], moment: date_time.DateTime, _count: int) -> bytes:
    systolic, diastolic = round(values["systolic"]), round(values["diastolic"])
    return blood_pressure.encode(
        blood_pressure.BloodPressure(
            systolic=float(systolic),
            diastolic=float(diastolic),
            mean_arterial=float(diastolic + (systolic - diastolic) // 3),
            timestamp=moment,
            pulse=float(round(values["pulse"])) if "pulse" in values else None,
        )
    )


def _weight(values: Mapping[str, float], moment: date_time.DateTime, _count: int) -> bytes:
    return weight.encode(weight.Weight(weight=values["kg"], timestamp=moment))


def _glucose(values: Mapping[str, float], moment: date_time.DateTime, count: int) -> bytes:
    return glucose.encode(
        glucose.Glucose(
            sequence=count % (1 << 16),
            base_time=moment,
            concentration=round(values["mg_dl"]) / 100_000,
            type=1,
            location=1,
        )
    )


_ENCODERS: Mapping[str, Callable[[Mapping[str, float], date_time.DateTime, int], bytes]] = {
    "2A35": _blood_pressure,
    "2A9D": _weight,
    "2A18": _glucose,
}
