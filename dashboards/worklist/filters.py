"""Which episodes a worklist address asks for: saved views and filters, all in the URL. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Self
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import UUID

from dashboards.faces import SEVERITIES, SOON

LEVELS: Mapping[str, int] = MappingProxyType({word: level for level, word in SEVERITIES.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A saved view that everybody has."""

    id: str
    name: str
    count: str
    """Which of the counts belongs to it."""


VIEWS = (
    View(id="action", name="Needs action", count="needs_action"),
    View(id="mine", name="Mine", count="mine"),
    View(id="unclaimed", name="Unclaimed", count="unclaimed"),
    View(id="soon", name="Due soon", count="due_soon"),
    View(id="silent", name="No readings", count="no_readings"),
    View(id="devices", name="Devices", count="devices"),
    View(id="all", name="All open", count="all_open"),
)
VIEW_IDS = frozenset(view.id for view in VIEWS)
FIELDS = ("sev", "prog", "cond", "metric", "lang", "team", "owner", "snoozed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What the address said; an unknown word is ignored, never an error."""

    view: str = "action"
    chosen: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> Self:
        """Read the query of an address."""
        view = query.get("view", "action")
        chosen = {name: query[name] for name in FIELDS if query.get(name)}
        return cls(view=view if view in VIEW_IDS else "action", chosen=chosen)

    @classmethod
    def of_page(cls, address: str) -> Self:
        """Read the address of the page that a browser shows; any other page has no filters."""
        parts = urlsplit(address)
        return cls.parse(dict(parse_qsl(parts.query)) if parts.path == "/worklist" else {})

    def get(self, name: str) -> str:
        """Return one filter's value, or nothing."""
        return self.chosen.get(name, "")

    @property
    def query(self) -> str:
        """The same filters as the query of an address."""
        view = {} if self.view == "action" else {"view": self.view}
        return urlencode(view | dict(self.chosen))

    def address(self, **changed: str) -> str:
        """Return the address of the worklist with some filters changed; empty removes one."""
        view = changed.pop("view", self.view)
        chosen = {k: v for k, v in (dict(self.chosen) | changed).items() if v}
        query = replace(self, view=view, chosen=chosen).query
        return f"/worklist?{query}" if query else "/worklist"

    def toggled(self, name: str, value: str) -> str:
        """Return the address with one filter switched on or off."""
        return self.address(**{name: "" if self.get(name) == value else value})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Where the last page ended."""

    severity: int
    due_at: datetime
    id: UUID

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read `severity_time_id`; None for anything else."""
        try:
            severity, due_at, identity = text.split("_")
            return cls(
                severity=int(severity), due_at=datetime.fromisoformat(due_at), id=UUID(identity)
            )
        except ValueError:
            return None

    def __str__(self) -> str:
        return f"{self.severity}_{self.due_at.isoformat()}_{self.id}"


def parameters(
    filters: Filters, *, staff_id: UUID, now: datetime, after: Cursor | None, most: int
) -> dict[str, object]:
    """Return the query's parameters."""
    return (
        _nothing()
        | _of_view(filters.view, staff_id=staff_id, now=now)
        | _of_filters(filters, staff_id)
        | {
            "now": now,
            "most": most,
            "after_severity": after and after.severity,
            "after_due": after and after.due_at,
            "after_id": after and after.id,
        }
    )


def _nothing() -> dict[str, object]:
    """No restriction at all."""
    names = ("severities", "technical", "queue", "not_queue", "owner", "due_before", "language")
    more = ("team", "programme", "condition", "metric")
    return dict.fromkeys(names + more) | {"snoozed": False, "unowned": False}


def _of_view(view: str, *, staff_id: UUID, now: datetime) -> dict[str, object]:
    """What a saved view restricts."""
    views: dict[str, dict[str, object]] = {
        "action": {"severities": [1, 2, 3], "technical": False, "not_queue": "outreach"},
        "mine": {"owner": staff_id, "snoozed": True},
        "unclaimed": {"unowned": True},
        "soon": {"due_before": now + SOON},
        "silent": {"queue": "outreach"},
        "devices": {"technical": True},
    }
    return views.get(view, {})


def _of_filters(filters: Filters, staff_id: UUID) -> dict[str, object]:
    """What the chips and the filter form restrict."""
    said: dict[str, object] = {
        "language": filters.get("lang"),
        "programme": filters.get("prog"),
        "condition": filters.get("cond"),
        "metric": filters.get("metric"),
        "team": _uuid(filters.get("team")),
    }
    if filters.get("sev") in LEVELS:
        said["severities"] = [LEVELS[filters.get("sev")]]
    if filters.get("owner") == "me":
        said["owner"] = staff_id
    if filters.get("owner") == "none":
        said["unowned"] = True
    if filters.get("snoozed") == "yes":
        said["snoozed"] = True
    return {name: value for name, value in said.items() if value}


def _uuid(text: str) -> UUID | None:
    """Return an id, or None for what is none."""
    try:
        return UUID(text)
    except ValueError:
        return None
