from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import heart_rate
from devices.heart_rate import HeartRate
from devices.reading import FailedMeasurement, Kind, Reading, UnreadableError


@given(
    st.builds(
        HeartRate,
        rate=st.integers(0, 255),
        wide=st.booleans(),
        contact=st.booleans(),
        contact_supported=st.booleans(),
        energy_kj=st.none() | st.integers(0, 0xFFFF),
        intervals=st.none() | st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=9).map(tuple),
        reserved=st.sampled_from([0, 0x20, 0xE0]),
    )
)
def test_encode_then_parse_is_the_identity(value: HeartRate) -> None:
    assert heart_rate.parse(heart_rate.encode(value)) == value


@pytest.mark.parametrize("there", list(product([False, True], repeat=5)))
def test_every_combination_of_flags(there: tuple[bool, ...]) -> None:
    wide, contact, supported, energy, intervals = there
    value = HeartRate(
        rate=300 if wide else 72,
        wide=wide,
        contact=contact,
        contact_supported=supported,
        energy_kj=12 if energy else None,
        intervals=(853, 860) if intervals else None,
    )
    frame = heart_rate.encode(value)
    assert frame[0] == sum(flag << bit for bit, flag in enumerate(there))
    decoded = heart_rate.read(heart_rate.parse(frame))
    assert isinstance(decoded, Reading)
    assert decoded.value == (300.0 if wide else 72.0)
    assert decoded.flags == (("no_contact",) if supported and not contact else ())
    assert decoded.extra == ({"energy_kj": 12.0} if energy else {})


def test_a_strap_that_hears_no_heart_has_failed() -> None:
    assert heart_rate.read(heart_rate.parse(bytes.fromhex("0400"))) == FailedMeasurement(
        kind=Kind.HEART_RATE, reason="no_value", flags=("no_contact",)
    )


def test_half_an_interval_is_trailing() -> None:
    value = heart_rate.parse(bytes.fromhex("1048550301"))
    assert (value.intervals, value.trailing) == ((853,), b"\x01")
    assert heart_rate.fields(value)["rr_ms"] == [833.0]


@pytest.mark.parametrize("frame", ["", "00", "0148", "0848", "084801", "1048", "104855"])
def test_missing_fields_are_unreadable(frame: str) -> None:
    with pytest.raises(UnreadableError):
        heart_rate.parse(bytes.fromhex(frame))
