"""The task list, the inbox, and the record's pages of both."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from dashboards.door import MissingError, Visit, holding
from dashboards.faces import Named
from dashboards.fetch import every, first, run
from dashboards.patients.routes import banner, known
from dashboards.permissions import Verb
from dashboards.shared import shell
from dashboards.wiring import wiring
from dashboards.work import store
from dashboards.work.store import QUERIES, Task

router = APIRouter(tags=["work"])
Documenting = Annotated[Visit, holding(Verb.DOCUMENT)]
SEE_OTHER = 303


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Something said."""

    id: UUID
    patient_id: UUID
    from_staff_id: UUID | None
    from_name: str | None
    body: str
    sent_at: datetime
    read_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread(Named):
    """A patient's conversation in one line."""

    patient_id: UUID
    family_name: str
    given_name: str
    mrn: str
    language: str
    body: str
    sent_at: datetime
    theirs: bool
    unread: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    patient_id: UUID


@router.get("/tasks", response_class=HTMLResponse)
async def tasks(request: Request, visit: Documenting) -> HTMLResponse:
    """One's own and the team's open tasks, by due day."""
    found = await open_tasks(visit)
    return wiring(request).pages.html(
        request, "work/tasks.html", await shell(visit, "tasks"), tasks=found
    )


async def open_tasks(visit: Visit) -> list[Task]:
    """Look at one's own and the team's open tasks."""
    found = await store.tasks_for(visit.connection, visit.staff.id)
    told = {"patients": sorted({str(task.patient_id) for task in found})}
    await visit.record("look", "tasks", visit.staff.id, detail=told)
    return found


@router.post("/tasks/{task_id}/done", response_class=HTMLResponse)
async def finish(
    visit: Documenting, task_id: UUID, back: Annotated[str, Form(max_length=20)] = ""
) -> Response:
    """Tick a task off, and return to the list that it was on."""
    patient_id = await finished(visit, task_id)
    there = f"/patients/{patient_id}/tasks" if back == "record" else "/tasks"
    return RedirectResponse(there, SEE_OTHER)


async def finished(visit: Visit, task_id: UUID) -> UUID:
    """Tick off an open task of this organisation; return whose it was."""
    fields = {"task_id": task_id, "staff_id": visit.staff.id, "now": visit.now}
    done = await first(visit.connection, _Done, QUERIES["finish_task"], fields)
    if done is None:
        raise MissingError
    await visit.record("change", "task", task_id, patient_id=done.patient_id)
    return done.patient_id


@router.get("/patients/{patient_id}/tasks", response_class=HTMLResponse)
async def patient_tasks(request: Request, visit: Documenting, patient_id: UUID) -> HTMLResponse:
    """What is to be done for one patient."""
    who = await known(visit.connection, patient_id)
    found = await tasks_of(visit, patient_id)
    return wiring(request).pages.html(
        request, "work/patient_tasks.html", await banner(visit, who, "tasks"), tasks=found
    )


async def tasks_of(visit: Visit, patient_id: UUID) -> list[Task]:
    """Look at the open tasks of one patient."""
    await visit.record("look", "tasks", patient_id, patient_id=patient_id)
    return await store.tasks_of(visit.connection, patient_id)


@router.post("/patients/{patient_id}/tasks", response_class=HTMLResponse)
async def add_task(
    visit: Documenting,
    patient_id: UUID,
    title: Annotated[str, Form(min_length=1, max_length=200)],
    due_on: Annotated[date, Form()],
    whose: Annotated[str, Form()] = "team",
) -> Response:
    """Add a task for oneself or for the team."""
    await added_task(visit, patient_id, title, due_on, mine=whose == "me")
    return RedirectResponse(f"/patients/{patient_id}/tasks", SEE_OTHER)


async def added_task(
    visit: Visit, patient_id: UUID, title: str, due_on: date, *, mine: bool
) -> UUID:
    """Add a task for oneself or for the team; return its id."""
    await known(visit.connection, patient_id)
    fields = {
        "patient_id": patient_id,
        "title": title,
        "due_on": due_on,
        "assigned_to": visit.staff.id if mine else None,
        "staff_id": visit.staff.id,
        "now": visit.now,
    }
    made = await _made(visit, "add_task", fields)
    await visit.record("change", "task", made, patient_id=patient_id)
    return made


@router.get("/messages", response_class=HTMLResponse)
async def inbox(request: Request, visit: Documenting) -> HTMLResponse:
    """Conversations, unread first."""
    found = await threads(visit)
    return wiring(request).pages.html(
        request, "work/inbox.html", await shell(visit, "messages"), threads=found
    )


async def threads(visit: Visit) -> list[Thread]:
    """Look at every conversation in one line, unread first."""
    found = await every(visit.connection, Thread, QUERIES["inbox"], {})
    told = {"patients": [str(thread.patient_id) for thread in found]}
    await visit.record("look", "messages", "inbox", detail=told)
    return found


@router.get("/patients/{patient_id}/messages", response_class=HTMLResponse)
async def thread(request: Request, visit: Documenting, patient_id: UUID) -> HTMLResponse:
    """The conversation with one patient; reading it is on record."""
    who = await known(visit.connection, patient_id)
    found = await conversation(visit, patient_id)
    return wiring(request).pages.html(
        request,
        "work/thread.html",
        await banner(visit, who, "messages"),
        messages=list(reversed(found)),
    )


async def conversation(visit: Visit, patient_id: UUID) -> list[Message]:
    """Look at what was said, newest first; it counts as read."""
    fields = {"patient_id": patient_id, "now": visit.now}
    found = await every(visit.connection, Message, QUERIES["thread"], fields)
    await run(visit.connection, QUERIES["mark_read"], fields)
    await visit.record("look", "messages", patient_id, patient_id=patient_id)
    return found


@router.post("/patients/{patient_id}/messages", response_class=HTMLResponse)
async def send(
    visit: Documenting,
    patient_id: UUID,
    body: Annotated[str, Form(min_length=1, max_length=2000)],
) -> Response:
    """Write to a patient."""
    await sent(visit, patient_id, body)
    return RedirectResponse(f"/patients/{patient_id}/messages", SEE_OTHER)


async def sent(visit: Visit, patient_id: UUID, body: str) -> UUID:
    """Write to a patient; return the message's id."""
    await known(visit.connection, patient_id)
    fields = {
        "patient_id": patient_id,
        "staff_id": visit.staff.id,
        "body": body,
        "now": visit.now,
    }
    made = await _made(visit, "send", fields)
    await visit.record("change", "message", made, patient_id=patient_id)
    return made


async def _made(visit: Visit, name: str, fields: dict[str, object]) -> UUID:
    """Run an insert that returns the id."""
    made = await first(visit.connection, _Made, QUERIES[name], fields)
    if made is None:
        raise RuntimeError("an insert returned no row")
    return made.id
