"""People at home: each device is used again and again, and what it showed is written down."""

import asyncio
import random
from dataclasses import dataclass
from itertools import count
from typing import TextIO

import msgspec

from gateway.simulated.peripherals.peripheral import Peripheral
from gateway.simulated.peripherals.record import Record
from gateway.simulated.values import Profile, draw


class Truth(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the truth log: a measurement that a device made, whoever hears of it."""

    gateway: str
    device: str
    """Its address."""
    kind: str
    number: int
    sequence: int | None
    char: str
    frame: str
    measured_at: str
    device_time: str | None
    values: dict[str, float | None]


class TruthLog:
    """Lines of JSON, flushed one by one: a killed process has told all it did."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def note(self, gateway: str, device: Peripheral, record: Record) -> None:
        """Write one measurement down."""
        seen = record.device_time
        line = Truth(
            gateway=gateway,
            device=device.address,
            kind=device.kind,
            number=record.number,
            sequence=record.sequence,
            char=record.characteristic,
            frame=record.frame.hex(),
            measured_at=record.measured_at.isoformat(),
            device_time=None if seen is None else seen.isoformat(),
            values=dict(record.values),
        )
        self._out.write(msgspec.json.encode(line).decode() + "\n")
        self._out.flush()


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """How one patient uses one device."""

    profile: Profile
    every_s: float
    """Real seconds between two measurements."""
    breach_share: float
    chance: random.Random
    """The patient's own, so that one does not change with how many others there are."""
    times: int | None = None
    """How often it is used; None: for ever."""


async def measure_once(device: Peripheral, habit: Habit) -> Record:
    """Use the device once."""
    values = draw(device.kind, habit.profile, breach_share=habit.breach_share, chance=habit.chance)
    return await device.show(values)


async def live(device: Peripheral, habit: Habit) -> None:
    """Use the device as often as the patient does, the first time at a random moment."""
    loop = asyncio.get_running_loop()
    due = loop.time() + habit.chance.uniform(0, habit.every_s)
    for _ in count() if habit.times is None else range(habit.times):
        await asyncio.sleep(due - loop.time())
        await measure_once(device, habit)
        due = max(due + habit.every_s, loop.time())
