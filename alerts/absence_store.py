"""Look once a local day at who was to measure and did not; write nudges and outreach lines."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import psycopg

from alerts import absence, episodes, gather, opened, routing, sla, store
from alerts.absence import Absent, Missing, Ordered
from alerts.evaluation import Decided, Event
from alerts.policy import Action, Alert
from alerts.samples import Subject
from care.calendar import OfficeHours
from database import sql

Connection = psycopg.AsyncConnection[tuple[Any, ...]]
PATIENTS = 200
NUDGES = {Missing.NUDGE: "portal", Missing.SECOND_NUDGE: "sms"}


async def check(connection: Connection, now: datetime) -> int:
    """Check the patients whose local day has turned since the last look; return how many alerts."""
    async with connection.transaction():
        due = await _rows(connection, "absence_due", now=now, most=PATIENTS)
        patients = [row[0] for row in due]
        if not patients:
            return 0
        await _rows(connection, "lock_patients", patients=patients)
        made = await _check(connection, patients, now)
        await _rows(connection, "absence_checked", now=now, patients=patients)
    return made


async def _check(connection: Connection, patients: Sequence[UUID], now: datetime) -> int:
    subjects = await gather.subjects(connection, patients, now=now)
    lines = await opened.episodes(connection, patients, technical=False)
    alerts = await opened.alerts(connection, patients, now)
    organisations = sorted({each.organisation_id for each in subjects.values()})
    hours = await gather.office_hours(connection, organisations)
    orders = await _orders(connection, patients, now)
    found: list[store.Judgement] = []
    for patient, wanted in orders.items():
        subject = subjects[patient]
        if await _excused(connection, subject, now):
            continue
        absences = await _absences(connection, subject, wanted, now)
        await _nudge(connection, subject, absences, now)
        known = alerts.open.get(patient, {})
        judgement = _judgement(
            subject, absences, known, lines.get(patient), hours[subject.organisation_id], now
        )
        if judgement is not None:
            found.append(judgement)
    await store.apply(connection, found, now=now)
    return len(found)


def _judgement(  # noqa: PLR0913, PLR0917  # the patient, what is missing, and what is on record
    subject: Subject,
    absences: Sequence[tuple[Absent, datetime | None]],
    on_record: Mapping[str, Alert],
    line: Any,  # noqa: ANN401  # an episode or None
    hours: OfficeHours,
    now: datetime,
) -> store.Judgement | None:
    fresh = [
        _alert(each, last, hours, now)
        for each, last in absences
        if each.severity is not None and each.calls_for.value not in on_record
    ]
    once = list({each.rule_id: each for each in fresh}.values())
    if not once:
        return None
    events = tuple(
        Event(alert_id=a.id, action=Action.OPEN, reading_id=a.id, severity=int(a.severity))
        for a in once
    )
    decided = Decided(alerts=tuple(once), events=events)
    together = [*on_record.values(), *once]
    first = episodes.leading(together)
    setting = episodes.Setting(
        subject=subject,
        queue=routing.route(first, subject, routing.table()).queue,
        sparkline=(),
    )
    made = episodes.line(line, together, decided, setting, now=now, new_id=uuid.uuid4)
    return store.Judgement(subject=subject, decided=decided, line=made, queue_ids=())


def _alert(found: Absent, last: datetime | None, hours: OfficeHours, now: datetime) -> Alert:
    assert found.severity is not None  # noqa: S101  # nudges never come here
    return Alert(
        id=uuid.uuid4(),
        rule_id=found.calls_for.value,
        rule_version="product",
        profile=found.kind,
        kind="adherence",
        route=found.queue,
        severity=found.severity,
        state="raised",
        headline=absence.headline(found),
        why=absence.sentence(found, last),
        raised_at=now,
        due_at=sla.due_at(found.severity, now, hours),
    )


async def _absences(
    connection: Connection, subject: Subject, wanted: Sequence[Ordered], now: datetime
) -> list[tuple[Absent, datetime | None]]:
    today = subject.local_day(now)
    start = now - timedelta(days=absence.LOOK_BACK + 2)
    kinds = [each.kind for each in wanted]
    rows_ = await _rows(
        connection, "days_measured", patient=subject.id, kinds=kinds, since=start,
        zone=str(subject.zone),
    )  # fmt: skip
    days: dict[str, set[date]] = {}
    last: dict[str, datetime] = {}
    for kind, day, at in rows_:
        days.setdefault(kind, set()).add(day)
        last[kind] = max(at, last.get(kind, at))
    rests = await _rests(connection, subject, today)
    heart = "heart_failure" in subject.conditions
    found = []
    for each in wanted:
        missed = absence.missed_days(each, days.get(each.kind, set()), today, rests)
        result = absence.absent(each.kind, missed, heart_failure=heart)
        if result is not None:
            found.append((result, last.get(each.kind)))
    risk = await _device_days(connection, subject, kinds, set().union(*days.values()), now)
    return [*found, (risk, None)] if risk else found


async def _device_days(
    connection: Connection,
    subject: Subject,
    kinds: Sequence[str],
    days: Collection[date],
    now: datetime,
) -> Absent | None:
    """Too few days with readings for the patient's device window; told once in each window."""
    today = subject.local_day(now)
    since = min((stay.enrolled_at for stay in subject.enrolments), default=now)
    (row,) = await _rows(
        connection, "first_measured", patient=subject.id, kinds=list(kinds), since=since
    )
    first = subject.local_day(row[0]) if row[0] else None
    risk = absence.device_days(days, first, today)
    if risk is None or first is None:
        return None
    start = datetime.combine(absence.window_start(first, today), time(), subject.zone)
    told = await _rows(
        connection, "raised_since", patient=subject.id, rule=risk.calls_for.value, since=start
    )
    return None if told else risk


