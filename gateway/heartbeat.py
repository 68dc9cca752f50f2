"""What the box says of itself, retained on the broker, and its last words. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from devices import wire
from gateway.known import Depth, Device

Radio = Literal["ok", "down", "simulated", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """How the box is just now."""

    at: datetime
    started_at: datetime
    version: str
    radio: Radio
    synced: bool
    depth: Depth
    disk_free_mb: int | None


def last_words(gateway: str) -> bytes:
    """Return the status that the broker publishes when the box is gone."""
    return wire.dump(wire.Status(v=wire.VERSION, gateway=gateway, state="offline"))


def status(gateway: str, vitals: Vitals, devices: Iterable[Device]) -> wire.Status:
    """Return the heartbeat."""
    return wire.Status(
        v=wire.VERSION,
        gateway=gateway,
        state="online",
        at=vitals.at,
        version=vitals.version,
        started_at=vitals.started_at,
        outbox_depth=vitals.depth.rows,
        outbox_oldest=vitals.depth.oldest,
        radio=vitals.radio,
        synced=vitals.synced,
        disk_free_mb=vitals.disk_free_mb,
        devices=[_state(device) for device in devices],
    )


def _state(device: Device) -> wire.DeviceState:
    return wire.DeviceState(
        device=device.identity,
        model=device.model,
        last_seen=device.last_seen,
        battery=device.battery,
        rssi=device.rssi,
        bonded=device.bonded,
        clock_offset_s=device.offset_s,
        firmware=device.firmware,
    )
