"""Writes the fields of a frame; an absent field (None) is no bytes at all."""

from devices import date_time, sfloat
from devices.date_time import DateTime
from devices.sfloat import Number


def u8(number: int | None) -> bytes:
    """One unsigned byte."""
    return _unsigned(number, 1)


def u16(number: int | None) -> bytes:
    """Two bytes, little-endian."""
    return _unsigned(number, 2)


def u24(number: int | None) -> bytes:
    """Three bytes, little-endian."""
    return _unsigned(number, 3)


def u32(number: int | None) -> bytes:
    """Four bytes, little-endian."""
    return _unsigned(number, 4)


def s16(number: int | None) -> bytes:
    """Two bytes, signed, little-endian."""
    return b"" if number is None else number.to_bytes(2, "little", signed=True)


def short(number: Number | None) -> bytes:
    """An SFLOAT."""
    return b"" if number is None else u16(sfloat.encode(number))


def long(number: Number | None) -> bytes:
    """A FLOAT."""
    return b"" if number is None else u32(sfloat.encode_float(number))


def steps(number: float | None, per_unit: int) -> bytes:
    """A number as a 16-bit count of 1 / `per_unit`."""
    return b"" if number is None else u16(round(number * per_unit))


def moment(clock: DateTime | None) -> bytes:
    """A Date Time."""
    return b"" if clock is None else date_time.encode(clock)


def _unsigned(number: int | None, width: int) -> bytes:
    return b"" if number is None else number.to_bytes(width, "little")
