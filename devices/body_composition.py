"""Body Composition: measurement 2A9C, possibly in two packets, and features 2A9B."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType

from devices import bits, date_time, packing, scale, shown, weight
from devices.cursor import Cursor
from devices.date_time import DateTime
from devices.failure import Reason
from devices.reading import Decoded, Kind
from devices.shown import Fields

PERCENT_STEPS, OHM_STEPS = 10, 10
KILOCALORIES_PER_KJ = 0.239006
UNSUCCESSFUL = 0xFFFF


class Flag(IntEnum):
    """The first two bytes; the bits above are reserved."""

    IMPERIAL = 1
    TIMESTAMP = 1 << 1
    USER = 1 << 2
    BASAL = 1 << 3
    MUSCLE_PERCENT = 1 << 4
    MUSCLE_MASS = 1 << 5
    FAT_FREE_MASS = 1 << 6
    SOFT_LEAN_MASS = 1 << 7
    WATER_MASS = 1 << 8
    IMPEDANCE = 1 << 9
    WEIGHT = 1 << 10
    HEIGHT = 1 << 11
    MULTI_PACKET = 1 << 12


FEATURES: Mapping[int, str] = MappingProxyType(
    {
        0: "timestamp",
        1: "multiple_users",
        2: "basal_metabolism",
        3: "muscle_percentage",
        4: "muscle_mass",
        5: "fat_free_mass",
        6: "soft_lean_mass",
        7: "water_mass",
        8: "impedance",
        9: "weight",
        10: "height",
    }
)
_KNOWN = sum(Flag)
_MASSES = ("muscle_mass", "fat_free_mass", "soft_lean_mass", "water_mass", "weight")


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyComposition:
    """2A9C as on the wire: kg and m, or lb and inches if `imperial`."""

    fat_percent: float | None
    """None: the scale says that the measurement was unsuccessful (0xFFFF)."""
    imperial: bool = False
    timestamp: DateTime | None = None
    user: int | None = None
    basal_kj: int | None = None
    muscle_percent: float | None = None
    muscle_mass: float | None = None
    fat_free_mass: float | None = None
    soft_lean_mass: float | None = None
    water_mass: float | None = None
    impedance_ohm: float | None = None
    weight: float | None = None
    height: float | None = None
    multi_packet: bool = False
    """Another packet belongs to this one, see `joined`."""
    reserved: int = 0
    trailing: bytes = b""

    @property
    def flags(self) -> int:
        """The first two bytes."""
        there = {
            Flag.TIMESTAMP: self.timestamp,
            Flag.USER: self.user,
            Flag.BASAL: self.basal_kj,
            Flag.MUSCLE_PERCENT: self.muscle_percent,
            Flag.MUSCLE_MASS: self.muscle_mass,
            Flag.FAT_FREE_MASS: self.fat_free_mass,
            Flag.SOFT_LEAN_MASS: self.soft_lean_mass,
            Flag.WATER_MASS: self.water_mass,
            Flag.IMPEDANCE: self.impedance_ohm,
            Flag.WEIGHT: self.weight,
            Flag.HEIGHT: self.height,
        }
        unit = Flag.IMPERIAL if self.imperial else 0
        more = Flag.MULTI_PACKET if self.multi_packet else 0
        return bits.present(there) | unit | more | self.reserved


def parse(frame: bytes) -> BodyComposition:
    """Read every field; UnreadableError if one that the flags promise is missing."""
    cursor = Cursor(frame)
    flags = cursor.u16()
    imperial = bool(flags & Flag.IMPERIAL)
    mass, height = weight.weight_steps(imperial=imperial), _height(imperial=imperial)
    fat = cursor.u16()
    return BodyComposition(
        fat_percent=None if fat == UNSUCCESSFUL else fat / PERCENT_STEPS,
        imperial=imperial,
        timestamp=date_time.read_from(cursor) if flags & Flag.TIMESTAMP else None,
        user=cursor.u8() if flags & Flag.USER else None,
        basal_kj=cursor.u16() if flags & Flag.BASAL else None,
        muscle_percent=cursor.steps(flags & Flag.MUSCLE_PERCENT, PERCENT_STEPS),
        muscle_mass=cursor.steps(flags & Flag.MUSCLE_MASS, mass),
        fat_free_mass=cursor.steps(flags & Flag.FAT_FREE_MASS, mass),
        soft_lean_mass=cursor.steps(flags & Flag.SOFT_LEAN_MASS, mass),
        water_mass=cursor.steps(flags & Flag.WATER_MASS, mass),
        impedance_ohm=cursor.steps(flags & Flag.IMPEDANCE, OHM_STEPS),
        weight=cursor.steps(flags & Flag.WEIGHT, mass),
        height=cursor.steps(flags & Flag.HEIGHT, height),
        multi_packet=bool(flags & Flag.MULTI_PACKET),
        reserved=flags & ~_KNOWN,
        trailing=cursor.rest(),
    )


def encode(measured: BodyComposition) -> bytes:
    """Return the frame."""
    mass_steps = weight.weight_steps(imperial=measured.imperial)
    return (
        packing.u16(measured.flags)
        + packing.u16(UNSUCCESSFUL if measured.fat_percent is None else None)
        + packing.steps(measured.fat_percent, PERCENT_STEPS)
        + packing.moment(measured.timestamp)
        + packing.u8(measured.user)
        + packing.u16(measured.basal_kj)
        + packing.steps(measured.muscle_percent, PERCENT_STEPS)
        + packing.steps(measured.muscle_mass, mass_steps)
        + packing.steps(measured.fat_free_mass, mass_steps)
        + packing.steps(measured.soft_lean_mass, mass_steps)
        + packing.steps(measured.water_mass, mass_steps)
        + packing.steps(measured.impedance_ohm, OHM_STEPS)
        + packing.steps(measured.weight, mass_steps)
        + packing.steps(measured.height, _height(imperial=measured.imperial))
        + measured.trailing
    )


def joined(first: BodyComposition, second: BodyComposition) -> BodyComposition:
    """Return the one measurement that two packets hold; ValueError if they cannot be a pair."""
    if not (first.multi_packet and second.multi_packet) or first.imperial != second.imperial:
        raise ValueError("these packets are not two parts of one measurement")
    merged = {
        name: getattr(second, name) if getattr(first, name) is None else getattr(first, name)
        for name in (*_OPTIONAL, "fat_percent")
    }
    return dataclasses.replace(
        first, **merged, multi_packet=False, trailing=first.trailing + second.trailing
    )


def read(measured: BodyComposition) -> Decoded:
    """Return body fat in % with the rest as extra, or why there is none."""
    if not measured.fat_percent:
        why = Reason.UNSUCCESSFUL if measured.fat_percent is None else Reason.PLACEHOLDER
        return scale.failed(measured, kind=Kind.BODY_COMPOSITION, reason=why)
    return scale.reading(
        measured,
        kind=Kind.BODY_COMPOSITION,
        value=measured.fat_percent,
        original=measured.fat_percent,
        unit="%",
        extra=_extra(measured),
    )


def fields(measured: BodyComposition) -> Fields:
    """Return the decoded fields in the units of the wire."""
    return {
        "unit": "lb" if measured.imperial else "kg",
        "fat_pct": measured.fat_percent,
        **shown.user(measured.user),
        **shown.given(
            timestamp=shown.text(measured.timestamp),
            basal_kj=measured.basal_kj,
            muscle_pct=measured.muscle_percent,
            impedance_ohm=measured.impedance_ohm,
            height=measured.height,
            **{name: getattr(measured, name) for name in _MASSES},
        ),
        "multi_packet": measured.multi_packet,
    }


def _extra(measured: BodyComposition) -> dict[str, float | str]:
    """What else the scale estimated, in kg, cm, kcal and ohm; 0 means that it did not."""
    imperial = measured.imperial
    found = {
        f"{name}_kg": weight.kilograms(mass, imperial=imperial)
        for name in _MASSES
        if (mass := _known(getattr(measured, name), weight.weight_steps(imperial=imperial)))
    }
    if basal := _known(measured.basal_kj, 1):
        found["basal_kcal"] = round(basal * KILOCALORIES_PER_KJ)
    if muscle := _known(measured.muscle_percent, PERCENT_STEPS):
        found["muscle_percent"] = muscle
    if impedance := _known(measured.impedance_ohm, OHM_STEPS):
        found["impedance_ohm"] = impedance
    if height := _known(measured.height, _height(imperial=imperial)):
        found["height_cm"] = weight.centimetres(height, imperial=imperial)
    return dict(found)


def _known(number: float | None, per_unit: int) -> float | None:
    """The number, unless its field was all ones, which is no number."""
    return None if number == UNSUCCESSFUL / per_unit else number


def _height(*, imperial: bool) -> int:
    return weight.height_steps(imperial=imperial)


_NOT_OPTIONAL = {"fat_percent", "imperial", "multi_packet", "reserved", "trailing"}
_OPTIONAL = tuple(
    field.name for field in dataclasses.fields(BodyComposition) if field.name not in _NOT_OPTIONAL
)
