"""From a caught frame to the reading that goes on the wire. Pure; never loses a frame."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import Enum

from msgspec import structs

from devices import pairs, profiles
from devices.reading import (
    Capture,
    Decoded,
    FailedMeasurement,
    UnreadableError,
    reading_id,
)
from devices.wire import WireReading, measured
from gateway import clock

ORPHAN = "2A34"
"""A frame that only completes another one."""


class NotYet(Enum):
    """Why a caught frame gives no reading."""

    WAIT = "only the end of the visit can tell what it is"
    NEVER = "understood, and never a reading"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaughtFrame:
    """A frame as it lies on the disk, with the facts of the visit in which it came."""

    row: int
    visit: int
    device: str
    model: str
    quirk: str | None
    synced: bool
    offset_s: float | None
    set_offset_s: float | None
    """The offset of the device's clock since we set it in this visit."""
    visit_ended: bool
    visit_frames: int
    characteristic: str
    frame: bytes
    at: datetime
    fetched: bool
    following: bytes | None = None
    """The second frame of a measurement that comes in two."""


Decode = Callable[[CaughtFrame], Decoded | None]


def decode(caught: CaughtFrame) -> Decoded | None:
    """Decode with the decoders that this box has; two frames as the one measurement they are."""
    code, quirk = caught.characteristic, caught.quirk
    if caught.following is not None:
        return pairs.decode(code, caught.frame, caught.following, quirk=quirk)
    return profiles.decode(code, caught.frame, quirk=quirk)


def interpret(caught: CaughtFrame, zone: tzinfo, read: Decode = decode) -> WireReading | NotYet:
    """Return what goes on the wire, or why nothing does."""
    capture = Capture(
        device_id=caught.device,
        characteristic=caught.characteristic,
        frame=caught.frame,
        captured_at=caught.at,
    )
    try:
        decoded = read(caught)
    except UnreadableError as error:
        return _unreadable(caught, capture, str(error))
    except Exception as error:  # noqa: BLE001  # a bug in a decoder must not cost the frame
        return _unreadable(caught, capture, f"decoder failed: {type(error).__name__}: {error}")
    if decoded is None:
        return _never_a_reading(caught, capture)
    offset = clock.applies(decoded.device_time, caught.offset_s, caught.set_offset_s, caught.at)
    live = _live(caught, decoded.device_time, offset, zone)
    if live is None:
        return NotYet.WAIT
    return _readable(caught, capture, decoded, offset=offset, live=live)


def _live(
    caught: CaughtFrame, device_time: datetime | None, offset: float | None, zone: tzinfo
) -> bool | None:
    """Measured now or fetched from a memory; None: only the end of the visit can tell."""
    local = caught.at.astimezone(zone)
    if clock.believable(device_time, offset, local):
        return clock.live(device_time, offset=offset, caught=local, fetched=caught.fetched)
    if not caught.visit_ended:
        return None
    return not caught.fetched and caught.visit_frames == 1


def _never_a_reading(caught: CaughtFrame, capture: Capture) -> WireReading | NotYet:
    """Half of a measurement whose other half never came is kept; anything else says nothing."""
    if caught.characteristic != ORPHAN:
        return NotYet.NEVER
    if not caught.visit_ended:
        return NotYet.WAIT
    return _unreadable(caught, capture, "context without its measurement")


def _unreadable(caught: CaughtFrame, capture: Capture, reason: str) -> WireReading:
    """Keep the frame and say why it could not be read."""
    return WireReading(
        id=reading_id(capture, None),
        char=caught.characteristic,
        frame=caught.frame.hex(),
        at=caught.at,
        status="unreadable",
        offset_s=caught.offset_s,
        synced=caught.synced,
        live=not caught.fetched,
        reason=reason[:200],
    )


def _readable(
    caught: CaughtFrame,
    capture: Capture,
    decoded: Decoded,
    *,
    offset: float | None,
    live: bool,
) -> WireReading:
    """Put what the device said, and what the gateway knows of its clock, into one wire reading."""
    told = WireReading(
        id=reading_id(capture, decoded),
        char=caught.characteristic,
        frame=caught.frame.hex(),
        at=caught.at,
        status="failed",
        kind=decoded.kind,
        device_time=decoded.device_time,
        offset_s=offset,
        synced=caught.synced,
        live=live,
        sequence=decoded.sequence,
        user_slot=decoded.user_slot,
        flags=decoded.flags,
        extra=_extra(caught, decoded),
        trailing=decoded.trailing,
    )
    return _concluded(told, decoded)


def _concluded(told: WireReading, decoded: Decoded) -> WireReading:
    """Add the value, or why there is none."""
    if isinstance(decoded, FailedMeasurement):
        return structs.replace(told, reason=decoded.reason)
    return measured(told, decoded)


def _extra(caught: CaughtFrame, decoded: Decoded) -> dict[str, float | str]:
    """What else the profile gives, with the raw second frame where there is one."""
    following = {"following": caught.following.hex()} if caught.following is not None else {}
    return {**decoded.extra, **following}
