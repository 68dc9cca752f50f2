"""Actions that ask first: take over, snooze, escalate, and the same for several episodes."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse, Response

from alerts import queue
from alerts.lifecycle import Outcome, Refusal
from alerts.severity import Severity
from dashboards.door import MissingError, RefusedError, Visit, holding
from dashboards.permissions import Verb
from dashboards.wiring import wiring
from dashboards.worklist import gather, snooze, store
from dashboards.worklist.actions import actor
from dashboards.worklist.answer import Answer, answer, answer_many
from dashboards.worklist.snooze import Until

router = APIRouter(tags=["episodes"])
Acting = Annotated[Visit, holding(Verb.ACT)]
Ids = Annotated[list[UUID] | None, Query(max_length=100)]
WHY_SNOOZE = ("Patient will measure again", "Reached, waiting for effect", "Known, plan in place")
WHY_TAKE = ("Owner is away", "Agreed with the owner", "Patient called me")


def _dialog(request: Request, title: str, post: str, button: str, **more: object) -> HTMLResponse:
    """Render one question."""
    nothing = {"about": "", "ids": [], "choices": [], "choices_legend": "", "reasons": ()}
    context = nothing | {"hint": "", "title": title, "post": post, "button": button} | more
    return wiring(request).pages.html(request, "worklist/ask.html", context)


@router.get("/episodes/{episode_id}/take-over", response_class=HTMLResponse)
async def ask_take_over(request: Request, visit: Acting, episode_id: UUID) -> HTMLResponse:
    """Ask why somebody takes an episode from its owner."""
    row = await gather.episode(visit.connection, episode_id)
    return _dialog(
        request,
        f"Take over {row.name}?",
        f"/episodes/{episode_id}/take-over",
        "Take over",
        about=f"{row.owner_name or 'Nobody'} has it and will be told.",
        reasons=WHY_TAKE,
    )


@router.post("/episodes/{episode_id}/take-over", response_class=HTMLResponse)
async def take_over(request: Request, visit: Acting, episode_id: UUID) -> Response:
    """Take an episode from its owner."""
    reason = str((await request.form()).get("reason", ""))[:300]
    done = await queue.take_over(visit.connection, episode_id, actor(visit), reason, now=visit.now)
    to_say = Answer(said="Took over", undo=True)
    return _closing(await answer(request, visit, episode_id, done, to_say))


@router.get("/episodes/{episode_id}/snooze", response_class=HTMLResponse)
async def ask_snooze(request: Request, visit: Acting, episode_id: UUID) -> HTMLResponse:
    """Ask until when and why."""
    row = await gather.episode(visit.connection, episode_id)
    return _dialog(
        request,
        f"Snooze {row.name}",
        f"/episodes/{episode_id}/snooze",
        "Snooze",
        choices=snooze.choices([row.severity], visit.now, visit.zone),
        choices_legend="Until",
        reasons=WHY_SNOOZE,
        hint=f"At most {snooze.longest(row.severity)}. A worse reading wakes it at once.",
    )


@router.post("/episodes/{episode_id}/snooze", response_class=HTMLResponse)
async def snooze_one(request: Request, visit: Acting, episode_id: UUID) -> Response:
    """Let an episode rest."""
    form = await request.form()
    done = await snoozed(visit, episode_id, str(form.get("until", "")), str(form.get("reason", "")))
    to_say = Answer(said="Snoozed", undo=True)
    return _closing(await answer(request, visit, episode_id, done, to_say))


async def snoozed(visit: Visit, episode_id: UUID, until: str, reason: str) -> Outcome:
    """Snooze one episode."""
    row = await gather.episode(visit.connection, episode_id)
    try:
        wanted = Until(until)
    except ValueError:
        return Refusal.NOT_AHEAD
    ends = snooze.moment(wanted, Severity(row.severity), visit.now, visit.zone)
    return await queue.snooze(
        visit.connection,
        episode_id,
        actor(visit),
        ends,
        reason[:300],
        now=visit.now,
        on_reading=wanted is Until.READING,
    )


@router.get("/episodes/{episode_id}/escalate", response_class=HTMLResponse)
async def ask_escalate(request: Request, visit: Acting, episode_id: UUID) -> HTMLResponse:
    """Ask why, before a provider is paged."""
    row = await gather.episode(visit.connection, episode_id)
    return _dialog(
        request,
        f"Escalate {row.name}?",
        f"/episodes/{episode_id}/escalate",
        "Escalate",
        about="The supervising provider is paged in ten seconds unless you undo it.",
    )


@router.post("/episodes/{episode_id}/escalate", response_class=HTMLResponse)
async def escalate(request: Request, visit: Acting, episode_id: UUID) -> Response:
    """Send an episode upwards."""
    reason = str((await request.form()).get("reason", ""))[:300]
    done = await queue.escalate(visit.connection, episode_id, actor(visit), reason, now=visit.now)
    to_say = Answer(said="Escalated", undo=True)
    return _closing(await answer(request, visit, episode_id, done, to_say))


@router.post("/worklist/bulk/claim", response_class=HTMLResponse)
async def claim_several(request: Request, visit: Acting) -> Response:
    """Claim the ticked episodes; each answer stands for itself."""
    ids = await _ticked(request)
    done = await queue.bulk_claim(visit.connection, ids, actor(visit), now=visit.now)
    return await answer_many(request, visit, done, "Claimed")


@router.get("/worklist/bulk/snooze", response_class=HTMLResponse)
async def ask_snooze_several(request: Request, visit: Acting, ids: Ids = None) -> HTMLResponse:
    """Ask until when and why, for several; the worst severity limits the choices."""
    rows = await store.by_id(visit.connection, ids or [])
    if not rows:
        raise MissingError
    worst = min(row.severity for row in rows)
    return _dialog(
        request,
        f"Snooze {len(rows)} patients",
        "/worklist/bulk/snooze",
        "Snooze",
        ids=[row.id for row in rows],
        choices=snooze.choices([worst], visit.now, visit.zone),
        choices_legend="Until",
        reasons=WHY_SNOOZE,
        hint=f"At most {snooze.longest(worst)}: the worst of them decides.",
    )


@router.post("/worklist/bulk/snooze", response_class=HTMLResponse)
async def snooze_several(request: Request, visit: Acting) -> Response:
    """Let the ticked episodes rest."""
    form = await request.form()
    until, reason = str(form.get("until", "")), str(form.get("reason", ""))
    done = {
        each: await snoozed(visit, each, until, reason) for each in sorted(await _ticked(request))
    }
    return _closing(await answer_many(request, visit, done, "Snoozed"))


async def _ticked(request: Request) -> list[UUID]:
    """Return the ticked ids of a form."""
    try:
        ids = [UUID(str(each)) for each in (await request.form()).getlist("ids")]
    except ValueError as error:
        raise MissingError from error
    if not ids or len(ids) > 100:  # noqa: PLR2004 -- more is no longer a selection
        raise RefusedError("Select between 1 and 100 patients.")
    return ids


def _closing(response: Response) -> Response:
    """Tell the page to close its dialog."""
    response.headers["Tidings-Close-Dialog"] = "1"
    return response
