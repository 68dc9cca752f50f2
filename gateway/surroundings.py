"""What the box may not fetch for itself: clock, chance, time zone, the state of clock and disk."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The world outside, as `__main__` hands it in."""

    now: Callable[[], datetime]
    """Aware UTC."""
    draw: Callable[[], float]
    """A random number in [0, 1)."""
    zone: tzinfo
    """The home's time zone."""
    synced: Callable[[], bool]
    """Whether the box's own clock is set by the network."""
    disk_free_mb: Callable[[], int | None]
