"""Signing in and out."""

from typing import Annotated
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Depends, Form, Request
from psycopg_pool import AsyncConnectionPool
from starlette.responses import RedirectResponse, Response

from dashboards import trail
from dashboards.accounts import passwords, sessions
from dashboards.accounts.sessions import Candidate, Member, Opened
from dashboards.caller import SignedIn
from dashboards.door import SignInNeededError, signed_in
from dashboards.fetch import Connection
from dashboards.permissions import home
from dashboards.wiring import Wiring, wiring
from database.pool import as_organisation

router = APIRouter(tags=["account"])
WRONG = "That e-mail and password do not match an account."
SEE_OTHER = 303


@router.get("/login", include_in_schema=False)
async def login_page(request: Request, next: str = "") -> Response:  # noqa: A002 -- the word in the address
    """The sign-in page."""
    return sign_in_page(request, next=next)


@router.post("/login", include_in_schema=False)
async def login(
    request: Request,
    email: Annotated[str, Form(max_length=200)],
    password: Annotated[str, Form(max_length=400)],
    next: Annotated[str, Form(max_length=500)] = "",  # noqa: A002 -- the word in the address
) -> Response:
    """Check the password; open a session."""
    wired = wiring(request)
    now = wired.settings.clock()
    address = email.strip().lower()
    caller = request.client.host if request.client else ""
    for name in (f"account {address}", f"caller {caller}"):
        wait = wired.sign_in_throttle.wait(name, now)
        if wait.total_seconds() > 0:
            problem = f"Too many tries. Wait {int(wait.total_seconds()) + 1} seconds."
            return sign_in_page(request, next=next, problem=problem, email=email, status=429)
    who = await _candidate(wired.pool, address)
    if not await passwords.matches(who.password_hash if who else None, password) or who is None:
        if who is not None:
            await note(wired, who, "sign_in_refused")
        return sign_in_page(request, next=next, problem=WRONG, email=email, status=401)
    wired.sign_in_throttle.forgive(f"account {address}")
    wired.sign_in_throttle.forgive(f"caller {caller}")
    opened = await _open(wired, who, request.headers.get("user-agent", ""))
    if opened.awaits_second_step:
        return entered(wired, opened.token, f"/login/code?{urlencode({'next': own_page(next)})}")
    return entered(wired, opened.token, own_page(next) or home(who.role))


@router.post("/logout", include_in_schema=False)
async def logout(request: Request, who: Annotated[SignedIn, Depends(signed_in)]) -> Response:
    """End this session."""
    wired = wiring(request)
    now = wired.settings.clock()
    async with as_organisation(wired.pool, who.staff.organisation_id) as connection:
        await sessions.revoke(connection, who.session.token_hash, now)
        await trail.record(
            connection,
            organisation_id=who.staff.organisation_id,
            actor=f"staff:{who.staff.id}",
            action="sign_out",
            object_kind="session",
            object_id=who.session.token_hash.hex()[:16],
            now=now,
        )
    response = RedirectResponse("/login", SEE_OTHER)
    response.delete_cookie(wired.settings.cookie, secure=wired.settings.https, httponly=True)
    return response


@router.get("/", include_in_schema=False)
async def start(request: Request) -> Response:
    """Go where one's role starts."""
    try:
        who = await signed_in(request)
    except SignInNeededError:
        return RedirectResponse("/login", SEE_OTHER)
    return RedirectResponse(home(who.staff.role), SEE_OTHER)


async def _candidate(pool: AsyncConnectionPool, address: str) -> Candidate | None:
    async with pool.connection() as connection:
        return await sessions.candidate(connection, address)


async def _open(wired: Wiring, who: Candidate, user_agent: str) -> Opened:
    """Open a session and record it."""
    settings = wired.settings
    now = settings.clock()
    async with as_organisation(wired.pool, who.organisation_id) as connection:
        opened = await sessions.open_after_password(
            connection, who, now=now, life=settings.session_life, user_agent=user_agent
        )
    await note(wired, who, "sign_in")
    return opened


async def admitted(connection: Connection, member: Member, request: Request, action: str) -> str:
    """Open a session for somebody who has passed every step, and put it on the trail."""
    settings = wiring(request).settings
    now = settings.clock()
    token = await sessions.open_full(
        connection,
        member,
        now=now,
        life=settings.session_life,
        user_agent=request.headers.get("user-agent", ""),
    )
    await trail.record(
        connection,
        organisation_id=member.organisation_id,
        actor=f"staff:{member.id}",
        action=action,
        object_kind="staff",
        object_id=str(member.id),
        now=now,
    )
    return token


async def note(wired: Wiring, who: Candidate, action: str) -> None:
    """Put a sign-in, or a refused one, on the trail."""
    async with as_organisation(wired.pool, who.organisation_id) as connection:
        await trail.record(
            connection,
            organisation_id=who.organisation_id,
            actor=f"staff:{who.id}",
            action=action,
            object_kind="staff",
            object_id=str(who.id),
            now=wired.settings.clock(),
        )


def entered(wired: Wiring, token: str, address: str) -> Response:
    """Send somebody on, with the cookie."""
    return with_cookie(wired, token, RedirectResponse(address, SEE_OTHER))


def with_cookie(wired: Wiring, token: str, response: Response) -> Response:
    """Give an answer the session's cookie."""
    response.set_cookie(
        wired.settings.cookie,
        token,
        httponly=True,
        secure=wired.settings.https,
        samesite="lax",
        path="/",
    )
    return response


def own_page(address: str) -> str:
    """Return an address of ours, or nothing: no open redirects."""
    parts = urlsplit(address)
    ours = address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if ours and not parts.netloc and not parts.scheme else ""


def sign_in_page(
    request: Request,
    *,
    next: str = "",  # noqa: A002 -- the word in the address
    problem: str = "",
    email: str = "",
    status: int = 200,
) -> Response:
    """Answer with the sign-in page."""
    wired = wiring(request)
    return wired.pages.html(
        request,
        "accounts/login.html",
        status=status,
        next=own_page(next),
        problem=problem,
        email=email,
        demo_sign_ins=wired.settings.demo_sign_ins,
        providers=wired.settings.sso,
    )
