"""Whose clock: the one effective time of a reading, and how far it can be trusted. Pure.

A device writes naive local time. `offset_s` is the gateway's UTC clock minus the device's clock
read as if it were UTC, so device time plus offset is UTC whatever zone and error the device has.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import msgspec

from devices.wire import WireReading
from ingest.bounds import TimeRules
from ingest.decision import Reason, TimeQuality

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
NAIVE_EPOCH = datetime(2000, 1, 1)  # noqa: DTZ001 - a device's clock has no zone
DEVICE_SYNCED, CORRECTED = TimeQuality.DEVICE_SYNCED, TimeQuality.CORRECTED
GATEWAY_RECEPTION, UNKNOWN = TimeQuality.GATEWAY_RECEPTION, TimeQuality.UNKNOWN
QUARTER_HOUR = 900
"""Every time zone is a whole number of these away from UTC."""


class Moment(msgspec.Struct, frozen=True, gc=False):
    """The effective time; `words` say what was wrong with the clocks."""

    at: datetime
    quality: TimeQuality
    words: tuple[str, ...] = ()
    doubtful: bool = False


class Fault(msgspec.Struct, frozen=True, gc=False):
    """No believable time can be given."""

    reason: Reason
    detail: str


def settle(
    reading: WireReading,
    rules: TimeRules,
    *,
    zone: ZoneInfo | None,
    siblings: Sequence[WireReading],
    now: datetime,
) -> Moment | Fault:
    """Return when the measurement was made; `siblings` are all readings of the same message."""
    gateway_ahead = reading.at - now
    try:
        if reading.synced or abs(gateway_ahead) <= rules.gateway_error:
            found = _by_the_gateway(reading, rules, zone, siblings)
        else:
            found = _without_the_gateway(reading, rules, zone)
    except OverflowError:
        return Fault(Reason.CLOCK_FAULT, f"device clock said {reading.device_time}")
    if isinstance(found, Fault):
        return found
    ahead = found.at - now
    if ahead > rules.future:
        return Fault(Reason.IN_FUTURE, f"{ahead.total_seconds():.0f} s ahead of the server")
    if gateway_ahead > rules.gateway_error:
        return msgspec.structs.replace(found, words=(*found.words, "gateway_clock_ahead"))
    return found


def stale(at: datetime, rules: TimeRules, *, now: datetime) -> bool:
    """Whether a reading is too old to raise an alert."""
    return now - at > rules.stale


def _by_the_gateway(
    reading: WireReading, rules: TimeRules, zone: ZoneInfo | None, siblings: Sequence[WireReading]
) -> Moment | Fault:
    """The gateway's clock is right: use it, and the offset it read."""
    device_time, offset = reading.device_time, reading.offset_s
    if device_time is None:
        return _untimed(reading)
    if offset is None:
        return _unread_clock(reading, device_time, rules, zone)
    if not -rules.fault_s <= offset <= rules.fault_s or _factory(device_time.date(), rules):
        return _faulty_clock(reading, device_time, rules, siblings)
    # a clock a whole number of quarter hours off UTC keeps somebody's local time: it is right
    right = (offset + rules.synced_s) % QUARTER_HOUR <= 2 * rules.synced_s
    return Moment(_shifted(device_time, offset), DEVICE_SYNCED if right else CORRECTED)


def _untimed(reading: WireReading) -> Moment | Fault:
    """A device without a clock: now, if it was measured now."""
    if reading.live:
        return Moment(reading.at, GATEWAY_RECEPTION)
    return Fault(Reason.CLOCK_UNKNOWN, "stored reading without a time")


def _unread_clock(
    reading: WireReading, device_time: datetime, rules: TimeRules, zone: ZoneInfo | None
) -> Moment | Fault:
    """The clock was never read: a live reading vouches for itself, a stored one needs the zone.

    The patient's zone is an assumption about the device, so its time is of unknown quality unless
    the reading is live and the two agree. Without a zone nothing is guessed.
    """
    factory = _factory(device_time.date(), rules)
    local = None if zone is None or factory else _in_zone(device_time, zone)
    if reading.live:
        return _live_unread(reading, local, rules)
    if factory:
        return Fault(Reason.CLOCK_FAULT, f"device clock said {device_time.isoformat()}")
    if local is None:
        return Fault(Reason.CLOCK_UNKNOWN, "device clock never read, patient's zone unknown")
    return _stored_unread(reading, local, rules)


