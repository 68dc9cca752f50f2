"""One episode for programs: everything about it, and what staff do with it."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from alerts import queue
from alerts.closing import Action, Judged
from alerts.lifecycle import Outcome, Refusal
from dashboards.api import edge
from dashboards.api.edge import (
    Asked,
    ConflictError,
    Moment,
    Reason,
    SeverityWord,
    Text,
    Told,
)
from dashboards.api.worklist import EpisodeRow
from dashboards.door import MissingError, Visit, holding
from dashboards.permissions import Verb
from dashboards.worklist import actions, asking, closing, gather, store
from dashboards.worklist.actions import actor
from dashboards.worklist.snooze import Until

router = edge.router("episodes")
Looking = Annotated[Visit, holding(Verb.SEE_WORKLIST)]
Acting = Annotated[Visit, holding(Verb.ACT)]
Ids = Annotated[list[UUID], Field(min_length=1, max_length=100)]


class Alert(Told):
    """One alert of an episode."""

    id: UUID
    rule_id: str
    rule_version: str
    profile: str
    kind: str
    severity: SeverityWord
    headline: str
    why: str
    computed: Annotated[
        dict[str, object], Field(description="The compared values, in the rule's stored units.")
    ]
    raised_at: Moment
    last_breach_at: Moment
    breaches: int
    late: Annotated[bool, Field(description="The reading came long after it was measured.")]


class Happening(Told):
    """One line of the timeline."""

    at: Moment
    action: str
    reason: str
    by_name: str | None
    headline: str | None


class Step(Told):
    """One step of a protocol."""

    text: str
    hint: str


class Protocol(Told):
    """What the leading alert's rule asks for."""

    name: str
    steps: list[Step]
    red_flag: str


class EpisodeDetail(Told):
    """Everything about one episode."""

    row: EpisodeRow
    alerts: list[Alert]
    timeline: Annotated[list[Happening], Field(description="Newest first.")]
    background: Annotated[list[str], Field(description="What is usual for the patient.")]
    quality: Annotated[str, Field(description="Doubts about the latest readings.")]
    protocol: Protocol
    month_seconds: Annotated[int, Field(description="Time counted this month, in seconds.")]


class WithReason(Asked):
    """An act that needs a reason."""

    reason: Reason


class Snooze(WithReason):
    """Until when an episode rests; its severity limits it."""

    until: Annotated[Until, Field(description="`reading`: until the next one, at most.")]


class Several(Asked):
    """The episodes that an act is about."""

    ids: Ids


class SnoozeSeveral(Snooze):
    """Until when several episodes rest."""

    ids: Ids


class Note(Asked):
    """Words for the timeline."""

    note: Annotated[Text, Field(min_length=1, max_length=4000)]


class Reached(StrEnum):
    """Whether somebody was spoken to."""

    REACHED = "reached"
    CAREGIVER = "caregiver"
    LEFT_MESSAGE = "left_message"
    NO_ANSWER = "no_answer"
    NONE = closing.NO_CONTACT


class Resolution(Asked):
    """The documentation form."""

    contact: Annotated[Reached, Field(description="`none`: no contact was needed.")]
    judged: Annotated[Judged, Field(description="What the reading turned out to be.")] = Judged.TRUE
    action: Annotated[Action, Field(description="What was done.")] = Action.NONE
    note: Annotated[Text, Field(max_length=4000)]


class OneOfSeveral(Told):
    """What became of one of several."""

    id: UUID
    done: bool
    reason: Annotated[str, Field(description="Why not, as one word; empty when done.")]


@router.get("/episodes/{episode_id}", response_model=EpisodeDetail)
async def episode(visit: Looking, episode_id: UUID) -> gather.Pane:
    """Everything about an episode: a look at its patient, on record."""
    found = await gather.pane(visit, episode_id)
    await visit.record("look", "episode", episode_id, patient_id=found.person.id)
    return found


@router.post("/episodes/{episode_id}/claim", response_model=EpisodeRow)
async def claim(visit: Acting, episode_id: UUID) -> store.Episode:
    """Take an unowned episode; paging ends."""
    done = await queue.claim(visit.connection, episode_id, actor(visit), now=visit.now)
    return await _after(visit, episode_id, done)


@router.post("/episodes/{episode_id}/release", response_model=EpisodeRow)
async def release(visit: Acting, episode_id: UUID) -> store.Episode:
    """Put one's own episode back."""
    done = await queue.release(visit.connection, episode_id, actor(visit), now=visit.now)
    return await _after(visit, episode_id, done)


