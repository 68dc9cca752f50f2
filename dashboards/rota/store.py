"""Rotas, teams and incidents in the database."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from dashboards.fetch import Connection, every, first, run
from database import sql

QUERIES = sql.load("dashboards.rota")


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A rota's name, zone and programmes."""

    id: UUID
    name: str
    time_zone: str
    programmes: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptLayer:
    """A layer as it is kept."""

    id: UUID
    rota_id: UUID
    duty: str
    layer: int
    members: list[UUID]
    starts_at: datetime
    turn: timedelta
    from_time: time | None
    to_time: time | None
    days: list[int]
    on_holidays: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StandIn:
    """Somebody who stands in for a while."""

    id: UUID
    rota_id: UUID
    duty: str
    who: str
    from_at: datetime
    to_at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Colleague:
    """Somebody who may be on call or in a team."""

    id: UUID
    display_name: str
    credential: str
    role: str
    channels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """When the organisation is open, and which holidays it keeps."""

    opens: time = time(8)
    closes: time = time(17)
    days: list[int]
    country: str = "US"
    subdivision: str | None = None
    extra_holidays: list[date]


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """A care team."""

    id: UUID
    name: str
    patients: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody in a team."""

    care_team_id: UUID
    staff_id: UUID
    role: str
    display_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Something about the system that operations must see to."""

    rule_id: str
    subject: str
    queue: str
    severity: int
    headline: str
    why: str
    opened_at: datetime
    last_seen_at: datetime
    times_seen: int
    closed_at: datetime | None
    close_reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A programme with the alert profiles that its patients have."""

    name: str
    profiles: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Id:
    id: UUID


async def rotas(connection: Connection) -> list[Named]:
    """Return the organisation's rotas by name."""
    return await every(connection, Named, QUERIES["rotas"], {})


async def layers(connection: Connection) -> list[KeptLayer]:
    """Return the layers of every rota."""
    return await every(connection, KeptLayer, QUERIES["layers"], {})


async def stand_ins(connection: Connection, now: datetime) -> list[StandIn]:
    """Return who stands in, now or later."""
    return await every(connection, StandIn, QUERIES["overrides"], {"now": now})


async def people(connection: Connection) -> list[Colleague]:
    """Return everybody who works here."""
    return await every(connection, Colleague, QUERIES["people"], {})


async def hours(connection: Connection) -> Hours:
    """Return the opening hours, or the usual ones."""
    found = await first(connection, Hours, QUERIES["hours"], {})
    return found or Hours(days=[1, 2, 3, 4, 5], extra_holidays=[])


async def teams(connection: Connection) -> list[Team]:
    """Return the care teams."""
    return await every(connection, Team, QUERIES["teams"], {})


async def members(connection: Connection) -> list[Member]:
    """Return who is in which team."""
    return await every(connection, Member, QUERIES["members"], {})


async def incidents(connection: Connection, since: datetime) -> list[Incident]:
    """Return open incidents, then those closed since."""
    return await every(connection, Incident, QUERIES["incidents"], {"since": since})


async def programmes(connection: Connection) -> list[Served]:
    """Return the programmes that have patients."""
    return await every(connection, Served, QUERIES["programmes"], {})


async def knows(connection: Connection, what: str, **ids: object) -> bool:
    """Whether this organisation has that rota or team."""
    return await first(connection, _Id, QUERIES[f"{what}_known"], ids) is not None


async def knows_all(connection: Connection, staff: Iterable[UUID]) -> bool:
    """Whether all of them work here."""
    wanted = set(staff)
    found = await every(connection, _Id, QUERIES["staff_known"], {"staff": list(wanted)})
    return {row.id for row in found} == wanted


async def change(connection: Connection, what: str, **fields: object) -> bool:
    """Carry out one named change; False if there was nothing to change."""
    return await run(connection, QUERIES[what], fields) == 1
