"""Breaking the glass, giving it back, reviewing it, and which teams are closed."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from dashboards.access import glass, store
from dashboards.access.glass import LASTS, Asked, Behind, Cause
from dashboards.door import MissingError, RefusedError, Visit, holding
from dashboards.permissions import Verb, may
from dashboards.shared import shell
from dashboards.wiring import wiring

router = APIRouter(tags=["access"])
Breaking = Annotated[Visit, holding(Verb.BREAK_GLASS)]
Reviewing = Annotated[Visit, holding(Verb.SEE_AUDIT)]
Administering = Annotated[Visit, holding(Verb.ADMINISTER)]
SEE_OTHER = 303
MOST = 200


@router.get("/patients/{patient_id}/open", response_class=HTMLResponse)
async def ask(request: Request, visit: Breaking, patient_id: UUID) -> Response:
    """Say whose record is closed, and ask why it must be opened."""
    found = await _behind(visit, patient_id)
    if found is None:
        return _record_of(patient_id)
    await visit.record("look", "glass", patient_id, patient_id=patient_id)
    return await _asking(request, visit, found, Asked())


@router.post("/patients/{patient_id}/open", response_class=HTMLResponse)
async def break_glass(
    request: Request,
    visit: Breaking,
    patient_id: UUID,
    cause: Annotated[str, Form(max_length=40)] = "",
    reason: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Open the record for an hour; the reason is on the trail and in the review."""
    found = await _behind(visit, patient_id)
    if found is None:
        return _record_of(patient_id)
    asked = Asked(cause=cause, reason=reason.strip())
    problem = glass.problem_with(asked)
    if problem is not None:
        return await _asking(request, visit, found, asked, problem)
    until = await store.break_glass(
        visit.connection, asked, staff_id=visit.staff.id, patient_id=patient_id, now=visit.now
    )
    told = {"cause": asked.cause, "reason": asked.reason, "until": until.isoformat()}
    await visit.record("break_glass", "patient", patient_id, patient_id=patient_id, detail=told)
    return _record_of(patient_id)


@router.post("/access/{glass_id}/end", response_class=HTMLResponse)
async def end(visit: Breaking, glass_id: UUID) -> Response:
    """Give an opened record back."""
    if not await store.end(visit.connection, glass_id, visit.staff.id, visit.now):
        raise MissingError
    await visit.record("change", "glass", glass_id, detail={"what": "ended"})
    return RedirectResponse("/worklist", SEE_OTHER)


@router.get("/access", response_class=HTMLResponse)
async def review_page(request: Request, visit: Reviewing) -> HTMLResponse:
    """What was opened by breaking the glass; for administrators also the teams."""
    await visit.record("look", "glass", "all")
    teams = await store.teams(visit.connection) if may(visit.staff.role, Verb.ADMINISTER) else None
    return wiring(request).pages.html(
        request,
        "access/page.html",
        await shell(visit, "access"),
        broken=await store.queue(visit.connection, MOST),
        teams=teams,
    )


@router.post("/access/{glass_id}/review", response_class=HTMLResponse)
async def review(
    visit: Reviewing,
    glass_id: UUID,
    verdict: Annotated[str, Form(max_length=10)] = "",
    note: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Mark one as reviewed, with a note and a verdict."""
    await reviewed(visit, glass_id, verdict, note.strip())
    return RedirectResponse("/access", SEE_OTHER)


async def reviewed(visit: Visit, glass_id: UUID, verdict: str, note: str) -> None:
    """Mark one as reviewed, by somebody else than whoever broke the glass."""
    found = await store.queue(visit.connection, 1, only=glass_id)
    if not found:
        raise MissingError
    problem = glass.problem_with_review(
        opened_by=found[0].staff_id, reviewer=visit.staff.id, verdict=verdict, note=note
    )
    if problem is not None:
        raise RefusedError(problem)
    done = await store.review(
        visit.connection,
        glass_id,
        staff_id=visit.staff.id,
        justified=verdict == "yes",
        note=note,
        now=visit.now,
    )
    if not done:
        raise RefusedError("Somebody has reviewed this already. Reload the page.")
    told, patient = {"justified": verdict, "note": note}, found[0].patient_id
    await visit.record("review", "glass", glass_id, patient_id=patient, detail=told)


@router.post("/access/teams/{team_id}", response_class=HTMLResponse)
async def close_team(
    visit: Administering, team_id: UUID, closed: Annotated[str, Form(max_length=5)] = ""
) -> Response:
    """Close a team's patients to others, or open them."""
    await closed_off(visit, team_id, closed=closed == "yes")
    return RedirectResponse("/access", SEE_OTHER)


async def closed_off(visit: Visit, team_id: UUID, *, closed: bool) -> None:
    """Close a team's patients to others, or open them."""
    known = {team.id for team in await store.teams(visit.connection)}
    if team_id not in known:
        raise MissingError
    if not await store.close(visit.connection, team_id, closed=closed):
        raise RefusedError("Give the team members first: nobody would see its patients.")
    await visit.record("change", "care_team", team_id, detail={"closed": closed})


async def _behind(visit: Visit, patient_id: UUID) -> Behind | None:
    """Return whom the glass hides, None if the record is open anyway, or nothing at all."""
    found = await store.behind(visit.connection, patient_id)
    if found is None and not await store.is_open(visit.connection, patient_id):
        raise MissingError
    return found


def _record_of(patient_id: UUID) -> RedirectResponse:
    return RedirectResponse(f"/patients/{patient_id}", SEE_OTHER)


async def _asking(
    request: Request,
    visit: Visit,
    found: Behind,
    asked: Asked,
    problem: str = "",
) -> HTMLResponse:
    return wiring(request).pages.html(
        request,
        "access/ask.html",
        await shell(visit, "patients"),
        person=found,
        causes=list(Cause),
        asked=asked,
        problem=problem,
        minutes=int(LASTS.total_seconds() // 60),
        status=422 if problem else 200,
    )
