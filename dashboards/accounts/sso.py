"""Single sign-on: to the organisation's identity provider and back."""

import hmac
import secrets
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from dashboards.accounts import challenges, oidc, sessions
from dashboards.accounts.oidc import Attempt, Named, ProviderError
from dashboards.accounts.passkeys import site
from dashboards.accounts.providers import Provider
from dashboards.accounts.sessions import QUERIES
from dashboards.accounts.signin import admitted, entered, own_page, sign_in_page
from dashboards.door import MissingError
from dashboards.fetch import Connection, first, run
from dashboards.permissions import home
from dashboards.wiring import Wiring, wiring
from database.pool import as_organisation

router = APIRouter(prefix="/login/sso", include_in_schema=False)
SEE_OTHER = 303
FAILED = "Single sign-on did not work. Try again, or ask your administrator."
NO_ACCOUNT = "There is no account for you here. Ask your administrator."
LONGEST = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Account:
    staff_id: UUID
    may_enter: bool


@router.get("/{name}")
async def leave(
    request: Request,
    name: str,
    next: Annotated[str, Query(max_length=500)] = "",  # noqa: A002 -- the word in the address
) -> Response:
    """Send the browser to the provider."""
    wired, provider = wiring(request), _provider(request, name)
    caller = request.client.host if request.client else ""
    if wired.sign_in_throttle.wait(f"sso {caller}", wired.settings.clock()).total_seconds() > 0:
        return sign_in_page(request, problem="Too many tries. Wait a minute.", status=429)
    state, nonce, verifier, browser = (secrets.token_urlsafe(32) for _ in range(4))
    attempt = Attempt(state=state, nonce=nonce, verifier=verifier)
    try:
        going = await oidc.address(provider, attempt, _redirect(request, provider))
    except ProviderError:
        return sign_in_page(request, problem=FAILED, status=502)
    told = {
        "purpose": "sso",
        "provider": provider.name,
        "nonce": nonce,
        "verifier": verifier,
        "browser": sessions.digest(browser).hex(),
        "next": own_page(next),
    }
    async with wired.pool.connection() as connection:
        await challenges.keep(connection, state.encode(), told, wired.settings.clock())
    response = RedirectResponse(going, SEE_OTHER)
    response.set_cookie(
        _cookie(wired),
        browser,
        max_age=int(challenges.PATIENCE.total_seconds()),
        httponly=True,
        secure=wired.settings.https,
        samesite="lax",
        path="/",
    )
    return response


@router.get("/{name}/done")
async def come_back(
    request: Request,
    name: str,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=LONGEST)] = "",
) -> Response:
    """Let in whom the provider names, if there is an account for them."""
    wired, provider = wiring(request), _provider(request, name)
    now = wired.settings.clock()
    async with wired.pool.connection() as connection:
        told = await challenges.take(connection, state.encode(), now)
    browser = sessions.digest(request.cookies.get(_cookie(wired), "")).hex()
    ours = told.get("purpose") == "sso" and told.get("provider") == provider.name
    if not ours or not hmac.compare_digest(browser, told["browser"]) or not code:
        return sign_in_page(request, problem=FAILED, status=401)
    attempt = Attempt(state=state, nonce=told["nonce"], verifier=told["verifier"])
    redirect = _redirect(request, provider)
    try:
        who = await oidc.named(provider, attempt, redirect, code=code, now=now)
    except ProviderError:
        return sign_in_page(request, problem=FAILED, status=401)
    return await _enter(request, provider, who, told["next"])


async def _enter(request: Request, provider: Provider, who: Named, wanted: str) -> Response:
    """Open a session for the account of whoever the provider names."""
    wired = wiring(request)
    async with as_organisation(wired.pool, provider.organisation_id) as connection:
        account = await _account(connection, provider, who, wired)
        member = (
            await sessions.member_by_id(connection, account.staff_id)
            if account and account.may_enter
            else None
        )
        if member is None:
            return sign_in_page(request, problem=NO_ACCOUNT, status=403)
        token = await admitted(connection, member, request, "sign_in_sso")
    response = entered(wired, token, wanted or home(member.role))
    response.delete_cookie(_cookie(wired), secure=wired.settings.https, httponly=True)
    return response


async def _account(
    connection: Connection, provider: Provider, who: Named, wired: Wiring
) -> _Account | None:
    """Return the account of a subject; a verified e-mail binds it the first time."""
    fields: dict[str, object] = {
        "issuer": provider.issuer,
        "subject": who.subject,
        "email": who.email,
        "name": who.name or who.email,
        "role": provider.new_role,
        "now": wired.settings.clock(),
    }
    known = await first(connection, _Account, QUERIES["known_identity"], fields)
    if known is not None or not who.email:
        return known
    found = await first(connection, _Account, QUERIES["account_by_email"], fields)
    if found is None and provider.new_role:
        found = await first(connection, _Account, QUERIES["add_account"], fields)
    if found is not None and found.may_enter:
        await run(connection, QUERIES["bind_identity"], fields | {"staff_id": found.staff_id})
    return found


def _provider(request: Request, name: str) -> Provider:
    """Return a configured provider."""
    for each in wiring(request).settings.sso:
        if each.name == name:
            return each
    raise MissingError


def _redirect(request: Request, provider: Provider) -> str:
    """Return the address that the provider sends the browser back to."""
    return f"{site(request).origin}/login/sso/{provider.name}/done"


def _cookie(wired: Wiring) -> str:
    return "__Host-sso" if wired.settings.https else "sso"
