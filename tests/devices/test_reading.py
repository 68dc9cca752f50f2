"""The identity of a reading: the same however often and by whom it is sent, no other's."""

import dataclasses
from datetime import UTC, datetime, timedelta
from uuid import RFC_4122

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import profiles
from devices.reading import (
    UNITS,
    Capture,
    Decoded,
    FailedMeasurement,
    Kind,
    Reading,
    reading_id,
)

NOW = datetime(2024, 6, 30, 12, tzinfo=UTC)
TIMED = Reading(
    kind=Kind.BLOOD_PRESSURE,
    value=120.0,
    diastolic=80.0,
    mean_arterial=93.0,
    pulse=61.0,
    original_value=120.0,
    original_unit="mm[Hg]",
    device_time=datetime(2024, 6, 30, 11, 59),
    user_slot=1,
)
SEQUENCED = Reading(
    kind=Kind.GLUCOSE, value=104.0, original_value=104.0, original_unit="mg/dL", sequence=7
)
UNTIMED = dataclasses.replace(TIMED, device_time=None)
FAILED = FailedMeasurement(
    kind=Kind.BLOOD_PRESSURE, reason="not_a_number", device_time=datetime(2024, 6, 30, 11, 59)
)


def capture(**changes: object) -> Capture:
    usual: dict[str, object] = {
        "device_id": "5160400123",
        "characteristic": "2A35",
        "frame": b"\x00\x01",
        "captured_at": NOW,
    }
    return Capture(**(usual | changes))  # type: ignore[arg-type]  # a table of cases


@pytest.mark.parametrize(
    "decoded", [TIMED, SEQUENCED, FAILED], ids=["timed", "sequenced", "failed"]
)
def test_another_gateway_or_session_gives_the_same_id(decoded: Decoded) -> None:
    later = capture(captured_at=NOW + timedelta(hours=3), frame=b"\x00\x01\xff")
    assert reading_id(capture(), decoded) == reading_id(later, decoded)


@pytest.mark.parametrize(
    "change",
    [
        {"original_value": 121.0},
        {"original_unit": "kPa"},
        {"diastolic": 81.0},
        {"mean_arterial": None},
        {"pulse": 62.0},
        {"device_time": datetime(2024, 6, 30, 11, 58)},
        {"user_slot": 2},
        {"sequence": 1},
        {"kind": Kind.WEIGHT},
    ],
)
def test_anything_the_device_says_differently_is_another_reading(
    change: dict[str, object],
) -> None:
    other = dataclasses.replace(TIMED, **change)  # type: ignore[arg-type]  # a table of cases
    assert reading_id(capture(), other) != reading_id(capture(), TIMED)


@pytest.mark.parametrize("change", [{"device_id": "other"}, {"characteristic": "2A36"}])
def test_another_device_or_characteristic_is_another_reading(change: dict[str, object]) -> None:
    assert reading_id(capture(**change), TIMED) != reading_id(capture(), TIMED)


def test_another_reason_is_another_failure() -> None:
    other = dataclasses.replace(FAILED, reason="above_range")
    assert reading_id(capture(), other) != reading_id(capture(), FAILED)


def test_without_time_or_sequence_the_capture_is_the_identity() -> None:
    later = capture(captured_at=NOW + timedelta(seconds=1))
    assert reading_id(capture(), UNTIMED) != reading_id(later, UNTIMED)
    assert reading_id(capture(), UNTIMED) == reading_id(capture(), UNTIMED)


def test_an_unreadable_frame_is_its_capture() -> None:
    assert reading_id(capture(), None) == reading_id(capture(), None)
    assert reading_id(capture(), None) != reading_id(capture(frame=b"\x02"), None)


def test_ids_sort_by_time() -> None:
    days = [dataclasses.replace(TIMED, device_time=datetime(2024, 6, day)) for day in range(1, 30)]
    ids = [reading_id(capture(), day) for day in days]
    assert ids == sorted(ids)


def test_a_factory_clock_does_not_lead_to_the_epoch() -> None:
    early = dataclasses.replace(TIMED, device_time=datetime(1970, 1, 1))
    assert reading_id(capture(), early).int >> 80 == int(NOW.timestamp() * 1000)


@given(st.binary(max_size=40), st.sampled_from(sorted(profiles.SUPPORTED)))
def test_every_id_is_a_proper_uuid(frame: bytes, code: str) -> None:
    caught = capture(characteristic=code, frame=frame)
    try:
        decoded = profiles.decode(code, frame)
    except ValueError:
        decoded = None
    found = reading_id(caught, decoded)
    assert (found.version, found.variant) == (8, RFC_4122)


def test_every_kind_has_a_unit() -> None:
    assert set(UNITS) == set(Kind)
