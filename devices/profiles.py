"""What we support: each characteristic with its decoder. Any bytes give a result or one error."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

from devices import (
    battery,
    blood_pressure,
    body_composition,
    clock,
    features,
    glucose,
    glucose_context,
    heart_rate,
    information,
    oximeter,
    quirks,
    racp,
    saturation,
    sfloat,
    thermometer,
    user_data,
    weight,
)
from devices.features import Features
from devices.reading import Decoded, UnreadableError
from devices.sfloat import Number
from devices.shown import Fields

_BASE_UUID = "-0000-1000-8000-00805F9B34FB"
_SHORT = 4
M = TypeVar("M")


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How one characteristic is decoded."""

    name: str
    decode: Callable[[bytes], Decoded | None]
    """None: understood, but never a reading."""
    fields: Callable[[bytes], Fields]
    is_reading: bool


def decode(characteristic: str, frame: bytes, *, quirk: str | None = None) -> Decoded | None:
    """Return a reading, a failed measurement, or None for what is never a reading.

    UnreadableError if the frame is cut short or the characteristic is not among SUPPORTED.
    """
    return profile(characteristic, quirk=quirk).decode(frame)


def fields(characteristic: str, frame: bytes, *, quirk: str | None = None) -> Fields:
    """Return the decoded fields in the units of the wire; raises as `decode` does."""
    return profile(characteristic, quirk=quirk).fields(frame)


def profile(characteristic: str, *, quirk: str | None = None) -> Profile:
    """Return how a characteristic is decoded, by its short or long UUID."""
    code = short(characteristic)
    found = _QUIRKS.get((quirk or "", code)) or SUPPORTED.get(code) or FORMATS.get(code)
    if found is None:
        raise UnreadableError(f"characteristic {characteristic} is not supported")
    return found


def short(uuid: str) -> str:
    """Return 2A35 for any way to write it: 2a35, 0x2A35 or the 128-bit UUID."""
    code = uuid.strip().upper().removeprefix("0X")
    return code.removesuffix(_BASE_UUID)[-_SHORT:] if code.endswith(_BASE_UUID) else code


def _measurement(
    name: str,
    parse: Callable[[bytes], M],
    read: Callable[[M], Decoded],
    show: Callable[[M], Fields],
) -> Profile:
    return Profile(
        name=name,
        decode=lambda frame: read(parse(frame)),
        fields=lambda frame: _with_tail(parse(frame), show),
        is_reading=True,
    )


def _never_a_reading(
    name: str, parse: Callable[[bytes], M], show: Callable[[M], Fields]
) -> Profile:
    def check(frame: bytes) -> None:
        parse(frame)

    return Profile(
        name=name,
        decode=check,
        fields=lambda frame: _with_tail(parse(frame), show),
        is_reading=False,
    )


def _with_tail(measured: M, show: Callable[[M], Fields]) -> Fields:
    """The fields, and how many bytes followed the last one."""
    return {**show(measured), "trailing": len(getattr(measured, "trailing", b""))}


def _features(name: str, width: int, names: Mapping[int, str]) -> Profile:
    return _never_a_reading(
        name,
        lambda frame: features.parse(frame, width),
        lambda found: features.fields(found, names),
    )


def _bare(name: str, width: int, parse: Callable[[int], Number]) -> Profile:
    return _never_a_reading(
        name,
        lambda frame: features.parse(frame, width),
        lambda found: {"value": parse(found.raw)},
    )


def _weight_features(frame: bytes) -> Features:
    return features.parse(frame, 4)


SUPPORTED: Mapping[str, Profile] = MappingProxyType(
    {
        "2A08": _never_a_reading("Date Time", clock.parse_date_time, clock.date_time_fields),
        "2A18": _measurement("Glucose Measurement", glucose.parse, glucose.read, glucose.fields),
        "2A19": _never_a_reading("Battery Level", battery.parse, battery.fields),
        "2A1C": _measurement(
            "Temperature Measurement", thermometer.parse, thermometer.read, thermometer.fields
        ),
        "2A1D": _never_a_reading(
            "Temperature Type", thermometer.parse_site, thermometer.site_fields
        ),
        "2A1E": _never_a_reading("Intermediate Temperature", thermometer.parse, thermometer.fields),
        "2A23": _never_a_reading("System ID", information.parse, information.fields),
        **{
            code: _never_a_reading(
                f"Device Information: {what}", information.parse_text, information.text_fields
            )
            for code, what in information.STRINGS.items()
        },
        "2A2B": _never_a_reading("Current Time", clock.parse, clock.fields),
        "2A34": _never_a_reading(
            "Glucose Measurement Context", glucose_context.parse, glucose_context.fields
        ),
        "2A35": _measurement(
            "Blood Pressure Measurement",
            blood_pressure.parse,
            blood_pressure.read,
            blood_pressure.fields,
        ),
        "2A36": _never_a_reading(
            "Intermediate Cuff Pressure", blood_pressure.parse, blood_pressure.fields
        ),
        "2A37": _measurement(
            "Heart Rate Measurement", heart_rate.parse, heart_rate.read, heart_rate.fields
        ),
        "2A49": _features("Blood Pressure Feature", 2, blood_pressure.FEATURES),
        "2A51": _features("Glucose Feature", 2, glucose.FEATURES),
        "2A52": _never_a_reading("Record Access Control Point", racp.parse, racp.fields),
        "2A5E": _measurement(
            "PLX Spot-Check Measurement",
            oximeter.parse_spot,
            saturation.read_spot,
            saturation.spot_fields,
        ),
        "2A5F": _measurement(
            "PLX Continuous Measurement",
            oximeter.parse_stream,
            saturation.read_stream,
            saturation.stream_fields,
        ),
        "2A60": _never_a_reading(
            "PLX Features", oximeter.parse_features, saturation.feature_fields
        ),
        "2A99": _never_a_reading(
            "Database Change Increment", user_data.parse_increment, user_data.increment_fields
        ),
        "2A9B": _features("Body Composition Feature", 4, body_composition.FEATURES),
        "2A9C": _measurement(
            "Body Composition Measurement",
            body_composition.parse,
            body_composition.read,
            body_composition.fields,
        ),
        "2A9D": _measurement("Weight Measurement", weight.parse, weight.read, weight.fields),
        "2A9E": _never_a_reading("Weight Scale Feature", _weight_features, weight.feature_fields),
        "2A9F": _never_a_reading("User Control Point", user_data.parse, user_data.fields),
    }
)
"""Every characteristic that we decode, by its short UUID."""

FORMATS: Mapping[str, Profile] = MappingProxyType(
    {
        "SFLOAT": _bare("IEEE 11073 SFLOAT", 2, sfloat.decode),
        "FLOAT": _bare("IEEE 11073 FLOAT", 4, sfloat.decode_float),
    }
)
"""Bare number formats, for those who look at bytes."""

_QUIRKS: Mapping[tuple[str, str], Profile] = MappingProxyType(
    {
        (quirks.BEURER_BM85, "2A35"): _measurement(
            "Blood Pressure Measurement (BM85 layout)",
            quirks.parse_bm85,
            blood_pressure.read,
            blood_pressure.fields,
        ),
    }
)