async def _rests(connection: Connection, subject: Subject, today: date) -> set[date]:
    since = datetime.combine(today - timedelta(days=absence.LOOK_BACK), datetime.min.time(), UTC)
    found = await _rows(connection, "rests", patient=subject.id, since=since)
    days: set[date] = set()
    for start, end in found:
        day = subject.local_day(start)
        last = subject.local_day(end) if end else today
        while day <= last:
            days.add(day)
            day += timedelta(days=1)
    return days


async def _excused(connection: Connection, subject: Subject, now: datetime) -> bool:
    (row,) = await _rows(connection, "excuses", patient=subject.id, now=now)
    reason = absence.excuse(
        offline=row[0], fault=row[1], held=row[2], zone_known=subject.zone_known
    )
    return reason is not None


async def _nudge(
    connection: Connection,
    subject: Subject,
    absences: Sequence[tuple[Absent, datetime | None]],
    now: datetime,
) -> None:
    for found, _ in absences:
        if found.calls_for in NUDGES:
            await _rows(
                connection, "nudge", organisation=subject.organisation_id, patient=subject.id,
                rule=found.calls_for.value, channel=NUDGES[found.calls_for],
                day=subject.local_day(now), now=now,
            )  # fmt: skip


async def _orders(
    connection: Connection, patients: Sequence[UUID], now: datetime
) -> dict[UUID, list[Ordered]]:
    found: dict[UUID, list[Ordered]] = {}
    for row in await _rows(connection, "orders", patients=list(patients), now=now):
        made = Ordered(
            kind=row[1], times_per_day=row[2], days_of_week=tuple(row[3]), from_on=row[4],
            to_on=row[5],
        )  # fmt: skip
        found.setdefault(row[0], []).append(made)
    return found


async def _rows(connection: Connection, name: str, **wanted: object) -> list[tuple[Any, ...]]:
    found = await connection.execute(sql.load("alerts")[name], wanted)
    return await found.fetchall() if found.description else []
