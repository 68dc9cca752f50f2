"""One's own account: where I am signed in, my passkeys, my password."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from dashboards.accounts import passwords
from dashboards.accounts.passkeys import passkeys_of
from dashboards.accounts.sessions import QUERIES
from dashboards.door import MissingError, Visit, holding
from dashboards.fetch import every, first, run
from dashboards.permissions import ROLES, Verb
from dashboards.shared import shell
from dashboards.wiring import wiring

router = APIRouter(prefix="/account", tags=["account"])
Own = Annotated[Visit, holding(Verb.OWN_ACCOUNT)]
SEE_OTHER = 303


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSession:
    """A browser that this person is signed in with."""

    id: UUID
    created_at: datetime
    last_seen_at: datetime
    user_agent: str
    token_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    last_seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    password_hash: str | None


@router.get("", response_class=HTMLResponse)
async def account(request: Request, visit: Own) -> HTMLResponse:
    """The page of one's own account."""
    wired = wiring(request)
    idle_since = visit.now - wired.settings.idle
    fields = {"staff_id": visit.staff.id, "now": visit.now, "idle_since": idle_since}
    return wired.pages.html(
        request,
        "accounts/account.html",
        await shell(visit, "account"),
        sessions=await every(visit.connection, OwnSession, QUERIES["sessions_of"], fields),
        passkeys=await passkeys_of(visit),
        verbs=sorted(ROLES.get(visit.staff.role, frozenset())),
        this=visit.token_hash,
    )


@router.get("/session", response_class=JSONResponse)
async def session_left(request: Request, visit: Own) -> JSONResponse:
    """How long this session lasts if nobody does anything; pages ask in the background."""
    this = {"token_hash": visit.token_hash}
    seen = await first(visit.connection, _Seen, QUERIES["last_seen"], this)
    if seen is None:  # an API token has no session
        raise MissingError
    left = seen.last_seen_at + wiring(request).settings.idle - visit.now
    return JSONResponse({"seconds": max(int(left.total_seconds()), 0)})


@router.post("/sign-out-elsewhere", response_class=HTMLResponse)
async def sign_out_elsewhere(visit: Own) -> Response:
    """End every other session of this person."""
    await _end_others(visit)
    await visit.record("change", "sessions", visit.staff.id)
    return RedirectResponse("/account", SEE_OTHER)


@router.post("/sessions/{session_id}/end", response_class=HTMLResponse)
async def end_session(visit: Own, session_id: UUID) -> Response:
    """End one of one's own sessions."""
    fields = {"id": session_id, "staff_id": visit.staff.id, "now": visit.now}
    if await run(visit.connection, QUERIES["end_session"], fields) != 1:
        raise MissingError
    await visit.record("change", "sessions", session_id)
    return RedirectResponse("/account", SEE_OTHER)


@router.get("/password", response_class=HTMLResponse)
async def password_page(request: Request, visit: Own) -> HTMLResponse:
    """Ask for the old password and a new one."""
    return await _ask(request, visit)


@router.post("/password", response_class=HTMLResponse)
async def change_password(
    request: Request,
    visit: Own,
    old: Annotated[str, Form(max_length=400)] = "",
    new: Annotated[str, Form(max_length=400)] = "",
    again: Annotated[str, Form(max_length=400)] = "",
) -> Response:
    """Set a new password; everywhere else this person is signed out."""
    throttle, name = wiring(request).sign_in_throttle, f"password {visit.staff.id}"
    wait = throttle.wait(name, visit.now).total_seconds()
    if wait > 0:
        return await _ask(request, visit, f"Too many tries. Wait {int(wait) + 1} seconds.", 429)
    problem = passwords.problem_with(old=old, new=new, again=again)
    if problem is not None:
        return await _ask(request, visit, problem, 422)
    mine = {"staff_id": visit.staff.id}
    kept = await first(visit.connection, _Kept, QUERIES["own_password"], mine)
    if not await passwords.matches(kept.password_hash if kept else None, old):
        return await _ask(request, visit, passwords.Problem.WRONG, 422)
    throttle.forgive(name)
    hashed = await asyncio.to_thread(passwords.hashed, new)
    await run(visit.connection, QUERIES["set_password"], mine | {"password_hash": hashed})
    await _end_others(visit)
    await visit.record("change", "password", visit.staff.id)
    return RedirectResponse("/account", SEE_OTHER)


async def _end_others(visit: Visit) -> None:
    fields = {"staff_id": visit.staff.id, "now": visit.now, "but": visit.token_hash}
    await run(visit.connection, QUERIES["revoke_other_sessions"], fields)


async def _ask(
    request: Request, visit: Visit, problem: str = "", status: int = 200
) -> HTMLResponse:
    return wiring(request).pages.html(
        request,
        "accounts/password.html",
        await shell(visit, "account"),
        problem=problem,
        shortest=passwords.SHORTEST,
        status=status,
    )
