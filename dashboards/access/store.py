"""Closed teams and broken glass in the database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from dashboards.access.glass import LASTS, Asked, Behind, Broken, Live, Team
from dashboards.accounts.sessions import Member
from dashboards.fetch import Connection, every, first, run
from dashboards.permissions import Verb, may
from database import sql

QUERIES = sql.load("dashboards.access")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Id:
    id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Count:
    many: int


async def hold(connection: Connection, staff: Member, now: datetime) -> None:
    """Hold this transaction to the person's teams; roles without patients' care are not held."""
    if may(staff.role, Verb.BREAK_GLASS):
        await run(connection, QUERIES["hold"], {"staff_id": staff.id, "now": now.isoformat()})


async def hidden(connection: Connection, path: Mapping[str, object]) -> UUID | None:
    """Return the patient behind the glass whom an address is about, if there is one."""
    try:
        if "patient_id" in path:
            found: Behind | None = await behind(connection, UUID(str(path["patient_id"])))
            return found.id if found else None
        if "episode_id" in path:
            fields = {"episode_id": UUID(str(path["episode_id"]))}
            episode = await first(connection, _Id, QUERIES["glass_of_episode"], fields)
            return episode.id if episode else None
    except ValueError:  # no id at all: nothing is hidden there
        return None
    return None


async def behind(connection: Connection, patient_id: UUID) -> Behind | None:
    """Return whom the glass hides; None: it hides nobody of that id."""
    return await first(connection, Behind, QUERIES["behind"], {"patient_id": patient_id})


async def is_open(connection: Connection, patient_id: UUID) -> bool:
    """Whether this person sees the patient without breaking anything."""
    found = await first(connection, _Id, QUERIES["is_open"], {"patient_id": patient_id})
    return found is not None


async def break_glass(
    connection: Connection, asked: Asked, *, staff_id: UUID, patient_id: UUID, now: datetime
) -> datetime:
    """Open a record for a while; return until when."""
    until = now + LASTS
    fields = {
        "staff_id": staff_id,
        "patient_id": patient_id,
        "cause": asked.cause,
        "reason": asked.reason,
        "now": now,
        "expires_at": until,
    }
    await run(connection, QUERIES["break"], fields)
    return until


async def live(connection: Connection, staff: Member, now: datetime) -> list[Live]:
    """Return what this person has open by breaking the glass."""
    if not may(staff.role, Verb.BREAK_GLASS):
        return []
    return await every(connection, Live, QUERIES["live"], {"staff_id": staff.id, "now": now})


async def end(connection: Connection, glass_id: UUID, staff_id: UUID, now: datetime) -> bool:
    """Give an opened record back before its time."""
    fields = {"id": glass_id, "staff_id": staff_id, "now": now}
    return await run(connection, QUERIES["end"], fields) == 1


async def waiting(connection: Connection, staff: Member) -> int:
    """Return how many wait for a review, for those who review."""
    if not may(staff.role, Verb.SEE_AUDIT):
        return 0
    found = await first(connection, _Count, QUERIES["waiting"], {})
    return found.many if found else 0


async def queue(connection: Connection, most: int, only: UUID | None = None) -> list[Broken]:
    """Return what is to be reviewed, then what has been."""
    return await every(connection, Broken, QUERIES["queue"], {"id": only, "most": most})


async def review(  # noqa: PLR0913 -- the columns of a review, all by name
    connection: Connection,
    glass_id: UUID,
    *,
    staff_id: UUID,
    justified: bool,
    note: str,
    now: datetime,
) -> bool:
    """Mark as reviewed; False if somebody already has."""
    fields = {
        "id": glass_id,
        "staff_id": staff_id,
        "justified": justified,
        "note": note,
        "now": now,
    }
    return await run(connection, QUERIES["review"], fields) == 1


async def teams(connection: Connection) -> list[Team]:
    """Return every care team."""
    return await every(connection, Team, QUERIES["teams"], {})


async def close(connection: Connection, team_id: UUID, *, closed: bool) -> bool:
    """Close or open a team; False if there is none, or it has no members."""
    return await run(connection, QUERIES["close"], {"id": team_id, "closed": closed}) == 1
