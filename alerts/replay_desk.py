"""What-if replays that the staff application asks for: taken from a table, answered there."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from alerts import replaying
from alerts.replaying import Asked
from alerts.rules import RuleError
from database import pool, sql

Connection = psycopg.AsyncConnection[tuple[Any, ...]]
BESIDE_JUDGING = 10
"""Niceness of its processes: they must not slow down the judging of live readings."""


class CancelledError(Exception):
    """Nobody waits for this replay any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How far a replay is, and its answer once it is done."""

    state: str
    done: int
    total: int
    result: Mapping[str, object] | None
    error: str


async def ask(  # noqa: PLR0913  # the question has these parts
    connection: Connection,
    organisation: UUID,
    by: UUID | None,
    draft: Mapping[str, Mapping[str, object]],
    *,
    days: int = 90,
    patients: int | None = None,
    programme: str | None = None,
    draft_id: UUID | None = None,
) -> UUID:
    """Ask for a replay; RuleError if the draft cannot be used. Works on the web's connection."""
    replaying.checked(draft)
    told = {
        "organisation": organisation,
        "by": by,
        "draft": Jsonb({key: dict(value) for key, value in draft.items()}),
        "days": days,
        "patients": patients,
        "programme": programme,
        "draft_id": draft_id,
    }
    row = await (await connection.execute(sql.load("alerts")["ask_replay"], told)).fetchone()
    assert row is not None  # noqa: S101  # an insert returning gives one row
    id_: UUID = row[0]
    return id_


async def look(connection: Connection, id_: UUID) -> State | None:
    """Return how far it is."""
    found = await connection.execute(sql.load("alerts")["replay_state"], {"id": id_})
    row = await found.fetchone()
    if row is None:
        return None
    return State(state=row[0], done=row[1], total=row[2], result=row[3], error=row[4])


async def cancel(connection: Connection, id_: UUID) -> bool:
    """Call a replay off; False if it has ended. Whoever runs it stops within a few patients."""
    done = await connection.execute(sql.load("alerts")["cancel_replay"], {"id": id_})
    return done.rowcount == 1


async def run_one(connection: Connection, dsn: str, *, now: datetime) -> bool:
    """Run the oldest replay that waits, in processes of its own; False when there is none."""
    found = await connection.execute(sql.load("alerts")["take_replay"], {"now": now})
    row = await found.fetchone()
    if row is None:
        return False
    asked = Asked(
        dsn=dsn,
        organisation=row[1],
        until=now,
        draft=row[2],
        days=row[3],
        patients=row[4],
        programme=row[5],
    )
    told: dict[str, object] = {"id": row[0], "now": now, "result": None, "error": ""}
    try:
        answer = await asyncio.to_thread(
            replaying.run,
            asked,
            progress=lambda d, t: _progress(dsn, row[0], d, t),
            niceness=BESIDE_JUDGING,
        )
        told |= {"state": "done", "result": Jsonb(replaying.as_words(answer))}
    except (RuleError, KeyError) as error:
        told |= {"state": "failed", "error": str(error)[:300]}
    except CancelledError:
        return True
    await connection.execute(sql.load("alerts")["end_replay"], told)
    return True


def _progress(dsn: str, id_: UUID, done: int, total: int) -> None:
    told = {"id": id_, "done": done, "total": total}
    with pool.connect(dsn, autocommit=True) as connection:
        if connection.execute(sql.load("alerts")["replay_progress"], told).rowcount == 0:
            raise CancelledError