def _live_unread(reading: WireReading, local: datetime | None, rules: TimeRules) -> Moment:
    if local is not None and abs(reading.at - local) <= rules.future:
        return Moment(local, DEVICE_SYNCED)
    return Moment(reading.at, GATEWAY_RECEPTION, ("device_clock_unverified",))


def _stored_unread(reading: WireReading, local: datetime, rules: TimeRules) -> Moment | Fault:
    age = reading.at - local
    if -age > rules.future:
        return Fault(Reason.IN_FUTURE, f"{-age.total_seconds():.0f} s ahead of the gateway")
    if age > rules.oldest_unverified:
        return Fault(Reason.CLOCK_FAULT, f"{age.days} days old by an unread clock")
    return Moment(local, UNKNOWN, ("device_clock_unverified",))


def _faulty_clock(
    reading: WireReading, device_time: datetime, rules: TimeRules, siblings: Sequence[WireReading]
) -> Moment | Fault:
    """The clock was never set: live is now; stored counts if order and intervals hold together."""
    if reading.live:
        return Moment(reading.at, GATEWAY_RECEPTION, ("clock_fault",))
    if reading.offset_s is not None and orderly(siblings, rules):
        shifted = _shifted(device_time, reading.offset_s)
        return Moment(shifted, CORRECTED, ("clock_shifted",))
    return Fault(Reason.CLOCK_FAULT, f"device clock said {device_time.isoformat()}")


def orderly(siblings: Sequence[WireReading], rules: TimeRules) -> bool:
    """Whether these readings come from one run of a wrong clock, so that one shift mends them all.

    At least two stored readings, all with sequence and time, under one offset; times rise with the
    sequence, and none lies after the moment it was fetched once shifted.
    """
    stored = [each for each in siblings if not each.live]
    runs = sorted(
        (each.sequence, each.device_time, each.at)
        for each in stored
        if each.sequence is not None and each.device_time is not None
    )
    offsets = {each.offset_s for each in stored}
    if len(runs) < 2 or len(runs) != len(stored) or len(offsets) != 1:  # noqa: PLR2004 - a pair has an order
        return False
    offset = offsets.pop()
    return (
        offset is not None
        and all(earlier[1] <= later[1] for earlier, later in pairwise(runs))
        and all(_shifted(told, offset) - at <= rules.future for _, told, at in runs)
    )


def _without_the_gateway(
    reading: WireReading, rules: TimeRules, zone: ZoneInfo | None
) -> Moment | Fault:
    """The gateway's clock is not synchronised and disagrees with ours: only doubtful times."""
    words = ("gateway_clock_unsynced",)
    device_time = reading.device_time
    if device_time is not None and zone is not None and not _factory(device_time.date(), rules):
        return Moment(_in_zone(device_time, zone), UNKNOWN, words, doubtful=True)
    if _factory(reading.at.date(), rules):
        return Fault(Reason.CLOCK_FAULT, f"gateway clock said {reading.at.isoformat()}")
    if device_time is not None and reading.offset_s is not None:
        shifted = _shifted(device_time, reading.offset_s)
        return Moment(shifted, UNKNOWN, words, doubtful=True)
    if reading.live:
        return Moment(reading.at, UNKNOWN, words, doubtful=True)
    return Fault(Reason.CLOCK_UNKNOWN, "neither gateway nor device knows the time")


def _factory(day: date, rules: TimeRules) -> bool:
    """A date that devices show before anybody has set them."""
    return (
        not rules.factory_years_to < day.year < rules.nonsense_years_from
        or day in rules.factory_dates
    )


def _shifted(device_time: datetime, offset_s: float) -> datetime:
    return EPOCH + (device_time - NAIVE_EPOCH + _seconds(offset_s))  # replace() is 6 x slower


@lru_cache(maxsize=1024)
def _seconds(offset_s: float) -> timedelta:
    """Return a clock's offset as a span: one for all that is fetched at one connect."""
    return timedelta(0, offset_s)


def _in_zone(device_time: datetime, zone: ZoneInfo) -> datetime:
    return device_time.replace(tzinfo=zone).astimezone(UTC)
