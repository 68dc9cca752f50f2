"""Beats of the timer, and the record's Time page."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Request
from pydantic import BaseModel, Field
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from dashboards.door import MissingError, RefusedError, Visit, holding
from dashboards.minutes import store
from dashboards.minutes.month import month_start
from dashboards.minutes.store import Work
from dashboards.minutes.timer import Beat, Event, Reason
from dashboards.patients.routes import banner, known
from dashboards.permissions import Verb
from dashboards.wiring import wiring

router = APIRouter(prefix="/patients/{patient_id}", tags=["time"])
Documenting = Annotated[Visit, holding(Verb.DOCUMENT)]
SEE_OTHER = 303
ACTIVITIES = {
    "review": "Review of data",
    "live_contact": "Live contact",
    "documentation": "Documentation",
    "care_plan": "Care-plan change",
    "coordination": "Coordination",
}
MODES = {"audio": "Telephone", "video": "Video", "in_person": "In person"}


@router.post("/beat")
async def beat(
    visit: Documenting,
    patient_id: UUID,
    timer_id: Annotated[UUID, Form()],
    event: Annotated[Event, Form()],
    reason: Annotated[Reason, Form()] = Reason.NONE,
) -> JSONResponse:
    """Take one beat; say whether this timer runs and how much is counted."""
    await known(visit.connection, patient_id)
    said = Beat(patient_id=patient_id, timer_id=timer_id, event=event, reason=reason)
    running = await store.hear(visit, said)
    mine = running if running and running.timer_id == timer_id else None
    return JSONResponse(
        {
            "running": bool(mine and mine.since),
            "seconds": int(mine.counted(visit.now)) if mine else 0,
            "elsewhere": running is not None and mine is None,
        }
    )


@router.get("/time", response_class=HTMLResponse)
async def time_page(request: Request, visit: Documenting, patient_id: UUID) -> HTMLResponse:
    """Everything counted for a patient, and what waits to be saved."""
    who = await known(visit.connection, patient_id)
    await visit.record("look", "time", patient_id, patient_id=patient_id)
    since = month_start(visit)
    return wiring(request).pages.html(
        request,
        "minutes/page.html",
        await banner(visit, who, "time"),
        entries=await store.entries(visit, patient_id, since - timedelta(days=62)),
        unsaved=await store.unsaved(visit, patient_id),
        month_seconds=await store.month_seconds(visit, patient_id, since),
        activities=ACTIVITIES,
        modes=MODES,
        problem=PROBLEMS.get(request.query_params.get("problem", ""), ""),
    )


PROBLEMS = {
    "overlap": "You already have time for another patient in that interval.",
    "order": "The end must come after the start, and not lie in the future.",
    "words": "Say what you did: activity and note are needed.",
    "reason": "A correction needs a reason.",
}


@router.post("/time/save", response_class=HTMLResponse)
async def save(
    visit: Documenting,
    patient_id: UUID,
    activity: Annotated[str, Form()],
    note: Annotated[str, Form(max_length=2000)],
    mode: Annotated[str, Form()] = "",
) -> Response:
    """Turn the timer's unsaved time into entries."""
    await known(visit.connection, patient_id)
    if activity not in ACTIVITIES or not note.strip():
        return _back(patient_id, "words")
    seconds = await store.save(visit, patient_id, _work(activity, note, mode))
    await visit.record(
        "change", "time", patient_id, patient_id=patient_id, detail={"seconds": seconds}
    )
    return _back(patient_id)


class ByHand(BaseModel):
    """The form for time that no timer counted."""

    activity: str
    note: Annotated[str, Field(max_length=2000)]
    started: datetime
    minutes: Annotated[float, Field(gt=0, le=480)]
    mode: str = ""


@router.post("/time/add", response_class=HTMLResponse)
async def add(visit: Documenting, patient_id: UUID, form: Annotated[ByHand, Form()]) -> Response:
    """Add time by hand."""
    began = form.started.replace(tzinfo=ZoneInfo(visit.zone))
    return _back(patient_id, await added(visit, patient_id, began, form))


async def added(visit: Visit, patient_id: UUID, began: datetime, form: ByHand) -> str:
    """Add time by hand from `began` on; return which of PROBLEMS stands against it, or nothing."""
    await known(visit.connection, patient_id)
    if form.activity not in ACTIVITIES or not form.note.strip():
        return "words"
    if began > visit.now:
        return "order"
    ends = began + timedelta(minutes=form.minutes)
    problem = await _placed(visit, patient_id, began, ends)
    if problem:
        return problem
    work = _work(form.activity, form.note, form.mode)
    await store.add(visit, patient_id, work, started_at=began, ended_at=ends, source="manual")
    await visit.record("change", "time", patient_id, patient_id=patient_id, detail={"by": "hand"})
    return ""


@router.post("/time/{entry_id}/correct", response_class=HTMLResponse)
async def correct(
    visit: Documenting,
    patient_id: UUID,
    entry_id: UUID,
    minutes: Annotated[float, Form(ge=0, le=480)],
    reason: Annotated[str, Form(max_length=300)],
) -> Response:
    """Shorten or withdraw one's own entry; the original stays, with the reason."""
    return _back(patient_id, await corrected(visit, patient_id, entry_id, minutes, reason))


async def corrected(
    visit: Visit, patient_id: UUID, entry_id: UUID, minutes: float, reason: str
) -> str:
    """Shorten or withdraw one's own entry; return which of PROBLEMS stands against it."""
    await known(visit.connection, patient_id)
    old = await store.original(visit, patient_id, entry_id)
    if old is None:
        raise MissingError
    if old.staff_id != visit.staff.id:
        raise RefusedError("Only the person whose time it is can correct it.")
    if not reason.strip():
        return "reason"
    await store.withdraw(visit, patient_id, entry_id)
    ends = old.started_at + timedelta(minutes=minutes)
    if minutes > 0:
        work = Work(
            activity=old.activity,
            note=old.note,
            interactive=old.interactive,
            mode=old.mode,
            with_whom=old.with_whom,
            programme=old.programme,
        )
        await store.add(
            visit,
            patient_id,
            work,
            started_at=old.started_at,
            ended_at=ends,
            source="manual",
            timer_id=old.timer_id,
            episode_id=old.episode_id,
            replaces=old.id,
            correction_reason=reason.strip(),
        )
    await visit.record(
        "change",
        "time_entry",
        entry_id,
        patient_id=patient_id,
        detail={"was_seconds": old.seconds, "minutes": minutes, "reason": reason.strip()},
    )
    return ""


async def _placed(visit: Visit, patient_id: UUID, began: datetime, ends: datetime) -> str:
    """Return what is wrong with an interval, or nothing."""
    if ends <= began or ends > visit.now:
        return "order"
    return "overlap" if await store.overlaps(visit, patient_id, began, ends) else ""


def _work(activity: str, note: str, mode: str) -> Work:
    """Return the words of an entry; only live contact by voice or in person is interactive."""
    live = activity == "live_contact" and mode in MODES
    return Work(
        activity=activity,
        note=note.strip(),
        interactive=live,
        mode=mode if live else None,
        with_whom="patient" if live else None,
    )


def _back(patient_id: UUID, problem: str = "") -> RedirectResponse:
    tail = f"?problem={problem}" if problem else ""
    return RedirectResponse(f"/patients/{patient_id}/time{tail}", SEE_OTHER)
