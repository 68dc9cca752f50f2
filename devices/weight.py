"""Weight Scale: measurement 2A9D, features 2A9E."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType

from devices import bits, date_time, packing, scale, shown
from devices.cursor import Cursor
from devices.date_time import DateTime
from devices.failure import Reason
from devices.features import Features
from devices.reading import Decoded, Kind
from devices.shown import Fields

KG_PER_LB = 0.45359237
CM_PER_INCH = 2.54
KG_STEPS, LB_STEPS = 200, 100
"""Wire counts per unit: 0.005 kg and 0.01 lb, whatever the scale's own accuracy."""
METRE_STEPS, INCH_STEPS, BMI_STEPS = 1000, 10, 10
UNSUCCESSFUL = 0xFFFF


class Flag(IntEnum):
    """The first byte; the bits above are reserved."""

    IMPERIAL = 1
    TIMESTAMP = 2
    USER = 4
    BMI_AND_HEIGHT = 8


FEATURES: Mapping[int, str] = MappingProxyType({0: "timestamp", 1: "multiple_users", 2: "bmi"})
KG_ACCURACY = (None, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005)
"""Bits 3-6 of the features: how fine the scale weighs; other codes are reserved."""
HEIGHT_ACCURACY_M = (None, 0.01, 0.005, 0.001)
_KNOWN = sum(Flag)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """2A9D as on the wire: kg and m, or lb and inches if `imperial`."""

    weight: float | None
    """None: the scale says that the measurement was unsuccessful (0xFFFF)."""
    imperial: bool = False
    timestamp: DateTime | None = None
    user: int | None = None
    bmi: float | None = None
    height: float | None = None
    """Comes with the BMI, never alone."""
    reserved: int = 0
    trailing: bytes = b""

    @property
    def flags(self) -> int:
        """The first byte."""
        there = {
            Flag.TIMESTAMP: self.timestamp,
            Flag.USER: self.user,
            Flag.BMI_AND_HEIGHT: self.bmi,
        }
        return bits.present(there) | self.reserved | (Flag.IMPERIAL if self.imperial else 0)


def parse(frame: bytes) -> Weight:
    """Read every field; UnreadableError if one that the flags promise is missing."""
    cursor = Cursor(frame)
    flags = cursor.u8()
    imperial = bool(flags & Flag.IMPERIAL)
    raw = cursor.u16()
    built = flags & Flag.BMI_AND_HEIGHT
    return Weight(
        imperial=imperial,
        weight=None if raw == UNSUCCESSFUL else raw / weight_steps(imperial=imperial),
        timestamp=date_time.read_from(cursor) if flags & Flag.TIMESTAMP else None,
        user=cursor.u8() if flags & Flag.USER else None,
        bmi=cursor.steps(built, BMI_STEPS),
        height=cursor.steps(built, height_steps(imperial=imperial)),
        reserved=flags & ~_KNOWN,
        trailing=cursor.rest(),
    )


def encode(measured: Weight) -> bytes:
    """Return the frame."""
    unsuccessful = measured.weight is None
    built = measured.bmi is not None
    height = (measured.height or 0.0) if built else None
    return (
        packing.u8(measured.flags)
        + packing.u16(UNSUCCESSFUL if unsuccessful else None)
        + packing.steps(measured.weight, weight_steps(imperial=measured.imperial))
        + packing.moment(measured.timestamp)
        + packing.u8(measured.user)
        + packing.steps(measured.bmi, BMI_STEPS)
        + packing.steps(height, height_steps(imperial=measured.imperial))
        + measured.trailing
    )


def read(measured: Weight) -> Decoded:
    """Return the reading in kg, or that the scale got none."""
    if measured.weight is None:
        return scale.failed(measured, kind=Kind.WEIGHT, reason=Reason.UNSUCCESSFUL)
    return scale.reading(
        measured,
        kind=Kind.WEIGHT,
        value=kilograms(measured.weight, imperial=measured.imperial),
        original=measured.weight,
        unit="[lb_av]" if measured.imperial else "kg",
        extra=_build(measured),
    )


def fields(measured: Weight) -> Fields:
    """Return the decoded fields in the units of the wire."""
    return {
        "unit": "lb" if measured.imperial else "kg",
        "weight": measured.weight,
        **shown.user(measured.user),
        **shown.given(
            timestamp=shown.text(measured.timestamp),
            bmi=measured.bmi,
            height=measured.height,
        ),
    }


def feature_fields(features: Features) -> Fields:
    """Return the feature bits with the accuracy that they state."""
    weight_code, height_code = features.raw >> 3 & 0xF, features.raw >> 7 & 0x7
    return {
        "bits": features.raw,
        "features": bits.words(features.raw, FEATURES),
        "accuracy_kg": KG_ACCURACY[weight_code] if weight_code < len(KG_ACCURACY) else None,
        "height_accuracy_m": (
            HEIGHT_ACCURACY_M[height_code] if height_code < len(HEIGHT_ACCURACY_M) else None
        ),
    }


def kilograms(weight: float, *, imperial: bool) -> float:
    """Return the weight in kg, to the gram where it had to be converted."""
    return round(weight * KG_PER_LB, 3) if imperial else weight


def centimetres(height: float, *, imperial: bool) -> float:
    """Return a height of m or inches in cm."""
    return round(height * (CM_PER_INCH if imperial else 100), 1)


def weight_steps(*, imperial: bool) -> int:
    """Return how many wire counts one kg or lb has."""
    return LB_STEPS if imperial else KG_STEPS


def height_steps(*, imperial: bool) -> int:
    """Return how many wire counts one metre or inch has."""
    return INCH_STEPS if imperial else METRE_STEPS


def _build(measured: Weight) -> dict[str, float | str]:
    """BMI and height where the scale knows them; it sends 0 where it does not."""
    extra: dict[str, float | str] = {}
    if measured.bmi:
        extra["bmi"] = measured.bmi
    if measured.height:
        extra["height_cm"] = centimetres(measured.height, imperial=measured.imperial)
    return extra
