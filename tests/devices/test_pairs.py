from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import pairs, profiles, quirks
from devices.reading import (
    Capture,
    FailedMeasurement,
    Reading,
    UnreadableError,
    reading_id,
)

RECORD = bytes.fromhex("120700e807061e0c1e0037c011")
CONTEXT = bytes.fromhex("02070003")
OTHER_CONTEXT = bytes.fromhex("02080003")
KETONE = bytes.fromhex("02070006")
FIRST = bytes.fromhex("0e10c200e807061e0c1e0001df1a")
SECOND = bytes.fromhex("0014c200783e")
NOW = datetime(2024, 6, 30, 12, tzinfo=UTC)


def test_a_record_awaits_the_context_it_promises() -> None:
    assert pairs.awaits("2A18", RECORD) == "2A34"
    assert pairs.awaits("2A18", b"\x02" + RECORD[1:]) is None
    assert pairs.awaits("2A9C", FIRST) == "2A9C"
    assert pairs.awaits("2A35", bytes(7)) is None


def test_only_the_context_with_its_sequence_completes_a_record() -> None:
    assert pairs.completes("2A18", RECORD, CONTEXT)
    assert not pairs.completes("2A18", RECORD, OTHER_CONTEXT)


def test_a_record_with_its_context_is_one_reading() -> None:
    alone, both = profiles.decode("2A18", RECORD), pairs.decode("2A18", RECORD, CONTEXT)
    assert isinstance(alone, Reading)
    assert isinstance(both, Reading)
    assert both.value == alone.value
    assert both.extra == {**alone.extra, "meal": "fasting"}


def test_a_context_does_not_change_who_the_reading_is() -> None:
    capture = Capture(device_id="m1", characteristic="2A18", frame=RECORD, captured_at=NOW)
    alone, both = profiles.decode("2A18", RECORD), pairs.decode("2A18", RECORD, CONTEXT)
    assert reading_id(capture, alone) == reading_id(capture, both)


def test_two_packets_are_one_body_composition() -> None:
    both = pairs.decode("2A9C", FIRST, SECOND)
    assert isinstance(both, Reading)
    assert both.value == 19.4
    assert both.device_time == datetime(2024, 6, 30, 12, 30)
    assert both.user_slot == 1
    assert both.extra == {"basal_kcal": 1644, "weight_kg": 79.96}


def test_frames_that_are_no_pair_are_unreadable() -> None:
    with pytest.raises(UnreadableError, match="no pair"):
        pairs.decode("2A18", RECORD, OTHER_CONTEXT)
    with pytest.raises(UnreadableError, match="no pair"):
        pairs.decode("2A9C", FIRST, b"\x01" + SECOND[1:])
    with pytest.raises(UnreadableError, match="no pair"):
        pairs.decode("2A35", bytes(7), bytes(7))


def test_a_caresens_ketone_is_never_filed_as_glucose() -> None:
    failed = pairs.decode("2A18", RECORD, KETONE, quirk=quirks.CARESENS)
    assert isinstance(failed, FailedMeasurement)
    assert (failed.reason, failed.sequence, failed.extra["meal"]) == ("not_glucose", 7, "ketone")
    assert isinstance(pairs.decode("2A18", RECORD, KETONE), Reading)
    assert isinstance(pairs.decode("2A18", RECORD, CONTEXT, quirk=quirks.CARESENS), Reading)


@given(code=st.sampled_from(["2A18", "2A9C"]), frame=st.binary(max_size=30), more=st.binary())
def test_any_bytes_give_a_result_or_our_own_error(code: str, frame: bytes, more: bytes) -> None:
    try:
        decoded = pairs.decode(code, frame, more)
    except UnreadableError:
        return
    assert isinstance(decoded, Reading | FailedMeasurement)
