"""Who is looking at which episode right now: weak, in memory, forgotten after half a minute."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

GONE_AFTER = timedelta(seconds=30)
REPEAT_AFTER = timedelta(seconds=20)


@dataclass(slots=True)
class Presence:
    """Heartbeats of viewers; presence is not ownership."""

    _seen: dict[UUID, dict[UUID, tuple[str, datetime]]] = field(default_factory=dict)
    _told: dict[UUID, datetime] = field(default_factory=dict)

    def beat(self, episode: UUID, staff: UUID, name: str, now: datetime) -> bool:
        """Note a viewer; True when somebody else has to be told."""
        self._leave(staff, episode)
        before = self.viewers(episode, now)
        self._seen.setdefault(episode, {})[staff] = (name, now)
        last = self._told.get(episode)
        if self.viewers(episode, now) == before and last and now - last < REPEAT_AFTER:
            return False
        self._told[episode] = now
        return True

    def _leave(self, staff: UUID, but: UUID) -> None:
        """Nobody looks at two episodes at once."""
        for episode in [each for each, seen in self._seen.items() if each != but and staff in seen]:
            del self._seen[episode][staff]
            if not self._seen[episode]:
                del self._seen[episode]
                self._told.pop(episode, None)

    def viewers(self, episode: UUID, now: datetime) -> list[str]:
        """Return the names of those who look at an episode."""
        found = self._seen.get(episode, {})
        return sorted(name for name, at in found.values() if now - at < GONE_AFTER)
