"""What a simulated device encodes is what we parse, for every characteristic and any bytes."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import (
    battery,
    blood_pressure,
    body_composition,
    clock,
    features,
    glucose,
    glucose_context,
    heart_rate,
    information,
    oximeter,
    quirks,
    racp,
    thermometer,
    user_data,
    weight,
)
from devices.reading import UnreadableError


def parse_features(frame: bytes) -> features.Features:
    return features.parse(frame, 4)


Codec = tuple[Callable[[bytes], Any], Callable[[Any], bytes]]
CODECS: dict[str, Codec] = {
    "2A08": (clock.parse_date_time, clock.encode_date_time),
    "2A18": (glucose.parse, glucose.encode),
    "2A19": (battery.parse, battery.encode),
    "2A1C": (thermometer.parse, thermometer.encode),
    "2A1D": (thermometer.parse_site, thermometer.encode_site),
    "2A23": (information.parse, information.encode),
    "2A25": (information.parse_text, information.encode_text),
    "2A2B": (clock.parse, clock.encode),
    "2A34": (glucose_context.parse, glucose_context.encode),
    "2A35": (blood_pressure.parse, blood_pressure.encode),
    "2A37": (heart_rate.parse, heart_rate.encode),
    "2A52": (racp.parse, racp.encode),
    "2A5E": (oximeter.parse_spot, oximeter.encode_spot),
    "2A5F": (oximeter.parse_stream, oximeter.encode_stream),
    "2A60": (oximeter.parse_features, oximeter.encode_features),
    "2A99": (user_data.parse_increment, user_data.encode_increment),
    "2A9C": (body_composition.parse, body_composition.encode),
    "2A9D": (weight.parse, weight.encode),
    "2A9E": (parse_features, features.encode),
    "2A9F": (user_data.parse, user_data.encode),
    "2A35 of a BM85": (quirks.parse_bm85, quirks.encode_bm85),
}


@pytest.mark.parametrize("name", CODECS)
@given(frame=st.binary(min_size=20, max_size=40))
def test_encode_then_parse_is_the_identity(name: str, frame: bytes) -> None:
    parse, encode = CODECS[name]
    try:
        measured = parse(frame)
    except UnreadableError:
        return
    assert parse(encode(measured)) == measured


@pytest.mark.parametrize("name", CODECS)
@given(frame=st.binary(min_size=30, max_size=40))
def test_a_long_frame_is_readable_and_its_tail_is_kept(name: str, frame: bytes) -> None:
    parse, _encode = CODECS[name]
    if name in ("2A18", "2A34", "2A35", "2A5E", "2A1C", "2A9D"):
        measured = parse(frame)
        assert frame.endswith(measured.trailing)
        assert parse(frame + b"\xaa\xbb").trailing == measured.trailing + b"\xaa\xbb"


@pytest.mark.parametrize("name", [name for name in CODECS if name != "2A25"])
def test_nothing_at_all_is_unreadable(name: str) -> None:
    with pytest.raises(UnreadableError, match="truncated"):
        CODECS[name][0](b"")
