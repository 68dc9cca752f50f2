"""A device's own clock: naive, wrong until set, or absent."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from gateway.simulated.peripherals.behaviour import Behaviour

Now = Callable[[], datetime]


class DeviceClock:
    """Runs at the speed of `now` (aware UTC) with an error of its own."""

    def __init__(self, now: Now, behaviour: Behaviour) -> None:
        self._now = now
        self._present = behaviour.has_clock
        self._known = behaviour.has_clock and not behaviour.clock_lost
        self._error = timedelta(seconds=behaviour.clock_error_s)
        if behaviour.factory_clock is not None:
            self._error = behaviour.factory_clock - self._utc()
        self.times_set: list[datetime] = []
        """Every time that somebody wrote, naive."""

    def read(self) -> datetime | None:
        """The device's time to the second, or None if it has none."""
        return (self._utc() + self._error).replace(microsecond=0) if self._known else None

    def write(self, naive: datetime) -> None:
        """Set the clock, as a gateway or a thumb does."""
        self.times_set.append(naive)
        self._known = self._present
        self._error = naive - self._utc()

    def _utc(self) -> datetime:
        return self._now().astimezone(UTC).replace(tzinfo=None)
