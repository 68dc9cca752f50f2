import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import profiles, quirks
from devices.reading import FailedMeasurement, Reading, UnreadableError

# One frame per measurement with every flag set that the profile knows.
FULL = {
    "2A18": "1f0700e807061e0c1e003c00" + "37c0" + "11" + "0108",
    "2A1C": "076c0100ffe807061e0c1e0003",
    "2A34": "ff0700" + "00" + "0128c0" + "01" + "21" + "100e32" + "010ac0" + "37f0",
    "2A35": "1f" + "a0f06ef080f0" + "e807061e0c1e00" + "4800" + "01" + "0700",
    "2A5E": "1f" + "61004800" + "e807061e0c1e00" + "2000" + "200000" + "15f0",
    "2A5F": "1f" + "61004800" + "62004900" + "60004700" + "2000" + "200000" + "15f0",
    "2A60": "ff00" + "e0ff" + "ffff00",
    "2A9C": "ff1f" + "c200" + "e807061e0c1e00" + "01" + "df1a" * 9,
    "2A9D": "0f" + "783e" + "e807061e0c1e00" + "01" + "ee00" + "2607",
    "2A08": "e807061e0c1e00",
    "2A2B": "e807061e0c1e00070000",
    "2A23": "f026aafeffb51434",
    "2A49": "ff01",
    "2A51": "ff07",
    "2A9B": "ff070000",
    "2A9E": "07000000",
    "2A99": "01000000",
    "2A19": "64",
    "2A1D": "03",
    "2A52": "06000101",
    "2A9F": "200201",
}
READINGS = ("2A18", "2A1C", "2A35", "2A37", "2A5E", "2A5F", "2A9C", "2A9D")
NEVER = sorted(set(profiles.SUPPORTED) - set(READINGS))


@pytest.mark.parametrize("code", profiles.SUPPORTED)
@given(frame=st.binary(max_size=64))
def test_any_bytes_give_a_result_or_our_own_error(code: str, frame: bytes) -> None:
    try:
        decoded = profiles.decode(code, frame)
        fields = profiles.fields(code, frame)
    except UnreadableError:
        return
    assert decoded is None or isinstance(decoded, Reading | FailedMeasurement)
    json.dumps(fields, allow_nan=False)


@given(frame=st.binary(max_size=40))
def test_any_bytes_from_a_bm85_give_a_result_or_our_own_error(frame: bytes) -> None:
    try:
        decoded = profiles.decode("2A35", frame, quirk=quirks.BEURER_BM85)
    except UnreadableError:
        return
    assert isinstance(decoded, Reading | FailedMeasurement)


@pytest.mark.parametrize("code", FULL)
def test_a_frame_cut_at_any_byte_is_unreadable(code: str) -> None:
    frame = bytes.fromhex(FULL[code])
    profiles.decode(code, frame)
    for length in range(len(frame)):
        with pytest.raises(UnreadableError, match="truncated"):
            profiles.decode(code, frame[:length])


@pytest.mark.parametrize("code", READINGS)
def test_trailing_bytes_are_tolerated_and_counted(code: str) -> None:
    frame = bytes.fromhex({**FULL, "2A37": "0048"}[code])
    decoded = profiles.decode(code, frame + b"\x01\x02\x03")
    assert decoded is not None
    assert decoded.trailing == 3


@pytest.mark.parametrize("code", NEVER)
def test_what_is_not_a_measurement_never_becomes_a_reading(code: str) -> None:
    frame = bytes.fromhex({**FULL, "2A36": "00d7f000000000", "2A1E": "006c0100ff"}.get(code, "30"))
    assert profiles.decode(code, frame) is None
    assert not profiles.SUPPORTED[code].is_reading


@pytest.mark.parametrize(
    "written",
    ["2A35", "2a35", "0x2A35", " 2A35 ", "00002a35-0000-1000-8000-00805f9b34fb"],
)
def test_a_characteristic_may_be_written_in_any_way(written: str) -> None:
    assert profiles.short(written) == "2A35"
    assert isinstance(profiles.decode(written, bytes.fromhex(FULL["2A35"])), Reading)


def test_a_makers_own_uuid_is_left_whole() -> None:
    own = "23434101-1fe4-1eff-80cb-00ff78297d8b"
    assert profiles.short(own) == own.upper()


@pytest.mark.parametrize("code", ["2AFF", "", "nonsense", "SFLOATS"])
def test_an_unknown_characteristic_is_unreadable(code: str) -> None:
    with pytest.raises(UnreadableError, match="not supported"):
        profiles.decode(code, b"\0" * 20)


def test_an_unknown_quirk_reads_by_the_standard() -> None:
    frame = bytes.fromhex(FULL["2A9D"])
    assert profiles.decode("2A9D", frame, quirk="caresens") == profiles.decode("2A9D", frame)


@pytest.mark.parametrize("name", profiles.FORMATS)
def test_bare_numbers_are_never_readings(name: str) -> None:
    assert profiles.decode(name, b"\x01\x00\x00\x00") is None
    assert profiles.fields(name, b"\x01\x00\x00\x00") == {
        "value": 1.0,
        "trailing": 2 if name == "SFLOAT" else 0,
    }
