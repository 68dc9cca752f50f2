"""When to try again what did not succeed. Pure: `now` and the random draw are arguments."""

from dataclasses import dataclass
from datetime import datetime, timedelta

_DOUBLINGS = 16
"""Beyond this many the longest wait has long been reached; keeps the power small."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How patient to be: the shortest first wait and the longest one."""

    first: timedelta = timedelta(seconds=30)
    longest: timedelta = timedelta(minutes=15)


def wait(attempts: int, pace: Pace, *, draw: float) -> timedelta:
    """Return the wait after this many attempts (1, 2, ...), spread by `draw` in [0, 1).

    The first wait lies in [first, 2 x first), each later one is twice as long, up to the longest.
    """
    doublings: int = min(max(attempts - 1, 0), _DOUBLINGS)
    factor = float(2**doublings) * (1 + draw)
    return min(pace.first * factor, pace.longest)


def again_at(attempts: int, pace: Pace, *, now: datetime, draw: float) -> datetime:
    """Return the moment from which the next attempt is due."""
    return now + wait(attempts, pace, draw=draw)