@router.post("/episodes/{episode_id}/take-over", response_model=EpisodeRow)
async def take_over(visit: Acting, episode_id: UUID, asked: WithReason) -> store.Episode:
    """Take an episode from its owner, who is told."""
    who, now = actor(visit), visit.now
    done = await queue.take_over(visit.connection, episode_id, who, asked.reason, now=now)
    return await _after(visit, episode_id, done)


@router.post("/episodes/{episode_id}/snooze", response_model=EpisodeRow)
async def snooze(visit: Acting, episode_id: UUID, asked: Snooze) -> store.Episode:
    """Let an episode rest; a worse reading wakes it at once."""
    done = await asking.snoozed(visit, episode_id, asked.until, asked.reason)
    return await _after(visit, episode_id, done)


@router.post("/episodes/{episode_id}/escalate", response_model=EpisodeRow)
async def escalate(visit: Acting, episode_id: UUID, asked: WithReason) -> store.Episode:
    """Page the supervising provider, ten seconds from now unless it is undone."""
    who, now = actor(visit), visit.now
    done = await queue.escalate(visit.connection, episode_id, who, asked.reason, now=now)
    return await _after(visit, episode_id, done)


@router.post("/episodes/{episode_id}/note", response_model=EpisodeRow)
async def note(visit: Acting, episode_id: UUID, asked: Note) -> store.Episode:
    """Add a note; the episode stays open."""
    return await _after(visit, episode_id, await actions.noted(visit, episode_id, asked.note))


@router.post("/episodes/{episode_id}/resolve", response_model=EpisodeRow)
async def resolve(visit: Acting, episode_id: UUID, asked: Resolution) -> store.Episode:
    """Close an episode with its documentation."""
    filled = closing.parse(asked.model_dump(mode="json"), signed_by=visit.staff.title)
    done = await actions.resolved(visit, episode_id, filled)
    if done is Refusal.FORM_INCOMPLETE:
        words = await actions.missing(visit, episode_id, filled)
        raise ConflictError(done.name, words)
    return await _after(visit, episode_id, done)


@router.post("/episodes/{episode_id}/reopen", response_model=EpisodeRow)
async def reopen(visit: Acting, episode_id: UUID, asked: WithReason) -> store.Episode:
    """Open a closed episode again, with the alerts that were closed with it."""
    who, now = actor(visit), visit.now
    done = await queue.reopen(visit.connection, episode_id, who, asked.reason, now=now)
    return await _after(visit, episode_id, done)


@router.post("/episodes/{episode_id}/undo", response_model=EpisodeRow)
async def undo(visit: Acting, episode_id: UUID) -> store.Episode:
    """Take back one's own last act, within eight seconds."""
    done = await queue.undo(visit.connection, episode_id, actor(visit), now=visit.now)
    return await _after(visit, episode_id, done)


@router.post("/worklist/bulk/claim")
async def claim_several(visit: Acting, asked: Several) -> list[OneOfSeveral]:
    """Claim several; each answer stands for itself."""
    done = await queue.bulk_claim(
        visit.connection, list(set(asked.ids)), actor(visit), now=visit.now
    )
    return [_one(each, outcome) for each, outcome in done.items()]


@router.post("/worklist/bulk/snooze")
async def snooze_several(visit: Acting, asked: SnoozeSeveral) -> list[OneOfSeveral]:
    """Let several rest; each answer stands for itself."""
    known = {row.id for row in await store.by_id(visit.connection, asked.ids)}
    return [
        _one(each, await asking.snoozed(visit, each, asked.until, asked.reason))
        if each in known
        else _one(each, Refusal.NOT_FOUND)
        for each in edge.once(asked.ids)
    ]


async def _after(visit: Visit, episode_id: UUID, done: Outcome) -> store.Episode:
    """Return the episode as it is now, or say why nothing was done."""
    if done is Refusal.NOT_FOUND:
        raise MissingError
    if isinstance(done, Refusal):
        raise ConflictError(done.name, done.value)
    return await gather.episode(visit.connection, episode_id)


def _one(episode_id: UUID, done: Outcome) -> OneOfSeveral:
    """Return one line of the answer about several."""
    refused = done.name if isinstance(done, Refusal) else ""
    return OneOfSeveral(id=episode_id, done=not refused, reason=refused)
