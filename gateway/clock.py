"""Times on the box: text for the disk, offsets of device clocks, what counts as live. Pure."""

from datetime import UTC, datetime, timedelta

LIVE_WITHIN = timedelta(minutes=5)
"""A record no older than this when it came was measured now, not fetched from a memory."""
FAULT_BEYOND = timedelta(hours=24)
"""A device clock further off than this (and than any time zone) is not to be believed."""
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
    if offset is None:
        age = caught.replace(tzinfo=None) - device_time
    else:
        age = caught.astimezone(UTC).replace(tzinfo=None) - device_time - timedelta(seconds=offset)
    return abs(age) <= LIVE_WITHIN
