"""Which stored glucose records to ask a meter for, and when its counter started again. Pure."""

from datetime import datetime, timedelta
from enum import StrEnum

GLUCOSE = "2A18"
SEQUENCES = 1 << 16
FETCH_ALL_EVERY = timedelta(days=7)
"""So often a meter tells everything again: it finds what a counter that started anew would hide."""


class Ask(StrEnum):
    """What the Record Access Control Point is asked for, and why."""

    ALL_FIRST_TIME = "all: never read before"
    ALL_AGAIN = "all: the weekly look at everything"
    NEW = "new: from the last sequence on"


class Counter(StrEnum):
    """What a meter's newest record says of its counter."""

    GOES_ON = "goes on: nothing new was stored"
    RESET = "reset: the newest record is older than one we have"


def ask(last: int | None, fetched_all_at: datetime | None, now: datetime) -> Ask:
    """Return what to ask a meter whose last known sequence number is `last`."""
    if last is None or last + 1 >= SEQUENCES:
        return Ask.ALL_FIRST_TIME
    if fetched_all_at is None or now - fetched_all_at >= FETCH_ALL_EVERY:
        return Ask.ALL_AGAIN
    return Ask.NEW


def counter(last: int, newest: int) -> Counter:
    """Judge the newest stored record of a meter that says it has nothing after `last`."""
    return Counter.RESET if newest < last else Counter.GOES_ON


def advance(last: int | None, sequence: int) -> int:
    """Return the sequence number to remember after a record; it goes back only past the wrap."""
    if last is None or sequence > last or last - sequence > SEQUENCES // 2:
        return sequence
    return last
