"""`/me`: whom a token or a session belongs to, and what it may do."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from dashboards.api import edge
from dashboards.api.edge import Told
from dashboards.api.tokens import SCOPES
from dashboards.door import Visit, holding
from dashboards.permissions import Verb
from dashboards.worklist import store

router = edge.router("account")
Own = Annotated[Visit, holding(Verb.OWN_ACCOUNT)]


class Me(Told):
    """Who is asking."""

    id: UUID
    name: str
    role: str
    scopes: Annotated[list[str], Field(description="What may be done: role and token together.")]
    is_token: Annotated[bool, Field(description="False for a person's session.")]
    organisation_id: UUID
    organisation: str
    time_zone: Annotated[str, Field(description="IANA name; days and months are counted in it.")]


@router.get("/me")
async def me(visit: Own) -> Me:
    """Who is asking, and what they may do."""
    clinic = await store.organisation(visit.connection)
    return Me(
        id=visit.staff.id,
        name=visit.staff.display_name,
        role=visit.staff.role,
        scopes=sorted(name for name, verb in SCOPES.items() if visit.may(verb)),
        is_token=visit.scopes is not None,
        organisation_id=clinic.id,
        organisation=clinic.name,
        time_zone=clinic.time_zone,
    )
