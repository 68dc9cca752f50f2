"""Frames that break the standard layout: one decoder and encoder per misbehaviour."""

import dataclasses

from devices import blood_pressure, date_time, packing, sfloat
from devices.blood_pressure import BloodPressure
from devices.cursor import Cursor

BEURER_BM85 = "beurer_bm85"
CARESENS = "caresens"
"""A ketone result is a glucose record whose context has the reserved meal 6 (devices.pairs)."""
QUIRKS = (BEURER_BM85, CARESENS)

_BM85_FLAGS_SET = 0x56
_HEAD = 7


def parse_bm85(frame: bytes) -> BloodPressure:
    """Read a Beurer BM85 frame of 2A35: user byte always there, pulse and status big-endian.

    The cuff sets a reserved flag and not the user flag, so that a strict reader is one byte off.
    """
    cursor = Cursor(frame)
    head = blood_pressure.parse(_without_options(cursor.take(_HEAD)))
    return dataclasses.replace(
        head,
        timestamp=date_time.read_from(cursor),
        pulse=sfloat.decode(_big_endian(cursor)),
        user=cursor.u8(),
        status=_big_endian(cursor),
        trailing=cursor.rest(),
    )


def encode_bm85(measured: BloodPressure) -> bytes:
    """Return the frame as a BM85 sends it."""
    head = dataclasses.replace(
        measured, timestamp=None, pulse=None, user=None, status=None, trailing=b""
    )
    pulse = packing.short(measured.pulse or 0.0)[::-1]
    status = packing.u16(measured.status or 0)[::-1]
    flags = _BM85_FLAGS_SET | measured.flags & blood_pressure.Flag.KPA
    return (
        bytes((flags,))
        + blood_pressure.encode(head)[1:_HEAD]
        + packing.moment(measured.timestamp)
        + pulse
        + packing.u8(measured.user or 0)
        + status
        + measured.trailing
    )


def _without_options(head: bytes) -> bytes:
    """The head with no flag but the unit, so that it reads as a whole frame."""
    return bytes((head[0] & blood_pressure.Flag.KPA,)) + head[1:]


def _big_endian(cursor: Cursor) -> int:
    return int.from_bytes(cursor.take(2), "big")
