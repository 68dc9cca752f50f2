from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import blood_pressure, date_time, glucose, weight
from devices.reading import Decoded
from devices.wire import WireReading
from gateway.interpret import CaughtFrame, NotYet, interpret

AT = datetime(2026, 9, 15, 12, 0, tzinfo=UTC)
NAN_FRAME = bytes.fromhex("1eff07ff07ff07ea07090f0b3b00ff07010000")


def cuff_frame(moment: datetime | None) -> bytes:
    return blood_pressure.encode(
        blood_pressure.BloodPressure(
            systolic=131.0,
            diastolic=84.0,
            mean_arterial=100.0,
            pulse=66.0,
            timestamp=date_time.of(moment) if moment else None,
        )
    )


def caught(frame: bytes, characteristic: str = "2A35") -> CaughtFrame:
    return CaughtFrame(
        row=1,
        visit=1,
        device="CUFF-1",
        model="and_ua_651ble",
        quirk=None,
        synced=True,
        offset_s=3.0,
        set_offset_s=None,
        visit_ended=False,
        visit_frames=1,
        characteristic=characteristic,
        frame=frame,
        at=AT,
        fetched=False,
    )


def read(frame: CaughtFrame) -> WireReading:
    found = interpret(frame, ZoneInfo("UTC"))
    assert isinstance(found, WireReading)
    return found


def test_a_measurement_carries_values_and_clock_facts() -> None:
    found = read(caught(cuff_frame(AT - timedelta(seconds=3))))
    assert (found.status, found.kind, found.value, found.diastolic, found.pulse) == (
        "measured",
        "blood_pressure",
        131.0,
        84.0,
        66.0,
    )
    assert (found.at, found.offset_s, found.synced, found.live) == (AT, 3.0, True, True)
    assert found.device_time == datetime(2026, 9, 15, 11, 59, 57)


def test_a_failed_measurement_is_a_record_with_a_reason_and_no_number() -> None:
    found = read(caught(NAN_FRAME))
    assert (found.status, found.value, found.kind) == ("failed", None, "blood_pressure")
    assert found.reason


def test_an_unreadable_frame_is_kept_with_its_reason() -> None:
    found = read(caught(b"\x16\x7c"))
    assert (found.status, found.frame, found.value) == ("unreadable", "167c", None)
    assert "truncated" in (found.reason or "")


def test_a_fault_in_a_decoder_does_not_cost_the_frame() -> None:
    def broken(_: CaughtFrame) -> Decoded | None:
        raise ZeroDivisionError("oops")

    found = interpret(caught(NAN_FRAME), ZoneInfo("UTC"), broken)
    assert isinstance(found, WireReading)
    assert found.reason == "decoder failed: ZeroDivisionError: oops"


@given(
    st.sampled_from(["2A35", "2A9D", "2A18", "2A5E", "2A1C", "2A37", "2A9C", "FFFF"]),
    st.binary(max_size=40),
)
def test_any_frame_becomes_a_reading_with_an_id(characteristic: str, frame: bytes) -> None:
    ended = replace(caught(frame, characteristic), visit_ended=True)
    found = read(ended)
    assert found.frame == frame.hex()
    assert read(ended).id == found.id


def test_what_is_understood_and_never_a_reading_is_let_go() -> None:
    assert interpret(caught(b"\x64", "2A19"), ZoneInfo("UTC")) is NotYet.NEVER


def test_an_orphaned_glucose_context_waits_then_is_kept() -> None:
    orphan = caught(bytes.fromhex("02030001"), "2A34")
    assert interpret(orphan, ZoneInfo("UTC")) is NotYet.WAIT
    found = read(replace(orphan, visit_ended=True))
    assert (found.status, found.reason) == ("unreadable", "context without its measurement")


def test_a_record_from_the_memory_is_not_live() -> None:
    assert not read(caught(cuff_frame(AT - timedelta(hours=5)))).live


@pytest.mark.parametrize(("frames", "live"), [(1, True), (3, False)], ids=["alone", "in a dump"])
def test_a_factory_date_without_readable_clock_waits_for_the_end_of_the_visit(
    frames: int, live: bool
) -> None:
    unset = replace(caught(cuff_frame(datetime(2019, 1, 1))), offset_s=None, visit_frames=frames)
    assert interpret(unset, ZoneInfo("UTC")) is NotYet.WAIT
    assert read(replace(unset, visit_ended=True)).live is live


def test_a_reading_measured_after_the_clock_was_set_has_the_new_offset() -> None:
    frame = replace(caught(cuff_frame(AT)), offset_s=1.8e8, set_offset_s=0.0)
    found = read(frame)
    assert (found.offset_s, found.live) == (0.0, True)


def test_two_frames_of_one_measurement_are_one_reading_that_keeps_both() -> None:
    first = glucose.encode(
        glucose.Glucose(
            sequence=3,
            base_time=date_time.of(AT),
            concentration=0.00112,
            type=1,
            location=1,
            context_follows=True,
        )
    )
    context = bytes.fromhex("02030001")
    found = read(replace(caught(first, "2A18"), following=context))
    assert (found.value, found.sequence, found.extra["following"]) == (112.0, 3, "02030001")
    assert found.extra["meal"]


def test_the_same_measurement_has_the_same_id_in_every_visit() -> None:
    once = caught(cuff_frame(AT))
    again = replace(once, row=9, visit=4, at=AT + timedelta(days=2), fetched=True, offset_s=None)
    assert read(once).id == read(again).id


def test_without_a_time_each_capture_is_its_own_measurement() -> None:
    frame = weight.encode(weight.Weight(weight=80.0))
    once = caught(frame, "2A9D")
    assert read(once).id != read(replace(once, at=AT + timedelta(seconds=1))).id
