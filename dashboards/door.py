"""The door: who is asking, may they, and one transaction that sees their organisation only."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fastapi import Request
from fastapi.params import Depends as Dependency
from psycopg.errors import InsufficientPrivilege

from dashboards import trail
from dashboards.access import store as access
from dashboards.accounts import sessions
from dashboards.accounts.sessions import Member, Session
from dashboards.api import tokens
from dashboards.fetch import Connection
from dashboards.headers import SAFE
from dashboards.permissions import Verb, may
from dashboards.wiring import Wiring, wiring
from database.pool import as_organisation

BACKGROUND = "tidings-background"
"""Header of requests that a page sends by itself: they do not keep a session awake."""


class SignInNeededError(Exception):
    """Nobody is signed in, or no longer."""


class RefusedError(Exception):
    """Signed in, but not allowed; the message may be shown."""


class MissingError(Exception):
    """No such thing in this organisation."""


class ShutError(Exception):
    """The record belongs to a closed team; whoever asks may break the glass."""

    def __init__(self, patient_id: UUID) -> None:
        super().__init__("This record is closed to you. Open it with a reason first.")
        self.patient_id = patient_id


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A live session and the person it belongs to."""

    session: Session
    staff: Member
    scopes: frozenset[Verb] | None = None
    """What an API token is limited to; None for a person."""

    def may(self, verb: Verb) -> bool:
        """Whether the role holds `verb`, and the token, if there is one, does too."""
        return may(self.staff.role, verb) and (self.scopes is None or verb in self.scopes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request of one person: the transaction, the time, the trail."""

    staff: Member
    csrf_token: str
    token_hash: bytes
    connection: Connection
    now: datetime
    scopes: frozenset[Verb] | None = None
    """What an API token is limited to; None for a person."""

    def may(self, verb: Verb) -> bool:
        """Whether this visitor may do more than the route itself asked for."""
        return may(self.staff.role, verb) and (self.scopes is None or verb in self.scopes)

    async def record(
        self,
        action: str,
        object_kind: str,
        object_id: object,
        *,
        patient_id: UUID | None = None,
        detail: Mapping[str, object] | None = None,
    ) -> None:
        """Append to the audit trail what this person did."""
        await trail.record(
            self.connection,
            organisation_id=self.staff.organisation_id,
            actor=f"staff:{self.staff.id}",
            action=action,
            object_kind=object_kind,
            object_id=str(object_id),
            patient_id=patient_id,
            detail=detail,
            now=self.now,
        )


async def signed_in(request: Request) -> SignedIn:
    """Return who is asking; checks the CSRF token of unsafe requests."""
    wired = wiring(request)
    now = wired.settings.clock()
    given = tokens.bearer(request)
    if given is not None:
        return await _by_token(wired, given, now)
    session = await _session(request, wired, now)
    if request.method not in SAFE:
        await _check_token(request, session)
    async with as_organisation(wired.pool, session.organisation_id) as connection:
        staff = await sessions.member(connection, session)
        if staff is None:
            raise SignInNeededError
        if BACKGROUND not in request.headers:
            await sessions.touch(connection, session, now)
    return SignedIn(session=session, staff=staff)


async def _by_token(wired: Wiring, given: str, now: datetime) -> SignedIn:
    """Return the integration that an API token belongs to; cookies count for nothing then."""
    async with wired.pool.connection() as connection:
        token = await tokens.calling(connection, given, now)
    if token is None:
        raise SignInNeededError
    async with as_organisation(wired.pool, token.organisation_id) as connection:
        session = token.session(now)
        staff = await sessions.member(connection, session)
        if staff is None:
            raise SignInNeededError
        await tokens.touch(connection, token, now)
    return SignedIn(session=session, staff=staff, scopes=token.verbs)


async def _session(request: Request, wired: Wiring, now: datetime) -> Session:
    """Return the session of the cookie."""
    token = request.cookies.get(wired.settings.cookie)
    if not token:
        raise SignInNeededError
    async with wired.pool.connection() as connection:
        session = await sessions.find(connection, token, now=now, idle=wired.settings.idle)
    if session is None:
        raise SignInNeededError
    return session


async def _check_token(request: Request, session: Session) -> None:
    """Refuse an unsafe request that does not carry the session's token."""
    given = request.headers.get("x-csrf-token")
    if given is None:
        form = await request.form()
        given = str(form.get("csrf_token", ""))
    if not secrets.compare_digest(given.encode(), session.csrf_token.encode()):
        raise RefusedError("This page is out of date. Reload it and try again.")


def visit(verb: Verb) -> Callable[..., AsyncIterator[Visit]]:
    """Return the dependency that lets in whoever holds `verb`, with an open transaction."""

    async def open_visit(request: Request) -> AsyncIterator[Visit]:
        who = await signed_in(request)
        if not who.may(verb):
            raise RefusedError(f"Your role does not allow you to {verb}.")
        wired = wiring(request)
        now = wired.settings.clock()
        try:
            async with as_organisation(wired.pool, who.staff.organisation_id) as connection:
                await access.hold(connection, who.staff, now)
                yield Visit(
                    staff=who.staff,
                    csrf_token=who.session.csrf_token,
                    token_hash=who.session.token_hash,
                    connection=connection,
                    now=now,
                    scopes=who.scopes,
                )
        except (MissingError, InsufficientPrivilege):
            await _say_if_shut(request, who, now)
            raise

    open_visit.verb = verb  # type: ignore[attr-defined]  # read by the test that no route forgets one
    return open_visit


async def _say_if_shut(request: Request, who: SignedIn, now: datetime) -> None:
    """Tell what is not there from what a closed team keeps from this person."""
    async with as_organisation(wiring(request).pool, who.staff.organisation_id) as connection:
        await access.hold(connection, who.staff, now)
        hidden = await access.hidden(connection, request.path_params)
    if hidden is not None:
        raise ShutError(hidden)


def listener(verb: Verb) -> Callable[..., Awaitable[SignedIn]]:
    """Return the dependency for long streams: the same check, but no transaction held open."""

    async def listen(request: Request) -> SignedIn:
        who = await signed_in(request)
        if not who.may(verb):
            raise RefusedError(f"Your role does not allow you to {verb}.")
        return who

    listen.verb = verb  # type: ignore[attr-defined]  # read by the test that no route forgets one
    return listen


def holding(verb: Verb) -> Dependency:
    """Let in whoever holds `verb`; the transaction ends before the answer leaves."""
    return Dependency(visit(verb), scope="function")
