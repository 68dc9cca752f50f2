"""Accounts, roles and teams for programs."""

from typing import Annotated
from uuid import UUID

from fastapi import Response
from pydantic import Field

from dashboards.admin import routes as admin
from dashboards.admin.routes import QUERIES, NewAccount, Team
from dashboards.api import edge
from dashboards.api.edge import Asked, ConflictError, Listed, Moment, Page, Text, Told
from dashboards.api.tokens import SCOPES
from dashboards.door import Visit, holding
from dashboards.fetch import every
from dashboards.permissions import ROLES, Verb, may

router = edge.router("admin")
Administering = Annotated[Visit, holding(Verb.ADMINISTER)]
RoleName = Annotated[str, Field(json_schema_extra={"enum": sorted(ROLES)})]


class Account(Told):
    """A member of staff, or an integration."""

    id: UUID
    email: str
    display_name: str
    credential: str
    role: str
    has_code: Annotated[bool, Field(description="One-time codes are on.")]
    disabled_at: Moment | None
    created_at: Moment
    last_seen_at: Moment | None
    sessions: Annotated[int, Field(description="Open ones.")]


class NewPerson(Asked):
    """A new member of staff with a first password."""

    email: Annotated[str, Field(min_length=3, max_length=200, pattern=r"^[!-?A-~]+@[!-?A-~]+$")]
    display_name: Annotated[Text, Field(min_length=2, max_length=120)]
    credential: Annotated[Text, Field(max_length=20)] = ""
    role: RoleName
    password: Annotated[str, Field(min_length=admin.SHORTEST_PASSWORD, max_length=400)]


class NewRole(Asked):
    """What somebody becomes."""

    role: RoleName


class Role(Told):
    """A role and what it may do."""

    name: str
    scopes: list[str]


class CareTeam(Told):
    """A care team with its people."""

    id: UUID
    name: str
    members: list[str] | None


@router.get("/users", response_model=Page[Account])
async def users(visit: Administering) -> Listed[admin.Account]:
    """Everybody with an account."""
    return Listed(items=await admin.everybody(visit))


@router.post("/users", status_code=201, response_model=Account)
async def add_user(visit: Administering, asked: NewPerson) -> admin.Account:
    """Add a member of staff."""
    if not await admin.added(visit, NewAccount(**asked.model_dump())):
        raise ConflictError("ADDRESS_TAKEN", "That address has an account.")
    everybody = await admin.everybody(visit)
    return next(each for each in everybody if each.email == asked.email.lower())


@router.post("/users/{staff_id}/role", status_code=204)
async def set_role(visit: Administering, staff_id: UUID, asked: NewRole) -> Response:
    """Change somebody's role; their open sessions end."""
    await admin.set_role(visit, staff_id, asked.role)
    return Response(status_code=204)


@router.post("/users/{staff_id}/disable", status_code=204)
async def disable_user(visit: Administering, staff_id: UUID) -> Response:
    """Lock somebody out at once."""
    await admin.disable(visit, staff_id)
    return Response(status_code=204)


@router.post("/users/{staff_id}/enable", status_code=204)
async def enable_user(visit: Administering, staff_id: UUID) -> Response:
    """Let somebody in again."""
    await admin.enable(visit, staff_id)
    return Response(status_code=204)


@router.post("/users/{staff_id}/forget-code", status_code=204)
async def forget_code(visit: Administering, staff_id: UUID) -> Response:
    """Take away somebody's one-time codes: their telephone is lost."""
    await admin.forget_code(visit, staff_id)
    return Response(status_code=204)


@router.get("/roles")
async def roles(_: Administering) -> list[Role]:
    """What roles may do; whatever is not listed is refused."""
    return [
        Role(name=role, scopes=sorted(name for name, verb in SCOPES.items() if may(role, verb)))
        for role in sorted(ROLES)
    ]


@router.get("/teams", response_model=Page[CareTeam])
async def teams(visit: Administering) -> Listed[Team]:
    """Care teams with their people."""
    return Listed(items=await every(visit.connection, Team, QUERIES["teams"], {}))
