"""How an act on an episode is done: lock, decide, write its row, tell the browsers, audit."""

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from alerts import channel, lifecycle, rows
from alerts.lifecycle import Actor, Episode, Outcome, Refusal
from database import sql

Connection = psycopg.AsyncConnection[tuple[Any, ...]]
Json = dict[str, object]
TAKES = frozenset({"claim", "take_over"})
"""Acts after which the episode is in somebody's hands: nobody else is paged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What one person does with one episode, inside the caller's transaction."""

    connection: Connection
    episode_id: UUID
    actor: Actor
    now: datetime

    async def done(
        self,
        action: str,
        decide: lifecycle.Decide,
        *,
        reason: str = "",
        detail: Json | None = None,
        version: int = 1,
    ) -> Outcome:
        """Do it if the decision allows; return the episode as it is then, or the refusal."""
        before = await locked(self.connection, self.episode_id)
        if before is None or before.organisation_id != self.actor.organisation_id:
            return Refusal.NOT_FOUND
        after = decide(before)
        if isinstance(after, Refusal):
            return after
        told: Json = {"id": before.id, "reason": reason, "by": self.actor.staff_id, "now": self.now}
        written = {**told, "action": action, "detail": Jsonb(detail or {})}
        await run(self.connection, "record_act", written)
        saved = await save(self.connection, after, version=version)
        if not saved.closed_at:
            state: Json = {"id": saved.id, "state": lifecycle.alert_state(saved)}
            await run(self.connection, "set_alert_state", state)
        if after.acknowledged_at != before.acknowledged_at or action in TAKES:
            await run(self.connection, "stop_escalation", {**told, "reason": action})
        await finish(self.connection, saved, self.actor, action=action, reason=reason, now=self.now)
        return saved


async def finish(  # noqa: PLR0913  # one line of the audit trail
    connection: Connection,
    episode: Episode,
    actor: Actor,
    *,
    action: str,
    reason: str,
    now: datetime,
) -> None:
    """Tell the browsers, then write the audit line: its lock is always the last one taken."""
    await connection.execute(
        "select pg_notify(%s, %s)", (channel.WORKLIST, channel.changed(episode, new=False))
    )
    line = {
        "organisation": episode.organisation_id,
        "actor": f"staff:{actor.staff_id}",
        "id": str(episode.id),
        "patient": episode.patient_id,
        "detail": Jsonb({"action": action, "reason": reason}),
        "now": now,
    }
    await run(connection, "audit_episode", line)


async def save(connection: Connection, episode: Episode, *, version: int) -> Episode:
    """Write the locked episode, `version` steps on; return it as stored."""
    wanted = {**rows.mutable(episode), "id": episode.id, "step": version}
    saved = await one(connection, "save_episode", wanted)
    assert saved is not None  # noqa: S101  # its row is locked by this transaction
    return dataclasses.replace(saved)


async def locked(connection: Connection, episode_id: UUID) -> Episode | None:
    """Return the episode, locked until the transaction ends."""
    return await one(connection, "lock_episode", {"id": episode_id})


async def one(connection: Connection, name: str, wanted: Json) -> Episode | None:
    """Run a named query that gives one episode, or none."""
    async with connection.cursor(row_factory=rows.episode) as cursor:
        await cursor.execute(sql.load("alerts")[name], wanted)
        return await cursor.fetchone()


async def row(connection: Connection, name: str, wanted: Json) -> tuple[Any, ...] | None:
    """Run a named query that gives one row, or none."""
    return await (await connection.execute(sql.load("alerts")[name], wanted)).fetchone()


async def column(connection: Connection, name: str, wanted: Json) -> list[Any]:
    """Run a named query and return its first column."""
    found = await connection.execute(sql.load("alerts")[name], wanted)
    return [row[0] for row in await found.fetchall()]


async def run(connection: Connection, name: str, wanted: Json) -> None:
    """Run a named query that gives nothing."""
    await connection.execute(sql.load("alerts")[name], wanted)
