"""Glucose context 2A34: what went with a measurement, joined to it by sequence number."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType

from devices import bits, packing, sfloat, shown
from devices.cursor import Cursor
from devices.reading import Decoded
from devices.sfloat import Number
from devices.shown import Fields

EXERCISE_OVERRUN = 0xFFFF


class Flag(IntEnum):
    """The first byte; bit 7 announces a byte of further flags, all reserved."""

    CARBOHYDRATE = 1
    MEAL = 2
    TESTER_HEALTH = 4
    EXERCISE = 8
    MEDICATION = 16
    LITRES = 32
    HBA1C = 64
    EXTENDED = 128


CARBOHYDRATES: Mapping[int, str] = MappingProxyType(
    {
        1: "breakfast",
        2: "lunch",
        3: "dinner",
        4: "snack",
        5: "drink",
        6: "supper",
        7: "brunch",
    }
)
MEALS: Mapping[int, str] = MappingProxyType(
    {1: "before_meal", 2: "after_meal", 3: "fasting", 4: "casual", 5: "bedtime"}
)
TESTERS: Mapping[int, str] = MappingProxyType(
    {1: "self", 2: "professional", 3: "laboratory", 15: "not_available"}
)
HEALTH: Mapping[int, str] = MappingProxyType(
    {
        1: "minor_issues",
        2: "major_issues",
        3: "during_menses",
        4: "under_stress",
        5: "no_issues",
        15: "not_available",
    }
)
MEDICATIONS: Mapping[int, str] = MappingProxyType(
    {
        1: "rapid_acting_insulin",
        2: "short_acting_insulin",
        3: "intermediate_acting_insulin",
        4: "long_acting_insulin",
        5: "premixed_insulin",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GlucoseContext:
    """2A34 as on the wire; fields that come in pairs are both there or both absent."""

    sequence: int
    extended: int | None = None
    carbohydrate_id: int | None = None
    carbohydrate_kg: Number | None = None
    meal: int | None = None
    tester: int | None = None
    health: int | None = None
    exercise_s: int | None = None
    exercise_percent: int | None = None
    medication_id: int | None = None
    medication: Number | None = None
    """kg, or L if `litres`."""
    litres: bool = False
    hba1c_percent: Number | None = None
    trailing: bytes = b""

    @property
    def flags(self) -> int:
        """The first byte."""
        there = {
            Flag.CARBOHYDRATE: self.carbohydrate_id,
            Flag.MEAL: self.meal,
            Flag.TESTER_HEALTH: self.tester,
            Flag.EXERCISE: self.exercise_s,
            Flag.MEDICATION: self.medication_id,
            Flag.HBA1C: self.hba1c_percent,
            Flag.EXTENDED: self.extended,
        }
        return bits.present(there) | (Flag.LITRES if self.litres else 0)


def parse(frame: bytes) -> GlucoseContext:
    """Read every field; UnreadableError if one that the flags promise is missing."""
    cursor = Cursor(frame)
    flags, sequence = cursor.u8(), cursor.u16()
    extended = cursor.u8() if flags & Flag.EXTENDED else None
    carbohydrate_id, carbohydrate_kg = _substance(cursor, flags & Flag.CARBOHYDRATE)
    meal = cursor.u8() if flags & Flag.MEAL else None
    health, tester = _people(cursor, flags & Flag.TESTER_HEALTH)
    exercise = (cursor.u16(), cursor.u8()) if flags & Flag.EXERCISE else (None, None)
    medication_id, medication = _substance(cursor, flags & Flag.MEDICATION)
    return GlucoseContext(
        sequence=sequence,
        extended=extended,
        carbohydrate_id=carbohydrate_id,
        carbohydrate_kg=carbohydrate_kg,
        meal=meal,
        tester=tester,
        health=health,
        exercise_s=exercise[0],
        exercise_percent=exercise[1],
        medication_id=medication_id,
        medication=medication,
        litres=bool(flags & Flag.LITRES),
        hba1c_percent=sfloat.decode(cursor.u16()) if flags & Flag.HBA1C else None,
        trailing=cursor.rest(),
    )


def _substance(cursor: Cursor, present: int) -> tuple[int | None, Number | None]:
    """Which food or drug, and how much of it."""
    return (cursor.u8(), sfloat.decode(cursor.u16())) if present else (None, None)


def _people(cursor: Cursor, present: int) -> tuple[int, int] | tuple[None, None]:
    """The halves of one byte: the health of whoever was tested, and who tested."""
    return divmod(cursor.u8(), 16) if present else (None, None)


def encode(context: GlucoseContext) -> bytes:
    """Return the frame."""
    people = None if context.tester is None else (context.health or 0) << 4 | context.tester
    return (
        packing.u8(context.flags)
        + packing.u16(context.sequence)
        + packing.u8(context.extended)
        + packing.u8(context.carbohydrate_id)
        + packing.short(context.carbohydrate_kg)
        + packing.u8(context.meal)
        + packing.u8(people)
        + packing.u16(context.exercise_s)
        + packing.u8(context.exercise_percent)
        + packing.u8(context.medication_id)
        + packing.short(context.medication)
        + packing.short(context.hba1c_percent)
        + context.trailing
    )


def joined(measured: Decoded, context: GlucoseContext) -> Decoded:
    """Return the measurement with its context; ValueError if the sequences differ."""
    if measured.sequence != context.sequence:
        raise ValueError(f"context {context.sequence} is not of record {measured.sequence}")
    return dataclasses.replace(measured, extra={**measured.extra, **remarks(context)})


def remarks(context: GlucoseContext) -> dict[str, float | str]:
    """Return the context in words and everyday units; a reserved code keeps its number."""
    named = {
        "meal": (context.meal, MEALS),
        "carbohydrate": (context.carbohydrate_id, CARBOHYDRATES),
        "tester": (context.tester, TESTERS),
        "health": (context.health, HEALTH),
        "medication": (context.medication_id, MEDICATIONS),
    }
    found: dict[str, float | str] = {
        name: known.get(code, f"reserved_{code}")
        for name, (code, known) in named.items()
        if code is not None
    }
    return found | _amounts(context)


def fields(context: GlucoseContext) -> Fields:
    """Return the decoded fields in the units of the wire."""
    return {
        "seq": context.sequence,
        **shown.given(
            extended=context.extended,
            carb_id=context.carbohydrate_id,
            carb_kg=context.carbohydrate_kg,
            meal=context.meal,
            tester=context.tester,
            health=context.health,
            exercise_s=context.exercise_s,
            exercise_pct=context.exercise_percent,
            medication_id=context.medication_id,
            **{"medication_l" if context.litres else "medication_kg": context.medication},
            hba1c_pct=context.hba1c_percent,
        ),
    }


def _amounts(context: GlucoseContext) -> dict[str, float]:
    exercise_s = None if context.exercise_s == EXERCISE_OVERRUN else context.exercise_s
    amounts = {
        "carbohydrate_g": _small(context.carbohydrate_kg, 3),
        "exercise_s": None if exercise_s is None else float(exercise_s),
        "exercise_percent": context.exercise_percent,
        "medication_ml" if context.litres else "medication_mg": _small(
            context.medication, 3 if context.litres else 6
        ),
        "hba1c_percent": sfloat.value(context.hba1c_percent),
    }
    return {name: float(amount) for name, amount in amounts.items() if amount is not None}


def _small(number: Number | None, places: int) -> float | None:
    """A number of kg or L in the smaller unit."""
    known = sfloat.value(number)
    return None if known is None else sfloat.shifted(known, places)
