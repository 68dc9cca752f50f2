"""From a caught frame to the reading that goes on the wire. Pure; never loses a frame."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import Enum

from devices import profiles
from devices.reading import (
    Capture,
    Decoded,
    FailedMeasurement,
    Reading,
    UnreadableError,
    reading_id,
)
from devices.wire import WireReading
from gateway import clock

Decode = Callable[[str, bytes, str | None], Decoded | None]


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
    visit_ended: bool
    visit_frames: int
    characteristic: str
    frame: bytes
    at: datetime
    fetched: bool


def decode(characteristic: str, frame: bytes, quirk: str | None) -> Decoded | None:
    """Decode one frame with the decoders that this box has."""
    return profiles.decode(characteristic, frame, quirk=quirk)


def interpret(caught: CaughtFrame, zone: tzinfo, read: Decode = decode) -> WireReading | NotYet:
    """Return what goes on the wire, or why nothing does."""
    capture = Capture(
        device_id=caught.device,
        characteristic=caught.characteristic,
        frame=caught.frame,
        captured_at=caught.at,
    )
    try:
        decoded = read(caught.characteristic, caught.frame, caught.quirk)
    except UnreadableError as error:
        return _unreadable(caught, capture, str(error))
    except Exception as error:  # noqa: BLE001  # a bug in a decoder must not cost the frame
        return _unreadable(caught, capture, f"decoder failed: {type(error).__name__}: {error}")
    if decoded is None:
        return NotYet.NEVER
    local = caught.at.astimezone(zone)
    believable = clock.believable(decoded.device_time, caught.offset_s, local)
    if not believable and not caught.visit_ended:
        return NotYet.WAIT
    live = (
        clock.live(
            decoded.device_time, offset=caught.offset_s, caught=local, fetched=caught.fetched
        )
        if believable
        else not caught.fetched and caught.visit_frames == 1
    )
    return _readable(caught, capture, decoded, live=live)


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
    caught: CaughtFrame, capture: Capture, decoded: Decoded, *, live: bool
) -> WireReading:
    """Put what the device said, and what the gateway knows of its clock, into one wire reading."""
    value = decoded if isinstance(decoded, Reading) else None
    return WireReading(
        id=reading_id(capture, decoded),
        char=caught.characteristic,
        frame=caught.frame.hex(),
        at=caught.at,
        status="measured" if value else "failed",
        kind=decoded.kind,
        value=value.value if value else None,
        diastolic=value.diastolic if value else None,
        mean_arterial=value.mean_arterial if value else None,
        pulse=value.pulse if value else None,
        original_value=value.original_value if value else None,
        original_unit=value.original_unit if value else None,
        device_time=decoded.device_time,
        offset_s=caught.offset_s,
        synced=caught.synced,
        live=live,
        sequence=decoded.sequence,
        user_slot=decoded.user_slot,
        flags=decoded.flags,
        extra=dict(decoded.extra),
        reason=decoded.reason if isinstance(decoded, FailedMeasurement) else None,
        trailing=decoded.trailing,
    )
