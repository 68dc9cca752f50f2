import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from devices import wire
from gateway import events
from gateway.backoff import Pace
from gateway.events import Trouble, Word
from gateway.outbox import BATCH, CannotStoreError, Outbox, Parcel, Visit
from gateway.sealing import Sealed, SealError
from gateway.store import Store
from tests.gateway.conftest import Disk

Frame = Callable[..., bytes]
PACE = Pace()
CUFF = Visit(device="CUFF-1", model="and_ua_651ble", clock_known=True, offset_s=0.0)
METER = Visit(device="METER-1", model="accu_chek_guide", clock_known=True, offset_s=0.0)


def fill(disk: Disk, visit: Visit, frames: list[bytes], at: datetime, char: str = "2A35") -> None:
    number = disk.outbox.begin_visit(visit)
    for frame in frames:
        disk.outbox.catch(number, char, frame, at=at)
    disk.outbox.end_visit(number)
    while disk.outbox.settle(UTC):
        pass


def message(parcel: Parcel | None) -> wire.Readings:
    assert parcel is not None
    return wire.load_readings(parcel.body)


def all_readings(disk: Disk, now: datetime) -> list[wire.WireReading]:
    """Send and acknowledge everything that is due."""
    found: list[wire.WireReading] = []
    while (parcel := disk.outbox.next_parcel(now)) is not None:
        found += message(parcel).readings
        disk.outbox.acknowledge(parcel.ids)
    return found


def values(disk: Disk, now: datetime) -> list[list[float | None]]:
    """Send everything that is due; the values of each message, in order."""
    sent = []
    while (parcel := disk.outbox.next_parcel(now)) is not None:
        sent.append([reading.value for reading in message(parcel).readings])
        disk.outbox.sent(parcel, PACE, now=now, draw=0)
    return sent


def test_a_frame_is_on_the_disk_when_catch_returns(
    disk: Disk, noon: datetime, cuff_frame: Frame
) -> None:
    visit = disk.outbox.begin_visit(CUFF)
    assert disk.outbox.catch(visit, "2A35", cuff_frame(noon), at=noon)
    with sqlite3.connect(disk.path) as other:
        assert other.execute("select count(*) from frame").fetchone() == (1,)
    other.close()


def test_the_disk_is_asked_to_be_sure(disk: Disk) -> None:
    connection = disk.store._connection
    assert connection.execute("pragma journal_mode").fetchone() == ("wal",)
    assert connection.execute("pragma synchronous").fetchone() == (2,)


def test_the_disk_is_asked_again_after_a_hasty_transaction(disk: Disk) -> None:
    with disk.store.transaction(durable=False):
        pass
    assert disk.store._connection.execute("pragma synchronous").fetchone() == (2,)


def test_nothing_is_decoded_in_the_callback(disk: Disk, noon: datetime) -> None:
    def read(_: object) -> None:
        raise AssertionError("decoded in the callback")

    outbox = Outbox(disk.store, "gw-1", read)
    visit = outbox.begin_visit(CUFF)
    assert outbox.catch(visit, "2A35", b"\x16", at=noon)
    assert outbox.depth().rows == 1


def test_a_burst_of_the_same_frame_is_one(disk: Disk, noon: datetime, cuff_frame: Frame) -> None:
    visit = disk.outbox.begin_visit(CUFF)
    caught = [disk.outbox.catch(visit, "2A35", cuff_frame(noon), at=noon) for _ in range(5)]
    assert caught == [True, False, False, False, False]


def test_equal_frames_of_a_stream_are_different_measurements(disk: Disk, noon: datetime) -> None:
    visit = disk.outbox.begin_visit(CUFF)
    for second in range(3):
        disk.outbox.catch(visit, "2A37", b"\x00\x48", at=noon + timedelta(seconds=second))
    assert disk.outbox.depth().rows == 3


def test_frames_wait_for_the_clock_of_their_device(
    disk: Disk, noon: datetime, cuff_frame: Frame
) -> None:
    visit = disk.outbox.begin_visit(Visit(device="CUFF-1"))
    disk.outbox.catch(visit, "2A35", cuff_frame(noon), at=noon)
    assert disk.outbox.settle(UTC) == 0
    disk.outbox.know_clock(visit, 7.5)
    assert disk.outbox.settle(UTC) == 1
    assert message(disk.outbox.next_parcel(noon)).readings[0].offset_s == 7.5


def test_a_visit_cut_off_by_a_power_cut_is_settled_after_the_restart(
    disk: Disk, noon: datetime, cuff_frame: Frame
) -> None:
    visit = disk.outbox.begin_visit(Visit(device="CUFF-1"))
    disk.outbox.catch(visit, "2A35", cuff_frame(noon), at=noon)
    disk.restart()
    assert disk.outbox.settle(UTC) == 1
    reading = message(disk.outbox.next_parcel(noon)).readings[0]
    assert (reading.value, reading.offset_s) == (120.0, None)


