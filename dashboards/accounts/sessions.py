"""Sessions on the server: the browser holds an opaque token, the database its hash."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from dashboards.fetch import Connection, first, run
from database import sql

QUERIES = sql.load("dashboards.accounts")
TOUCH_EVERY = timedelta(seconds=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Somebody's signed-in browser."""

    token_hash: bytes
    staff_id: UUID
    organisation_id: UUID
    csrf_token: str
    last_seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member of staff."""

    id: UUID
    organisation_id: UUID
    display_name: str
    credential: str
    role: str

    @property
    def title(self) -> str:
        """Name with credential, as colleagues see it."""
        return f"{self.display_name}, {self.credential}" if self.credential else self.display_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """The account behind an address, before the password is checked."""

    id: UUID
    organisation_id: UUID
    display_name: str
    role: str
    password_hash: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A session that has just been opened; the token is stored nowhere."""

    token: str
    awaits_second_step: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Awaits:
    awaiting_code: bool


def digest(token: str) -> bytes:
    """Return what the database knows of a token."""
    return hashlib.sha256(token.encode()).digest()


async def candidate(connection: Connection, address: str) -> Candidate | None:
    """Return the account that an address belongs to."""
    return await first(connection, Candidate, QUERIES["signing_in"], {"address": address})


async def open_after_password(
    connection: Connection, who: Candidate, *, now: datetime, life: timedelta, user_agent: str
) -> Opened:
    """Open a session; with a second step set up it first waits for that."""
    return await _open(connection, who, by_password=True, now=now, life=life, user_agent=user_agent)


async def open_full(
    connection: Connection, who: Member, *, now: datetime, life: timedelta, user_agent: str
) -> str:
    """Open a session for somebody who has passed every step; return its token."""
    opened = await _open(
        connection, who, by_password=False, now=now, life=life, user_agent=user_agent
    )
    return opened.token


async def _open(  # noqa: PLR0913 -- the columns of a session, all by name
    connection: Connection,
    who: Candidate | Member,
    *,
    by_password: bool,
    now: datetime,
    life: timedelta,
    user_agent: str,
) -> Opened:
    token = secrets.token_urlsafe(32)
    fields = {
        "token_hash": digest(token),
        "staff_id": who.id,
        "organisation_id": who.organisation_id,
        "csrf_token": secrets.token_urlsafe(24),
        "now": now,
        "expires_at": now + life,
        "user_agent": user_agent[:200],
        "by_password": by_password,
    }
    kept = await first(connection, _Awaits, QUERIES["open_session"], fields)
    return Opened(token=token, awaits_second_step=kept is None or kept.awaiting_code)


async def find(
    connection: Connection,
    token: str,
    *,
    now: datetime,
    idle: timedelta,
    awaiting_code: bool = False,
) -> Session | None:
    """Return the live session of a token, or the one that still owes its code."""
    fields = {
        "token_hash": digest(token),
        "now": now,
        "idle_since": now - idle,
        "awaiting_code": awaiting_code,
    }
    return await first(connection, Session, QUERIES["live_session"], fields)


async def touch(connection: Connection, session: Session, now: datetime) -> None:
    """Note that its person is there, at most every few seconds."""
    if now - session.last_seen_at >= TOUCH_EVERY:
        fields = {"token_hash": session.token_hash, "now": now}
        await run(connection, QUERIES["touch_session"], fields)


async def revoke(connection: Connection, token_hash: bytes, now: datetime) -> None:
    """End one session."""
    await run(connection, QUERIES["revoke_session"], {"token_hash": token_hash, "now": now})


async def member(connection: Connection, session: Session) -> Member | None:
    """Return the person of a session; the connection must be in the session's organisation."""
    return await member_by_id(connection, session.staff_id)


async def member_by_id(connection: Connection, staff_id: UUID) -> Member | None:
    """Return a member of staff who may come in; the connection must be in their organisation."""
    return await first(connection, Member, QUERIES["member"], {"staff_id": staff_id})


async def still(
    connection: Connection, session: Session, *, now: datetime, idle: timedelta
) -> bool:
    """Whether a session found earlier is still live."""
    fields = {
        "token_hash": session.token_hash,
        "now": now,
        "idle_since": now - idle,
        "awaiting_code": False,
    }
    return await first(connection, Session, QUERIES["live_session"], fields) is not None
