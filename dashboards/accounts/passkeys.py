"""Passkeys: adding, naming and removing one's own; signing in with one instead of a password."""

import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from psycopg.errors import UniqueViolation
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, RedirectResponse, Response

from dashboards.accounts import challenges, sessions, webauthn
from dashboards.accounts.sessions import QUERIES
from dashboards.accounts.signin import admitted, own_page, with_cookie
from dashboards.accounts.webauthn import CHALLENGE_BYTES, PasskeyError, Site
from dashboards.door import MissingError, RefusedError, Visit, holding
from dashboards.fetch import Connection, every, first, run
from dashboards.permissions import Verb, home
from dashboards.problems import problem_details
from dashboards.wiring import Wiring, wiring
from database.pool import as_organisation

router = APIRouter(tags=["account"])
Own = Annotated[Visit, holding(Verb.OWN_ACCOUNT)]
Name = Annotated[str, Form(min_length=1, max_length=60)]
SEE_OTHER = 303
WRONG = "That passkey did not work. Try again, or sign in with your password."


@dataclass(frozen=True, slots=True, kw_only=True)
class Passkey:
    """A passkey, as its person sees it."""

    id: UUID
    name: str
    credential_id: bytes
    created_at: datetime
    last_used_at: datetime | None


class NewPasskey(BaseModel):
    """What a browser sends that has created a passkey."""

    name: Annotated[str, Field(max_length=60)]
    credential: dict[str, object]


class Signed(BaseModel):
    """What a browser sends that has signed with a passkey."""

    next: Annotated[str, Field(max_length=500)] = ""
    credential: dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Calling:
    passkey_id: UUID
    public_key: bytes
    sign_count: int
    staff_id: UUID
    organisation_id: UUID


def site(request: Request) -> Site:
    """Return where browsers reach us: as configured, else as this one says."""
    told = wiring(request).settings.origin
    return Site(origin=told or f"{request.url.scheme}://{request.url.netloc}")


async def passkeys_of(visit: Visit) -> list[Passkey]:
    """Return one's own passkeys."""
    return await every(
        visit.connection, Passkey, QUERIES["passkeys_of"], {"staff_id": visit.staff.id}
    )


@router.post("/account/passkeys/options", response_class=JSONResponse)
async def new_options(request: Request, visit: Own) -> Response:
    """What the browser needs to create a passkey."""
    challenge = secrets.token_bytes(CHALLENGE_BYTES)
    told = {"purpose": "new passkey", "staff": str(visit.staff.id)}
    await challenges.keep(visit.connection, challenge, told, visit.now)
    options = webauthn.creation_options(
        site(request),
        staff_id=visit.staff.id,
        name=visit.staff.display_name,
        challenge=challenge,
        known=[each.credential_id for each in await passkeys_of(visit)],
    )
    return Response(options, media_type="application/json")


@router.post("/account/passkeys", response_class=JSONResponse)
async def add(request: Request, visit: Own, given: NewPasskey) -> Response:
    """Keep a passkey that the browser has created."""
    answer = json.dumps(given.credential)
    try:
        challenge = webauthn.challenge_of_new(answer)
        told = {"purpose": "new passkey", "staff": str(visit.staff.id)}
        await _asked_for(visit.connection, challenge, told, visit.now)
        made = webauthn.made(answer, site=site(request), challenge=challenge)
        fields = {
            "staff_id": visit.staff.id,
            "credential_id": made.credential_id,
            "public_key": made.public_key,
            "sign_count": made.sign_count,
            "name": given.name.strip() or "Passkey",
            "now": visit.now,
        }
        async with visit.connection.transaction():
            await run(visit.connection, QUERIES["add_passkey"], fields)
    except (PasskeyError, UniqueViolation) as error:
        raise RefusedError("That passkey could not be added. Try again.") from error
    await visit.record("change", "passkey", visit.staff.id, detail={"what": "added"})
    return JSONResponse({"go": "/account"})


