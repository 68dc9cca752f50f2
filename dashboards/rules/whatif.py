"""What-if: ask for a replay of a draft, watch it, call it off, read what it found."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, RedirectResponse

from alerts import replay_desk
from dashboards.door import MissingError, RefusedError, Visit, holding
from dashboards.permissions import Verb
from dashboards.rules import gather, store, words
from dashboards.shared import shell
from dashboards.wiring import wiring

router = APIRouter(prefix="/admin/rules/versions/{version_id}/what-if", tags=["rules"])
Drafting = Annotated[Visit, holding(Verb.DRAFT_RULES)]
SEE_OTHER = 303
DAYS = (30, 90, 365)
SAMPLE = 25
"""Patients of a quick look, which answers within seconds."""


@router.post("", response_class=HTMLResponse)
async def ask(
    visit: Drafting,
    version_id: UUID,
    days: Annotated[int, Form()] = 30,
    sample: Annotated[str, Form(max_length=3)] = "",
) -> RedirectResponse:
    """Ask what the draft would have done; an earlier question is called off."""
    if days not in DAYS:
        raise RefusedError("Ask over 30, 90 or 365 days.")
    await asked(visit, version_id, days, SAMPLE if sample else None)
    return _back(version_id)


async def asked(visit: Visit, version_id: UUID, days: int, patients: int | None) -> UUID:
    """Ask what a draft would have done; an earlier question is called off."""
    draft = await gather.version(visit, version_id)
    if not draft.is_draft:
        raise RefusedError("Only a draft is asked about.")
    held = await gather.holding(visit, draft.programme)
    before = await store.replay_of(visit.connection, version_id)
    if before and before.runs:
        await replay_desk.cancel(visit.connection, before.id)
    made = await replay_desk.ask(
        visit.connection,
        visit.staff.organisation_id,
        visit.staff.id,
        gather.question(draft, held, visit.now),
        days=days,
        patients=patients,
        programme=draft.programme,
        draft_id=version_id,
    )
    await visit.record("look", "rules", version_id, detail={"what-if": str(made), "days": days})
    return made


@router.get("", response_class=HTMLResponse)
async def shown(request: Request, visit: Drafting, version_id: UUID) -> HTMLResponse:
    """How far it is, or what it found: the piece of the page that asks for itself."""
    found = await gather.version(visit, version_id)
    held = await gather.holding(visit, found.programme)
    return wiring(request).pages.html(
        request,
        "rules/whatif.html",
        await shell(visit, "rules"),
        version=found,
        seen=await gather.what_if(visit, found, held),
        title=words.title,
        rule=gather.rule,
    )


@router.post("/cancel", response_class=HTMLResponse)
async def cancel(visit: Drafting, version_id: UUID) -> RedirectResponse:
    """Call the running replay off."""
    run = await store.replay_of(visit.connection, version_id)
    if run is None:
        raise MissingError
    await replay_desk.cancel(visit.connection, run.id)
    await visit.record("change", "rules", version_id, detail={"what": "call what-if off"})
    return _back(version_id)


def _back(version_id: UUID) -> RedirectResponse:
    return RedirectResponse(f"/admin/rules/versions/{version_id}#what-if", SEE_OTHER)
