from datetime import datetime
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import oximeter, saturation, sfloat
from devices.date_time import DateTime
from devices.oximeter import SpotCheck, Stream
from devices.reading import FailedMeasurement, Kind, Reading
from devices.sfloat import Special

NOON = DateTime(year=2024, month=6, day=30, hour=12)
NUMBERS = st.integers(0, 0xFFFF).map(sfloat.decode)
SPOTS = st.builds(
    SpotCheck,
    saturation=NUMBERS,
    pulse=NUMBERS,
    timestamp=st.none() | st.just(NOON),
    status=st.none() | st.integers(0, 0xFFFF),
    sensor=st.none() | st.integers(0, 0xFFFFFF),
    amplitude=st.none() | NUMBERS,
    clock_not_set=st.booleans(),
    reserved=st.sampled_from([0, 0x20, 0xE0]),
    trailing=st.binary(max_size=3),
)
STREAMS = st.builds(
    Stream,
    saturation=NUMBERS,
    pulse=NUMBERS,
    fast_saturation=NUMBERS,
    fast_pulse=NUMBERS,
    slow_saturation=NUMBERS,
    slow_pulse=NUMBERS,
    status=st.none() | st.integers(0, 0xFFFF),
    sensor=st.none() | st.integers(0, 0xFFFFFF),
    amplitude=st.none() | NUMBERS,
    reserved=st.sampled_from([0, 0x20, 0xE0]),
)


def spot(**changes: object) -> SpotCheck:
    return SpotCheck(**({"saturation": 97.0, "pulse": 61.0} | changes))  # type: ignore[arg-type]  # a table of cases


@given(SPOTS)
def test_encode_then_parse_is_the_identity_for_spot_checks(value: SpotCheck) -> None:
    assert oximeter.parse_spot(oximeter.encode_spot(value)) == value


@given(STREAMS)
def test_encode_then_parse_is_the_identity_for_streams(value: Stream) -> None:
    assert oximeter.parse_stream(oximeter.encode_stream(value)) == value


@pytest.mark.parametrize("there", list(product([False, True], repeat=5)))
def test_every_combination_of_spot_check_flags(there: tuple[bool, ...]) -> None:
    timestamp, status, sensor, amplitude, unset = there
    value = spot(
        timestamp=NOON if timestamp else None,
        status=0 if status else None,
        sensor=0 if sensor else None,
        amplitude=2.1 if amplitude else None,
        clock_not_set=unset,
    )
    frame = oximeter.encode_spot(value)
    assert frame[0] == sum(flag << bit for bit, flag in enumerate(there))
    decoded = saturation.read_spot(oximeter.parse_spot(frame))
    assert (decoded.device_time is not None) == (timestamp and not unset)
    assert ("perfusion_index" in decoded.extra) == amplitude
    assert ("unset_clock" in decoded.extra) == (timestamp and unset)


@pytest.mark.parametrize("there", list(product([False, True], repeat=5)))
def test_every_combination_of_stream_flags(there: tuple[bool, ...]) -> None:
    fast, slow, status, sensor, amplitude = there
    value = Stream(
        saturation=97.0,
        pulse=61.0,
        fast_saturation=96.0 if fast else None,
        fast_pulse=60.0 if fast else None,
        slow_saturation=95.0 if slow else None,
        slow_pulse=59.0 if slow else None,
        status=0 if status else None,
        sensor=0 if sensor else None,
        amplitude=2.1 if amplitude else None,
    )
    frame = oximeter.encode_stream(value)
    assert frame[0] == sum(flag << bit for bit, flag in enumerate(there))
    assert oximeter.parse_stream(frame) == value


def test_a_spot_check_is_a_reading() -> None:
    assert saturation.read_spot(spot(timestamp=NOON, amplitude=2.1)) == Reading(
        kind=Kind.SPO2,
        value=97.0,
        pulse=61.0,
        original_value=97.0,
        original_unit="%",
        device_time=datetime(2024, 6, 30, 12),
        extra={"perfusion_index": 2.1},
    )


def test_a_clock_that_was_never_set_is_not_believed() -> None:
    frame = bytes.fromhex("1761006000e10701010122132000200000")
    found = saturation.read_spot(oximeter.parse_spot(frame))
    assert found.device_time is None
    assert found.flags == ("clock_not_set", "low_perfusion", "ongoing")
    assert found.extra == {"unset_clock": "2017-01-01T01:34:19"}


def test_a_stream_says_that_it_is_one() -> None:
    found = saturation.read_stream(Stream(saturation=98.0, pulse=78.0))
    assert isinstance(found, Reading)
    assert found.flags == ("continuous",)


@pytest.mark.parametrize(("bit", "word"), {**saturation.INVALID_STATUS}.items(), ids=str)
def test_a_status_that_says_invalid_is_a_failed_measurement(bit: int, word: str) -> None:
    failed = saturation.read_spot(spot(status=1 << bit))
    assert isinstance(failed, FailedMeasurement)
    assert (failed.reason, failed.flags) == (word, (word,))


@pytest.mark.parametrize(("bit", "word"), {**saturation.INVALID_SENSOR}.items(), ids=str)
def test_a_sensor_that_is_off_is_a_failed_measurement(bit: int, word: str) -> None:
    failed = saturation.read_stream(Stream(saturation=97.0, pulse=61.0, sensor=1 << bit))
    assert isinstance(failed, FailedMeasurement)
    assert failed.reason == word


@pytest.mark.parametrize(("bit", "word"), {**saturation.STATUS}.items(), ids=str)
def test_other_status_bits_are_remarks(bit: int, word: str) -> None:
    found = saturation.read_spot(spot(status=1 << bit))
    assert isinstance(found, Reading)
    assert found.flags == (word,)


@pytest.mark.parametrize(("bit", "word"), {**saturation.SENSOR}.items(), ids=str)
def test_other_sensor_bits_are_remarks(bit: int, word: str) -> None:
    assert saturation.read_spot(spot(sensor=1 << bit)).flags == (word,)


@pytest.mark.parametrize("bits", [{"status": 0x1F}, {"sensor": 0xFF0000}])
def test_reserved_bits_are_left_alone(bits: dict[str, int]) -> None:
    assert saturation.read_spot(spot(**bits)).flags == ()


@pytest.mark.parametrize("special", list(Special))
def test_no_saturation_is_a_failed_measurement(special: Special) -> None:
    failed = saturation.read_spot(spot(saturation=special, timestamp=NOON, trailing=b"x"))
    assert isinstance(failed, FailedMeasurement)
    assert (failed.device_time, failed.trailing) == (datetime(2024, 6, 30, 12), 1)


@pytest.mark.parametrize("pulse", [Special.NAN, 0.0])
def test_no_pulse_leaves_the_saturation_with_a_remark(pulse: sfloat.Number) -> None:
    found = saturation.read_spot(spot(pulse=pulse))
    assert isinstance(found, Reading)
    assert (found.value, found.pulse, found.flags) == (97.0, None, ("pulse_unavailable",))


def test_features_tell_which_bits_can_be_set() -> None:
    frame = bytes.fromhex("ff00e0ffffff00")
    assert saturation.feature_fields(oximeter.parse_features(frame)) == {
        "bits": 255,
        "features": list(oximeter.FEATURES.values()),
        "status_support": 0xFFE0,
        "sensor_support": 0xFFFF,
    }
    bare = saturation.feature_fields(oximeter.parse_features(b"\x00\x00"))
    assert bare == {"bits": 0, "features": []}
