"""A reading that tells everything is packed at once, any other piece by piece: alike."""

from datetime import timedelta

import pytest

from ingest import binary, copying
from tests.ingest.builders import NOON, ReadingMaker

WHOLE = {
    "diastolic": 80.0,
    "mean_arterial": 96.0,
    "pulse": 71.5,
    "original_value": 128.0,
    "device_time": NOON.replace(tzinfo=None) - timedelta(hours=4, microseconds=7),
    "offset_s": -1.5,
    "sequence": 7,
}


def test_a_whole_reading_is_packed_as_its_pieces_would_be(reading: ReadingMaker) -> None:
    told = reading(**WHOLE)
    assert copying._numbers(told, 128.0) == copying._numbers_and_nulls(told, 128.0)


@pytest.mark.parametrize("missing", WHOLE)
def test_what_is_missing_is_null(reading: ReadingMaker, missing: str) -> None:
    whole, part = reading(**WHOLE), reading(**(WHOLE | {missing: None}))
    shorter = len(copying._numbers(whole, 128.0)) - len(copying._numbers(part, 128.0))
    assert copying._numbers(part, 128.0).count(binary.NULL) == 1
    assert shorter in {4, 8}
