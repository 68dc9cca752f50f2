from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import glucose, glucose_context, sfloat
from devices.date_time import DateTime
from devices.glucose import Glucose
from devices.glucose_context import GlucoseContext
from devices.sfloat import Special

NUMBERS = st.integers(0, 0xFFFF).map(sfloat.decode)
FULL = st.builds(
    GlucoseContext,
    sequence=st.integers(0, 0xFFFF),
    extended=st.none() | st.integers(0, 255),
    carbohydrate_id=st.integers(0, 255),
    carbohydrate_kg=NUMBERS,
    meal=st.none() | st.integers(0, 255),
    tester=st.integers(0, 15),
    health=st.integers(0, 15),
    exercise_s=st.integers(0, 0xFFFF),
    exercise_percent=st.integers(0, 255),
    medication_id=st.integers(0, 255),
    medication=NUMBERS,
    litres=st.booleans(),
    hba1c_percent=st.none() | NUMBERS,
    trailing=st.binary(max_size=3),
)


@given(FULL)
def test_encode_then_parse_is_the_identity(context: GlucoseContext) -> None:
    assert glucose_context.parse(glucose_context.encode(context)) == context


@pytest.mark.parametrize("there", list(product([False, True], repeat=8)))
def test_every_combination_of_flags(there: tuple[bool, ...]) -> None:
    ate, meal, people, moved, drug, litres, hba1c, extended = there
    context = GlucoseContext(
        sequence=3,
        extended=0 if extended else None,
        carbohydrate_id=1 if ate else None,
        carbohydrate_kg=0.04 if ate else None,
        meal=2 if meal else None,
        tester=1 if people else None,
        health=5 if people else None,
        exercise_s=600 if moved else None,
        exercise_percent=50 if moved else None,
        medication_id=1 if drug else None,
        medication=0.00001 if drug else None,
        litres=litres,
        hba1c_percent=6.5 if hba1c else None,
    )
    frame = glucose_context.encode(context)
    assert frame[0] == sum(flag << bit for bit, flag in enumerate(there))
    assert glucose_context.parse(frame) == context


def test_remarks_use_words_and_everyday_units() -> None:
    context = GlucoseContext(
        sequence=3,
        carbohydrate_id=1,
        carbohydrate_kg=0.04,
        meal=2,
        tester=1,
        health=5,
        exercise_s=600,
        exercise_percent=50,
        medication_id=1,
        medication=0.005,
        litres=True,
        hba1c_percent=6.5,
    )
    assert glucose_context.remarks(context) == {
        "meal": "after_meal",
        "carbohydrate": "breakfast",
        "tester": "self",
        "health": "no_issues",
        "medication": "rapid_acting_insulin",
        "carbohydrate_g": 40.0,
        "exercise_s": 600.0,
        "exercise_percent": 50.0,
        "medication_ml": 5.0,
        "hba1c_percent": 6.5,
    }


def test_medication_by_weight_is_in_milligrams() -> None:
    context = GlucoseContext(sequence=3, medication_id=9, medication=0.0005)
    assert glucose_context.remarks(context) == {"medication": "reserved_9", "medication_mg": 500.0}


def test_specials_and_overruns_are_left_out() -> None:
    context = GlucoseContext(
        sequence=3,
        carbohydrate_id=0,
        carbohydrate_kg=Special.NAN,
        exercise_s=0xFFFF,
        exercise_percent=1,
        hba1c_percent=Special.NRES,
    )
    assert glucose_context.remarks(context) == {
        "carbohydrate": "reserved_0",
        "exercise_percent": 1.0,
    }


@pytest.mark.parametrize("meal", range(9))
def test_every_meal_has_a_word(meal: int) -> None:
    word = glucose_context.remarks(GlucoseContext(sequence=1, meal=meal))["meal"]
    assert (word == f"reserved_{meal}") == (meal not in (1, 2, 3, 4, 5))


def test_a_context_of_another_record_is_refused() -> None:
    base = DateTime(year=2024, month=6, day=30)
    measured = glucose.read(
        Glucose(sequence=7, base_time=base, concentration=0.001, type=1, location=1)
    )
    joined = glucose_context.joined(measured, GlucoseContext(sequence=7, meal=3))
    assert joined.extra["meal"] == "fasting"
    assert joined.extra["sample_location"] == "finger"
    with pytest.raises(ValueError, match="context 8 is not of record 7"):
        glucose_context.joined(measured, GlucoseContext(sequence=8))
