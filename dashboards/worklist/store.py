"""What the worklist reads and writes."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from dashboards.faces import Named
from dashboards.fetch import Connection, Parameters, every, first
from database import sql

QUERIES = sql.load("dashboards.worklist")


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode(Named):
    """One row of the worklist: all open alerts of one patient."""

    id: UUID
    patient_id: UUID
    severity: int
    technical: bool
    headline: str
    why: str
    alert_count: int
    opened_at: datetime
    due_at: datetime
    owner_id: UUID | None
    owner_name: str | None
    claimed_at: datetime | None
    lease_until: datetime | None
    snoozed_until: datetime | None
    sparkline: list[float]
    closed_at: datetime | None
    version: int
    family_name: str
    given_name: str
    birth_date: date
    sex: str
    mrn: str
    language: str
    kind: str
    profiles: list[str]
    programmes: list[str]
    conditions: list[str]
    traits: list[str]
    time_zone: str
    same_name: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The numbers above the list."""

    critical: int
    overdue: int
    unclaimed_high: int
    all_open: int
    needs_action: int
    unclaimed: int
    due_soon: int
    no_readings: int
    devices: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnCounts:
    """The numbers of one person."""

    mine: int
    snoozed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert of an episode."""

    id: UUID
    rule_id: str
    rule_version: str
    profile: str
    kind: str
    severity: int
    headline: str
    why: str
    computed: dict[str, object]
    raised_at: datetime
    last_breach_at: datetime
    breaches: int
    late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One line of an episode's timeline."""

    at: datetime
    action: str
    reason: str
    detail: dict[str, object]
    by_name: str | None
    headline: str | None
    severity: int | None
    rule_id: str | None
    rule_version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A note that is not saved yet."""

    outcome: str = ""
    note: str = ""
    saved_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """The same rule, earlier."""

    times: int
    last_at: datetime | None
    last_outcome: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the filters can be set to in this organisation."""

    conditions: list[str]
    languages: list[str]
    programmes: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """The clinic."""

    id: UUID
    name: str
    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """A care team."""

    id: UUID
    name: str


async def rows(connection: Connection, parameters: Parameters) -> list[Episode]:
    """Return one page of the worklist."""
    return await every(connection, Episode, QUERIES["rows"], parameters)


async def by_id(connection: Connection, ids: list[UUID]) -> list[Episode]:
    """Return the given episodes of this organisation, closed ones too."""
    return await every(connection, Episode, QUERIES["rows_by_id"], {"ids": ids})


async def counts(connection: Connection, *, now: datetime, soon: datetime) -> Counts:
    """Return the organisation's counts."""
    found = await first(connection, Counts, QUERIES["counts"], {"now": now, "soon": soon})
    if found is None:
        raise RuntimeError("an aggregate returned no row")
    return found


async def own_counts(connection: Connection, *, staff_id: UUID, now: datetime) -> OwnCounts:
    """Return one person's counts."""
    fields = {"staff_id": staff_id, "now": now}
    return await first(connection, OwnCounts, QUERIES["counts_of"], fields) or OwnCounts(
        mine=0, snoozed=0
    )


async def alerts(connection: Connection, episode_id: UUID, *, closed: bool) -> list[Alert]:
    """Return an episode's alerts, worst first."""
    fields = {"episode_id": episode_id, "closed": closed}
    return await every(connection, Alert, QUERIES["alerts"], fields)


async def timeline(connection: Connection, episode_id: UUID) -> list[Happening]:
    """Return what happened, newest first."""
    return await every(connection, Happening, QUERIES["timeline"], {"episode_id": episode_id})


async def before(
    connection: Connection, episode: Episode, rule_id: str, since: datetime
) -> Before | None:
    """Return how often the same rule fired before this episode."""
    fields = {
        "patient_id": episode.patient_id,
        "rule_id": rule_id,
        "episode_id": episode.id,
        "since": since,
    }
    return await first(connection, Before, QUERIES["same_alert_before"], fields)


async def draft(connection: Connection, staff_id: UUID, episode_id: UUID) -> Draft:
    """Return somebody's unsaved note."""
    fields = {"staff_id": staff_id, "episode_id": episode_id}
    return await first(connection, Draft, QUERIES["draft"], fields) or Draft()


async def choices(connection: Connection) -> Choices:
    """Return what the filters offer."""
    return await first(connection, Choices, QUERIES["filter_choices"], {}) or Choices(
        conditions=[], languages=[], programmes=[]
    )


async def organisation(connection: Connection) -> Organisation:
    """Return the organisation of this transaction."""
    found = await first(connection, Organisation, QUERIES["organisation"], {})
    if found is None:
        raise RuntimeError("the transaction has no organisation")
    return found


async def teams(connection: Connection, staff_id: UUID) -> list[Team]:
    """Return the care teams that somebody belongs to."""
    return await every(connection, Team, QUERIES["teams_of"], {"staff_id": staff_id})
