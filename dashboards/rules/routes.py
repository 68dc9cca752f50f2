"""Alert rules: what holds at each level, drafts and versions, publication by a second person."""

from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from alerts.rules import RuleError
from dashboards.door import MissingError, RefusedError, Visit, holding
from dashboards.permissions import Verb
from dashboards.rules import editing, gather, publishing, store, words
from dashboards.rules.publishing import Refusal, Signing
from dashboards.rules.rows import Version
from dashboards.rules.store import Publication
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
    programmes = await store.programmes(visit.connection)
    if programme and programme not in programmes:
        raise MissingError
    held = await gather.holding(visit, programme or None)
    await visit.record("look", "rules", programme or "organisation")
    return wiring(request).pages.html(
        request,
        "rules/page.html",
        await shell(visit, "rules"),
        WORDS,
        held=held,
        groups=held.standings(visit.now),
        programmes=programmes,
        levels=gather.LEVELS,
        rule=gather.rule,
    )


@router.post("/drafts", response_class=HTMLResponse)
async def begin(
    visit: Drafting, programme: Annotated[str, Form(max_length=80)] = ""
) -> RedirectResponse:
    """Begin a draft from what holds now; a scope has one at a time."""
    if programme and programme not in await store.programmes(visit.connection):
        raise MissingError
    held = await gather.holding(visit, programme or None)
    made = await store.begin(
        visit.connection,
        held.programme,
        held.changes(visit.now),
        based_on=held.number,
        by=visit.staff.id,
        now=visit.now,
    )
    if made is None:
        raise RefusedError("There is a draft already. Reload the page to see it.")
    await visit.record("change", "rules", made, detail={"what": "begin a draft"})
    return _to(made)


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
    draft = await _draft(visit, version_id)
    product = gather.rule(rule_id)
    filled = {name: str(value) for name, value in (await request.form()).items()}
    try:
        changes = editing.read(product, filled)
    except RuleError as error:
        return await _form(request, visit, draft, rule_id, filled=filled, problem=str(error))
    others = {name: each for name, each in draft.changes.items() if name != rule_id}
    await _save(visit, draft, {**others, rule_id: changes} if changes else others, rule_id)
    return _to(version_id)


@router.post("/versions/{version_id}/rules/{rule_id}/restore", response_class=HTMLResponse)
async def restore(visit: Drafting, version_id: UUID, rule_id: str) -> RedirectResponse:
    """Take the product's own rule back into a draft."""
    draft = await _draft(visit, version_id)
    others = {name: each for name, each in draft.changes.items() if name != rule_id}
    await _save(visit, draft, others, rule_id)
    return _to(version_id)


@router.post("/versions/{version_id}/drop", response_class=HTMLResponse)
async def drop(visit: Drafting, version_id: UUID) -> RedirectResponse:
    """Throw a draft away; it stays on record."""
    draft = await _draft(visit, version_id)
    await store.drop(visit.connection, version_id)
    await visit.record("change", "rules", version_id, detail={"what": "drop the draft"})
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
    found = await store.locked(visit.connection, version_id)
    if found is None:
        raise MissingError
    zone = str((await shell(visit, "rules"))["zone"])
    begins = publishing.begins(effective_from, zone, visit.now)
    held = await gather.holding(visit, found.programme)
    seen = await gather.what_if(visit, found, held)
    signing = Signing(
        is_draft=found.is_draft,
        is_changed=found.changes != held.changes(visit.now),
        is_current=found.based_on == held.number,
        has_what_if=bool(seen and seen.is_current and seen.found and seen.run.patients is None),
        writers=found.writers,
        by=visit.staff.id,
        reason=reason,
        effective_from=begins or visit.now,
    )
    why = Refusal.PAST if begins is None else publishing.refusal(signing, now=visit.now)
    if why or seen is None:
        return await _page(request, visit, found, problem=str(why))
    publication = Publication(
        version=found,
        by=visit.staff.id,
        reason=reason.strip(),
        effective_from=signing.effective_from,
        replay=seen.run.result or {},
    )
    number = await store.publish(visit.connection, publication, now=visit.now)
    told = {"what": "publish", "number": number, "reason": reason.strip()}
    await visit.record("change", "rules", version_id, detail=told)
    return _to(version_id)


async def _draft(visit: Visit, version_id: UUID) -> Version:
    """Return a draft that nobody else changes meanwhile."""
    found = await store.locked(visit.connection, version_id)
    if found is None:
        raise MissingError
    if not found.is_draft:
        raise RefusedError("A published version is not changed. Begin a new draft.")
    return found


async def _save(
    visit: Visit, draft: Version, changes: dict[str, dict[str, object]], rule_id: str
) -> None:
    await store.save(visit.connection, draft.id, changes, by=visit.staff.id, now=visit.now)
    told = {"what": "edit the draft", "rule": rule_id, "changes": changes.get(rule_id, {})}
    await visit.record("change", "rules", draft.id, detail=told)


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