def test_a_reading_leaves_only_when_the_server_acknowledged_its_id(
    disk: Disk, noon: datetime, cuff_frame: Frame
) -> None:
    fill(disk, CUFF, [cuff_frame(noon)], noon)
    parcel = disk.outbox.next_parcel(noon)
    assert parcel is not None
    disk.outbox.sent(parcel, PACE, now=noon, draw=0)
    assert disk.outbox.acknowledge([UUID(int=1)]) == 0
    disk.restart()
    assert disk.outbox.depth().rows == 1
    assert disk.outbox.acknowledge(parcel.ids) == 1
    assert disk.outbox.depth().rows == 0


def test_unacknowledged_is_sent_again_later_and_later(
    disk: Disk, noon: datetime, cuff_frame: Frame
) -> None:
    fill(disk, CUFF, [cuff_frame(noon)], noon)
    sendings = []
    for second in range(300):
        parcel = disk.outbox.next_parcel(noon + timedelta(seconds=second))
        if parcel is not None:
            now = noon + timedelta(seconds=second)
            disk.outbox.sent(parcel, PACE, now=now, draw=0)
            sendings.append(second)
    assert sendings == [0, 30, 90, 210]


def test_the_newest_live_reading_jumps_the_queue(
    disk: Disk, noon: datetime, cuff_frame: Frame
) -> None:
    old = [cuff_frame(noon - timedelta(hours=hour), 100 + hour) for hour in (9, 8, 7)]
    fill(disk, CUFF, old, noon)
    for minute, systolic in ((1, 140.0), (2, 150.0)):
        moment = noon + timedelta(minutes=minute)
        fill(disk, CUFF, [cuff_frame(moment, systolic)], moment)
    assert values(disk, noon + timedelta(minutes=3)) == [[150.0], [140.0], [109.0, 108.0, 107.0]]


def test_what_was_live_long_ago_waits_in_order(
    disk: Disk, noon: datetime, cuff_frame: Frame
) -> None:
    for minute, systolic in ((0, 130.0), (1, 140.0)):
        moment = noon + timedelta(minutes=minute)
        fill(disk, CUFF, [cuff_frame(moment, systolic)], moment)
    assert values(disk, noon + timedelta(hours=3)) == [[130.0, 140.0]]


def test_a_backlog_is_sent_oldest_first_in_batches_of_one_device(
    disk: Disk, noon: datetime, cuff_frame: Frame, meter_frame: Frame
) -> None:
    day = timedelta(days=1)
    records = [meter_frame(noon - day, number) for number in range(120)]
    fill(disk, METER, records, noon, "2A18")
    fill(disk, CUFF, [cuff_frame(noon - day)], noon)
    sent = []
    while (parcel := disk.outbox.next_parcel(noon)) is not None:
        found = message(parcel)
        sent.append((found.device, [reading.sequence for reading in found.readings]))
        disk.outbox.sent(parcel, PACE, now=noon, draw=0)
    assert sent == [
        ("METER-1", list(range(BATCH))),
        ("METER-1", list(range(BATCH, 2 * BATCH))),
        ("METER-1", list(range(2 * BATCH, 120))),
        ("CUFF-1", [None]),
    ]


def test_a_crowded_way_still_lets_a_fresh_reading_pass(
    disk: Disk, noon: datetime, cuff_frame: Frame
) -> None:
    fill(disk, CUFF, [cuff_frame(noon - timedelta(hours=9), 101)], noon)
    assert disk.outbox.next_parcel(noon, fresh_only=True) is None
    fill(disk, CUFF, [cuff_frame(noon, 150)], noon)
    assert message(disk.outbox.next_parcel(noon, fresh_only=True)).readings[0].value == 150


def test_a_device_that_tells_everything_again_is_not_sent_on(
    disk: Disk, noon: datetime, cuff_frame: Frame
) -> None:
    records = [cuff_frame(noon - timedelta(hours=hour)) for hour in range(4)]
    fill(disk, CUFF, records, noon)
    fill(disk, CUFF, records, noon + timedelta(seconds=5))
    assert disk.outbox.depth().rows == 4
    while (parcel := disk.outbox.next_parcel(noon)) is not None:
        disk.outbox.acknowledge(parcel.ids)
    fill(disk, CUFF, records, noon + timedelta(hours=1))
    assert disk.outbox.depth().rows == 0
    disk.outbox.forget_seen()
    fill(disk, CUFF, records, noon + timedelta(hours=1))
    assert disk.outbox.depth().rows == 4


def test_a_context_is_joined_to_its_measurement(
    disk: Disk, noon: datetime, meter_frame: Frame
) -> None:
    visit = disk.outbox.begin_visit(METER)
    disk.outbox.catch(visit, "2A18", meter_frame(noon, 3, context=True), at=noon)
    assert disk.outbox.settle(UTC) == 0, "its context is still to come"
    disk.outbox.catch(visit, "2A18", meter_frame(noon, 4), at=noon)
    disk.outbox.catch(visit, "2A34", bytes.fromhex("02030001"), at=noon)
    while disk.outbox.settle(UTC):
        pass
    readings = {reading.sequence: reading for reading in all_readings(disk, noon)}
    assert set(readings) == {3, 4}
    assert readings[3].extra["meal"]


