"""What staff do with an episode, one route each; every answer is the changed HTML itself."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from alerts import closing as closing_form
from alerts import queue
from alerts.lifecycle import Actor, Episode, Outcome, Refusal
from alerts.severity import Severity
from dashboards.door import Visit, holding
from dashboards.fetch import run
from dashboards.minutes import store as minutes
from dashboards.minutes.store import Work
from dashboards.permissions import Verb
from dashboards.wiring import wiring
from dashboards.worklist import closing, gather, store
from dashboards.worklist.answer import Answer, answer, shown_filters

router = APIRouter(prefix="/episodes/{episode_id}", tags=["episodes"])
Acting = Annotated[Visit, holding(Verb.ACT)]


def actor(visit: Visit) -> Actor:
    """Return the visitor as the alert queue knows them."""
    staff = visit.staff
    return Actor(staff_id=staff.id, organisation_id=staff.organisation_id, role=staff.role)


@router.post("/claim", response_class=HTMLResponse)
async def claim(request: Request, visit: Acting, episode_id: UUID) -> Response:
    """Take an unowned episode."""
    done = await queue.claim(visit.connection, episode_id, actor(visit), now=visit.now)
    return await answer(request, visit, episode_id, done, Answer(said="Claimed", undo=True))


@router.post("/release", response_class=HTMLResponse)
async def release(request: Request, visit: Acting, episode_id: UUID) -> Response:
    """Put one's own episode back."""
    done = await queue.release(visit.connection, episode_id, actor(visit), now=visit.now)
    return await answer(request, visit, episode_id, done, Answer(said="Released", undo=True))


@router.post("/undo", response_class=HTMLResponse)
async def undo(request: Request, visit: Acting, episode_id: UUID) -> Response:
    """Take back one's own last step."""
    done = await queue.undo(visit.connection, episode_id, actor(visit), now=visit.now)
    return await answer(request, visit, episode_id, done, Answer(said="Undone:"))


@router.post("/viewing", status_code=204)
async def viewing(visit: Acting, episode_id: UUID) -> Response:
    """A heartbeat of somebody who looks at an episode; keeps the lease of its owner."""
    row = await gather.episode(visit.connection, episode_id)
    if row.owner_id == visit.staff.id and row.closed_at is None:
        await queue.keep(visit.connection, episode_id, actor(visit), now=visit.now)
    fields = {
        "episode_id": episode_id,
        "staff_id": visit.staff.id,
        "name": visit.staff.display_name.split()[0],
    }
    await run(visit.connection, store.QUERIES["viewing"], fields)
    return Response(status_code=204)


@router.put("/draft", response_class=HTMLResponse)
async def draft(request: Request, visit: Acting, episode_id: UUID) -> HTMLResponse:
    """Keep a half-written note."""
    form = await text_form(request)
    await gather.episode(visit.connection, episode_id)
    fields = {
        "staff_id": visit.staff.id,
        "episode_id": episode_id,
        "outcome": closing.packed(form),
        "note": form.get("note", "")[:4000],
        "now": visit.now,
    }
    await run(visit.connection, store.QUERIES["save_draft"], fields)
    return HTMLResponse("Draft saved")


@router.post("/note", response_class=HTMLResponse)
async def note(request: Request, visit: Acting, episode_id: UUID) -> Response:
    """Add a note and keep the episode open."""
    form = await text_form(request)
    done = await noted(visit, episode_id, form.get("note", "")[:4000])
    if done is Refusal.REASON_NEEDED:
        return await refused(request, visit, episode_id, "Write a note first.")
    return await answer(request, visit, episode_id, done, Answer(said="Note added:"))


async def noted(visit: Visit, episode_id: UUID, words: str) -> Outcome:
    """Add a note to the timeline; its draft is done with."""
    done = await queue.note(visit.connection, episode_id, actor(visit), words, now=visit.now)
    if isinstance(done, Episode):
        await _drop_draft(visit, episode_id)
    return done


@router.post("/resolve", response_class=HTMLResponse)
async def resolve(
    request: Request,
    visit: Acting,
    episode_id: UUID,
    *,
    next: bool = False,  # noqa: A002 -- the word in the address
) -> Response:
    """Close an episode with its documentation; with `next`, open the most pressing one."""
    form = await text_form(request)
    try:
        filled = closing.parse(form, signed_by=visit.staff.title)
    except ValueError as error:
        return await refused(request, visit, episode_id, str(error))
    done = await resolved(visit, episode_id, filled)
    if done is Refusal.FORM_INCOMPLETE:
        return await refused(request, visit, episode_id, await missing(visit, episode_id, filled))
    following = await _following(visit) if next and isinstance(done, Episode) else None
    said = Answer(said="Resolved", undo=True, opens=following)
    return await answer(request, visit, episode_id, done, said)


async def resolved(visit: Visit, episode_id: UUID, filled: closing_form.ClosingForm) -> Outcome:
    """Close an episode: its form, its draft, the time that was spent on it."""
    done = await queue.resolve(visit.connection, episode_id, actor(visit), filled, now=visit.now)
    if isinstance(done, Episode):
        await _drop_draft(visit, episode_id)
        await _save_time(visit, done, filled)
    return done


async def take_next(visit: Visit) -> Outcome:
    """Claim the most pressing unowned episode."""
    return await queue.take_next(visit.connection, actor(visit), ["rn_triage"], now=visit.now)


async def _following(visit: Visit) -> UUID | None:
    taken = await take_next(visit)
    return taken.id if isinstance(taken, Episode) else None


async def missing(visit: Visit, episode_id: UUID, filled: closing_form.ClosingForm) -> str:
    """Say what the closing form lacks."""
    found = await queue.find(visit.connection, episode_id)
    severity = Severity(found.worst_severity) if found else Severity.CRITICAL
    return closing.missing(closing_form.incomplete(filled, severity))


async def _save_time(visit: Visit, episode: Episode, filled: closing_form.ClosingForm) -> None:
    """Turn the time spent into entries: the closing form says what it was."""
    contact = filled.contacts[0] if filled.contacts else None
    work = Work(
        activity="live_contact" if filled.interactive else "review",
        note=filled.note,
        interactive=filled.interactive,
        mode=contact.mode if contact and filled.interactive else None,
        with_whom=contact.who if contact and filled.interactive else None,
    )
    if visit.may(Verb.DOCUMENT):
        await minutes.save(visit, episode.patient_id, work, episode_id=episode.id)


async def _drop_draft(visit: Visit, episode_id: UUID) -> None:
    fields = {"staff_id": visit.staff.id, "episode_id": episode_id}
    await run(visit.connection, store.QUERIES["drop_draft"], fields)


async def text_form(request: Request) -> dict[str, str]:
    """Return the text fields of a form."""
    return {name: str(value) for name, value in (await request.form()).items()}


async def refused(request: Request, visit: Visit, episode_id: UUID, problem: str) -> HTMLResponse:
    """Answer with what is wrong, beside the form."""
    return wiring(request).pages.html(
        request,
        "worklist/answer.html",
        gather.shared(visit, shown_filters(request)),
        status=422,
        rows=[],
        gone=frozenset(),
        pane=None,
        counts=None,
        toast="",
        problem=problem,
        problem_at=episode_id,
    )
