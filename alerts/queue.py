"""What staff do with episodes, on the database: lock, decide (lifecycle), write, tell everybody.

Every function runs inside the caller's transaction, on a connection of either role, and returns the
new episode or the Refusal. Call them before anything else that writes `audit` in the transaction:
the audit chain's lock comes last (docs/alerting.md, "Locks").
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from alerts import acts, lifecycle
from alerts.acts import Act, Connection
from alerts.closing import ClosingForm, as_words
from alerts.lifecycle import UNDO_WITHIN, Actor, Episode, Outcome, Refusal
from alerts.severity import Severity


async def find(connection: Connection, episode_id: UUID) -> Episode | None:
    """Return the episode without locking it."""
    return await acts.one(connection, "episode_by_id", {"id": episode_id})


async def claim(
    connection: Connection, episode_id: UUID, actor: Actor, *, now: datetime
) -> Outcome:
    """Give the episode to the actor, atomically, for 20 minutes; paging stops."""
    act = Act(connection=connection, episode_id=episode_id, actor=actor, now=now)
    return await act.done("claim", lambda e: lifecycle.claimed(e, actor, now=now))


async def keep(connection: Connection, episode_id: UUID, actor: Actor, *, now: datetime) -> Outcome:
    """Renew the lease while the person is at work on it; leaves no trace in the timeline."""
    before = await acts.locked(connection, episode_id)
    if before is None:
        return Refusal.NOT_FOUND
    after = lifecycle.kept(before, actor, now=now)
    return after if isinstance(after, Refusal) else await acts.save(connection, after, version=0)


async def release(
    connection: Connection, episode_id: UUID, actor: Actor, *, now: datetime
) -> Outcome:
    """Put the episode back into its queue."""
    act = Act(connection=connection, episode_id=episode_id, actor=actor, now=now)
    return await act.done("release", lambda e: lifecycle.released(e, actor))


async def take_over(
    connection: Connection, episode_id: UUID, actor: Actor, reason: str, *, now: datetime
) -> Outcome:
    """Take the episode from its owner; the event names who lost it."""
    act = Act(connection=connection, episode_id=episode_id, actor=actor, now=now)
    return await act.done(
        "take_over", lambda e: lifecycle.taken_over(e, actor, reason, now=now), reason=reason
    )


async def snooze(  # noqa: PLR0913  # a snooze is these facts
    connection: Connection,
    episode_id: UUID,
    actor: Actor,
    until: datetime,
    reason: str,
    *,
    now: datetime,
    on_reading: bool = False,
) -> Outcome:
    """Rest the episode until then (or until the next reading); bounded by its severity."""
    kinds = tuple(await acts.column(connection, "open_kinds", {"id": episode_id}))
    act = Act(connection=connection, episode_id=episode_id, actor=actor, now=now)
    return await act.done(
        "snooze",
        lambda e: lifecycle.snoozed(
            e, actor, until, reason, on_reading=on_reading, kinds=kinds, now=now
        ),
        reason=reason,
        detail={"until": until.isoformat()},
    )


async def unsnooze(
    connection: Connection, episode_id: UUID, actor: Actor, *, now: datetime
) -> Outcome:
    """End the snooze by hand."""
    act = Act(connection=connection, episode_id=episode_id, actor=actor, now=now)
    return await act.done("unsnooze", lifecycle.unsnoozed)


async def escalate(
    connection: Connection, episode_id: UUID, actor: Actor, reason: str, *, now: datetime
) -> Outcome:
    """Send it upwards: the supervising provider is paged after ten seconds unless it is undone."""
    act = Act(connection=connection, episode_id=episode_id, actor=actor, now=now)
    done = await act.done("escalate", lambda e: lifecycle.escalated(e, reason), reason=reason)
    if isinstance(done, Episode):
        await acts.run(connection, "request_page", {"id": episode_id, "now": now})
    return done


async def wait_for(
    connection: Connection, episode_id: UUID, actor: Actor, on: str, *, now: datetime
) -> Outcome:
    """Note that the 'patient' or a 'provider' has to answer first; '' ends it."""
    act = Act(connection=connection, episode_id=episode_id, actor=actor, now=now)
    return await act.done("wait", lambda e: lifecycle.waiting(e, actor, on), reason=on)


async def resolve(
    connection: Connection, episode_id: UUID, actor: Actor, form: ClosingForm, *, now: datetime
) -> Outcome:
    """Close the episode and its alerts with the form; the form is kept with every alert."""
    words = as_words(form)
    act = Act(connection=connection, episode_id=episode_id, actor=actor, now=now)
    done = await act.done(
        "resolve",
        lambda e: lifecycle.resolved(e, actor, form, now=now),
        reason=form.action.value,
        detail=words,
    )
    if isinstance(done, Episode):
        closing = {"id": episode_id, "now": now, "by": actor.staff_id, "outcome": Jsonb(words)}
        await acts.run(connection, "close_alerts", closing)
    return done


async def cosign(
    connection: Connection, episode_id: UUID, actor: Actor, *, now: datetime
) -> Outcome:
    """Put a provider's signature under a closed critical episode."""
    act = Act(connection=connection, episode_id=episode_id, actor=actor, now=now)
    return await act.done("cosign", lambda e: lifecycle.cosigned(e, actor, now=now))


