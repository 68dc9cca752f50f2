"""Alert rules: what holds at each level, drafts and versions, publication by a second person."""

from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from alerts.rules import RuleError
from dashboards.door import Visit, holding
from dashboards.permissions import Verb
from dashboards.rules import drafting, editing, gather, store, words
from dashboards.rules.rows import Version
from dashboards.shared import shell
from dashboards.wiring import wiring

router = APIRouter(prefix="/admin/rules", tags=["rules"])
Drafting = Annotated[Visit, holding(Verb.DRAFT_RULES)]
Publishing = Annotated[Visit, holding(Verb.PUBLISH_RULES)]
SEE_OTHER = 303
UNUSABLE = 422
WORDS = {"title": words.title, "sentence": words.sentence, "differences": words.differences}


@router.get("", response_class=HTMLResponse)
async def rules(
    request: Request, visit: Drafting, programme: Annotated[str, Query(max_length=80)] = ""
) -> HTMLResponse:
    """Every rule in force, level by level."""
    await drafting.known_programme(visit, programme)
    held = await gather.holding(visit, programme or None)
    await visit.record("look", "rules", programme or "organisation")
    return wiring(request).pages.html(
        request,
        "rules/page.html",
        await shell(visit, "rules"),
        WORDS,
        held=held,
        groups=held.standings(visit.now),
        programmes=await store.programmes(visit.connection),
        levels=gather.LEVELS,
        rule=gather.rule,
    )


@router.post("/drafts", response_class=HTMLResponse)
async def begin(
    visit: Drafting, programme: Annotated[str, Form(max_length=80)] = ""
) -> RedirectResponse:
    """Begin a draft from what holds now; a scope has one at a time."""
    return _to(await drafting.begun(visit, programme))


@router.get("/versions/{version_id}", response_class=HTMLResponse)
async def version(request: Request, visit: Drafting, version_id: UUID) -> HTMLResponse:
    """One version: what it changes, what-if, who wrote and who published it."""
    found = await gather.version(visit, version_id)
    await visit.record("look", "rules", version_id)
    return await _page(request, visit, found)


@router.get("/versions/{version_id}/rules/{rule_id}", response_class=HTMLResponse)
async def rule(request: Request, visit: Drafting, version_id: UUID, rule_id: str) -> HTMLResponse:
    """The form of one rule in a draft."""
    found = await gather.version(visit, version_id)
    return await _form(request, visit, found, rule_id)


@router.post("/versions/{version_id}/rules/{rule_id}", response_class=HTMLResponse)
async def save(request: Request, visit: Drafting, version_id: UUID, rule_id: str) -> Response:
    """Keep what the form says; what cannot be used comes back with the reason."""
    draft = await drafting.draft(visit, version_id)
    product = gather.rule(rule_id)
    filled = {name: str(value) for name, value in (await request.form()).items()}
    try:
        changes = editing.read(product, filled)
    except RuleError as error:
        return await _form(request, visit, draft, rule_id, filled=filled, problem=str(error))
    await drafting.changed(visit, draft, rule_id, changes)
    return _to(version_id)


@router.post("/versions/{version_id}/rules/{rule_id}/restore", response_class=HTMLResponse)
async def restore(visit: Drafting, version_id: UUID, rule_id: str) -> RedirectResponse:
    """Take the product's own rule back into a draft."""
    draft = await drafting.draft(visit, version_id)
    await drafting.changed(visit, draft, rule_id, {})
    return _to(version_id)


@router.post("/versions/{version_id}/drop", response_class=HTMLResponse)
async def drop(visit: Drafting, version_id: UUID) -> RedirectResponse:
    """Throw a draft away; it stays on record."""
    draft = await drafting.dropped(visit, version_id)
    return RedirectResponse(_list(draft.programme), SEE_OTHER)


@router.post("/versions/{version_id}/publish", response_class=HTMLResponse)
async def publish(
    request: Request,
    visit: Publishing,
    version_id: UUID,
    reason: Annotated[str, Form(max_length=500)] = "",
    effective_from: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """Publish a draft as somebody who wrote no part of it."""
    why = await drafting.published(visit, version_id, reason, effective_from)
    if why:
        found = await gather.version(visit, version_id)
        return await _page(request, visit, found, problem=why)
    return _to(version_id)


async def _page(request: Request, visit: Visit, found: Version, problem: str = "") -> HTMLResponse:
    held = await gather.holding(visit, found.programme)
    return wiring(request).pages.html(
        request,
        "rules/version.html",
        await shell(visit, "rules"),
        WORDS,
        version=found,
        held=held,
        changes=gather.changes(found, held, visit.now),
        groups=held.standings(visit.now) if found.is_draft else [],
        seen=await gather.what_if(visit, found, held),
        is_mine=visit.staff.id in found.writers,
        list_address=_list(found.programme),
        problem=problem,
        status=UNUSABLE if problem else 200,
        rule=gather.rule,
    )


async def _form(  # noqa: PLR0913 -- the page, and what was filled in
    request: Request,
    visit: Visit,
    draft: Version,
    rule_id: str,
    *,
    filled: dict[str, str] | None = None,
    problem: str = "",
) -> HTMLResponse:
    product = gather.rule(rule_id)
    changes = draft.changes.get(rule_id, {})
    return wiring(request).pages.html(
        request,
        "rules/form.html",
        await shell(visit, "rules"),
        WORDS,
        product=product,
        entries=editing.entries(product, changes),
        filled=filled or {},
        is_off=(filled or {}).get("on", "off" if changes.get("disabled") else "on") == "off",
        is_changed=rule_id in draft.changes,
        severities=editing.SEVERITIES,
        back=f"/admin/rules/versions/{draft.id}",
        action=f"/admin/rules/versions/{draft.id}/rules/{rule_id}",
        of_patient=None,
        problem=problem,
        status=UNUSABLE if problem else 200,
    )


def _list(programme: str | None) -> str:
    return f"/admin/rules?{urlencode({'programme': programme})}" if programme else "/admin/rules"


def _to(version_id: UUID) -> RedirectResponse:
    return RedirectResponse(f"/admin/rules/versions/{version_id}", SEE_OTHER)
