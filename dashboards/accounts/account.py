"""One's own account: who I am, where I am signed in, sign out elsewhere."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from dashboards.accounts.sessions import QUERIES
from dashboards.door import Visit, holding
from dashboards.fetch import every, run
from dashboards.permissions import ROLES, Verb
from dashboards.shared import shell
from dashboards.wiring import wiring

router = APIRouter(prefix="/account", tags=["account"])
Own = Annotated[Visit, holding(Verb.OWN_ACCOUNT)]
SEE_OTHER = 303


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSession:
    """A browser that this person is signed in with."""

    created_at: datetime
    last_seen_at: datetime
    user_agent: str
    token_hash: bytes


@router.get("", response_class=HTMLResponse)
async def account(request: Request, visit: Own) -> HTMLResponse:
    """The page of one's own account."""
    fields = {"staff_id": visit.staff.id, "now": visit.now}
    return wiring(request).pages.html(
        request,
        "accounts/account.html",
        await shell(visit, "account"),
        sessions=await every(visit.connection, OwnSession, QUERIES["sessions_of"], fields),
        verbs=sorted(ROLES.get(visit.staff.role, frozenset())),
        this=visit.token_hash,
    )


@router.post("/sign-out-elsewhere", response_class=HTMLResponse)
async def sign_out_elsewhere(visit: Own) -> Response:
    """End every other session of this person."""
    fields = {"staff_id": visit.staff.id, "now": visit.now, "but": visit.token_hash}
    await run(visit.connection, QUERIES["revoke_other_sessions"], fields)
    await visit.record("change", "sessions", visit.staff.id)
    return RedirectResponse("/account", SEE_OTHER)