@router.post("/account/passkeys/{passkey_id}/name")
async def rename(visit: Own, passkey_id: UUID, name: Name) -> Response:
    """Give one's own passkey another name."""
    return await _change(visit, passkey_id, "rename_passkey", name.strip() or "Passkey")


@router.post("/account/passkeys/{passkey_id}/remove")
async def remove(visit: Own, passkey_id: UUID) -> Response:
    """Forget one's own passkey."""
    return await _change(visit, passkey_id, "remove_passkey")


async def _change(visit: Visit, passkey_id: UUID, what: str, name: str = "") -> Response:
    fields = {"id": passkey_id, "staff_id": visit.staff.id, "name": name}
    if await run(visit.connection, QUERIES[what], fields) != 1:
        raise MissingError
    await visit.record("change", "passkey", passkey_id, detail={"what": what})
    return RedirectResponse("/account", SEE_OTHER)


@router.post("/login/passkey/options", include_in_schema=False)
async def sign_in_options(request: Request) -> Response:
    """What the browser needs to sign in with a passkey."""
    wired = wiring(request)
    now = wired.settings.clock()
    if _throttled(request, wired, now):
        return problem_details(429, "Too many tries", "Too many tries. Wait a minute.")
    challenge = secrets.token_bytes(CHALLENGE_BYTES)
    async with wired.pool.connection() as connection:
        await challenges.keep(connection, challenge, {"purpose": "sign in"}, now)
    options = webauthn.request_options(site(request), challenge)
    return Response(options, media_type="application/json")


@router.post("/login/passkey", include_in_schema=False)
async def sign_in(request: Request, given: Signed) -> Response:
    """Open a session for whoever holds the passkey and showed the device that it is them."""
    wired = wiring(request)
    now = wired.settings.clock()
    if _throttled(request, wired, now):
        return problem_details(429, "Too many tries", "Too many tries. Wait a minute.")
    answer = json.dumps(given.credential)
    try:
        credential, challenge = webauthn.challenge_of(answer)
        async with wired.pool.connection() as connection:
            await _asked_for(connection, challenge, {"purpose": "sign in"}, now)
            found = await _calling(connection, credential)
        count = webauthn.signed(
            answer,
            site=site(request),
            challenge=challenge,
            key=found.public_key,
            count=found.sign_count,
        )
    except PasskeyError:
        return problem_details(401, "Not signed in", WRONG)
    async with as_organisation(wired.pool, found.organisation_id) as connection:
        return await _enter(request, connection, found, count, own_page(given.next))


async def _asked_for(
    connection: Connection, challenge: bytes, purpose: dict[str, str], now: datetime
) -> None:
    """Use a challenge up; PasskeyError unless it was given out for this purpose."""
    if await challenges.take(connection, challenge, now) != purpose:
        raise PasskeyError("not asked for")


async def _calling(connection: Connection, credential: bytes) -> _Calling:
    """Return the passkey that signs; PasskeyError if nobody who may come in has it."""
    fields = {"credential_id": credential}
    found = await first(connection, _Calling, QUERIES["passkey_calling"], fields)
    if found is None:
        raise PasskeyError("unknown")
    return found


async def _enter(
    request: Request, connection: Connection, found: _Calling, count: int, wanted: str
) -> Response:
    """Note the use, open the session, and say where to go."""
    wired = wiring(request)
    now = wired.settings.clock()
    member = await sessions.member_by_id(connection, found.staff_id)
    fields = {"id": found.passkey_id, "sign_count": count, "now": now}
    if member is None or await run(connection, QUERIES["use_passkey"], fields) != 1:
        return problem_details(401, "Not signed in", WRONG)
    earlier = request.cookies.get(wired.settings.cookie, "")
    await sessions.revoke(connection, sessions.digest(earlier), now)
    token = await admitted(connection, member, request, "sign_in_passkey")
    return with_cookie(wired, token, JSONResponse({"go": wanted or home(member.role)}))


def _throttled(request: Request, wired: Wiring, now: datetime) -> bool:
    caller = request.client.host if request.client else ""
    return wired.sign_in_throttle.wait(f"passkey {caller}", now).total_seconds() > 0
