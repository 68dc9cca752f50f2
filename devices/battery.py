"""Battery level 2A19."""

from dataclasses import dataclass

from devices import packing
from devices.cursor import Cursor
from devices.shown import Fields

FULL = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Battery:
    """2A19 as on the wire; above 100 is reserved."""

    level: int
    trailing: bytes = b""


def parse(frame: bytes) -> Battery:
    """Read the level."""
    cursor = Cursor(frame)
    return Battery(level=cursor.u8(), trailing=cursor.rest())


def encode(battery: Battery) -> bytes:
    """Return the frame."""
    return packing.u8(battery.level) + battery.trailing


def percent(battery: Battery) -> int | None:
    """Return the charge, None where the device says something reserved."""
    return battery.level if battery.level <= FULL else None


def fields(battery: Battery) -> Fields:
    """Return the decoded fields."""
    return {"level": battery.level}
