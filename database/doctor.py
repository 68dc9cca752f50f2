"""Facts about the database for `tidings doctor`, and what is wrong with them. Changes nothing."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import psycopg

from database import migrate, sql
from database.pool import connect

WAITS_TOO_LONG = timedelta(minutes=1)
"""For what a process should take at once."""
FORGOTTEN = timedelta(minutes=5)
"""For a transaction that does nothing."""
UNSUMMED_DAYS = 100_000
_WEB, _WORKER = "tidings_web", "tidings_worker"
_MUST = (
    (_WEB, "visible_reading", "select"),
    (_WEB, "visible_reading_daily", "select"),
    (_WEB, "patient", "select"),
    (_WORKER, "reading", "insert"),
    (_WORKER, "reading_daily", "select"),
    (_WORKER, "to_evaluate", "delete"),
)
_MUST_NOT = (
    (_WEB, "reading", "select"),
    (_WEB, "reading_daily", "select"),
    (_WEB, "audit", "update"),
    (_WORKER, "audit", "delete"),
)


class Wrong(StrEnum):
    """What can be wrong with a database."""

    BEHIND = "migrations are pending: run tidings migrate"
    AHEAD = "the schema is newer than this version: upgrade the program"
    NO_ROLE = "a role is missing or cannot sign in"
    ROLE_TOO_STRONG = "a role is above row security"
    RIGHT_MISSING = "a role lacks a right"
    RIGHT_TOO_MUCH = "a role has a right that it must not have"
    UNGUARDED = "the web role reads a table without row security"
    WAITING = "work is not being taken: is the process running?"
    IDLE_TRANSACTION = "a transaction stays open and does nothing"
    FEW_SESSIONS_LEFT = "nine in ten connections are in use"
    JOB_FAILED = "a TimescaleDB job failed"
    NOT_MAINTAINED = "sums are far behind: is the scheduler running?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, and where."""

    wrong: Wrong
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """Rows that wait to be taken."""

    name: str
    rows: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A database as found; the fields after `schema` are empty while migrations are pending."""

    server: str
    timescale: str | None
    """TimescaleDB's version and licence."""
    kind: str | None
    """tsl, apache or plain, as the migration decided."""
    schema: migrate.Status
    sessions: int
    most_sessions: int
    idle_since: datetime | None
    roles: tuple[tuple[str, bool, bool], ...] = ()
    """Name, can sign in, is above row security."""
    missing_rights: tuple[str, ...] = ()
    excess_rights: tuple[str, ...] = ()
    unguarded: tuple[str, ...] = ()
    queues: tuple[Queue, ...] = ()
    failed_jobs: tuple[str, ...] = ()
    unsummed_days: int = 0


def examine(dsn: str) -> Facts:
    """Look at a database, as its owner."""
    schema = migrate.status(dsn)
    with connect(dsn, autocommit=True) as connection:
        server, version, licence, decided = _row(connection, "versions")
        sessions, most, idle = _row(connection, "sessions")
        kind = _row(connection, "backend_kind")[0] if decided else None
        complete = _complete(connection, kind) if not schema.pending else {}
    return Facts(
        server=server,
        timescale=f"{version} ({licence})" if version else None,
        kind=kind,
        schema=schema,
        sessions=sessions,
        most_sessions=most,
        idle_since=idle,
        **complete,
    )


def findings(facts: Facts, *, now: datetime) -> list[Finding]:
    """Return what is wrong, the gravest first."""
    return [
        Finding(wrong=wrong, detail=detail)
        for wrong, details in _checks(facts, now)
        for detail in details
    ]


def _checks(facts: Facts, now: datetime) -> list[tuple[Wrong, list[str]]]:
    schema, named = facts.schema, {name for name, can_sign_in, _ in facts.roles if can_sign_in}
    absent = [] if schema.pending else sorted({_WEB, _WORKER} - named)
    idle = facts.idle_since
    return [
        (Wrong.AHEAD, [] if schema.known else [f"schema {schema.current}"]),
        (Wrong.BEHIND, [", ".join(schema.pending)] if schema.pending else []),
        (Wrong.NO_ROLE, absent),
        (Wrong.ROLE_TOO_STRONG, [name for name, _, above in facts.roles if above]),
        (Wrong.UNGUARDED, list(facts.unguarded)),
        (Wrong.RIGHT_TOO_MUCH, list(facts.excess_rights)),
        (Wrong.RIGHT_MISSING, list(facts.missing_rights)),
        (Wrong.WAITING, [_waiting(queue, now) for queue in facts.queues if _stuck(queue, now)]),
        (Wrong.IDLE_TRANSACTION, [str(now - idle)] if idle and now - idle > FORGOTTEN else []),
        (Wrong.FEW_SESSIONS_LEFT, _crowded(facts)),
        (Wrong.JOB_FAILED, list(facts.failed_jobs)),
        (Wrong.NOT_MAINTAINED, _unsummed(facts)),
    ]


def _stuck(queue: Queue, now: datetime) -> bool:
    taken_at_once = queue.name == "to_evaluate"
    return taken_at_once and queue.oldest is not None and now - queue.oldest > WAITS_TOO_LONG


def _waiting(queue: Queue, now: datetime) -> str:
    return (
        f"{queue.name}: {queue.rows} rows, the oldest for {now - queue.oldest}"
        if queue.oldest
        else queue.name
    )


def _crowded(facts: Facts) -> list[str]:
    crowded = facts.sessions * 10 >= facts.most_sessions * 9
    return [f"{facts.sessions} of {facts.most_sessions}"] if crowded else []


def _unsummed(facts: Facts) -> list[str]:
    behind = facts.unsummed_days > UNSUMMED_DAYS
    return [f"{facts.unsummed_days} days"] if behind else []


def _complete(connection: psycopg.Connection[tuple[Any, ...]], kind: str | None) -> dict[str, Any]:
    timescale = kind == "tsl"
    roles = connection.execute(sql.load("database")["roles"], ([_WEB, _WORKER],)).fetchall()
    return {
        "roles": tuple((name, can, above) for name, can, above in sorted(roles)),
        "missing_rights": tuple(_described(r) for r in _MUST if not _has(connection, *r)),
        "excess_rights": tuple(_described(r) for r in _MUST_NOT if _has(connection, *r)),
        "unguarded": tuple(row[0] for row in _rows(connection, "without_row_security")),
        "queues": tuple(
            Queue(name=name, rows=rows, oldest=oldest)
            for name, rows, oldest in _rows(connection, "waiting")
        ),
        "failed_jobs": tuple(r[0] for r in _rows(connection, "failed_jobs")) if timescale else (),
        "unsummed_days": 0 if timescale else _row(connection, "changed_days")[0],
    }


def _has(
    connection: psycopg.Connection[tuple[Any, ...]], role: str, relation: str, right: str
) -> bool:
    told = {"role": role, "relation": relation, "right": right}
    return connection.execute(sql.load("database")["rights"], told).fetchone() == (True,)


def _described(right: tuple[str, str, str]) -> str:
    role, relation, what = right
    return f"{role}: {what} on {relation}"


def _rows(connection: psycopg.Connection[tuple[Any, ...]], name: str) -> list[tuple[Any, ...]]:
    return connection.execute(sql.load("database")[name], {}).fetchall()


def _row(connection: psycopg.Connection[tuple[Any, ...]], name: str) -> tuple[Any, ...]:
    (row,) = _rows(connection, name)
    return row
