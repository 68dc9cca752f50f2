"""Heart Rate: measurement 2A37."""

from dataclasses import dataclass
from enum import IntEnum

from devices import bits, packing, shown
from devices.cursor import Cursor
from devices.failure import Reason
from devices.reading import Decoded, FailedMeasurement, Kind, Reading
from devices.shown import Fields

TICKS_PER_SECOND = 1024


class Flag(IntEnum):
    """The first byte; the bits above are reserved."""

    WIDE = 1
    CONTACT = 2
    CONTACT_SUPPORTED = 4
    ENERGY = 8
    INTERVALS = 16


_KNOWN = sum(Flag)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartRate:
    """2A37 as on the wire: /min."""

    rate: int
    wide: bool = False
    """The rate takes 16 bits."""
    contact: bool = False
    """Means something only if `contact_supported`."""
    contact_supported: bool = False
    energy_kj: int | None = None
    intervals: tuple[int, ...] | None = None
    """Times between beats in 1/1024 s; they fill the frame."""
    reserved: int = 0
    trailing: bytes = b""

    @property
    def flags(self) -> int:
        """The first byte."""
        there = {Flag.ENERGY: self.energy_kj, Flag.INTERVALS: self.intervals}
        contact = Flag.CONTACT if self.contact else 0
        supported = Flag.CONTACT_SUPPORTED if self.contact_supported else 0
        wide = Flag.WIDE if self.wide else 0
        return bits.present(there) | wide | contact | supported | self.reserved


def parse(frame: bytes) -> HeartRate:
    """Read every field; UnreadableError if one that the flags promise is missing."""
    cursor = Cursor(frame)
    flags = cursor.u8()
    wide = bool(flags & Flag.WIDE)
    return HeartRate(
        rate=cursor.u16() if wide else cursor.u8(),
        wide=wide,
        contact=bool(flags & Flag.CONTACT),
        contact_supported=bool(flags & Flag.CONTACT_SUPPORTED),
        energy_kj=cursor.u16() if flags & Flag.ENERGY else None,
        intervals=_intervals(cursor) if flags & Flag.INTERVALS else None,
        reserved=flags & ~_KNOWN,
        trailing=cursor.rest(),
    )


def encode(measured: HeartRate) -> bytes:
    """Return the frame."""
    return (
        packing.u8(measured.flags)
        + (packing.u16(measured.rate) if measured.wide else packing.u8(measured.rate))
        + packing.u16(measured.energy_kj)
        + b"".join(packing.u16(interval) for interval in measured.intervals or ())
        + measured.trailing
    )


def read(measured: HeartRate) -> Decoded:
    """Return the reading; a rate of 0 is a strap that hears no heart."""
    lost = measured.contact_supported and not measured.contact
    flags = ("no_contact",) if lost else ()
    if measured.rate == 0:
        return FailedMeasurement(
            kind=Kind.HEART_RATE,
            reason=Reason.NO_VALUE,
            flags=flags,
            trailing=len(measured.trailing),
        )
    energy = measured.energy_kj
    return Reading(
        kind=Kind.HEART_RATE,
        value=float(measured.rate),
        original_value=float(measured.rate),
        original_unit="/min",
        flags=flags,
        extra={} if energy is None else {"energy_kj": float(energy)},
        trailing=len(measured.trailing),
    )


def fields(measured: HeartRate) -> Fields:
    """Return the decoded fields in the units of the wire, intervals in ms."""
    supported = measured.contact_supported
    intervals = measured.intervals
    return {
        "heart_rate": measured.rate,
        **shown.given(
            contact=measured.contact if supported else None,
            energy_kj=measured.energy_kj,
            rr_ms=None if intervals is None else [_milliseconds(ticks) for ticks in intervals],
        ),
    }


def _intervals(cursor: Cursor) -> tuple[int, ...]:
    """All that are left, of which the flag promises one at least."""
    return tuple(cursor.u16() for _ in range(max(1, cursor.left // 2)))


def _milliseconds(ticks: int) -> float:
    return round(ticks * 1000 / TICKS_PER_SECOND, 1)
