"""What-if replays for programs: ask, watch, call off, read what came out."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from pydantic import Field, JsonValue

from alerts import replay_desk
from alerts.replay_desk import State
from alerts.rules import RuleError
from dashboards.api import edge
from dashboards.api.edge import WHOLE, Asked, ConflictError, Made, New, Told
from dashboards.door import MissingError, Visit, holding
from dashboards.permissions import Verb

router = edge.router("rules")
Drafting = Annotated[Visit, holding(Verb.DRAFT_RULES)]
RuleId = Annotated[str, Field(pattern="^[a-z0-9_.-]{1,80}$")]


class NewReplay(Asked):
    """A draft of rules, and the history it is tried on."""

    draft: Annotated[
        dict[RuleId, dict[str, JsonValue]],
        Field(
            max_length=100,
            description='By rule: changed fields, or {"disabled": true}.',
            json_schema_extra={"additionalProperties": False},  # no name but those of rules
        ),
    ]
    days: Annotated[int, Field(strict=True, ge=1, le=365), WHOLE] = 90
    patients: Annotated[
        int | None,
        Field(strict=True, ge=1, le=100_000, description="A sample; null: all."),
        WHOLE,
    ] = None


class Replay(Told):
    """How far a replay is, and its answer once it is done."""

    state: Annotated[str, Field(description="asked, running, done, failed or cancelled.")]
    done: Annotated[int, Field(description="Patients.")]
    total: Annotated[int, Field(description="Patients; 0: not known yet.")]
    result: dict[str, object] | None
    error: str


@router.post("/replays", status_code=202, response_model=Made)
async def start_replay(visit: Drafting, asked: NewReplay) -> New:
    """Ask what a draft of rules would have done."""
    draft: Mapping[str, Mapping[str, object]] = asked.draft
    try:
        made = await replay_desk.ask(
            visit.connection,
            visit.staff.organisation_id,
            visit.staff.id,
            draft,
            days=asked.days,
            patients=asked.patients,
        )
    except (RuleError, KeyError) as error:
        raise ConflictError("DRAFT_UNUSABLE", f"The draft cannot be used: {error}") from error
    await visit.record("look", "rules", made, detail={"days": asked.days})
    return New(id=made)


@router.get("/replays/{replay_id}", response_model=Replay)
async def replay(visit: Drafting, replay_id: UUID) -> State:
    """How far a replay is, or what it found."""
    found = await replay_desk.look(visit.connection, replay_id)
    if found is None:
        raise MissingError
    return found


@router.post("/replays/{replay_id}/cancel", response_model=Replay)
async def cancel_replay(visit: Drafting, replay_id: UUID) -> State:
    """Call a replay off; one that has ended stays as it is."""
    if await replay_desk.cancel(visit.connection, replay_id):
        await visit.record("change", "rules", replay_id, detail={"what": "call what-if off"})
    return await replay(visit, replay_id)
