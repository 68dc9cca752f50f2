"""The MQTT messages between home and server, version 1: what each field means, dump and load.

Topics are `tidings/v1/{site}/{gateway}/{readings|events|status|acks|commands|results}`; the
message reference is docs/messages.md. No name, MRN or other identity of a patient ever appears.
"""

from datetime import datetime
from typing import Annotated, Literal, TypeVar
from uuid import UUID

import msgspec

from devices.reading import Reading

VERSION = "1.0"
MAJOR = "1"
CATCH_UP_LIMIT = 100
"""The most readings that one message may hold."""


class WireError(ValueError):
    """A message that cannot be used; `reason` is one fixed word, the text says more."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class WireReading(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One captured frame and what the gateway read in it, canonical units (devices.reading)."""

    id: UUID
    char: str
    frame: str
    """The raw bytes, hex."""
    at: datetime
    """Gateway clock when the frame came, aware UTC."""
    status: Literal["measured", "failed", "unreadable"] = "measured"
    kind: str = ""
    value: float | None = None
    diastolic: float | None = None
    mean_arterial: float | None = None
    pulse: float | None = None
    original_value: float | None = None
    original_unit: str | None = None
    device_time: datetime | None = None
    """Naive: the device's own clock, as encoded."""
    offset_s: float | None = None
    """Gateway clock minus device clock in seconds, read at connect; None if never read."""
    synced: bool = True
    """The gateway's own clock was NTP-synchronised."""
    live: bool = True
    """Measured now, not fetched from the device's memory."""
    sequence: int | None = None
    user_slot: int | None = None
    flags: tuple[str, ...] = ()
    extra: dict[str, float | str] = {}
    reason: str | None = None
    """Why failed or unreadable."""
    trailing: int = 0


def measured(told: WireReading, decoded: Reading) -> WireReading:
    """Return what is told of a frame with the values that were read in it."""
    return msgspec.structs.replace(
        told,
        status="measured",
        value=decoded.value,
        diastolic=decoded.diastolic,
        mean_arterial=decoded.mean_arterial,
        pulse=decoded.pulse,
        original_value=decoded.original_value,
        original_unit=decoded.original_unit,
    )


class Readings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """1 to 100 readings of one device; published QoS 1 under the gateway's own topic."""

    v: str
    gateway: str
    device: str
    """Stable device identity: serial number, else System ID, else address."""
    model: str = ""
    readings: list[WireReading]


class Acks(msgspec.Struct, frozen=True, kw_only=True):
    """Server to gateway, after the commit: these ids (readings, events) may be forgotten."""

    v: str
    ids: list[UUID]


class DeviceState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the gateway knows of one of its devices."""

    device: str
    model: str = ""
    last_seen: datetime | None = None
    battery: int | None = None
    rssi: int | None = None
    bonded: bool | None = None
    clock_offset_s: float | None = None
    firmware: str | None = None


class Status(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Heartbeat, retained; the last will is the same message with state offline."""

    v: str
    gateway: str
    state: Literal["online", "offline"]
    at: datetime | None = None
    version: str = ""
    started_at: datetime | None = None
    outbox_depth: int = 0
    outbox_oldest: datetime | None = None
    radio: Literal["ok", "down", "simulated", "none"] = "ok"
    synced: bool = True
    disk_free_mb: int | None = None
    devices: list[DeviceState] = []


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A technical event: kept in the gateway's outbox and acknowledged like a reading."""

    v: str
    id: UUID
    gateway: str
    at: datetime
    event: str
    """device_unseen, low_battery, bond_lost, clock_fault, repeated_failures, disk_low, ..."""
    device: str | None = None
    detail: str = ""


class Command(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Server to gateway; carried out at most once per id and never after `expires_at`."""

    v: str
    id: UUID
    command: Literal["pair", "forget", "set_clock", "report_now", "rotate_credential"]
    expires_at: Annotated[datetime, msgspec.Meta(tz=True)]
    device: str | None = None
    passkey: str | None = None
    seconds: int | None = None
    arguments: dict[str, str] = {}


class Result(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Gateway to server: what became of a command."""

    v: str
    id: UUID
    ok: bool
    reason: str = ""


Message = Readings | Acks | Status | Event | Command | Result
T = TypeVar("T", bound=Message)


class _Version(msgspec.Struct):
    v: str


_ENCODER = msgspec.json.Encoder()
_VERSIONS = msgspec.json.Decoder(_Version)
_READINGS = msgspec.json.Decoder(Readings)


def dump(message: Message) -> bytes:
    """Return the message as compact JSON."""
    return _ENCODER.encode(message)


def load_readings(body: bytes) -> Readings:
    """Parse a readings message; WireError says why it cannot be used."""
    try:
        message = _READINGS.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _unusable(body, error) from error
    if message.v != VERSION and not _known_major(message.v):
        raise WireError("unknown_version", f"version {message.v[:20]!r} is not {MAJOR}.x")
    if not 1 <= len(message.readings) <= CATCH_UP_LIMIT:
        raise WireError("wrong_count", f"{len(message.readings)} readings, not 1..{CATCH_UP_LIMIT}")
    return message


def load(body: bytes, kind: type[T]) -> T:
    """Parse any other message of the given type; WireError says why it cannot be used."""
    try:
        message = msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _unusable(body, error) from error
    if not _known_major(message.v):
        raise WireError("unknown_version", f"version {message.v[:20]!r} is not {MAJOR}.x")
    return message


def _known_major(version: str) -> bool:
    return version.split(".", 1)[0] == MAJOR


def _unusable(body: bytes, error: Exception) -> WireError:
    """Tell a message of another major version, whose shape we cannot know, from a malformed one."""
    try:
        version = _VERSIONS.decode(body).v
    except (msgspec.DecodeError, UnicodeDecodeError):
        return WireError("malformed", str(error)[:200])
    if not _known_major(version):
        return WireError("unknown_version", f"version {version[:20]!r} is not {MAJOR}.x")
    return WireError("malformed", str(error)[:200])
