"""API tokens: each belongs to an integration's own account; the database knows the hash only."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from fastapi import Request

from dashboards.accounts.sessions import Session, digest
from dashboards.fetch import Connection, every, first, run
from dashboards.permissions import ROLES, Verb
from database import sql

QUERIES = sql.load("dashboards.api")
PREFIX = "tdg_"
"""Lets scanners for leaked secrets recognise one."""
TOUCH_EVERY = timedelta(minutes=1)
ALWAYS = frozenset({Verb.OWN_ACCOUNT})
NEVER = ALWAYS | {Verb.BREAK_GLASS}
"""Not for choosing: every token may ask who it is, none may break the glass."""
SCOPES = {verb.name.lower(): verb for verb in Verb if verb not in NEVER}


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token that was shown at the door and is neither revoked nor expired."""

    id: UUID
    organisation_id: UUID
    staff_id: UUID
    token_hash: bytes
    scopes: list[str]
    last_used_at: datetime | None

    @property
    def verbs(self) -> frozenset[Verb]:
        """What it allows; a scope that no longer exists allows nothing."""
        return ALWAYS | {SCOPES[name] for name in self.scopes if name in SCOPES}

    def session(self, now: datetime) -> Session:
        """Return the session of this one request: no cookie, so nothing to forge."""
        return Session(
            token_hash=self.token_hash,
            staff_id=self.staff_id,
            organisation_id=self.organisation_id,
            csrf_token="",
            last_seen_at=now,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A token as an administrator sees it."""

    id: UUID
    name: str
    role: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    disabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What an administrator asks for."""

    name: str
    role: str
    scopes: tuple[str, ...]
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Id:
    id: UUID


def bearer(request: Request) -> str | None:
    """Return the token of an API request; pages know cookies only."""
    if not request.url.path.startswith("/api/"):
        return None
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    return given.strip() if kind.lower() == "bearer" else None


def allowed(role: str, asked: Iterable[str]) -> tuple[str, ...]:
    """Return those of the scopes that the role holds itself."""
    held = ROLES.get(role, frozenset())
    return tuple(sorted(name for name in set(asked) if SCOPES.get(name) in held))


async def calling(connection: Connection, given: str, now: datetime) -> Token | None:
    """Return the live token that this text is."""
    fields = {"token_hash": digest(given), "now": now}
    return await first(connection, Token, QUERIES["calling"], fields)


async def touch(connection: Connection, token: Token, now: datetime) -> None:
    """Note that it is in use, once a minute at most."""
    if token.last_used_at is None or now - token.last_used_at >= TOUCH_EVERY:
        await run(connection, QUERIES["touch_token"], {"id": token.id, "now": now})


async def every_token(connection: Connection) -> list[Listed]:
    """Return the organisation's tokens, the usable ones first."""
    return await every(connection, Listed, QUERIES["tokens"], {})


async def mint(connection: Connection, wanted: Wanted, now: datetime) -> tuple[UUID, str]:
    """Make an account and its token; the text is returned this once and stored nowhere."""
    text = PREFIX + secrets.token_urlsafe(32)
    fields = {
        "name": wanted.name,
        "role": wanted.role,
        "scopes": list(wanted.scopes),
        "expires_at": wanted.expires_at,
        "token_hash": digest(text),
        "address": f"{secrets.token_hex(8)}@integrations.invalid",
        "now": now,
    }
    made = await first(connection, _Id, QUERIES["mint"], fields)
    if made is None:
        raise RuntimeError("an insert returned no row")
    return made.id, text


async def revoke(connection: Connection, token_id: UUID, now: datetime) -> bool:
    """End a token and lock its account; False when there is none to end."""
    return await run(connection, QUERIES["revoke_token"], {"id": token_id, "now": now}) == 1
