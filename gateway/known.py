"""What the box knows: of each device, and of what is waiting to be sent. Values only."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One device as the box knows it."""

    identity: str
    address: str | None = None
    model: str = ""
    name: str = ""
    enrolled: bool = False
    last_sequence: int | None = None
    fetched_all_at: datetime | None = None
    last_seen: datetime | None = None
    last_read: datetime | None = None
    rssi: int | None = None
    battery: int | None = None
    firmware: str | None = None
    bonded: bool | None = None
    offset_s: float | None = None
    clock_wanted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What one visit taught; None leaves what was known."""

    battery: int | None = None
    firmware: str | None = None
    bonded: bool | None = None
    offset_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """How much is waiting, and since when."""

    rows: int
    oldest: datetime | None
