"""The organisation's counts, kept for some seconds so that no page counts 50,000 rows again."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from dashboards.worklist.store import Counts

FRESH = timedelta(seconds=5)


@dataclass(slots=True)
class Tally:
    """The last counts of each organisation."""

    _kept: dict[UUID, tuple[datetime, Counts]] = field(default_factory=dict)

    def recent(self, organisation: UUID, now: datetime) -> Counts | None:
        """Return counts that are still fresh."""
        kept = self._kept.get(organisation)
        return kept[1] if kept and now - kept[0] < FRESH else None

    def keep(self, organisation: UUID, counts: Counts, now: datetime) -> None:
        """Remember counts."""
        self._kept[organisation] = (now, counts)
