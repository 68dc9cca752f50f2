from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import body_composition
from devices.body_composition import BodyComposition, Flag
from devices.date_time import DateTime
from devices.reading import FailedMeasurement, Kind, Reading

NOON = DateTime(year=2024, month=6, day=30, hour=12)
OPTIONAL: dict[Flag, tuple[str, object]] = {
    Flag.TIMESTAMP: ("timestamp", NOON),
    Flag.USER: ("user", 2),
    Flag.BASAL: ("basal_kj", 6879),
    Flag.MUSCLE_PERCENT: ("muscle_percent", 40.7),
    Flag.MUSCLE_MASS: ("muscle_mass", 32.5),
    Flag.FAT_FREE_MASS: ("fat_free_mass", 64.4),
    Flag.SOFT_LEAN_MASS: ("soft_lean_mass", 61.18),
    Flag.WATER_MASS: ("water_mass", 43.25),
    Flag.IMPEDANCE: ("impedance_ohm", 452.0),
    Flag.WEIGHT: ("weight", 79.96),
    Flag.HEIGHT: ("height", 1.83),
}
FLAGS = st.integers(0, 0xFFFF)


def measured(**changes: object) -> BodyComposition:
    return BodyComposition(**({"fat_percent": 19.4} | changes))  # type: ignore[arg-type]  # a table of cases


@given(flags=FLAGS, body=st.binary(min_size=32, max_size=36))
def test_encode_then_parse_is_the_identity_under_any_flags(flags: int, body: bytes) -> None:
    value = body_composition.parse(flags.to_bytes(2, "little") + body)
    assert value.flags == flags
    assert body_composition.parse(body_composition.encode(value)) == value


@pytest.mark.parametrize("flag", OPTIONAL)
def test_each_field_alone(flag: Flag) -> None:
    name, content = OPTIONAL[flag]
    value = measured(**{name: content})
    frame = body_composition.encode(value)
    assert int.from_bytes(frame[:2], "little") == flag
    assert body_composition.parse(frame) == value


def test_all_fields_in_their_order() -> None:
    value = measured(**dict(OPTIONAL.values()))
    decoded = body_composition.read(body_composition.parse(body_composition.encode(value)))
    assert decoded == Reading(
        kind=Kind.BODY_COMPOSITION,
        value=19.4,
        original_value=19.4,
        original_unit="%",
        device_time=datetime(2024, 6, 30, 12),
        user_slot=2,
        extra={
            "muscle_mass_kg": 32.5,
            "fat_free_mass_kg": 64.4,
            "soft_lean_mass_kg": 61.18,
            "water_mass_kg": 43.25,
            "weight_kg": 79.96,
            "basal_kcal": 1644,
            "muscle_percent": 40.7,
            "impedance_ohm": 452.0,
            "height_cm": 183.0,
        },
    )


def test_pounds_and_inches_become_kilograms_and_centimetres() -> None:
    found = body_composition.read(measured(imperial=True, weight=180.5, height=71.5))
    assert isinstance(found, Reading)
    assert found.extra == {"weight_kg": 81.873, "height_cm": 181.6}


def test_all_ones_is_a_failed_measurement() -> None:
    frame = bytes.fromhex("0600ffffe807061e0c0000ff")
    assert body_composition.read(body_composition.parse(frame)) == FailedMeasurement(
        kind=Kind.BODY_COMPOSITION,
        reason="unsuccessful",
        device_time=datetime(2024, 6, 30, 12),
    )


def test_a_placeholder_of_zeros_is_a_failed_measurement() -> None:
    frame = bytes.fromhex("9803000096230000000000000000")
    failed = body_composition.read(body_composition.parse(frame))
    assert isinstance(failed, FailedMeasurement)
    assert failed.reason == "placeholder"


@pytest.mark.parametrize(
    "unknown",
    [{"weight": 0xFFFF / 200}, {"impedance_ohm": 0xFFFF / 10}, {"height": 0.0}, {"basal_kj": 0}],
)
def test_what_the_scale_did_not_estimate_is_left_out(unknown: dict[str, object]) -> None:
    found = body_composition.read(measured(**unknown))
    assert isinstance(found, Reading)
    assert found.extra == {}


def test_two_packets_complete_each_other() -> None:
    first = measured(timestamp=NOON, multi_packet=True, weight=79.96, trailing=b"a")
    second = measured(fat_percent=None, multi_packet=True, impedance_ohm=452.0, trailing=b"b")
    assert body_composition.joined(first, second) == measured(
        timestamp=NOON, weight=79.96, impedance_ohm=452.0, trailing=b"ab"
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"multi_packet": True}, {}),
        ({}, {"multi_packet": True}),
        ({"multi_packet": True}, {"multi_packet": True, "imperial": True}),
    ],
)
def test_packets_that_do_not_belong_together_are_refused(
    first: dict[str, object], second: dict[str, object]
) -> None:
    with pytest.raises(ValueError, match="not two parts"):
        body_composition.joined(measured(**first), measured(**second))


@pytest.mark.parametrize("reserved", [1 << 13, 1 << 14, 1 << 15])
def test_reserved_flags_are_masked_and_kept(reserved: int) -> None:
    value = body_composition.parse(reserved.to_bytes(2, "little") + b"\xc2\x00")
    assert (value.reserved, value.fat_percent) == (reserved, 19.4)
