from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import features, weight
from devices.date_time import DateTime
from devices.reading import FailedMeasurement, Kind, Reading
from devices.weight import Weight

NOON = DateTime(year=2024, month=6, day=30, hour=12)
SI = st.builds(
    Weight,
    weight=st.none() | st.integers(0, 0xFFFE).map(lambda raw: raw / 200),
    timestamp=st.none() | st.just(NOON),
    user=st.none() | st.integers(0, 255),
    bmi=st.integers(0, 0xFFFF).map(lambda raw: raw / 10),
    height=st.integers(0, 0xFFFF).map(lambda raw: raw / 1000),
    reserved=st.sampled_from([0, 0x10, 0xF0]),
    trailing=st.binary(max_size=3),
)
IMPERIAL = st.builds(
    Weight,
    imperial=st.just(value=True),
    weight=st.none() | st.integers(0, 0xFFFE).map(lambda raw: raw / 100),
    bmi=st.integers(0, 0xFFFF).map(lambda raw: raw / 10),
    height=st.integers(0, 0xFFFF).map(lambda raw: raw / 10),
)


@given(SI | IMPERIAL)
def test_encode_then_parse_is_the_identity(value: Weight) -> None:
    assert weight.parse(weight.encode(value)) == value


def test_every_raw_weight_survives_a_round_trip() -> None:
    for raw in range(1 << 16):
        frame = b"\x00" + raw.to_bytes(2, "little")
        assert weight.encode(weight.parse(frame)) == frame


def test_a_full_metric_frame() -> None:
    frame = bytes.fromhex("0e783eea07050c12353601ee002607")
    assert weight.read(weight.parse(frame)) == Reading(
        kind=Kind.WEIGHT,
        value=79.96,
        original_value=79.96,
        original_unit="kg",
        device_time=datetime(2026, 5, 12, 18, 53, 54),
        user_slot=1,
        extra={"bmi": 23.8, "height_cm": 183.0},
    )


def test_pounds_and_inches_are_converted_and_kept() -> None:
    found = weight.read(Weight(weight=180.5, imperial=True, bmi=25.0, height=71.5))
    assert isinstance(found, Reading)
    assert (found.value, found.original_value, found.original_unit) == (81.873, 180.5, "[lb_av]")
    assert found.extra == {"bmi": 25.0, "height_cm": 181.6}


def test_all_ones_is_a_failed_measurement() -> None:
    frame = bytes.fromhex("02ffffe807061e0c000042")
    assert weight.read(weight.parse(frame)) == FailedMeasurement(
        kind=Kind.WEIGHT,
        reason="unsuccessful",
        device_time=datetime(2024, 6, 30, 12),
        trailing=1,
    )
    assert weight.fields(weight.parse(frame))["weight"] is None


def test_a_scale_that_does_not_know_the_height_says_nothing_about_it() -> None:
    found = weight.read(Weight(weight=70.0, bmi=0.0, height=0.0))
    assert isinstance(found, Reading)
    assert found.extra == {}


def test_user_255_means_unknown() -> None:
    found = weight.read(Weight(weight=70.0, user=0xFF))
    assert found.user_slot is None


@pytest.mark.parametrize("reserved", [0x10, 0x20, 0x40, 0x80])
def test_reserved_flags_are_masked_and_kept(reserved: int) -> None:
    value = weight.parse(bytes([reserved]) + b"\x70\x36")
    assert (value.reserved, value.weight) == (reserved, 69.68)


@pytest.mark.parametrize(
    ("raw", "names", "accuracy", "height"),
    [
        (0b001, ["timestamp"], None, None),
        (0b010, ["multiple_users"], None, None),
        (0b100, ["bmi"], None, None),
        (7 << 3, [], 0.005, None),
        (1 << 3, [], 0.5, None),
        (15 << 3, [], None, None),
        (3 << 7, [], None, 0.001),
        (7 << 7, [], None, None),
    ],
)
def test_features_state_the_accuracy(
    raw: int, names: list[str], accuracy: float | None, height: float | None
) -> None:
    assert weight.feature_fields(features.Features(raw=raw, width=4)) == {
        "bits": raw,
        "features": names,
        "accuracy_kg": accuracy,
        "height_accuracy_m": height,
    }
