"""Health Thermometer: measurement 2A1C, intermediate 2A1E (same layout), site 2A1D."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType

from devices import bits, date_time, failure, packing, sfloat, shown
from devices.cursor import Cursor
from devices.date_time import DateTime
from devices.reading import Decoded, FailedMeasurement, Kind, Reading
from devices.sfloat import Number
from devices.shown import Fields


class Flag(IntEnum):
    """The first byte; the bits above are reserved."""

    FAHRENHEIT = 1
    TIMESTAMP = 2
    SITE = 4


SITES: Mapping[int, str] = MappingProxyType(
    {
        1: "armpit",
        2: "body",
        3: "ear",
        4: "finger",
        5: "gastrointestinal",
        6: "mouth",
        7: "rectum",
        8: "toe",
        9: "tympanum",
    }
)
_KNOWN = sum(Flag)


@dataclass(frozen=True, slots=True, kw_only=True)
class Temperature:
    """2A1C and 2A1E as on the wire: Celsius, or Fahrenheit."""

    temperature: Number
    fahrenheit: bool = False
    timestamp: DateTime | None = None
    site: int | None = None
    reserved: int = 0
    trailing: bytes = b""

    @property
    def flags(self) -> int:
        """The first byte."""
        there = {Flag.TIMESTAMP: self.timestamp, Flag.SITE: self.site}
        return bits.present(there) | self.reserved | (Flag.FAHRENHEIT if self.fahrenheit else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """2A1D: where this thermometer measures, if it is always the same place."""

    site: int
    trailing: bytes = b""


def parse(frame: bytes) -> Temperature:
    """Read every field; UnreadableError if one that the flags promise is missing."""
    cursor = Cursor(frame)
    flags = cursor.u8()
    return Temperature(
        temperature=sfloat.decode_float(cursor.u32()),
        fahrenheit=bool(flags & Flag.FAHRENHEIT),
        timestamp=date_time.read_from(cursor) if flags & Flag.TIMESTAMP else None,
        site=cursor.u8() if flags & Flag.SITE else None,
        reserved=flags & ~_KNOWN,
        trailing=cursor.rest(),
    )


def encode(measured: Temperature) -> bytes:
    """Return the frame."""
    return (
        packing.u8(measured.flags)
        + packing.long(measured.temperature)
        + packing.moment(measured.timestamp)
        + packing.u8(measured.site)
        + measured.trailing
    )


def parse_site(frame: bytes) -> Site:
    """Read 2A1D."""
    cursor = Cursor(frame)
    return Site(site=cursor.u8(), trailing=cursor.rest())


def encode_site(site: Site) -> bytes:
    """Return 2A1D."""
    return packing.u8(site.site) + site.trailing


def read(measured: Temperature) -> Decoded:
    """Return the reading in Cel, or why there is none."""
    temperature = sfloat.value(measured.temperature)
    if temperature is None:
        return FailedMeasurement(
            kind=Kind.TEMPERATURE,
            reason=failure.reason(measured.temperature) or failure.Reason.NO_VALUE,
            device_time=date_time.device_time(measured.timestamp),
            flags=bits.ordered(date_time.doubts(measured.timestamp)),
            extra=_where(measured),
            trailing=len(measured.trailing),
        )
    return Reading(
        kind=Kind.TEMPERATURE,
        value=celsius(temperature) if measured.fahrenheit else temperature,
        original_value=temperature,
        original_unit="[degF]" if measured.fahrenheit else "Cel",
        device_time=date_time.device_time(measured.timestamp),
        flags=bits.ordered(date_time.doubts(measured.timestamp)),
        extra=_where(measured),
        trailing=len(measured.trailing),
    )


def fields(measured: Temperature) -> Fields:
    """Return the decoded fields in the units of the wire."""
    return {
        "unit": "F" if measured.fahrenheit else "C",
        "temperature": measured.temperature,
        **shown.given(timestamp=shown.text(measured.timestamp), type=measured.site),
    }


def site_fields(site: Site) -> Fields:
    """Return the decoded field of 2A1D."""
    return {"type": site.site}


def celsius(fahrenheit: float) -> float:
    """Return degrees Fahrenheit as degrees Celsius."""
    return round((fahrenheit - 32) / 1.8, 2)


def _where(measured: Temperature) -> dict[str, float | str]:
    if measured.site is None:
        return {}
    return {"site": SITES.get(measured.site, f"reserved_{measured.site}")}
