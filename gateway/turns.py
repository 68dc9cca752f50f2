"""Whose turn it is: connect at once, but nobody twice while another waits. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

_FAILURE_WAIT = timedelta(seconds=1)
_LONGEST_FAILURE_WAIT = timedelta(seconds=60)
_LONGEST_IDLE_WAIT = timedelta(minutes=10)
_SILENCE = timedelta(seconds=20)
"""An advertisement after so long a silence is a new one: somebody has measured."""

_NOT_BEFORE_IT_IS_HEARD = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What is known of one address that advertises."""

    heard_at: datetime
    heard_first_at: datetime
    """When the advertising that goes on now began."""
    visited_at: datetime | None = None
    """When the last visit ended."""
    failures: int = 0
    """Failed visits in a row."""
    empty: int = 0
    """Visits in a row that brought nothing."""
    busy: bool = False


def heard(turn: Turn | None, at: datetime) -> Turn:
    """Note an advertisement."""
    if turn is None:
        return Turn(heard_at=at, heard_first_at=at)
    began = at if at - turn.heard_at >= _SILENCE else turn.heard_first_at
    return replace(turn, heard_at=at, heard_first_at=began)


def started(turn: Turn) -> Turn:
    """Note that a visit begins."""
    return replace(turn, busy=True)


def ended(turn: Turn, at: datetime, *, failed: bool, brought: int) -> Turn:
    """Note how a visit ended."""
    return replace(
        turn,
        busy=False,
        visited_at=at,
        failures=turn.failures + 1 if failed else 0,
        empty=0 if failed or brought else turn.empty + 1,
    )


def ready_at(turn: Turn, cool_down: timedelta) -> datetime:
    """Return from when on an advertisement of this device is followed."""
    if turn.visited_at is None:
        return turn.heard_at
    if turn.heard_at <= turn.visited_at:
        return _NOT_BEFORE_IT_IS_HEARD
    if turn.failures:
        wait = min(_FAILURE_WAIT * _doubled(turn.failures - 1), _LONGEST_FAILURE_WAIT)
    elif turn.heard_first_at > turn.visited_at:
        return turn.heard_at
    else:
        wait = min(cool_down * _doubled(turn.empty), max(_LONGEST_IDLE_WAIT, cool_down))
    return turn.visited_at + wait


def next_turn(
    turns: Mapping[str, Turn], now: datetime, *, cool_down: timedelta, fresh: timedelta
) -> str | None:
    """Return the address to visit: heard just now, and waiting longest since its last visit."""
    ready = [
        (turn.visited_at or datetime.min.replace(tzinfo=now.tzinfo), turn.heard_first_at, address)
        for address, turn in turns.items()
        if not turn.busy and now - turn.heard_at <= fresh and ready_at(turn, cool_down) <= now
    ]
    return min(ready)[2] if ready else None


def _doubled(times: int) -> int:
    """Two to the power of `times`, which need not grow for ever."""
    return 1 << min(times, 10)
