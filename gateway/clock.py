"""Times on the box: text for the disk, offsets of device clocks, what counts as live. Pure."""

from datetime import UTC, datetime, timedelta

LIVE_WITHIN = timedelta(minutes=5)
"""A record no older than this when it came was measured now, not fetched from a memory."""
FAULT_BEYOND = timedelta(hours=24)
"""A device clock further off than this (and than any time zone) is not to be believed."""
_FUTURE_S = 120.0
_OLDEST_RECORD = timedelta(days=180)
"""Without a readable clock, a time further away than this is a factory date, not an old record."""


def to_text(moment: datetime) -> str:
    """Return the moment as text that sorts by time."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def from_text(text: str) -> datetime:
    """Return the moment that `to_text` wrote."""
    return datetime.fromisoformat(text)


def offset_s(device_time: datetime, read_at: datetime) -> float:
    """Return gateway clock (UTC) minus the device's naive clock, in seconds."""
    return (read_at.astimezone(UTC).replace(tzinfo=None) - device_time).total_seconds()


def home_offset_s(local: datetime) -> float:
    """Return the offset of a clock that shows the home's time (an aware `local`) exactly."""
    shift = local.utcoffset()
    return -shift.total_seconds() if shift is not None else 0.0


def applies(
    device_time: datetime | None, read: float | None, then_set: float | None, caught: datetime
) -> float | None:
    """Return the offset of the clock with which a record was stamped.

    The clock was read, then perhaps set, in one visit: a record that the first offset puts into
    the future was measured after the setting.
    """
    if device_time is None or then_set is None:
        return read
    if read is None:
        fits = age_s(device_time, then_set, caught)
        return then_set if abs(fits) <= LIVE_WITHIN.total_seconds() else None
    return then_set if age_s(device_time, read, caught) < -_FUTURE_S else read


def age_s(device_time: datetime, offset: float, caught: datetime) -> float:
    """Return how old a record was when it was caught, by the corrected device clock."""
    naive = caught.astimezone(UTC).replace(tzinfo=None)
    return (naive - device_time).total_seconds() - offset


def at_fault(offset: float | None) -> bool:
    """Whether a device clock is so far off that it was never set, or lost its time."""
    return offset is not None and abs(offset) > FAULT_BEYOND.total_seconds()


def believable(device_time: datetime | None, offset: float | None, caught: datetime) -> bool:
    """Return whether the age of a record can be told: it has no time, or one that makes sense.

    `caught` carries the home's zone, in which a device without a readable clock keeps its time.
    """
    if device_time is None or offset is not None:
        return True
    return abs(caught.replace(tzinfo=None) - device_time) <= _OLDEST_RECORD


def live(
    device_time: datetime | None, *, offset: float | None, caught: datetime, fetched: bool
) -> bool:
    """Return whether the measurement was made now rather than read from the device's memory."""
    if device_time is None:
        return not fetched
    known = offset if offset is not None else home_offset_s(caught)
    return abs(age_s(device_time, known, caught)) <= LIVE_WITHIN.total_seconds()
