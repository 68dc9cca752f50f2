"""The door: who is asking, may they, and one transaction that sees their organisation only."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from uuid import UUID

from fastapi import Request
from fastapi.params import Depends as Dependency
from psycopg.errors import InsufficientPrivilege

from dashboards import caller, trail
from dashboards.access import store as access
from dashboards.accounts import sessions
from dashboards.accounts.sessions import Member, Session
from dashboards.api import tokens
from dashboards.caller import SignedIn
from dashboards.fetch import Connection
from dashboards.headers import SAFE
from dashboards.permissions import Verb
from dashboards.wiring import wiring
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
class Visit:
    """One request of one person: the transaction, the time, the trail."""

    who: SignedIn
    connection: Connection
    now: datetime
    deeds: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    """Rows for the trail, written last: writers of one organisation's trail wait in line."""
    afterwards: list[Callable[[], None]] = field(default_factory=list)
    """What to do once all of it is committed."""

    @property
    def staff(self) -> Member:
        """The visitor."""
        return self.who.staff

    @property
    def zone(self) -> str:
        """The organisation's time zone."""
        return self.who.zone

    @property
    def csrf_token(self) -> str:
        """What forms must carry."""
        return self.who.session.csrf_token

    @property
    def token_hash(self) -> bytes:
        """What the visitor's session is known by."""
        return self.who.session.token_hash

    @property
    def scopes(self) -> frozenset[Verb] | None:
        """What an API token is limited to; None for a person."""
        return self.who.scopes

    def may(self, verb: Verb) -> bool:
        """Whether this visitor may do more than the route itself asked for."""
        return self.who.may(verb)

    async def record(
        self,
        action: str,
        object_kind: str,
        object_id: object,
        *,
        patient_id: UUID | None = None,
        detail: Mapping[str, object] | None = None,
    ) -> None:
        """Put on the audit trail what this person did: at the end, in this transaction."""
        row = partial(
            trail.record,
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
        self.deeds.append(row)


async def signed_in(request: Request) -> SignedIn:
    """Return who is asking, in a transaction of its own."""
    given = await _shown(request)
    async with wiring(request).pool.connection() as connection:
        return await _admitted(request, connection, given)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """What a request shows at the door."""

    token: str
    is_bearer: bool
    csrf_token: str | None
    """What an unsafe request brings against forgery; None: it needs nothing."""


async def _shown(request: Request) -> _Shown:
    """Read it, the body too if need be: no transaction waits for a slow sender."""
    bearer = tokens.bearer(request)
    if bearer is not None:
        return _Shown(token=bearer, is_bearer=True, csrf_token=None)
    token = request.cookies.get(wiring(request).settings.cookie)
    if not token:
        raise SignInNeededError
    return _Shown(token=token, is_bearer=False, csrf_token=await _csrf_token(request))


async def _csrf_token(request: Request) -> str | None:
    """Return what an unsafe request carries in a header or its form."""
    if request.method in SAFE:
        return None
    header = request.headers.get("x-csrf-token")
    return header if header is not None else str((await request.form()).get("csrf_token", ""))


async def _admitted(request: Request, connection: Connection, shown: _Shown) -> SignedIn:
    """Return who that is; the transaction is held to what they may see."""
    wired = wiring(request)
    now = wired.settings.clock()
    if shown.is_bearer:
        who = await caller.by_token(connection, shown.token, now)
    else:
        who = await caller.by_cookie(connection, shown.token, now=now, idle=wired.settings.idle)
    if who is None:
        raise SignInNeededError
    if shown.csrf_token is not None:
        _check(shown.csrf_token, who.session)
    if not shown.is_bearer and BACKGROUND not in request.headers:
        await sessions.touch(connection, who.session, now)
    return who


def _check(given: str, session: Session) -> None:
    """Refuse an unsafe request that does not carry the session's token."""
    if not secrets.compare_digest(given.encode(), session.csrf_token.encode()):
        raise RefusedError("This page is out of date. Reload it and try again.")


def visit(verb: Verb) -> Callable[..., AsyncIterator[Visit]]:
    """Return the dependency that lets in whoever holds `verb`, with an open transaction."""

    async def open_visit(request: Request) -> AsyncIterator[Visit]:
        wired = wiring(request)
        shown = await _shown(request)
        who = None
        try:
            async with wired.pool.connection() as connection:
                who = await _admitted(request, connection, shown)
                _require(who, verb)
                visiting = Visit(who=who, connection=connection, now=wired.settings.clock())
                yield visiting
                for deed in visiting.deeds:
                    await deed()
        except (MissingError, InsufficientPrivilege):
            if who is not None:
                await _say_if_shut(request, who)
            raise
        for step in visiting.afterwards:
            step()

    open_visit.verb = verb  # type: ignore[attr-defined]  # read by the test that no route forgets one
    return open_visit


def _require(who: SignedIn, verb: Verb) -> None:
    if not who.may(verb):
        raise RefusedError(f"Your role does not allow you to {verb}.")


async def _say_if_shut(request: Request, who: SignedIn) -> None:
    """Tell what is not there from what a closed team keeps from this person."""
    wired = wiring(request)
    async with as_organisation(wired.pool, who.staff.organisation_id) as connection:
        await access.hold(connection, who.staff, wired.settings.clock())
        hidden = await access.hidden(connection, request.path_params)
    if hidden is not None:
        raise ShutError(hidden)


def listener(verb: Verb) -> Callable[..., Awaitable[SignedIn]]:
    """Return the dependency for long streams: the same check, but no transaction held open."""

    async def listen(request: Request) -> SignedIn:
        who = await signed_in(request)
        _require(who, verb)
        return who

    listen.verb = verb  # type: ignore[attr-defined]  # read by the test that no route forgets one
    return listen


def holding(verb: Verb) -> Dependency:
    """Let in whoever holds `verb`; the transaction ends before the answer leaves."""
    return Dependency(visit(verb), scope="function")
