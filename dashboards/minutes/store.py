"""What time counting reads and writes."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

from dashboards.door import Visit
from dashboards.fetch import every, first, run
from dashboards.minutes import timer
from dashboards.minutes.timer import Beat, Event, Raw, Reason, Running
from database import sql

QUERIES = sql.load("dashboards.minutes")
UNSAVED_FOR = timedelta(days=35)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What was done in some time: the words of an entry."""

    activity: str
    note: str
    interactive: bool = False
    mode: str | None = None
    with_whom: str | None = None
    programme: str = "rpm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry, as it is listed."""

    id: UUID
    staff_id: UUID
    staff_name: str
    staff_role: str
    programme: str
    activity: str
    interactive: bool
    mode: str | None
    with_whom: str | None
    started_at: datetime
    ended_at: datetime
    seconds: int
    note: str
    source: str
    replaced_at: datetime | None
    replaces: UUID | None
    correction_reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """An entry about to be corrected."""

    id: UUID
    patient_id: UUID
    staff_id: UUID
    programme: str
    activity: str
    interactive: bool
    mode: str | None
    with_whom: str | None
    started_at: datetime
    ended_at: datetime
    seconds: int
    note: str
    source: str
    timer_id: UUID | None
    episode_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stretch:
    started_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Many:
    many: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    patient_id: UUID
    timer_id: UUID
    event: str
    reason: str
    at: datetime


async def hear(visit: Visit, beat: Beat) -> Running | None:
    """Take one beat of a browser; return the timer that runs now."""
    running = await _locked(visit)
    after, raw = timer.heard(running, beat, visit.now)
    await _keep(visit, after, raw)
    return after


async def end(visit: Visit, patient_id: UUID, reason: Reason) -> None:
    """End the person's timer if it runs for this patient."""
    running = await _locked(visit)
    if running is not None and running.patient_id == patient_id:
        at = running.last_beat_at if timer.lost(running, visit.now) else visit.now
        await _keep(visit, *timer.ended(running, at, reason))


async def _locked(visit: Visit) -> Running | None:
    """Return the person's timer; other tabs wait."""
    mine = {"staff_id": visit.staff.id}
    await visit.connection.execute(QUERIES["one_at_a_time"].encode(), mine)
    return await first(visit.connection, Running, QUERIES["lock_running"], mine)


async def _keep(visit: Visit, after: Running | None, raw: list[Raw]) -> None:
    mine = {"staff_id": visit.staff.id}
    if after is None:
        await run(visit.connection, QUERIES["drop_running"], mine)
    else:
        await run(visit.connection, QUERIES["save_running"], mine | asdict(after))
    for event in raw:
        await run(visit.connection, QUERIES["keep_raw"], mine | asdict(event))


async def unsaved(visit: Visit, patient_id: UUID) -> list[timer.Interval]:
    """Return the person's time for a patient that has no entry yet."""
    fields = {
        "staff_id": visit.staff.id,
        "patient_id": patient_id,
        "since": visit.now - UNSAVED_FOR,
    }
    stored = await every(visit.connection, _Stored, QUERIES["unsaved"], fields)
    events = [
        Raw(
            patient_id=row.patient_id,
            timer_id=row.timer_id,
            event=Event(row.event),
            reason=Reason(row.reason),
            at=row.at,
        )
        for row in stored
    ]
    return timer.intervals(events)


async def save(
    visit: Visit, patient_id: UUID, work: Work, *, episode_id: UUID | None = None
) -> int:
    """Turn the unsaved time for a patient into entries; return how many seconds they hold."""
    await end(visit, patient_id, Reason.SAVED)
    stretches = await unsaved(visit, patient_id)
    for each in stretches:
        await add(
            visit,
            patient_id,
            work,
            started_at=each.started_at,
            ended_at=each.ended_at,
            source="timer",
            timer_id=each.timer_id,
            episode_id=episode_id,
        )
    return sum(each.seconds for each in stretches)


async def add(  # noqa: PLR0913 -- the facts of an entry, by name
    visit: Visit,
    patient_id: UUID,
    work: Work,
    *,
    started_at: datetime,
    ended_at: datetime,
    source: str,
    timer_id: UUID | None = None,
    episode_id: UUID | None = None,
    replaces: UUID | None = None,
    correction_reason: str | None = None,
) -> None:
    """Add one entry of this person."""
    fields: dict[str, object] = asdict(work) | {
        "patient_id": patient_id,
        "staff_id": visit.staff.id,
        "staff_role": visit.staff.role,
        "started_at": started_at,
        "ended_at": ended_at,
        "source": source,
        "timer_id": timer_id,
        "episode_id": episode_id,
        "replaces": replaces,
        "correction_reason": correction_reason,
        "now": visit.now,
    }
    await run(visit.connection, QUERIES["add_entry"], fields)


async def original(visit: Visit, patient_id: UUID, entry_id: UUID) -> Original | None:
    """Return an entry that still counts."""
    fields = {"id": entry_id, "patient_id": patient_id}
    return await first(visit.connection, Original, QUERIES["entry"], fields)


async def withdraw(visit: Visit, patient_id: UUID, entry_id: UUID) -> bool:
    """Mark one's own entry as replaced; it stays on record."""
    fields = {
        "id": entry_id,
        "patient_id": patient_id,
        "staff_id": visit.staff.id,
        "now": visit.now,
    }
    return await run(visit.connection, QUERIES["replace_entry"], fields) == 1


async def overlaps(
    visit: Visit, patient_id: UUID, started_at: datetime, ended_at: datetime
) -> bool:
    """Whether the person has time for another patient in this interval."""
    fields = {
        "staff_id": visit.staff.id,
        "patient_id": patient_id,
        "started_at": started_at,
        "ended_at": ended_at,
    }
    found = await first(visit.connection, _Many, QUERIES["overlapping"], fields)
    return found is not None and found.many > 0


async def entries(visit: Visit, patient_id: UUID, since: datetime) -> list[Entry]:
    """Return a patient's entries, newest first."""
    fields = {"patient_id": patient_id, "since": since}
    return await every(visit.connection, Entry, QUERIES["entries"], fields)


async def month_seconds(visit: Visit, patient_id: UUID, since: datetime) -> int:
    """Return the time counted this month: the union over everybody, clipped to the month."""
    fields = {"patient_id": patient_id, "since": since}
    found = await every(visit.connection, _Stretch, QUERIES["counted"], fields)
    return timer.union_seconds((max(e.started_at, since), e.ended_at) for e in found)
