"""What every object of one virtual bluetoothd shares."""

import asyncio
from dataclasses import dataclass, field

from bumble.device import Device

from gateway.simulated.bluez.agents import Agents
from gateway.simulated.bluez.faults import Faults
from gateway.simulated.bluez.tree import ObjectTree


@dataclass(frozen=True, slots=True, kw_only=True)
class Tempo:
    """How fast things happen; tests are faster than rooms."""

    advert_every_s: float = 0.1
    """At most so often a device's RSSI is told again: bleak needs a second advert to see one."""
    connect_timeout_s: float = 5.0
    forget_after_s: float = 30.0
    """A device without bond or link is forgotten when it was not heard for so long."""
    resolve_timeout_s: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """The objects, the agents, the script of faults and the tempo of one bluetoothd."""

    tree: ObjectTree
    agents: Agents
    faults: Faults
    tempo: Tempo


@dataclass(frozen=True, slots=True, kw_only=True)
class Radio:
    """One adapter's hardware: its central, and the right to set up a connection with it."""

    adapter: str
    central: Device
    dialling: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One connection is set up at a time, as on a real adapter."""
