"""Who a request comes from; once they are known, its transaction is held to what they may see."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from dashboards.accounts import sessions
from dashboards.accounts.sessions import Member, Session
from dashboards.api import tokens
from dashboards.fetch import Connection, first
from dashboards.permissions import ROLES, Verb, may
from database import sql

QUERIES = sql.load("dashboards")
HELD = [role for role in ROLES if may(role, Verb.BREAK_GLASS)]
"""Roles that are held to their teams: the others see no patients, or need all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A live session and the person it belongs to."""

    session: Session
    staff: Member
    zone: str
    """Of the organisation."""
    sight: str
    """Two people of an organisation have the same only if the same patients are shut to them."""
    scopes: frozenset[Verb] | None = None
    """What an API token is limited to; None for a person."""

    def may(self, verb: Verb) -> bool:
        """Whether the role holds `verb`, and the token, if there is one, does too."""
        return may(self.staff.role, verb) and (self.scopes is None or verb in self.scopes)


async def by_cookie(
    connection: Connection, token: str, *, now: datetime, idle: timedelta
) -> SignedIn | None:
    """Return the person of a live session."""
    token_hash = sessions.digest(token)
    fields = {"token_hash": token_hash, "now": now, "idle_since": now - idle, "held": HELD}
    found = await first(connection, _Person, QUERIES["come_in"], fields)
    return None if found is None else found.signed_in(token_hash)


async def by_token(connection: Connection, given: str, now: datetime) -> SignedIn | None:
    """Return the integration that an API token belongs to; cookies count for nothing then."""
    token = await tokens.calling(connection, given, now)
    if token is None:
        return None
    fields = {
        "staff_id": token.staff_id,
        "organisation_id": token.organisation_id,
        "now": now,
        "held": HELD,
    }
    found = await first(connection, _Person, QUERIES["stand_as"], fields)
    await tokens.touch(connection, token, now)
    return None if found is None else found.signed_in(token.token_hash, token.verbs)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Person:
    """Who came in, as the database tells."""

    staff_id: UUID
    organisation_id: UUID
    display_name: str
    credential: str
    role: str
    time_zone: str
    sight: str
    csrf_token: str
    last_seen_at: datetime

    def signed_in(self, token_hash: bytes, scopes: frozenset[Verb] | None = None) -> SignedIn:
        """Return the person with what they came in by."""
        session = Session(
            token_hash=token_hash,
            staff_id=self.staff_id,
            organisation_id=self.organisation_id,
            csrf_token=self.csrf_token,
            last_seen_at=self.last_seen_at,
        )
        staff = Member(
            id=self.staff_id,
            organisation_id=self.organisation_id,
            display_name=self.display_name,
            credential=self.credential,
            role=self.role,
        )
        return SignedIn(
            session=session, staff=staff, zone=self.time_zone, sight=self.sight, scopes=scopes
        )
