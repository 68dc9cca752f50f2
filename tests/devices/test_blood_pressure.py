from datetime import datetime
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import blood_pressure, sfloat
from devices.blood_pressure import BloodPressure
from devices.date_time import DateTime
from devices.reading import FailedMeasurement, Kind, Reading
from devices.sfloat import Special

NOON = DateTime(year=2024, month=6, day=30, hour=12)
SPECIALS = list(Special)
NUMBERS = st.one_of(st.integers(0, 0xFFFF).map(sfloat.decode), st.sampled_from(SPECIALS))
MEASURED = st.builds(
    BloodPressure,
    systolic=NUMBERS,
    diastolic=NUMBERS,
    mean_arterial=NUMBERS,
    kpa=st.booleans(),
    timestamp=st.none() | st.just(NOON),
    pulse=st.none() | NUMBERS,
    user=st.none() | st.integers(0, 255),
    status=st.none() | st.integers(0, 0xFFFF),
    reserved=st.sampled_from([0, 0x20, 0x40, 0x80, 0xE0]),
    trailing=st.binary(max_size=3),
)


def measured(**changes: object) -> BloodPressure:
    usual: dict[str, object] = {"systolic": 120.0, "diastolic": 80.0, "mean_arterial": 93.0}
    return BloodPressure(**(usual | changes))  # type: ignore[arg-type]  # a table of cases


def reading(**changes: object) -> Reading:
    decoded = blood_pressure.read(measured(**changes))
    assert isinstance(decoded, Reading)
    return decoded


@given(MEASURED)
def test_encode_then_parse_is_the_identity(value: BloodPressure) -> None:
    assert blood_pressure.parse(blood_pressure.encode(value)) == value


@pytest.mark.parametrize("there", list(product([False, True], repeat=4)))
@pytest.mark.parametrize("reserved", [0, 0xE0])
def test_every_combination_of_flags(there: tuple[bool, ...], reserved: int) -> None:
    timestamp, pulse, user, status = there
    value = measured(
        timestamp=NOON if timestamp else None,
        pulse=61.0 if pulse else None,
        user=3 if user else None,
        status=1 if status else None,
        reserved=reserved,
    )
    frame = blood_pressure.encode(value)
    assert frame[0] == timestamp * 2 + pulse * 4 + user * 8 + status * 16 + reserved
    decoded = reading(
        timestamp=value.timestamp, pulse=value.pulse, user=value.user, status=value.status
    )
    assert blood_pressure.parse(frame) == value
    assert decoded.device_time == (datetime(2024, 6, 30, 12) if timestamp else None)
    assert decoded.pulse == (61.0 if pulse else None)
    assert decoded.user_slot == (3 if user else None)
    assert decoded.flags == (("movement",) if status else ())


def test_millimetres_of_mercury_stay_as_they_are() -> None:
    assert reading() == Reading(
        kind=Kind.BLOOD_PRESSURE,
        value=120.0,
        diastolic=80.0,
        mean_arterial=93.0,
        original_value=120.0,
        original_unit="mm[Hg]",
    )


def test_kilopascals_are_converted_and_kept() -> None:
    found = reading(systolic=16.0, diastolic=10.7, mean_arterial=12.4, kpa=True)
    assert (found.value, found.diastolic, found.mean_arterial) == (120.0, 80.3, 93.0)
    assert (found.original_value, found.original_unit) == (16.0, "kPa")
    assert found.extra == {"original_diastolic": 10.7}


@pytest.mark.parametrize("mean", [Special.NAN, Special.NRES, 0.0])
def test_a_missing_mean_pressure_is_normal(mean: sfloat.Number) -> None:
    assert reading(mean_arterial=mean).mean_arterial is None


@pytest.mark.parametrize(
    ("special", "reason"),
    [
        (Special.NAN, "not_a_number"),
        (Special.NRES, "not_at_this_resolution"),
        (Special.POSITIVE_INFINITY, "above_range"),
        (Special.NEGATIVE_INFINITY, "below_range"),
        (Special.RESERVED, "reserved_value"),
    ],
)
@pytest.mark.parametrize("field", ["systolic", "diastolic"])
def test_one_missing_pressure_is_a_failed_measurement(
    special: Special, reason: str, field: str
) -> None:
    failed = blood_pressure.read(
        measured(**{field: special}, status=1, user=2, timestamp=NOON, trailing=b"x")
    )
    assert failed == FailedMeasurement(
        kind=Kind.BLOOD_PRESSURE,
        reason=reason,
        device_time=datetime(2024, 6, 30, 12),
        user_slot=2,
        flags=("movement",),
        trailing=1,
    )


@pytest.mark.parametrize(
    ("status", "flags"),
    [
        (0, ()),
        (1 << 0, ("movement",)),
        (1 << 1, ("cuff_loose",)),
        (1 << 2, ("irregular_pulse",)),
        (1 << 3, ("pulse_above_range",)),
        (2 << 3, ("pulse_below_range",)),
        (3 << 3, ()),
        (1 << 5, ("improper_position",)),
        (0xFFC0, ()),
        (
            0b101111,
            ("cuff_loose", "improper_position", "irregular_pulse", "movement", "pulse_above_range"),
        ),
    ],
)
def test_status_bits_become_quality_words(status: int, flags: tuple[str, ...]) -> None:
    assert reading(status=status).flags == flags


@pytest.mark.parametrize(
    ("pulse", "flag"),
    [
        (Special.NAN, "pulse_unavailable"),
        (0.0, "pulse_unavailable"),
        (-5.0, "pulse_unbelievable"),
        (16640.0, "pulse_unbelievable"),
    ],
)
def test_a_pulse_that_is_none_is_not_a_number(pulse: sfloat.Number, flag: str) -> None:
    found = reading(pulse=pulse)
    assert (found.pulse, found.flags) == (None, (flag,))


def test_user_255_means_unknown() -> None:
    value = measured(user=0xFF)
    assert reading(user=0xFF).user_slot is None
    assert blood_pressure.encode(value)[-1] == 0xFF
    assert blood_pressure.fields(value)["user_id"] is None
    assert "user_id" not in blood_pressure.fields(measured())


@pytest.mark.parametrize("unknown", ["year", "month", "day"])
def test_zero_in_a_date_means_unknown_time(unknown: str) -> None:
    date = {"year": 2024, "month": 6, "day": 30} | {unknown: 0}
    found = reading(timestamp=DateTime(**date))
    assert (found.device_time, found.flags) == (None, ())


def test_a_date_that_no_calendar_has_is_flagged() -> None:
    found = reading(timestamp=DateTime(year=2024, month=13, day=30))
    assert (found.device_time, found.flags) == (None, ("time_invalid",))
