from datetime import datetime, timedelta

import pytest

from gateway import events
from gateway.events import Room, Trouble, Word
from gateway.known import Depth, Device
from gateway.settings import KnownDevice, Limits

LIMITS = Limits(rows=100, rows_warn=80, disk_warn_mb=500, disk_least_mb=50)


@pytest.mark.parametrize(
    ("rows", "free", "room", "words"),
    [
        (10, 1000, Room.ENOUGH, []),
        (10, None, Room.ENOUGH, []),
        (80, 1000, Room.LOW, [Word.OUTBOX_FILLING]),
        (10, 499, Room.LOW, [Word.DISK_LOW]),
        (100, 1000, Room.FULL, [Word.OUTBOX_FILLING, Word.READINGS_REFUSED]),
        (10, 49, Room.FULL, [Word.DISK_LOW, Word.READINGS_REFUSED]),
    ],
    ids=["enough", "disk unknown", "filling", "disk low", "full", "disk full"],
)
def test_cries_out_before_anything_is_refused(
    rows: int, free: int | None, room: Room, words: list[Word]
) -> None:
    depth = Depth(rows=rows, oldest=None)
    assert events.room(depth, free, LIMITS) is room
    assert [trouble.word for trouble in events.of_space(depth, free, LIMITS)] == words


@pytest.mark.parametrize(
    ("device", "failures", "words"),
    [
        (Device(identity="d", battery=20), 0, [Word.LOW_BATTERY]),
        (Device(identity="d", battery=21), 0, []),
        (Device(identity="d", offset_s=-4 * 3600), 0, []),
        (Device(identity="d", offset_s=1.6e8), 0, [Word.CLOCK_FAULT]),
        (Device(identity="d"), 5, [Word.REPEATED_FAILURES]),
        (Device(identity="d"), 4, []),
    ],
    ids=["low", "charged", "another zone", "factory date", "fails", "failed a little"],
)
def test_sees_what_is_wrong_with_a_device(device: Device, failures: int, words: list[Word]) -> None:
    assert [t.word for t in events.of_device(device, failures, LIMITS)] == words


@pytest.mark.parametrize(
    ("expected", "read_hours_ago", "listening_hours", "unseen"),
    [
        (24, 25, 100, True),
        (24, 23, 100, False),
        (24, None, 25, True),
        (24, 48, 2, False),
        (None, 999, 999, False),
    ],
    ids=["too long", "in time", "never", "the box has only just started", "no expectation"],
)
def test_misses_a_device_that_is_not_used(
    noon: datetime,
    expected: float | None,
    read_hours_ago: int | None,
    listening_hours: int,
    unseen: bool,
) -> None:
    known = KnownDevice(identity="CUFF-1", expected_every_hours=expected)
    read = noon - timedelta(hours=read_hours_ago) if read_hours_ago is not None else None
    device = Device(identity="CUFF-1", last_read=read)
    since = noon - timedelta(hours=listening_hours)
    found = events.of_silence(known, device, since=since, now=noon)
    assert [trouble.word for trouble in found] == [Word.DEVICE_UNSEEN] * unseen


def test_tells_a_trouble_once_then_daily_and_anew_when_it_comes_back(noon: datetime) -> None:
    low = Trouble(word=Word.LOW_BATTERY, device="CUFF-1")
    told: dict[str, datetime] = {}
    tellings = []
    for hour, standing in [(0, [low]), (1, [low]), (23, [low]), (24, [low]), (25, []), (26, [low])]:
        fresh, told = events.news(standing, told, noon + timedelta(hours=hour))
        tellings += [hour for _ in fresh]
    assert tellings == [0, 24, 26]


def test_an_event_has_the_same_id_however_often_it_is_made(noon: datetime) -> None:
    trouble = Trouble(word=Word.RADIO_DOWN, detail="hci0")
    first, again = (events.event("gw", trouble, noon) for _ in range(2))
    later = events.event("gw", trouble, noon + timedelta(days=1))
    assert first == again
    assert first.id != later.id
    assert (first.event, first.detail, first.device) == ("radio_down", "hci0", None)
