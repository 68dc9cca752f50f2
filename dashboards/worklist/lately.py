"""Rows just read for one who was told of an event: others who were told need not read again."""

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from dashboards.worklist.store import Episode

FRESH = timedelta(seconds=2)
"""Longer than a crowd takes to ask; whatever changes the rows is another event, so another key."""
MOST = 256
Asked = tuple[UUID, str, int, tuple[UUID, ...]]
"""An organisation, the sight of its staff who see the same patients, the event, the episodes."""


@dataclass(slots=True)
class Lately:
    """The rows of the last events, for a moment, in memory."""

    _read: OrderedDict[Asked, tuple[datetime, list[Episode]]] = field(default_factory=OrderedDict)

    def rows(self, asked: Asked, now: datetime) -> list[Episode] | None:
        """Return what somebody who sees the same has read after the same event, if just now."""
        at, rows = self._read.get(asked, (now - FRESH, []))
        return rows if now - at < FRESH else None

    def keep(self, asked: Asked, rows: list[Episode], now: datetime) -> None:
        """Remember rows that were read after an event."""
        self._read[asked] = now, rows
        if len(self._read) > MOST:
            self._read.popitem(last=False)
