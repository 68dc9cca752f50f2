"""Counts and filter choices kept for a while, so that no page counts 50,000 rows again."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID
from weakref import WeakValueDictionary

from dashboards.worklist.store import Choices, Counts

FRESH = timedelta(seconds=5)
FRESH_AFTER_AN_ACTION = timedelta(seconds=1)
CHEAP_SECONDS = 0.03
"""Counts that took less are counted again whenever somebody acts."""
NEVER = -1
"""The number of no event: counts that were made for some other reason."""
CHOICES_FOR = timedelta(minutes=10)
Whose = tuple[UUID, str]
"""An organisation, and the sight of its staff who see the same patients."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    at: datetime
    counts: Counts
    seconds: float
    event: int


@dataclass(slots=True)
class Tally:
    """The last counts of all who see the same, and the filter choices of each organisation."""

    _counted: dict[Whose, _Counted] = field(default_factory=dict)
    _turns: WeakValueDictionary[Whose, asyncio.Lock] = field(default_factory=WeakValueDictionary)
    _choices: dict[UUID, tuple[datetime, Choices]] = field(default_factory=dict)

    def recent(self, whose: Whose, now: datetime, *, acted: bool = False) -> Counts | None:
        """Return counts that are fresh enough; after an action only costly ones are kept."""
        kept = self._counted.get(whose)
        if kept is None or (acted and kept.seconds < CHEAP_SECONDS):
            return None
        longest = FRESH_AFTER_AN_ACTION if acted else FRESH
        return kept.counts if now - kept.at < longest else None

    def since(self, whose: Whose, now: datetime, event: int) -> Counts | None:
        """Return counts made after the last event: all browsers ask when one is told."""
        kept = self._counted.get(whose)
        known = kept is not None and kept.event == event and now - kept.at < FRESH
        return kept.counts if kept and known else None

    def turn(self, whose: Whose) -> asyncio.Lock:
        """Return what lets one count at a time of all who see the same."""
        return self._turns.setdefault(whose, asyncio.Lock())

    def keep(
        self, whose: Whose, counts: Counts, now: datetime, *, seconds: float, event: int
    ) -> None:
        """Remember counts, how long they took, and the last event before them."""
        fresh = {key: each for key, each in self._counted.items() if now - each.at < FRESH}
        counted = _Counted(at=now, counts=counts, seconds=seconds, event=event)
        self._counted = fresh | {whose: counted}

    def choices(self, organisation: UUID, now: datetime) -> Choices | None:
        """Return filter choices that are not too old."""
        kept = self._choices.get(organisation)
        return kept[1] if kept and now - kept[0] < CHOICES_FOR else None

    def keep_choices(self, organisation: UUID, choices: Choices, now: datetime) -> None:
        """Remember filter choices."""
        self._choices[organisation] = (now, choices)
