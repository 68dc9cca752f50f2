"""Minutes: unions of intervals, cut to a period, never rounded up. No rules about who or why."""

from collections.abc import Iterable
from datetime import datetime, timedelta

Interval = tuple[datetime, datetime]
MINUTE = timedelta(minutes=1)


def union(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """Return the time covered at least once, as intervals that do not touch, in order."""
    joined: list[Interval] = []
    for start, end in sorted(intervals):
        if end <= start:
            continue
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return tuple(joined)


def clip(interval: Interval, span: Interval) -> Interval | None:
    """Return the part of an interval inside a span."""
    start, end = max(interval[0], span[0]), min(interval[1], span[1])
    return (start, end) if start < end else None


def without(interval: Interval, taken: Iterable[Interval]) -> tuple[Interval, ...]:
    """Return what is left of an interval when others have been cut out of it."""
    left: list[Interval] = []
    start, end = interval
    for cut_start, cut_end in union(taken):
        if cut_end <= start or cut_start >= end:
            continue
        if cut_start > start:
            left.append((start, cut_start))
        start = max(start, cut_end)
    if start < end:
        left.append((start, end))
    return tuple(left)


def whole(intervals: Iterable[Interval]) -> int:
    """Return the whole minutes of the time covered: seconds are summed first, then floored."""
    covered = sum(((end - start) for start, end in union(intervals)), timedelta())
    return covered // MINUTE


def reached_at(intervals: Iterable[Interval], minutes: int) -> datetime | None:
    """Return the moment at which the time covered reached so many minutes."""
    missing = minutes * MINUTE
    for start, end in union(intervals):
        if end - start >= missing:
            return start + missing
        missing -= end - start
    return None
