from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.wire import WireReading
from ingest import clock
from ingest.bounds import shipped
from ingest.clock import Fault, Moment
from ingest.decision import Reason, TimeQuality
from tests.ingest.builders import ReadingMaker

NOON = datetime(2026, 9, 15, 12, tzinfo=UTC)
NAIVE_NOON = datetime(2026, 9, 15, 12)
NEW_YORK = ZoneInfo("America/New_York")
RULES = shipped().time
SYNCED, CORRECTED = TimeQuality.DEVICE_SYNCED, TimeQuality.CORRECTED
RECEPTION, UNKNOWN = TimeQuality.GATEWAY_RECEPTION, TimeQuality.UNKNOWN


def settle(
    reading: WireReading,
    *,
    zone: ZoneInfo | None = None,
    siblings: Sequence[WireReading] = (),
) -> Any:  # noqa: ANN401 - a Moment or a Fault: each test knows which
    return clock.settle(reading, RULES, zone=zone, siblings=siblings, now=NOON)


@pytest.mark.parametrize(
    ("device_time", "offset_s", "at", "quality"),
    [
        (NAIVE_NOON, 0.0, NOON, SYNCED),
        (NAIVE_NOON - timedelta(hours=4), 14_400.0, NOON, SYNCED),
        (NAIVE_NOON - timedelta(hours=4), 14_460.0, NOON + timedelta(seconds=60), SYNCED),
        (NAIVE_NOON - timedelta(hours=4), 14_461.0, NOON + timedelta(seconds=61), CORRECTED),
        (NAIVE_NOON + timedelta(hours=4), -14_461.0, NOON - timedelta(seconds=61), CORRECTED),
        (NAIVE_NOON + timedelta(minutes=345), -20_700.0, NOON, SYNCED),
        (NAIVE_NOON - timedelta(minutes=7), 420.0, NOON, CORRECTED),
        (NAIVE_NOON - timedelta(days=1), 86_400.0, NOON, SYNCED),
    ],
    ids=["right", "local", "a minute off", "more", "ahead", "Kathmandu", "seven late", "at a day"],
)
def test_device_time_plus_offset(
    reading: ReadingMaker,
    device_time: datetime,
    offset_s: float | None,
    at: datetime,
    quality: TimeQuality,
) -> None:
    found = settle(reading(device_time=device_time, offset_s=offset_s, live=False))
    assert found == Moment(at, quality)


def test_a_device_without_a_clock_measured_when_it_was_received(reading: ReadingMaker) -> None:
    told = reading()
    assert settle(told) == Moment(told.at, RECEPTION)


def test_a_stored_reading_without_a_time_has_none(reading: ReadingMaker) -> None:
    assert settle(reading(live=False)).reason == Reason.CLOCK_UNKNOWN


@pytest.mark.parametrize(
    ("device_time", "offset_s"),
    [
        (datetime(1970, 1, 1), None),
        (datetime(2000, 1, 1, 0, 3), None),
        (datetime(2021, 1, 1, 0, 5), None),
        (datetime(9999, 12, 31, 23, 59), None),
        (datetime(2000, 1, 1), 843_000_000.0),
        (NAIVE_NOON - timedelta(days=2), 86_401.0),
        (NAIVE_NOON + timedelta(days=2), -86_401.0),
        (datetime(9999, 12, 31, 23, 59), 10.0),
        (datetime(1, 1, 1), -10.0),
    ],
)
class TestAClockThatWasNeverSet:
    def test_live_is_now(
        self, reading: ReadingMaker, device_time: datetime, offset_s: float | None
    ) -> None:
        found = settle(reading(device_time=device_time, offset_s=offset_s), zone=NEW_YORK)
        assert (found.at, found.quality) == (NOON - timedelta(seconds=2), RECEPTION)

    def test_stored_is_quarantined(
        self, reading: ReadingMaker, device_time: datetime, offset_s: float | None
    ) -> None:
        told = reading(device_time=device_time, offset_s=offset_s, live=False)
        assert settle(told, zone=NEW_YORK).reason == Reason.CLOCK_FAULT


