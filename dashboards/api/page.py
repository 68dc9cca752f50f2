"""The administrator's page of API tokens: made once, shown once, revoked at once."""

from datetime import timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Request
from pydantic import BaseModel, Field
from starlette.responses import HTMLResponse, RedirectResponse, Response

from dashboards.api import reference, tokens
from dashboards.api.tokens import SCOPES, Wanted
from dashboards.door import MissingError, RefusedError, Visit, holding
from dashboards.permissions import ROLES, Verb
from dashboards.shared import shell
from dashboards.wiring import wiring

router = APIRouter(prefix="/admin/tokens", tags=["admin"])
Administering = Annotated[Visit, holding(Verb.ADMINISTER)]
SEE_OTHER = 303
LIVES = {"30": "30 days", "90": "90 days", "365": "A year"}
NOTHING_LEFT = "Choose at least one thing that this role may do itself."


class NewToken(BaseModel):
    """The form for a new token."""

    name: Annotated[str, Field(min_length=2, max_length=80)]
    role: Annotated[str, Field(max_length=40)]
    scopes: Annotated[list[str], Field(max_length=40)] = []
    days: Literal["30", "90", "365"] = "90"


@router.get("", response_class=HTMLResponse)
async def listing(request: Request, visit: Administering) -> HTMLResponse:
    """Every token of the organisation."""
    await visit.record("look", "api_tokens", "all")
    return await _page(request, visit)


@router.post("", response_class=HTMLResponse)
async def make(
    request: Request, visit: Administering, form: Annotated[NewToken, Form()]
) -> HTMLResponse:
    """Make a token and show it, this once."""
    if form.role not in ROLES:
        raise RefusedError("There is no such role.")
    scopes = tokens.allowed(form.role, form.scopes)
    if not scopes or not form.name.strip():
        return await _page(request, visit, problem=NOTHING_LEFT)
    wanted = Wanted(
        name=form.name.strip(),
        role=form.role,
        scopes=scopes,
        expires_at=visit.now + timedelta(days=int(form.days)),
    )
    made, text = await tokens.mint(visit.connection, wanted, visit.now)
    told = {"name": wanted.name, "role": wanted.role, "scopes": list(scopes), "days": form.days}
    await visit.record("change", "api_token", made, detail={"what": "make", **told})
    return await _page(request, visit, shown=text)


@router.get("/reference", response_class=HTMLResponse)
async def show_reference(request: Request, visit: Administering) -> HTMLResponse:
    """What programs can do, for people."""
    return wiring(request).pages.html(
        request,
        "api/reference.html",
        await shell(visit, "admin"),
        subjects=reference.subjects(),
    )


@router.post("/{token_id}/revoke", response_class=HTMLResponse)
async def revoke(visit: Administering, token_id: UUID) -> Response:
    """End a token at once; its account is locked."""
    if not await tokens.revoke(visit.connection, token_id, visit.now):
        raise MissingError
    await visit.record("change", "api_token", token_id, detail={"what": "revoke"})
    return RedirectResponse("/admin/tokens", SEE_OTHER)


async def _page(
    request: Request, visit: Visit, *, shown: str = "", problem: str = ""
) -> HTMLResponse:
    return wiring(request).pages.html(
        request,
        "api/tokens.html",
        await shell(visit, "admin"),
        tokens=await tokens.every_token(visit.connection),
        scopes=SCOPES,
        roles=sorted(ROLES),
        lives=LIVES,
        shown=shown,
        problem=problem,
        status=422 if problem else 200,
    )
