"""Pulse Oximeter on the wire: spot-check 2A5E, continuous 2A5F, features 2A60.

What the frames mean is in devices.saturation.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType

from devices import bits, date_time, packing, sfloat
from devices.cursor import Cursor
from devices.date_time import DateTime
from devices.sfloat import Number


class SpotFlag(IntEnum):
    """First byte of 2A5E; the bits above are reserved."""

    TIMESTAMP = 1
    STATUS = 2
    SENSOR = 4
    AMPLITUDE = 8
    CLOCK_NOT_SET = 16


class StreamFlag(IntEnum):
    """First byte of 2A5F; the bits above are reserved."""

    FAST = 1
    SLOW = 2
    STATUS = 4
    SENSOR = 8
    AMPLITUDE = 16


FEATURES: Mapping[int, str] = MappingProxyType(
    {
        0: "measurement_status",
        1: "sensor_status",
        2: "stores_spot_checks",
        3: "spot_check_timestamp",
        4: "fast_average",
        5: "slow_average",
        6: "pulse_amplitude_index",
        7: "multiple_bonds",
    }
)
_SPOT_KNOWN, _STREAM_KNOWN = sum(SpotFlag), sum(StreamFlag)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpotCheck:
    """2A5E as on the wire: %, /min."""

    saturation: Number
    pulse: Number
    timestamp: DateTime | None = None
    status: int | None = None
    sensor: int | None = None
    amplitude: Number | None = None
    """Pulse amplitude index, %."""
    clock_not_set: bool = False
    reserved: int = 0
    trailing: bytes = b""

    @property
    def flags(self) -> int:
        """The first byte."""
        there = {
            SpotFlag.TIMESTAMP: self.timestamp,
            SpotFlag.STATUS: self.status,
            SpotFlag.SENSOR: self.sensor,
            SpotFlag.AMPLITUDE: self.amplitude,
        }
        unset = SpotFlag.CLOCK_NOT_SET if self.clock_not_set else 0
        return bits.present(there) | unset | self.reserved


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """2A5F as on the wire: %, /min; fast and slow averages come as pairs."""

    saturation: Number
    pulse: Number
    fast_saturation: Number | None = None
    fast_pulse: Number | None = None
    slow_saturation: Number | None = None
    slow_pulse: Number | None = None
    status: int | None = None
    sensor: int | None = None
    amplitude: Number | None = None
    reserved: int = 0
    trailing: bytes = b""

    @property
    def flags(self) -> int:
        """The first byte."""
        there = {
            StreamFlag.FAST: self.fast_saturation,
            StreamFlag.SLOW: self.slow_saturation,
            StreamFlag.STATUS: self.status,
            StreamFlag.SENSOR: self.sensor,
            StreamFlag.AMPLITUDE: self.amplitude,
        }
        return bits.present(there) | self.reserved


@dataclass(frozen=True, slots=True, kw_only=True)
class OximeterFeatures:
    """2A60 as on the wire: what is supported, and which status bits can ever be set."""

    raw: int
    status_support: int | None = None
    sensor_support: int | None = None
    trailing: bytes = b""


def parse_spot(frame: bytes) -> SpotCheck:
    """Read 2A5E; UnreadableError if a field that the flags promise is missing."""
    cursor = Cursor(frame)
    flags = cursor.u8()
    return SpotCheck(
        saturation=sfloat.decode(cursor.u16()),
        pulse=sfloat.decode(cursor.u16()),
        timestamp=date_time.read_from(cursor) if flags & SpotFlag.TIMESTAMP else None,
        status=cursor.u16() if flags & SpotFlag.STATUS else None,
        sensor=cursor.u24() if flags & SpotFlag.SENSOR else None,
        amplitude=sfloat.decode(cursor.u16()) if flags & SpotFlag.AMPLITUDE else None,
        clock_not_set=bool(flags & SpotFlag.CLOCK_NOT_SET),
        reserved=flags & ~_SPOT_KNOWN,
        trailing=cursor.rest(),
    )


def encode_spot(measured: SpotCheck) -> bytes:
    """Return 2A5E."""
    return (
        packing.u8(measured.flags)
        + packing.short(measured.saturation)
        + packing.short(measured.pulse)
        + packing.moment(measured.timestamp)
        + packing.u16(measured.status)
        + packing.u24(measured.sensor)
        + packing.short(measured.amplitude)
        + measured.trailing
    )


def parse_stream(frame: bytes) -> Stream:
    """Read 2A5F; UnreadableError if a field that the flags promise is missing."""
    cursor = Cursor(frame)
    flags = cursor.u8()
    fast, slow = bool(flags & StreamFlag.FAST), bool(flags & StreamFlag.SLOW)
    return Stream(
        saturation=sfloat.decode(cursor.u16()),
        pulse=sfloat.decode(cursor.u16()),
        fast_saturation=sfloat.decode(cursor.u16()) if fast else None,
        fast_pulse=sfloat.decode(cursor.u16()) if fast else None,
        slow_saturation=sfloat.decode(cursor.u16()) if slow else None,
        slow_pulse=sfloat.decode(cursor.u16()) if slow else None,
        status=cursor.u16() if flags & StreamFlag.STATUS else None,
        sensor=cursor.u24() if flags & StreamFlag.SENSOR else None,
        amplitude=sfloat.decode(cursor.u16()) if flags & StreamFlag.AMPLITUDE else None,
        reserved=flags & ~_STREAM_KNOWN,
        trailing=cursor.rest(),
    )


def encode_stream(measured: Stream) -> bytes:
    """Return 2A5F."""
    return (
        packing.u8(measured.flags)
        + packing.short(measured.saturation)
        + packing.short(measured.pulse)
        + packing.short(measured.fast_saturation)
        + packing.short(measured.fast_pulse)
        + packing.short(measured.slow_saturation)
        + packing.short(measured.slow_pulse)
        + packing.u16(measured.status)
        + packing.u24(measured.sensor)
        + packing.short(measured.amplitude)
        + measured.trailing
    )


def parse_features(frame: bytes) -> OximeterFeatures:
    """Read 2A60."""
    cursor = Cursor(frame)
    raw = cursor.u16()
    return OximeterFeatures(
        raw=raw,
        status_support=cursor.u16() if raw & 1 else None,
        sensor_support=cursor.u24() if raw & 2 else None,
        trailing=cursor.rest(),
    )


def encode_features(found: OximeterFeatures) -> bytes:
    """Return 2A60."""
    support = packing.u16(found.status_support) + packing.u24(found.sensor_support)
    return packing.u16(found.raw) + support + found.trailing
