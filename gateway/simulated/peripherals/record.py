"""What a device measured: the truth that a gateway's account is compared with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One measurement in a device's memory, as it will be sent."""

    number: int
    """1 for the first on this device, whatever its sequence numbers do."""
    characteristic: str
    """Four upper-case hex digits, e.g. 2A35."""
    frame: bytes
    measured_at: datetime
    """When it really happened, aware UTC."""
    device_time: datetime | None
    """Naive, as the device's clock had it."""
    sequence: int | None = None
    context: bytes | None = None
    """A second frame that belongs to the first (glucose context)."""
    values: Mapping[str, float | None] = field(default_factory=dict)
    """What was measured, by the names of `measure`'s arguments; None: it failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One frame that left the device."""

    record: Record
    characteristic: str
    frame: bytes
