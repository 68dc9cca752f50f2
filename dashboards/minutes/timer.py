"""One person's timer: what a beat changes, and the intervals that raw events add up to. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

LOST_AFTER = timedelta(seconds=20)
"""A browser that has not been heard for longer has gone; its time ends at its last beat."""
LONGEST_ENTRY = timedelta(hours=1)


class Event(StrEnum):
    """What a browser says."""

    START = "start"
    BEAT = "beat"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    CALL_START = "call_start"
    CALL_END = "call_end"


class Reason(StrEnum):
    """Why a timer stood still or ended."""

    NONE = ""
    IDLE = "idle"
    HIDDEN = "hidden"
    MANUAL = "manual"
    OTHER_PATIENT = "other_patient"
    LOST = "lost"
    SAVED = "saved"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The one timer that a person has."""

    patient_id: UUID
    timer_id: UUID
    since: datetime | None
    """None while it is paused."""
    last_beat_at: datetime
    seconds: float = 0

    def counted(self, now: datetime) -> float:
        """Return its active seconds so far."""
        return self.seconds + ((now - self.since).total_seconds() if self.since else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """What a browser just said."""

    patient_id: UUID
    timer_id: UUID
    event: Event
    reason: Reason = Reason.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """One row of the raw record."""

    patient_id: UUID
    timer_id: UUID
    event: Event
    reason: Reason
    at: datetime


Step = tuple[Running | None, list[Raw]]


def heard(running: Running | None, beat: Beat, now: datetime) -> Step:
    """Return the timer after a beat, and the raw events to keep."""
    if running is not None and lost(running, now):
        gone, raw = ended(running, running.last_beat_at, Reason.LOST)
        after, more = heard(gone, beat, now)
        return after, raw + more
    if beat.event in {Event.START, Event.RESUME}:
        return _started(running, beat, now)
    if running is None or running.timer_id != beat.timer_id:
        return running, []
    return _same(running, beat, now)


def lost(running: Running, now: datetime) -> bool:
    """Whether its browser has gone without a word."""
    return running.since is not None and now - running.last_beat_at > LOST_AFTER


def ended(running: Running, at: datetime, reason: Reason) -> Step:
    """Return no timer, and the event that ended it."""
    at = max(at, running.since) if running.since else at
    return None, [_raw(running, Event.STOP, reason, at)]


def _started(running: Running | None, beat: Beat, now: datetime) -> Step:
    """Start or go on; another patient's timer ends, for nobody works on two at once."""
    if running is not None and running.timer_id == beat.timer_id:
        if running.since is not None:
            return replace(running, last_beat_at=now), []
        going = replace(running, since=now, last_beat_at=now)
        return going, [_raw(going, Event.RESUME, Reason.NONE, now)]
    raw = ended(running, now, Reason.OTHER_PATIENT)[1] if running is not None else []
    fresh = Running(patient_id=beat.patient_id, timer_id=beat.timer_id, since=now, last_beat_at=now)
    return fresh, [*raw, _raw(fresh, Event.START, Reason.NONE, now)]


def _same(running: Running, beat: Beat, now: datetime) -> Step:
    """Change the timer that runs."""
    if beat.event is Event.STOP:
        return ended(running, now, beat.reason)
    if beat.event is Event.PAUSE and running.since is not None:
        still = replace(running, since=None, last_beat_at=now, seconds=running.counted(now))
        return still, [_raw(still, Event.PAUSE, beat.reason, now)]
    going = replace(running, last_beat_at=now)
    if beat.event in {Event.CALL_START, Event.CALL_END}:
        return going, [_raw(going, beat.event, Reason.NONE, now)]
    return going, []


def _raw(running: Running, event: Event, reason: Reason, at: datetime) -> Raw:
    return Raw(
        patient_id=running.patient_id,
        timer_id=running.timer_id,
        event=event,
        reason=reason,
        at=at,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A stretch of active time."""

    timer_id: UUID
    started_at: datetime
    ended_at: datetime

    @property
    def seconds(self) -> int:
        """Return whole seconds."""
        return int((self.ended_at - self.started_at).total_seconds())


def intervals(events: Sequence[Raw]) -> list[Interval]:
    """Return the active stretches of ended timers, from raw events in order."""
    found: list[Interval] = []
    began: dict[UUID, datetime] = {}
    for event in events:
        if event.event in {Event.START, Event.RESUME}:
            began.setdefault(event.timer_id, event.at)
        elif event.event in {Event.PAUSE, Event.STOP} and event.timer_id in began:
            stretch = Interval(
                timer_id=event.timer_id, started_at=began.pop(event.timer_id), ended_at=event.at
            )
            found += [stretch] if stretch.seconds >= 1 else []
    return found


def union_seconds(stretches: Iterable[tuple[datetime, datetime]]) -> int:
    """Return the time that stretches cover together: two people on one call count once."""
    total, reached = timedelta(0), None
    for started, stopped in sorted(stretches):
        begin = started if reached is None else max(started, reached)
        if stopped > begin:
            total += stopped - begin
            reached = stopped
    return int(total.total_seconds())
