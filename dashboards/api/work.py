"""Tasks and messages for programs."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Response
from pydantic import Field

from dashboards.api import edge
from dashboards.api.edge import (
    Asked,
    GivenDate,
    Listed,
    Made,
    Moment,
    New,
    Page,
    Text,
    Told,
)
from dashboards.door import Visit, holding
from dashboards.patients.routes import known
from dashboards.permissions import Verb
from dashboards.work import routes as work
from dashboards.work import store

router = edge.router("work")
Documenting = Annotated[Visit, holding(Verb.DOCUMENT)]


class Task(Told):
    """Something to be done."""

    id: UUID
    patient_id: UUID
    title: str
    due_on: date
    assigned_to: Annotated[UUID | None, Field(description="Null: the team's.")]
    assigned_name: str | None
    family_name: str
    given_name: str
    mrn: str


class NewTask(Asked):
    """A task for oneself or for the team."""

    title: Annotated[Text, Field(min_length=1, max_length=200)]
    due_on: GivenDate
    mine: Annotated[bool, Field(strict=True, description="False: the team's.")] = False


class Thread(Told):
    """A conversation in one line."""

    patient_id: UUID
    family_name: str
    given_name: str
    mrn: str
    language: str
    body: Annotated[str, Field(description="The last message.")]
    sent_at: Moment
    theirs: Annotated[bool, Field(description="The last message is the patient's.")]
    unread: int


class Message(Told):
    """Something said."""

    id: UUID
    from_staff_id: Annotated[UUID | None, Field(description="Null: the patient.")]
    from_name: str | None
    body: str
    sent_at: Moment
    read_at: Moment | None


class NewMessage(Asked):
    """What to say."""

    body: Annotated[Text, Field(min_length=1, max_length=2000)]


@router.get("/tasks", response_model=Page[Task])
async def tasks(visit: Documenting) -> Listed[store.Task]:
    """One's own and the team's open tasks, by due day."""
    return Listed(items=await work.open_tasks(visit))


@router.post("/tasks/{task_id}/done", status_code=204)
async def finish_task(visit: Documenting, task_id: UUID) -> Response:
    """Tick a task off."""
    await work.finished(visit, task_id)
    return Response(status_code=204)


@router.get("/patients/{patient_id}/tasks", response_model=Page[Task])
async def patient_tasks(visit: Documenting, patient_id: UUID) -> Listed[store.Task]:
    """What is to be done for one patient."""
    await known(visit.connection, patient_id)
    return Listed(items=await work.tasks_of(visit, patient_id))


@router.post("/patients/{patient_id}/tasks", status_code=201, response_model=Made)
async def add_task(visit: Documenting, patient_id: UUID, asked: NewTask) -> New:
    """Add a task for oneself or for the team."""
    made = await work.added_task(visit, patient_id, asked.title, asked.due_on, mine=asked.mine)
    return New(id=made)


@router.get("/messages", response_model=Page[Thread])
async def messages(visit: Documenting) -> Listed[work.Thread]:
    """Conversations, unread first."""
    return Listed(items=await work.threads(visit))


@router.get("/patients/{patient_id}/messages", response_model=Page[Message])
async def conversation(visit: Documenting, patient_id: UUID) -> Listed[work.Message]:
    """What was said, newest first; it counts as read."""
    await known(visit.connection, patient_id)
    return Listed(items=await work.conversation(visit, patient_id))


@router.post("/patients/{patient_id}/messages", status_code=201, response_model=Made)
async def send_message(visit: Documenting, patient_id: UUID, asked: NewMessage) -> New:
    """Write to a patient."""
    return New(id=await work.sent(visit, patient_id, asked.body))
