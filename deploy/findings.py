"""What is wrong with a deployment, given the facts, and what to do about it. Pure.

A fault endangers readings, alarms or privacy now; a notice is for today's work.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from database.doctor import Wrong
from database.doctor import findings as database_findings
from deploy.advice import ADVICE, Gravity, Trouble
from deploy.facts import Box, Broker, Facts, Pile, Pipeline

LAG = timedelta(seconds=5)
"""From the broker's delivery to the commit; the promise is one second."""
UNJUDGED = timedelta(minutes=1)
AT_HOME = timedelta(minutes=15)
"""How long a reading may wait in the outbox of a box that is online."""
OFFLINE = timedelta(hours=2)
MANY = 3
"""So many boxes offline, and half of all, have one cause: broker or network."""
SCHEDULER = timedelta(minutes=3)
MAINTENANCE = timedelta(minutes=30)
BACKUP = timedelta(hours=26)
DRILL = timedelta(days=92)
LOOKED_AT = timedelta(hours=24)
PAGE = timedelta(minutes=2)
CLOCK = timedelta(seconds=2)
CERTIFICATE = timedelta(days=21)
QUEUED = 10_000
SHOWN = 10
FOUND_BY_US = (Wrong.WAITING,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, where, and what to do."""

    trouble: Trouble
    detail: str

    @property
    def gravity(self) -> Gravity:
        """Whether it can wait."""
        return ADVICE[self.trouble].gravity

    @property
    def advice(self) -> str:
        """What to do, in a sentence or two."""
        return ADVICE[self.trouble].text


def examine(facts: Facts) -> list[Finding]:
    """Return what is wrong, faults first."""
    found = [
        *_database(facts),
        *(_broker(facts.broker, facts.now) if facts.broker else ()),
        *(_pipeline(facts.pipeline) if facts.pipeline else ()),
        *_clock(facts),
    ]
    return sorted(found, key=lambda finding: finding.gravity is not Gravity.FAULT)


def _database(facts: Facts) -> Iterator[Finding]:
    if facts.database_error:
        yield Finding(trouble=Trouble.DATABASE_AWAY, detail=facts.database_error)
    if facts.database is None:
        return
    now = facts.pipeline.now if facts.pipeline else facts.now
    for found in database_findings(facts.database, now=now):
        if found.wrong not in FOUND_BY_US:
            trouble = (
                Trouble.MIGRATE if found.wrong in (Wrong.BEHIND, Wrong.AHEAD) else Trouble.DATABASE
            )
            yield Finding(trouble=trouble, detail=f"{found.wrong.value} ({found.detail})")


def _broker(broker: Broker, now: datetime) -> Iterator[Finding]:
    if broker.error:
        yield Finding(trouble=Trouble.BROKER_AWAY, detail=f"{broker.address}: {broker.error}")
        return
    until = broker.certificate_until
    checks = (
        (Trouble.BROKER_UNFIT, not broker.shared, "shared subscriptions are off"),
        (Trouble.BROKER_UNFIT, broker.qos < 1, "quality of service 1 is off"),
        (Trouble.BROKER_UNFIT, not broker.session_kept, "it shortens the session's expiry"),
        (Trouble.BROKER_OPEN, broker.anonymous and not broker.loopback, "anonymous clients"),
        (Trouble.BROKER_OPEN, not broker.tls and not broker.loopback, "no TLS"),
        (Trouble.CERTIFICATE, until is not None and until - now <= CERTIFICATE, f"until {until}"),
        (Trouble.BROKER_DROPS, bool(broker.dropped), f"{broker.dropped} since it started"),
        (Trouble.BROKER_FULL, (broker.queued or 0) > QUEUED, f"{broker.queued} messages"),
    )
    for trouble, wrong, detail in checks:
        if wrong:
            yield Finding(trouble=trouble, detail=f"{broker.address}: {detail}")


def _pipeline(pipeline: Pipeline) -> Iterator[Finding]:
    yield from _ingest(pipeline)
    yield from _boxes(pipeline)
    yield from _judging(pipeline)
    yield from _pages(pipeline)
    yield from _upkeep(pipeline)


def _ingest(pipeline: Pipeline) -> Iterator[Finding]:
    wanted = pipeline.slots_wanted or max(pipeline.slots, default=-1) + 1
    free = sorted(set(range(wanted)) - pipeline.slots)
    if not pipeline.slots:
        yield Finding(trouble=Trouble.NO_INGEST, detail="no slot has an owner")
    elif free:
        yield Finding(trouble=Trouble.SLOT_FREE, detail="slot " + ", ".join(map(str, free)))
    if pipeline.lag is not None and pipeline.lag > LAG:
        yield Finding(trouble=Trouble.LAG, detail=f"{pipeline.lag.total_seconds():.1f} s")
    for held in pipeline.quarantine:
        old = pipeline.now - held.oldest > LOOKED_AT
        trouble = Trouble.QUARANTINE_OLD if old else Trouble.QUARANTINE
        waits = _pile(Pile(rows=held.rows, oldest=held.oldest), pipeline.now)
        yield Finding(trouble=trouble, detail=f"{held.reason} ({held.queue}): {waits}")


def _boxes(pipeline: Pipeline) -> Iterator[Finding]:
    away = [box for box in pipeline.boxes if not box.online]
    if len(away) >= MANY and 2 * len(away) >= len(pipeline.boxes):
        detail = f"{len(away)} of {len(pipeline.boxes)}"
        yield Finding(trouble=Trouble.MANY_OFFLINE, detail=detail)
    long = [b for b in away if b.last_seen_at is None or pipeline.now - b.last_seen_at > OFFLINE]
    if long:
        yield Finding(trouble=Trouble.OFFLINE, detail=_named(_box(b, pipeline.now) for b in long))
    stuck = [
        box
        for box in pipeline.boxes
        if box.online and box.outbox_oldest and pipeline.now - box.outbox_oldest > AT_HOME
    ]
    if stuck:
        words = (f"{box.id}: {box.outbox_depth} rows" for box in stuck)
        yield Finding(trouble=Trouble.STUCK_AT_HOME, detail=_named(words))


def _judging(pipeline: Pipeline) -> Iterator[Finding]:
    if _older(pipeline.unjudged, UNJUDGED, pipeline.now):
        yield Finding(trouble=Trouble.UNJUDGED, detail=_pile(pipeline.unjudged, pipeline.now))
    if pipeline.parked.rows:
        yield Finding(trouble=Trouble.PARKED, detail=_pile(pipeline.parked, pipeline.now))
    beat = dict(pipeline.beats).get("scheduler")
    if beat is None or pipeline.now - beat > SCHEDULER:
        detail = "it never ran" if beat is None else f"for {_words(pipeline.now - beat)}"
        yield Finding(trouble=Trouble.SCHEDULER, detail=detail)


def _pages(pipeline: Pipeline) -> Iterator[Finding]:
    for trouble, pile in (
        (Trouble.UNDELIVERED, pipeline.undelivered),
        (Trouble.UNSENT, pipeline.unsent),
    ):
        if pile.rows:
            yield Finding(trouble=trouble, detail=_pile(pile, pipeline.now))
    for severity, words in pipeline.incidents:
        trouble = Trouble.INCIDENT if severity <= 2 else Trouble.INCIDENT_LESSER
        yield Finding(trouble=trouble, detail=words)
    if pipeline.nobody_to_page:
        yield Finding(trouble=Trouble.NOBODY_TO_PAGE, detail=_named(pipeline.nobody_to_page))


def _upkeep(pipeline: Pipeline) -> Iterator[Finding]:
    beats = dict(pipeline.beats)
    kept = beats.get("maintenance")
    needed = kept is not None or pipeline.unsummed_days > 0
    if needed and (kept is None or pipeline.now - kept > MAINTENANCE):
        detail = "it never ran" if kept is None else f"for {_words(pipeline.now - kept)}"
        yield Finding(trouble=Trouble.MAINTENANCE, detail=detail)
    for name, most, trouble in (
        ("backup", BACKUP, Trouble.BACKUP),
        ("restore_drill", DRILL, Trouble.DRILL),
    ):
        last = beats.get(name)
        if last is None or pipeline.now - last > most:
            detail = "never" if last is None else f"{_words(pipeline.now - last)} ago"
            yield Finding(trouble=trouble, detail=f"the last one: {detail}")


def _clock(facts: Facts) -> Iterator[Finding]:
    if facts.pipeline is not None and abs(facts.now - facts.pipeline.now) > CLOCK:
        apart = abs(facts.now - facts.pipeline.now).total_seconds()
        yield Finding(trouble=Trouble.CLOCKS_APART, detail=f"{apart:.1f} s")
    if not facts.clock_set:
        yield Finding(trouble=Trouble.CLOCK_UNSET, detail="neither kernel nor timesyncd says so")


def _older(pile: Pile, most: timedelta, now: datetime) -> bool:
    return pile.oldest is not None and now - pile.oldest > most


def _pile(pile: Pile, now: datetime) -> str:
    since = f", the oldest for {_words(now - pile.oldest)}" if pile.oldest else ""
    return f"{pile.rows}{since}"


def _box(box: Box, now: datetime) -> str:
    return f"{box.id} ({_words(now - box.last_seen_at) if box.last_seen_at else 'never seen'})"


def _named(words: Iterable[str]) -> str:
    every = list(words)
    more = f" and {len(every) - SHOWN} more" if len(every) > SHOWN else ""
    return ", ".join(every[:SHOWN]) + more


def _words(length: timedelta) -> str:
    minutes = int(length.total_seconds()) // 60
    if minutes < 120:
        return f"{minutes} min" if minutes else f"{int(length.total_seconds())} s"
    return f"{minutes // 60} h" if minutes < 60 * 48 else f"{minutes // (60 * 24)} days"