def test_a_context_that_never_comes_costs_nothing(
    disk: Disk, noon: datetime, meter_frame: Frame
) -> None:
    fill(disk, METER, [meter_frame(noon, 3, context=True)], noon, "2A18")
    assert message(disk.outbox.next_parcel(noon)).readings[0].value == 112.0


def test_a_context_that_comes_after_its_measurement_was_told_alone_is_kept_once(
    disk: Disk, noon: datetime, meter_frame: Frame
) -> None:
    first, context = meter_frame(noon, 3, context=True), bytes.fromhex("02030001")
    fill(disk, METER, [first], noon, "2A18")
    for _ in range(3):  # the meter tells both again, and again
        visit = disk.outbox.begin_visit(METER)
        disk.outbox.catch(visit, "2A18", first, at=noon)
        disk.outbox.catch(visit, "2A34", context, at=noon)
        disk.outbox.end_visit(visit)
        disk.outbox.settle(UTC)
    assert disk.outbox.depth().rows == 2
    frames = [reading.frame for reading in all_readings(disk, noon)]
    assert sorted(frames) == sorted([first.hex(), context.hex()])


def test_an_event_is_kept_like_a_reading(disk: Disk, noon: datetime) -> None:
    event = events.event("gw-1", Trouble(word=Word.DISK_LOW, detail="9 MB"), noon)
    disk.outbox.report(event)
    disk.outbox.report(event)
    disk.restart()
    parcel = disk.outbox.next_parcel(noon)
    assert parcel is not None
    assert parcel.topic == "events"
    assert wire.load(parcel.body, wire.Event) == event
    assert disk.outbox.acknowledge([event.id]) == 1
    assert disk.outbox.next_parcel(noon) is None


def test_one_event_is_one_message(disk: Disk, noon: datetime) -> None:
    for word in (Word.DISK_LOW, Word.RADIO_DOWN):
        disk.outbox.report(events.event("gw-1", Trouble(word=word), noon))
    parcel = disk.outbox.next_parcel(noon)
    assert parcel is not None
    assert len(parcel.ids) == 1


def test_an_acknowledgement_that_proves_the_way_open_cuts_waits_short(
    disk: Disk, noon: datetime, cuff_frame: Frame
) -> None:
    fill(disk, CUFF, [cuff_frame(noon)], noon)
    for _ in range(5):
        parcel = disk.outbox.next_parcel(noon + timedelta(days=1))
        assert parcel is not None
        disk.outbox.sent(parcel, PACE, now=noon, draw=0)
    assert disk.outbox.next_due() == (noon + timedelta(seconds=480)).timestamp()
    disk.outbox.hurry(noon + timedelta(seconds=40))
    assert disk.outbox.next_due() == (noon + timedelta(seconds=40)).timestamp()


def test_a_full_disk_says_so_and_keeps_what_it_has(
    disk: Disk, noon: datetime, cuff_frame: Frame
) -> None:
    visit = disk.outbox.begin_visit(CUFF)
    disk.outbox.catch(visit, "2A35", cuff_frame(noon), at=noon)
    pages = disk.store._connection.execute("pragma page_count").fetchone()[0]
    disk.store._connection.execute(f"pragma max_page_count = {pages}")
    huge = cuff_frame(noon) * 10_000
    with pytest.raises(CannotStoreError, match="full"):
        disk.outbox.catch(visit, "2A35", huge, at=noon)
    disk.restart()
    assert disk.outbox.depth().rows >= 1
    assert disk.outbox.settle(UTC) >= 1


def test_payloads_at_rest_are_sealed_when_there_is_a_key(
    tmp_path: Path, noon: datetime, cuff_frame: Frame
) -> None:
    path, frame = tmp_path / "sealed.db", cuff_frame(noon)
    store = Store(path, Sealed(bytes(32)))
    outbox = Outbox(store, "gw-1")
    visit = outbox.begin_visit(CUFF)
    outbox.catch(visit, "2A35", frame, at=noon)
    raw = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    outbox.settle(UTC)
    raw += b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert frame not in raw
    assert frame.hex().encode() not in raw
    assert message(outbox.next_parcel(noon)).readings[0].value == 120.0
    store.close()
    with pytest.raises(SealError):
        Store(path)


def test_depth_counts_everything_that_waits(disk: Disk, noon: datetime, cuff_frame: Frame) -> None:
    fill(disk, CUFF, [cuff_frame(noon)], noon)
    visit = disk.outbox.begin_visit(Visit(device="CUFF-2"))
    disk.outbox.catch(visit, "2A35", b"\x16", at=noon - timedelta(minutes=1))
    depth = disk.outbox.depth()
    assert (depth.rows, depth.oldest) == (2, noon - timedelta(minutes=1))
