"""What a saved view is, and how many episodes it has: from kept facets, never a scan. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl
from uuid import UUID

from dashboards.worklist.filters import Filters, parameters

UNKEPT = ("owner", "due_before", "language", "team", "programme", "condition", "metric")
"""Filters that no facet is kept of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A named query over the worklist."""

    id: UUID
    name: str
    query: str
    shared: bool
    mine: bool
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facet:
    """Open episodes that are alike."""

    queue: str
    severity: int
    technical: bool
    owned: bool
    snoozed: bool
    open: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A saved view with its number, where facets can tell it."""

    view: Saved
    count: int | None
    is_current: bool

    @property
    def address(self) -> str:
        """Where the view leads."""
        return f"/worklist?{self.view.query}" if self.view.query else "/worklist"


def counted(
    views: Iterable[Saved], facets: Iterable[Facet], shown: Filters, *, now: datetime
) -> list[Counted]:
    """Return the saved views with their numbers, and which of them is shown."""
    kept = list(facets)
    return [
        Counted(
            view=view, count=count(view.query, kept, now=now), is_current=view.query == shown.query
        )
        for view in views
    ]


def count(query: str, facets: Iterable[Facet], *, now: datetime) -> int | None:
    """Return how many episodes a view has; None when only a scan could tell."""
    filters = Filters.parse(dict(parse_qsl(query)))
    asked = parameters(filters, staff_id=UUID(int=0), now=now, after=None, most=0)
    if any(asked[name] is not None for name in UNKEPT):
        return None
    return sum(facet.open for facet in facets if _holds(facet, asked))


def _holds(facet: Facet, asked: Mapping[str, object]) -> bool:
    severities = asked["severities"]
    return (
        (bool(asked["snoozed"]) or not facet.snoozed)
        and (not isinstance(severities, list) or facet.severity in severities)
        and asked["technical"] in {None, facet.technical}
        and asked["queue"] in {None, facet.queue}
        and asked["not_queue"] != facet.queue
        and not (asked["unowned"] and facet.owned)
    )