def series(
    reading: ReadingMaker,
    *seconds: int,
    offset: float | None,
    sequences: Sequence[int | None] = (),
) -> list[WireReading]:
    start = datetime(2000, 1, 1)
    return [
        reading(
            device_time=start + timedelta(seconds=second),
            sequence=number,
            offset_s=offset,
            live=False,
            at=NOON,
        )
        for number, second in zip(sequences or range(len(seconds)), seconds, strict=True)
    ]


def test_an_orderly_run_of_a_wrong_clock_is_shifted_as_a_whole(reading: ReadingMaker) -> None:
    offset = (NAIVE_NOON - datetime(2000, 1, 1, 6)).total_seconds()
    run = series(reading, 0, 7200, 14_400, offset=offset)
    found = [settle(each, siblings=run) for each in run]
    assert [moment.at for moment in found] == [NOON - timedelta(hours=h) for h in (6, 4, 2)]
    assert {moment.quality for moment in found} == {CORRECTED}
    assert {moment.words for moment in found} == {("clock_shifted",)}


OFFSET = (NAIVE_NOON - datetime(2000, 1, 1, 6)).total_seconds()


@pytest.mark.parametrize(
    "change",
    [
        {"seconds": (0,)},
        {"seconds": (7200, 0)},
        {"seconds": (0, 7 * 3600)},
        {"seconds": (0, 7200), "offset": None},
        {"seconds": (0, 7200), "sequences": (None, None)},
    ],
    ids=["alone", "out of order", "after the fetch", "offset unknown", "no sequence"],
)
def test_anything_less_orderly_is_quarantined(
    reading: ReadingMaker, change: dict[str, Any]
) -> None:
    seconds = change.pop("seconds")
    run = series(reading, *seconds, **({"offset": OFFSET} | change))
    assert not clock.orderly(run, RULES)
    assert settle(run[0], siblings=run).reason == Reason.CLOCK_FAULT


def test_a_run_under_two_offsets_is_not_one_run(reading: ReadingMaker) -> None:
    run = series(reading, 0, offset=OFFSET) + series(reading, 60, offset=OFFSET + 1, sequences=[1])
    assert not clock.orderly(run, RULES)


@pytest.mark.parametrize(("ahead", "fine"), [(120, True), (121, False)])
def test_the_future_is_quarantined(reading: ReadingMaker, ahead: int, fine: bool) -> None:
    told = reading(device_time=NAIVE_NOON + timedelta(seconds=ahead), offset_s=0.0)
    found = settle(told)
    assert isinstance(found, Moment) == fine
    if not fine:
        assert found.reason == Reason.IN_FUTURE


@pytest.mark.parametrize(
    ("ahead", "words"), [(60, ()), (61, ("gateway_clock_ahead",)), (120, ("gateway_clock_ahead",))]
)
def test_a_gateway_clock_ahead_is_marked(
    reading: ReadingMaker, ahead: int, words: tuple[str, ...]
) -> None:
    assert settle(reading(at=NOON + timedelta(seconds=ahead))).words == words


class TestAClockThatWasNeverRead:
    LOCAL = datetime(2026, 9, 15, 8)

    def test_live_and_agreeing_vouches_for_itself(self, reading: ReadingMaker) -> None:
        told = reading(device_time=self.LOCAL, at=NOON - timedelta(seconds=120))
        assert settle(told, zone=NEW_YORK) == Moment(NOON, SYNCED)

    def test_live_and_disagreeing_is_now(self, reading: ReadingMaker) -> None:
        told = reading(device_time=self.LOCAL, at=NOON - timedelta(seconds=121))
        expected = Moment(told.at, RECEPTION, ("device_clock_unverified",))
        assert settle(told, zone=NEW_YORK) == expected
        assert settle(told, zone=None) == expected

    def test_stored_is_read_in_the_patients_zone(self, reading: ReadingMaker) -> None:
        told = reading(device_time=self.LOCAL - timedelta(days=3), live=False)
        found = settle(told, zone=NEW_YORK)
        assert (found.at, found.quality) == (NOON - timedelta(days=3), UNKNOWN)

    def test_stored_without_a_zone_is_not_guessed(self, reading: ReadingMaker) -> None:
        told = reading(device_time=self.LOCAL, live=False)
        assert settle(told, zone=None).reason == Reason.CLOCK_UNKNOWN

    @pytest.mark.parametrize(("days", "fine"), [(179, True), (181, False)])
    def test_stored_and_far_away_is_a_factory_date(
        self, reading: ReadingMaker, days: int, fine: bool
    ) -> None:
        told = reading(device_time=self.LOCAL - timedelta(days=days), live=False)
        assert isinstance(settle(told, zone=NEW_YORK), Moment) == fine

    def test_stored_after_its_fetch_is_the_future(self, reading: ReadingMaker) -> None:
        told = reading(device_time=self.LOCAL + timedelta(minutes=3), live=False)
        assert settle(told, zone=NEW_YORK).reason == Reason.IN_FUTURE


