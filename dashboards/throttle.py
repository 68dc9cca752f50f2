"""How often somebody may try: a leaky bucket per name. Pure but for its own memory."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

MOST_NAMES = 10_000


@dataclass(slots=True, kw_only=True)
class Throttle:
    """At most `burst` tries at once, one more every `refill`."""

    burst: int = 8
    refill: timedelta = timedelta(seconds=20)
    _free_at: dict[str, datetime] = field(default_factory=dict)

    def wait(self, name: str, now: datetime) -> timedelta:
        """Take one try; a positive answer refuses it and says how long to wait."""
        level = max(self._free_at.get(name, now), now) + self.refill
        over = level - now - self.burst * self.refill
        if over > timedelta(0):
            return over
        self._forget_idle(now)
        self._free_at[name] = level
        return timedelta(0)

    def forgive(self, name: str) -> None:
        """Forget the tries of somebody who then got in."""
        self._free_at.pop(name, None)

    def _forget_idle(self, now: datetime) -> None:
        """Drop names that owe nothing, once there are many."""
        if len(self._free_at) >= MOST_NAMES:
            self._free_at = {name: at for name, at in self._free_at.items() if at > now}
