"""Users, roles, teams."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from psycopg.errors import UniqueViolation
from pydantic import BaseModel, Field
from starlette.responses import HTMLResponse, RedirectResponse, Response

from dashboards.accounts import passwords
from dashboards.door import MissingError, RefusedError, Visit, holding
from dashboards.fetch import every, run
from dashboards.permissions import ROLES, Verb, may
from dashboards.shared import shell
from dashboards.wiring import wiring
from database import sql

router = APIRouter(prefix="/admin", tags=["admin"])
Administering = Annotated[Visit, holding(Verb.ADMINISTER)]
QUERIES = sql.load("dashboards.admin")
SEE_OTHER = 303
SHORTEST_PASSWORD = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A member of staff, as an administrator sees them."""

    id: UUID
    email: str
    display_name: str
    credential: str
    role: str
    has_code: bool
    disabled_at: datetime | None
    created_at: datetime
    last_seen_at: datetime | None
    sessions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """A care team with its people."""

    id: UUID
    name: str
    members: list[str] | None


class NewAccount(BaseModel):
    """The form for a new member of staff."""

    email: Annotated[str, Field(min_length=3, max_length=200, pattern=r"^[^@\s]+@[^@\s]+$")]
    display_name: Annotated[str, Field(min_length=2, max_length=120)]
    credential: Annotated[str, Field(max_length=20)] = ""
    role: str
    password: Annotated[str, Field(min_length=SHORTEST_PASSWORD, max_length=400)]


@router.get("", response_class=HTMLResponse)
async def accounts(request: Request, visit: Administering, problem: str = "") -> HTMLResponse:
    """Everybody with an account, and what roles may do."""
    found = await everybody(visit)
    return wiring(request).pages.html(
        request,
        "admin/page.html",
        await shell(visit, "admin"),
        accounts=found,
        teams=await every(visit.connection, Team, QUERIES["teams"], {}),
        roles=sorted(ROLES),
        verbs=list(Verb),
        matrix={(role, verb): may(role, verb) for role in ROLES for verb in Verb},
        problem=problem[:200],
    )


async def everybody(visit: Visit) -> list[Account]:
    """Look at every account."""
    await visit.record("look", "accounts", "all")
    return await every(visit.connection, Account, QUERIES["staff"], {"now": visit.now})


@router.post("/users", response_class=HTMLResponse)
async def add(visit: Administering, form: Annotated[NewAccount, Form()]) -> Response:
    """Add a member of staff with a first password."""
    if not await added(visit, form):
        return RedirectResponse("/admin?problem=That+address+has+an+account.", SEE_OTHER)
    return _back()


async def added(visit: Visit, form: NewAccount) -> bool:
    """Add a member of staff; False when the address has an account, here or elsewhere."""
    if form.role not in ROLES:
        raise RefusedError("There is no such role.")
    fields = form.model_dump(exclude={"password"}) | {
        "email": form.email.lower(),
        "password_hash": await asyncio.to_thread(passwords.hashed, form.password),
        "now": visit.now,
    }
    try:
        async with visit.connection.transaction():
            await run(visit.connection, QUERIES["add_staff"], fields)
    except UniqueViolation:
        return False
    await visit.record("change", "staff", "new", detail={"role": form.role})
    return True


@router.post("/users/{staff_id}/role", response_class=HTMLResponse)
async def set_role(
    visit: Administering, staff_id: UUID, role: Annotated[str, Form(max_length=40)]
) -> Response:
    """Change somebody's role; their open sessions end."""
    if role not in ROLES:
        raise RefusedError("There is no such role.")
    await change(visit, staff_id, "set_role", {"role": role})
    return _back()


@router.post("/users/{staff_id}/disable", response_class=HTMLResponse)
async def disable(visit: Administering, staff_id: UUID) -> Response:
    """Lock somebody out at once."""
    await change(visit, staff_id, "disable", {})
    return _back()


@router.post("/users/{staff_id}/enable", response_class=HTMLResponse)
async def enable(visit: Administering, staff_id: UUID) -> Response:
    """Let somebody in again."""
    await change(visit, staff_id, "enable", {})
    return _back()


@router.post("/users/{staff_id}/forget-code", response_class=HTMLResponse)
async def forget_code(visit: Administering, staff_id: UUID) -> Response:
    """Take away somebody's one-time codes: their telephone is lost."""
    await change(visit, staff_id, "forget_code", {})
    return _back()


async def change(visit: Visit, staff_id: UUID, what: str, told: dict[str, object]) -> None:
    """Change an account, never one's own; its sessions end and the trail keeps it."""
    if staff_id == visit.staff.id:
        raise RefusedError("Somebody else must change your own account.")
    fields = told | {"staff_id": staff_id, "now": visit.now}
    if await run(visit.connection, QUERIES[what], fields) != 1:
        raise MissingError
    await run(visit.connection, QUERIES["revoke_sessions"], fields)
    await visit.record("change", "staff", staff_id, detail={"what": what, **told})


def _back() -> RedirectResponse:
    return RedirectResponse("/admin", SEE_OTHER)