class TestAGatewayThatIsNotSynchronised:
    LONG_AGO = NOON - timedelta(hours=5)

    @pytest.mark.parametrize("lag", [-60, 0, 60])
    def test_is_believed_while_it_agrees_with_us(self, reading: ReadingMaker, lag: int) -> None:
        told = reading(at=NOON - timedelta(seconds=lag), synced=False)
        assert settle(told) == Moment(told.at, RECEPTION)

    @pytest.mark.parametrize("lag", [-61, 61])
    def test_is_doubted_once_it_does_not(self, reading: ReadingMaker, lag: int) -> None:
        found = settle(reading(at=NOON - timedelta(seconds=lag), synced=False))
        assert (found.quality, found.doubtful) == (UNKNOWN, True)
        assert "gateway_clock_unsynced" in found.words

    def test_leaves_it_to_the_device_in_the_patients_zone(self, reading: ReadingMaker) -> None:
        told = reading(at=self.LONG_AGO, synced=False, device_time=datetime(2026, 9, 15, 7))
        assert settle(told, zone=NEW_YORK).at == NOON - timedelta(hours=1)

    def test_keeps_its_own_frame_without_a_zone(self, reading: ReadingMaker) -> None:
        told = reading(
            at=self.LONG_AGO, synced=False, device_time=datetime(2026, 9, 15, 7), offset_s=-60.0
        )
        assert settle(told).at == datetime(2026, 9, 15, 6, 59, tzinfo=UTC)

    def test_just_booted_without_a_battery_knows_nothing(self, reading: ReadingMaker) -> None:
        told = reading(at=datetime(1970, 1, 1, 0, 5, tzinfo=UTC), synced=False)
        assert settle(told).reason == Reason.CLOCK_FAULT

    def test_cannot_say_when_a_stored_reading_was(self, reading: ReadingMaker) -> None:
        told = reading(at=self.LONG_AGO, synced=False, live=False)
        assert settle(told).reason == Reason.CLOCK_UNKNOWN


@pytest.mark.parametrize(("seconds", "old"), [(2_592_000, False), (2_592_001, True)])
def test_thirty_days_are_old(seconds: int, old: bool) -> None:
    assert clock.stale(NOON - timedelta(seconds=seconds), RULES, now=NOON) == old


@given(
    seconds=st.integers(-(10**10), 10**10),
    offset=st.none() | st.floats(-1e10, 1e10),
    live=st.booleans(),
    synced=st.booleans(),
    zone=st.none() | st.just(NEW_YORK),
)
def test_every_time_is_settled_or_refused(
    seconds: int, offset: float | None, live: bool, synced: bool, zone: ZoneInfo | None
) -> None:
    told = WireReading(
        id=UUID(int=0),
        char="2A35",
        frame="",
        at=NOON,
        device_time=NAIVE_NOON + timedelta(seconds=seconds),
        offset_s=offset,
        live=live,
        synced=synced,
    )
    found = settle(told, zone=zone, siblings=[told])
    assert isinstance(found, Moment | Fault)
    if isinstance(found, Moment):
        assert found.at.tzinfo is not None
        assert found.at <= NOON + timedelta(seconds=120)
