from datetime import datetime
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import glucose, sfloat
from devices.date_time import DateTime
from devices.glucose import Glucose
from devices.reading import FailedMeasurement, Kind, Reading
from devices.sfloat import Special

NOON = DateTime(year=2024, month=6, day=30, hour=12)
WITH_RESULT = st.builds(
    Glucose,
    sequence=st.integers(0, 0xFFFF),
    base_time=st.just(NOON),
    offset_minutes=st.none() | st.integers(-0x8000, 0x7FFF),
    concentration=st.integers(0, 0xFFFF).map(sfloat.decode),
    type=st.integers(0, 15),
    location=st.integers(0, 15),
    moles=st.booleans(),
    status=st.none() | st.integers(0, 0xFFFF),
    context_follows=st.booleans(),
    reserved=st.sampled_from([0, 0x20, 0xE0]),
    trailing=st.binary(max_size=3),
)
WITHOUT_RESULT = st.builds(
    Glucose, sequence=st.integers(0, 0xFFFF), base_time=st.just(NOON), moles=st.booleans()
)


def measured(**changes: object) -> Glucose:
    usual: dict[str, object] = {
        "sequence": 7,
        "base_time": NOON,
        "concentration": 0.00104,
        "type": 1,
        "location": 1,
    }
    return Glucose(**(usual | changes))  # type: ignore[arg-type]  # a table of cases


@given(WITH_RESULT | WITHOUT_RESULT)
def test_encode_then_parse_is_the_identity(value: Glucose) -> None:
    assert glucose.parse(glucose.encode(value)) == value


@pytest.mark.parametrize("there", list(product([False, True], repeat=5)))
def test_every_combination_of_flags(there: tuple[bool, ...]) -> None:
    offset, result, moles, status, context = there
    value = measured(
        offset_minutes=-5 if offset else None,
        concentration=0.0058 if result else None,
        type=1 if result else None,
        location=2 if result else None,
        moles=moles,
        status=0 if status else None,
        context_follows=context,
    )
    frame = glucose.encode(value)
    assert frame[0] == offset + result * 2 + moles * 4 + status * 8 + context * 16
    assert glucose.parse(frame) == value


def test_kilograms_per_litre_become_milligrams_per_decilitre() -> None:
    assert glucose.read(measured(offset_minutes=334)) == Reading(
        kind=Kind.GLUCOSE,
        value=104.0,
        original_value=104.0,
        original_unit="mg/dL",
        device_time=datetime(2024, 6, 30, 17, 34),
        sequence=7,
        extra={"sample_type": "capillary_whole_blood", "sample_location": "finger"},
    )


def test_moles_per_litre_become_milligrams_per_decilitre_and_are_kept() -> None:
    found = glucose.read(measured(concentration=0.0062, moles=True))
    assert isinstance(found, Reading)
    assert (found.value, found.original_value, found.original_unit) == (111.7, 6.2, "mmol/L")
    assert glucose.fields(measured(concentration=0.0062, moles=True))["mmol_l"] == 6.2


@pytest.mark.parametrize("shown", [20.0, 104.0, 119.0, 600.0])
def test_scaling_leaves_no_rounding_noise(shown: float) -> None:
    wire = glucose.wire_concentration(shown, moles=False)
    assert glucose.concentration_in_its_unit(wire, moles=False) == shown


@pytest.mark.parametrize(
    ("bit", "reason"),
    [
        (1, "sensor_malfunction"),
        (2, "sample_insufficient"),
        (3, "strip_insertion_error"),
        (4, "strip_type_incorrect"),
        (7, "temperature_too_high"),
        (8, "temperature_too_low"),
        (9, "read_interrupted"),
        (10, "device_fault"),
    ],
)
def test_a_fault_makes_a_number_no_result(bit: int, reason: str) -> None:
    failed = glucose.read(measured(status=1 << bit))
    assert isinstance(failed, FailedMeasurement)
    assert (failed.reason, failed.flags, failed.sequence) == (reason, (reason,), 7)


@pytest.mark.parametrize(
    ("bit", "word"),
    [(0, "battery_low"), (5, "above_range"), (6, "below_range"), (11, "time_fault")],
)
def test_a_remark_leaves_the_number(bit: int, word: str) -> None:
    found = glucose.read(measured(status=1 << bit))
    assert isinstance(found, Reading)
    assert found.flags == (word,)


@pytest.mark.parametrize("bit", [12, 13, 14, 15])
def test_reserved_status_bits_are_left_alone(bit: int) -> None:
    assert glucose.read(measured(status=1 << bit)).flags == ()


@pytest.mark.parametrize(
    ("concentration", "status", "reason"),
    [
        (Special.NAN, None, "not_a_number"),
        (Special.NRES, 0, "not_at_this_resolution"),
        (Special.POSITIVE_INFINITY, None, "above_range"),
        (Special.NAN, 1 << 5, "above_range"),
        (Special.NAN, 1 << 6, "below_range"),
        (Special.NAN, 1 << 2, "sample_insufficient"),
        (None, None, "no_value"),
    ],
)
def test_no_number_is_a_failed_measurement(
    concentration: sfloat.Number | None, status: int | None, reason: str
) -> None:
    failed = glucose.read(measured(concentration=concentration, status=status))
    assert isinstance(failed, FailedMeasurement)
    assert failed.reason == reason


@pytest.mark.parametrize(("type_code", "location"), [(10, 1), (1, 4), (10, 4)])
def test_control_solution_is_flagged_not_failed(type_code: int, location: int) -> None:
    found = glucose.read(measured(type=type_code, location=location))
    assert isinstance(found, Reading)
    assert found.flags == ("control_solution",)


@pytest.mark.parametrize("code", range(16))
def test_every_sample_type_and_location_has_a_word(code: int) -> None:
    found = glucose.read(measured(type=code, location=code)).extra
    type_word, location_word = str(found["sample_type"]), str(found["sample_location"])
    assert (type_word == f"reserved_{code}") == (code == 0 or code > 10)
    assert (location_word == f"reserved_{code}") == (code not in (1, 2, 3, 4, 15))


@pytest.mark.parametrize("offset", [0x7FFF, -0x8000])
def test_an_offset_out_of_range_leaves_the_base_time(offset: int) -> None:
    found = glucose.read(measured(offset_minutes=offset))
    assert found.device_time == datetime(2024, 6, 30, 12)
    assert found.flags == ("time_offset_out_of_range",)


def test_an_offset_past_the_end_of_the_calendar_leaves_the_base_time() -> None:
    last = DateTime(year=9999, month=12, day=31, hour=23)
    assert glucose.user_time(measured(base_time=last, offset_minutes=600)) == datetime(
        9999, 12, 31, 23
    )


def test_an_unknown_base_time_stays_unknown() -> None:
    unset = DateTime(year=0, month=1, day=1)
    assert glucose.read(measured(base_time=unset, offset_minutes=60)).device_time is None
