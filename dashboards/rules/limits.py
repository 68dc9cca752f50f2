"""One patient's own alert limits: which rules hold, who set what, until when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from alerts.rules import Rule, RuleError
from dashboards.door import MissingError, Visit, holding
from dashboards.patients import rules as holding_for
from dashboards.patients import store as patients
from dashboards.patients.routes import banner, known
from dashboards.patients.store import Person
from dashboards.permissions import Verb
from dashboards.rules import editing, gather, publishing, store, words
from dashboards.rules.rows import Signed
from dashboards.rules.store import Limit
from dashboards.wiring import wiring

router = APIRouter(prefix="/patients/{patient_id}/limits", tags=["rules"])
Looking = Annotated[Visit, holding(Verb.SEE_PATIENT)]
Setting = Annotated[Visit, holding(Verb.SET_LIMITS)]
SEE_OTHER = 303
UNUSABLE = 422
WORDS = {"title": words.title, "sentence": words.sentence, "differences": words.differences}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A limit of a patient's own, as somebody asks for it."""

    rule_id: str
    changes: Mapping[str, object]
    reason: str
    last_day: str
    """As 2026-12-24, in the patient's zone."""


@router.get("", response_class=HTMLResponse)
async def limits(request: Request, visit: Looking, patient_id: UUID) -> HTMLResponse:
    """The rules that judge this patient's readings, and the patient's own limits."""
    who = await known(visit.connection, patient_id)
    await visit.record("look", "limits", patient_id, patient_id=patient_id)
    found = await store.overrides(visit.connection, visit.now, patient_id)
    return wiring(request).pages.html(
        request,
        "rules/limits.html",
        await banner(visit, who, "limits"),
        WORDS,
        rules=await in_force(visit, who, found),
        own=[each for each in found if each.level == "patient"],
        changed=levels(found, visit.now),
        past=await store.past(visit.connection, visit.now, patient_id),
        rule=gather.rule,
    )


@router.get("/rules/{rule_id}", response_class=HTMLResponse)
async def form(request: Request, visit: Setting, patient_id: UUID, rule_id: str) -> HTMLResponse:
    """The form of one rule for one patient."""
    who = await known(visit.connection, patient_id)
    return await _form(request, visit, who, rule_id)


@router.post("/rules/{rule_id}", response_class=HTMLResponse)
async def save(request: Request, visit: Setting, patient_id: UUID, rule_id: str) -> Response:
    """Give the patient a limit of their own, with a reason and an end."""
    who = await known(visit.connection, patient_id)
    filled = {name: str(value) for name, value in (await request.form()).items()}
    product = gather.rule(rule_id)
    try:
        wish = Wish(
            rule_id=rule_id,
            changes=editing.read(product, filled),
            reason=filled.get("reason", "").strip()[:500],
            last_day=filled.get("expires", ""),
        )
        await given(visit, who, wish)
    except RuleError as error:
        return await _form(request, visit, who, rule_id, filled=filled, problem=str(error))
    return _back(patient_id)


@router.post("/{limit_id}/end", response_class=HTMLResponse)
async def end(visit: Setting, patient_id: UUID, limit_id: UUID) -> RedirectResponse:
    """End a patient's own limit now."""
    await ended(visit, patient_id, limit_id)
    return _back(patient_id)


async def given(visit: Visit, who: Person, wish: Wish) -> None:
    """Give a patient a limit of their own; RuleError says what is missing."""
    limit = _limit(visit, who, wish)
    await store.set_limit(visit.connection, limit, now=visit.now)
    told = {"rule": wish.rule_id, "changes": wish.changes, "reason": wish.reason}
    told["expires"] = limit.expires_at.isoformat()
    await visit.record("change", "limits", who.id, patient_id=who.id, detail=told)


async def ended(visit: Visit, patient_id: UUID, limit_id: UUID) -> None:
    """End a patient's own limit now."""
    await known(visit.connection, patient_id)
    if not await store.end_limit(visit.connection, patient_id, limit_id, now=visit.now):
        raise MissingError
    told = {"what": "end", "limit": str(limit_id)}
    await visit.record("change", "limits", patient_id, patient_id=patient_id, detail=told)


def _limit(visit: Visit, who: Person, wish: Wish) -> Limit:
    ends = publishing.ends(wish.last_day, who.time_zone or "UTC", visit.now)
    if not wish.changes:
        raise RuleError("Nothing differs from the product's rule")
    if not wish.reason:
        raise RuleError("Say why: whoever gets the alert sees it")
    if ends is None:
        raise RuleError("Say until when: a day from today on, within a year")
    return Limit(
        patient_id=who.id,
        rule_id=wish.rule_id,
        changes=wish.changes,
        reason=wish.reason,
        by=visit.staff.id,
        expires_at=ends,
    )


def levels(found: list[Signed], now: datetime) -> dict[str, str]:
    """Whose change each rule has: the narrowest that holds now."""
    held = [each for each in found if each.effective_from <= now]
    return {o.rule_id: o.level for o in sorted(held, key=lambda o: o.override.level)}


async def in_force(visit: Visit, who: Person, found: list[Signed]) -> list[Rule]:
    """Return the rules that judge a patient's readings now."""
    stays = await patients.enrolments(visit.connection, who.id)
    subject = holding_for.subject(
        birth_date=who.birth_date,
        conditions=who.conditions,
        traits=who.traits,
        stays=[holding_for.stay(s.programme, s.profiles, s.enrolled_at) for s in stays],
        zone=who.time_zone or "UTC",
        patient_id=who.id,
    )
    return list(holding_for.in_force(subject, visit.now, [each.override for each in found]))


async def _form(  # noqa: PLR0913 -- the page, and what was filled in
    request: Request,
    visit: Visit,
    who: Person,
    rule_id: str,
    *,
    filled: dict[str, str] | None = None,
    problem: str = "",
) -> HTMLResponse:
    product = gather.rule(rule_id)
    found = await store.overrides(visit.connection, visit.now, who.id)
    own = next((o for o in found if o.level == "patient" and o.rule_id == rule_id), None)
    changes = own.told if own else {}
    return wiring(request).pages.html(
        request,
        "rules/form.html",
        await banner(visit, who, "limits"),
        WORDS,
        product=product,
        entries=editing.entries(product, changes),
        filled=filled or {},
        is_off=(filled or {}).get("on", "off" if changes.get("disabled") else "on") == "off",
        is_changed=False,
        severities=editing.SEVERITIES,
        back=f"/patients/{who.id}/limits",
        action=f"/patients/{who.id}/limits/rules/{rule_id}",
        of_patient=who,
        problem=problem,
        status=UNUSABLE if problem else 200,
    )


def _back(patient_id: UUID) -> RedirectResponse:
    return RedirectResponse(f"/patients/{patient_id}/limits", SEE_OTHER)
