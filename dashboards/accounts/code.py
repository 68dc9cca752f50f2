"""The second step of signing in, and setting it up: one-time codes."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from dashboards.accounts import sessions, totp
from dashboards.accounts.sessions import QUERIES, Session
from dashboards.accounts.signin import admitted, entered, own_page
from dashboards.door import SignInNeededError, Visit, holding
from dashboards.fetch import Connection, first, run
from dashboards.permissions import Verb, home
from dashboards.shared import shell
from dashboards.wiring import Wiring, wiring
from database.pool import as_organisation

router = APIRouter(tags=["account"])
Own = Annotated[Visit, holding(Verb.OWN_ACCOUNT)]
SEE_OTHER = 303
PATIENCE = timedelta(minutes=5)
WRONG = "That code is not right, or was used before. Wait for the next one."
SECRET_BYTES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Secret:
    totp_secret: str | None
    totp_last_step: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Steps:
    has_code: bool
    has_passkey: bool


@router.get("/login/code", include_in_schema=False)
async def code_page(request: Request, next: str = "") -> Response:  # noqa: A002 -- the word in the address
    """Ask for the second step."""
    try:
        waiting = await _waiting(request, wiring(request))
    except SignInNeededError:
        return RedirectResponse("/login", SEE_OTHER)
    return await _ask(request, waiting, next)


@router.post("/login/code", include_in_schema=False)
async def give_code(
    request: Request,
    code: Annotated[str, Form(max_length=20)],
    next: Annotated[str, Form(max_length=500)] = "",  # noqa: A002 -- the word in the address
) -> Response:
    """Check the code; only then does the session open."""
    wired = wiring(request)
    now = wired.settings.clock()
    waiting = await _waiting(request, wired)
    wait = wired.sign_in_throttle.wait(f"code {waiting.staff_id}", now)
    if wait.total_seconds() > 0:
        return await _ask(
            request, waiting, next, f"Too many tries. Wait {int(wait.total_seconds()) + 1} s.", 429
        )
    async with as_organisation(wired.pool, waiting.organisation_id) as connection:
        member = await sessions.member(connection, waiting)
        if member is None:
            raise SignInNeededError
        if not await _used(connection, waiting, code, wired):
            return await _ask(request, waiting, next, WRONG, 401)
        await sessions.revoke(connection, waiting.token_hash, now)
        token = await admitted(connection, member, request, "sign_in_code")
    return entered(wired, token, own_page(next) or home(member.role))


async def _waiting(request: Request, wired: Wiring) -> Session:
    """Return the session that owes its code."""
    token = request.cookies.get(wired.settings.cookie, "")
    async with wired.pool.connection() as connection:
        found = await sessions.find(
            connection, token, now=wired.settings.clock(), idle=PATIENCE, awaiting_code=True
        )
    if found is None:
        raise SignInNeededError
    return found


async def _used(connection: Connection, waiting: Session, given: str, wired: Wiring) -> bool:
    """Whether the code is right and new; it is used up by asking."""
    mine = {"staff_id": waiting.staff_id}
    kept = await first(connection, _Secret, QUERIES["code_secret"], mine)
    if kept is None or kept.totp_secret is None:
        return False
    step = totp.accepted(kept.totp_secret, given, wired.settings.clock(), kept.totp_last_step)
    return (
        step is not None and await run(connection, QUERIES["use_code"], mine | {"step": step}) == 1
    )


async def _ask(
    request: Request,
    waiting: Session,
    next: str,  # noqa: A002 -- the word in the address
    problem: str = "",
    status: int = 200,
) -> HTMLResponse:
    wired = wiring(request)
    async with as_organisation(wired.pool, waiting.organisation_id) as connection:
        mine = {"staff_id": waiting.staff_id}
        steps = await first(connection, _Steps, QUERIES["second_steps"], mine)
    return wired.pages.html(
        request,
        "accounts/code.html",
        status=status,
        next=own_page(next),
        problem=problem,
        steps=steps,
    )


@router.get("/account/code", response_class=HTMLResponse)
async def set_up(request: Request, visit: Own) -> HTMLResponse:
    """Show a new secret for an authenticator app."""
    return await _offer(request, visit, totp.secret_of(secrets.token_bytes(SECRET_BYTES)))


@router.post("/account/code", response_class=HTMLResponse)
async def confirm(
    request: Request,
    visit: Own,
    secret: Annotated[str, Form(max_length=64, pattern="^[A-Z2-7]{32}$")],
    code: Annotated[str, Form(max_length=20)],
) -> Response:
    """Turn codes on, once the app has shown that it knows the secret."""
    step = totp.accepted(secret, code, visit.now, None)
    if step is None:
        return await _offer(request, visit, secret, WRONG)
    fields = {"staff_id": visit.staff.id, "secret": secret, "step": step}
    await run(visit.connection, QUERIES["set_secret"], fields)
    await visit.record("change", "second_factor", visit.staff.id)
    return RedirectResponse("/account", SEE_OTHER)


async def _offer(request: Request, visit: Visit, secret: str, problem: str = "") -> HTMLResponse:
    return wiring(request).pages.html(
        request,
        "accounts/set_up_code.html",
        await shell(visit, "account"),
        secret=secret,
        address=totp.address(secret, visit.staff.display_name),
        problem=problem,
        status=422 if problem else 200,
    )
