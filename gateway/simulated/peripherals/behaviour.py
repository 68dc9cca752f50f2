"""How a device behaves: every habit and quirk that our gateway must cope with, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum


class Bonding(StrEnum):
    """Whether a device wants to be paired, and how."""

    NONE = "no bond: anyone may read"
    JUST_WORKS = "bond without a number"
    PASSKEY = "bond with six digits on the display or label"
    COMPARISON = "bond by comparing six digits on both sides"


class ClockService(IntEnum):
    """Where the gateway sets the device's clock; the value is the characteristic."""

    NONE = 0
    DATE_TIME = 0x2A08
    CURRENT_TIME = 0x2A2B


class Memory(StrEnum):
    """What happens to records that were sent."""

    ERASE = "erased when sent"
    KEEP = "kept, but only new ones are sent"
    RESEND = "kept, and all are sent every time"


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """What the Device Information service says."""

    manufacturer: str = "Simulated"
    model: str = "Virtual"
    serial: str = ""
    firmware: str = "1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """One device's habits. The default is a well-behaved device without a bond."""

    bonding: Bonding = Bonding.NONE
    passkey: int = 123456
    pairs_only_in_pairing_mode: bool = False
    silent_until_bonded: bool = False
    """Refuses nothing to an unbonded client, and sends it nothing."""

    clock: ClockService = ClockService.DATE_TIME
    clock_deadline_s: float | None = None
    """Hangs up if its clock is not set within this time after the link is up (and encrypted)."""
    clock_error_s: float = 0.0
    """How far its clock is ahead until it is set."""
    factory_clock: datetime | None = None
    """What its (naive) clock showed when the battery went in, until it is set."""
    has_clock: bool = True
    """Without a clock there is no time in its records."""
    clock_lost: bool = False
    """Knows no time until somebody sets its clock."""

    memory: Memory = Memory.ERASE
    hangs_up_after_dump: bool = False
    idle_hang_up_s: float | None = 30.0
    """Hangs up when nothing was said for so long."""
    advertise_window_s: float | None = None
    """Advertises only so long after a measurement; None: as long as there is something to send."""
    copies: int = 1
    """How often each record is sent in a row."""
    rfu_bits: bool = False
    """Sets bits that the specification reserves."""

    imperial: bool = False
    """Pounds, degrees Fahrenheit; for a cuff kilopascals; for a meter mol/L."""
    streams_on_subscribe: bool = False
    """A meter that sends everything as soon as it is subscribed, without RACP."""
    consent: int | None = None
    """The code that a scale wants (User Data service) before it gives a user's readings."""

    battery_percent: int | None = 90
    labels: Labels | None = Labels()
    aliases: Mapping[int, str] = field(default_factory=dict)
    """The maker's own UUIDs that it uses in the place of assigned ones."""
    manufacturer_data: tuple[int, bytes] | None = None
    pairing_manufacturer_data: tuple[int, bytes] | None = None
    """What it says in pairing mode instead, if anything."""
    advertising_interval_ms: int = 20
