"""Rules in the database: versions, overrides, what-if runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from alerts.replay import Comparison
from dashboards.fetch import Connection, every, first, run
from dashboards.rules import publishing
from dashboards.rules.rows import Called, Replay, Signed, Version
from dashboards.rules.standing import Changes
from database import sql

QUERIES = sql.load("dashboards.rules")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Name:
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Id:
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class _Number:
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """Who publishes what, when it begins and why."""

    version: Version
    by: UUID
    reason: str
    effective_from: datetime
    replay: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A patient's own change to one rule."""

    patient_id: UUID
    rule_id: str
    changes: Mapping[str, object]
    reason: str
    by: UUID
    expires_at: datetime


async def overrides(
    connection: Connection, now: datetime, patient_id: UUID | None = None
) -> list[Signed]:
    """Return what changes rules now or will, first to expire first; patients' own included."""
    fields = {"now": now, "patient_id": patient_id}
    return await every(connection, Signed, QUERIES["overrides"], fields)


async def past(connection: Connection, now: datetime, patient_id: UUID) -> list[Signed]:
    """Return a patient's own limits that have ended."""
    return await every(
        connection, Signed, QUERIES["own_past"], {"now": now, "patient_id": patient_id}
    )


async def versions(connection: Connection) -> list[Version]:
    """Return drafts first, then published versions, newest first."""
    return await every(connection, Version, QUERIES["versions"], {"id": None})


async def version(connection: Connection, id_: UUID) -> Version | None:
    """Return one version, or None."""
    return await first(connection, Version, QUERIES["versions"], {"id": id_})


async def programmes(connection: Connection) -> list[str]:
    """Return the programmes that somebody is enrolled in."""
    return [each.name for each in await every(connection, _Name, QUERIES["programmes"], {})]


async def begin(  # noqa: PLR0913 -- the draft's columns
    connection: Connection,
    programme: str | None,
    changes: Changes,
    *,
    based_on: int,
    by: UUID,
    now: datetime,
) -> UUID | None:
    """Begin a draft; None if that scope has one."""
    fields = {
        "programme": programme,
        "changes": Jsonb(changes),
        "based_on": based_on,
        "by": by,
        "now": now,
    }
    made = await first(connection, _Id, QUERIES["begin_draft"], fields)
    return made.id if made else None


async def locked(connection: Connection, id_: UUID) -> Version | None:
    """Return one version that nobody else changes until the transaction ends."""
    await run(connection, QUERIES["lock_draft"], {"id": id_})
    return await version(connection, id_)


async def save(
    connection: Connection, id_: UUID, changes: Changes, *, by: UUID, now: datetime
) -> bool:
    """Keep what a draft changes; False if it is no draft any more."""
    fields = {"id": id_, "changes": Jsonb(changes), "by": by, "now": now}
    return await run(connection, QUERIES["save_draft"], fields) == 1


async def drop(connection: Connection, id_: UUID) -> bool:
    """Drop a draft; False if it is none."""
    return await run(connection, QUERIES["drop_draft"], {"id": id_}) == 1


async def publish(connection: Connection, wanted: Publication, *, now: datetime) -> int:
    """Publish a locked draft: its changes replace those of its scope; return its number."""
    version = wanted.version
    fields: dict[str, object] = {
        "id": version.id,
        "by": wanted.by,
        "now": now,
        "reason": wanted.reason,
        "effective_from": wanted.effective_from,
        "expires_at": wanted.effective_from + publishing.LONGEST,
        "review_at": wanted.effective_from + publishing.LONGEST - publishing.REVIEW_BEFORE,
        "level": "programme" if version.programme else "organisation",
        "programme": version.programme,
        "patient_id": None,
        "draft_id": version.id,
        "replay": Jsonb(wanted.replay),
    }
    made = await first(connection, _Number, QUERIES["publish_draft"], fields)
    assert made is not None  # noqa: S101 -- locked and found to be a draft
    await run(connection, QUERIES["approve"], fields | {"id": str(version.id)})
    await run(connection, QUERIES["replace_overrides"], fields)
    for rule_id, changes in version.changes.items():
        await _override(connection, rule_id, changes, fields)
    return made.number


async def set_limit(connection: Connection, limit: Limit, *, now: datetime) -> None:
    """Give a patient a limit of their own for one rule; an earlier one ends."""
    fields: dict[str, object] = {
        "id": None,
        "level": "patient",
        "patient_id": limit.patient_id,
        "programme": None,
        "rule_id": limit.rule_id,
        "reason": limit.reason,
        "by": limit.by,
        "now": now,
        "effective_from": now,
        "expires_at": limit.expires_at,
        "review_at": max(now, limit.expires_at - publishing.REVIEW_BEFORE),
        "draft_id": None,
    }
    await run(connection, QUERIES["end_own"], fields)
    await _override(connection, limit.rule_id, limit.changes, fields)


async def end_limit(connection: Connection, patient_id: UUID, id_: UUID, *, now: datetime) -> bool:
    """End a patient's own limit; False if there is none."""
    fields = {"patient_id": patient_id, "id": id_, "rule_id": None, "now": now}
    return await run(connection, QUERIES["end_own"], fields) == 1


async def replay_of(connection: Connection, draft_id: UUID) -> Replay | None:
    """Return the last what-if of a draft."""
    return await first(connection, Replay, QUERIES["last_replay"], {"draft_id": draft_id})


async def called(connection: Connection, found: Comparison) -> dict[UUID, Called]:
    """Return the patients that a what-if answer names."""
    ids = {each.patient_id for each in found.examples}
    ids |= {each.patient_id for each in found.missed} | {who for who, _ in found.noisiest}
    rows = await every(connection, Called, QUERIES["called"], {"ids": list(ids)})
    return {row.id: row for row in rows}


async def _override(
    connection: Connection,
    rule_id: str,
    changes: Mapping[str, object],
    fields: Mapping[str, object],
) -> None:
    own = {name: value for name, value in changes.items() if name != "disabled"}
    disabled = bool(changes.get("disabled"))
    told = {**fields, "rule_id": rule_id, "changes": Jsonb(own), "disabled": disabled}
    await run(connection, QUERIES["add_override"], told)