async def reopen(
    connection: Connection, episode_id: UUID, actor: Actor, reason: str, *, now: datetime
) -> Outcome:
    """Open a closed episode and the alerts that were closed with it."""
    if await acts.column(connection, "newer_open_episode", {"id": episode_id}):
        return Refusal.NEWER_EPISODE
    act = Act(connection=connection, episode_id=episode_id, actor=actor, now=now)
    done = await act.done("reopen", lambda e: lifecycle.reopened(e, reason, now=now), reason=reason)
    if isinstance(done, Episode):
        await acts.run(connection, "reopen_alerts", {"id": episode_id, "now": now})
    return done


async def note(
    connection: Connection, episode_id: UUID, actor: Actor, text: str, *, now: datetime
) -> Outcome:
    """Add a note to the timeline."""
    if not text.strip():
        return Refusal.REASON_NEEDED
    act = Act(connection=connection, episode_id=episode_id, actor=actor, now=now)
    return await act.done("note", lambda e: e, reason=text.strip(), version=0)


async def undo(connection: Connection, episode_id: UUID, actor: Actor, *, now: datetime) -> Outcome:
    """Take back the actor's last operation, within eight seconds and if nothing came after."""
    before = await acts.locked(connection, episode_id)
    if before is None:
        return Refusal.NOT_FOUND
    found = await acts.row(connection, "last_event", {"id": episode_id})
    if not found or found[2] != actor.staff_id or found[3] == "undo" or not found[4]:
        return Refusal.NOTHING_TO_UNDO
    if now - found[1] > UNDO_WITHIN:
        return Refusal.TOO_LATE
    if before.closed_at and await acts.column(connection, "newer_open_episode", {"id": episode_id}):
        return Refusal.NEWER_EPISODE
    return await _undone(connection, before, actor, found, now)


async def take_next(
    connection: Connection, actor: Actor, queues: Sequence[str], *, now: datetime
) -> Outcome:
    """Claim the most pressing unowned episode of these queues; never the same for two people."""
    wanted = {"organisation": actor.organisation_id, "queues": list(queues), "now": now}
    found = await acts.row(connection, "next_unowned", wanted)
    if not found:
        return Refusal.NOT_FOUND
    return await claim(connection, found[0], actor, now=now)


async def hand_over(
    connection: Connection, actor: Actor, to: UUID | None, note_text: str, *, now: datetime
) -> list[Episode]:
    """End a shift: everything open of the actor goes to another person or back to its queue."""
    owned = await acts.column(connection, "owned_by", {"staff": actor.staff_id})
    done: list[Episode] = []
    for each in owned:
        act = Act(connection=connection, episode_id=each, actor=actor, now=now)
        after = await act.done(
            "hand_over", lambda e: lifecycle.handed_over(e, to, now=now), reason=note_text
        )
        if isinstance(after, Episode):
            done.append(after)
    ids = [each.id for each in done]
    told = {"organisation": actor.organisation_id, "from": actor.staff_id, "to": to}
    await acts.run(
        connection, "record_handover", {**told, "now": now, "ids": ids, "note": note_text}
    )
    return done


async def bulk_claim(
    connection: Connection, episode_ids: Sequence[UUID], actor: Actor, *, now: datetime
) -> dict[UUID, Outcome]:
    """Claim each; the answer says which were refused and why."""
    return {each: await claim(connection, each, actor, now=now) for each in sorted(episode_ids)}


async def bulk_resolve(
    connection: Connection,
    episode_ids: Sequence[UUID],
    actor: Actor,
    form: ClosingForm,
    *,
    now: datetime,
) -> dict[UUID, Outcome]:
    """Close several low episodes with one form; anything worse is refused, one by one."""
    done: dict[UUID, Outcome] = {}
    for each in sorted(episode_ids):
        found = await acts.locked(connection, each)
        if found is not None and found.worst_severity != Severity.LOW:
            done[each] = Refusal.ONLY_LOW
        else:
            done[each] = await resolve(connection, each, actor, form, now=now)
    return done


async def _undone(
    connection: Connection,
    before: Episode,
    actor: Actor,
    event: tuple[Any, ...],
    now: datetime,
) -> Outcome:
    found = {"id": before.id, "event": event[0], "at": event[1], "now": now}
    restored = await acts.one(connection, "restore_episode", found)
    if restored is None:
        return Refusal.NOTHING_TO_UNDO
    await acts.run(connection, "undo_page", found)
    if event[3] == "resolve":
        await acts.run(connection, "unclose_alerts", found)
    if event[3] in ("claim", "take_over", "resolve", "snooze") and not restored.acknowledged_at:
        await acts.run(connection, "resume_escalation", found)
    told = {"id": before.id, "action": "undo", "reason": event[3], "by": actor.staff_id}
    await acts.run(connection, "record_act", {**told, "now": now, "detail": Jsonb({})})
    await acts.finish(connection, restored, actor, action="undo", reason=event[3], now=now)
    return restored
