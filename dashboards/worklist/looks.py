"""Whom each session has on record as seen: a row that only changes is not put on record again."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

MOST_SESSIONS = 2_000
MOST_SEEN = 2_000
"""Of one session; beyond these limits something is put on record twice, never not at all."""


@dataclass(slots=True)
class Looks:
    """Patients whose rows, and episodes whose panes, a session was shown; in memory only."""

    _seen: OrderedDict[bytes, set[UUID]] = field(default_factory=OrderedDict)

    def new(self, session: bytes, shown: Iterable[UUID]) -> list[UUID]:
        """Return those of `shown` that are not on record for this session."""
        seen = self._seen.get(session, set())
        return [each for each in shown if each not in seen]

    def keep(self, session: bytes, shown: Iterable[UUID]) -> None:
        """Note what has been put on record."""
        seen = self._seen.pop(session, set()) | set(shown)
        self._seen[session] = seen if len(seen) <= MOST_SEEN else set(shown)
        if len(self._seen) > MOST_SESSIONS:
            self._seen.popitem(last=False)
