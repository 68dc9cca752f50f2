"""Read everything that deciding about some patients needs; no decisions here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import psycopg

from alerts import opened
from alerts.applicability import Level, Override
from alerts.lifecycle import Episode
from alerts.policy import Alert
from alerts.rules import Metric
from alerts.samples import Enrolment, Sample, Subject
from care.calendar import OfficeHours
from database import sql

Connection = psycopg.AsyncConnection[tuple[Any, ...]]
HISTORY = timedelta(days=15)
HELD_STATES = ["inpatient", "travel_hold", "device_repair"]
METRIC_OF: Mapping[str, Metric] = MappingProxyType(
    {
        "blood_pressure": Metric.BP,
        **{
            metric.value: metric
            for metric in Metric
            if metric not in (Metric.BP, Metric.COMPOSITE, Metric.SURVEY)
        },
    }
)
TREND_MORE = timedelta(days=20)
TREND_KINDS = frozenset({"weight", "heart_rate", "blood_pressure"})
WITH_PULSE = frozenset({"blood_pressure", "spo2", "heart_rate"})
ALL_KINDS = tuple(METRIC_OF)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """One row of the queue between ingest and us."""

    id: int
    organisation_id: UUID
    patient_id: UUID
    reading_id: UUID
    kind: str
    measured_at: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What was read about the patients of one transaction, by patient."""

    pending: Mapping[UUID, Sequence[Pending]]
    subjects: Mapping[UUID, Subject]
    hours: Mapping[UUID, OfficeHours]
    overrides: Mapping[UUID, Sequence[Override]]
    samples: Mapping[UUID, Sequence[Sample]]
    episodes: Mapping[UUID, Episode]
    open: Mapping[UUID, Mapping[str, Alert]]
    closed: Mapping[UUID, Mapping[str, Alert]]
    held: Mapping[UUID, Sequence[tuple[datetime, datetime | None]]]


async def pending(
    connection: Connection, patients: Sequence[UUID], *, most: int
) -> dict[UUID, list[Pending]]:
    """Return the queue's rows of these patients."""
    found: dict[UUID, list[Pending]] = {}
    for row in await _all(connection, "pending", {"patients": list(patients), "most": most}):
        made = Pending(
            id=row[0], organisation_id=row[1], patient_id=row[2], reading_id=row[3], kind=row[4],
            measured_at=row[5], received_at=row[6],
        )  # fmt: skip
        found.setdefault(made.patient_id, []).append(made)
    return found


async def gather(
    connection: Connection, queued: Mapping[UUID, Sequence[Pending]], *, now: datetime
) -> Batch:
    """Read everything about the patients of these rows; their locks are held by the caller."""
    patients = list(queued)
    episodes = await opened.episodes(connection, patients, technical=False)
    found_alerts = await opened.alerts(connection, patients, now)
    found = await subjects(connection, patients, now=now)
    organisations = sorted({each.organisation_id for each in found.values()})
    return Batch(
        pending=queued,
        subjects=found,
        hours=await office_hours(connection, organisations),
        overrides=await overrides(connection, organisations, patients, now),
        samples=await _samples(connection, queued, _trended(found)),
        episodes=episodes,
        open=found_alerts.open,
        closed=found_alerts.closed,
        held=await _held(connection, patients, now),
    )


async def subjects(
    connection: Connection, patients: Sequence[UUID], *, now: datetime
) -> dict[UUID, Subject]:
    """Return what rules may know of each patient."""
    wanted = {"patients": list(patients), "now": now}
    stays: dict[UUID, list[Enrolment]] = {}
    for row in await _all(connection, "enrolments", wanted):
        stay = Enrolment(programme=row[1], profiles=tuple(row[2]), enrolled_at=row[3])
        stays.setdefault(row[0], []).append(stay)
    starts = {row[0]: row[1] for row in await _all(connection, "baselines", wanted)}
    found: dict[UUID, Subject] = {}
    for row in await _all(connection, "subjects", wanted):
        own = _zone(row[2])
        found[row[0]] = Subject(
            id=row[0],
            organisation_id=row[1],
            zone=own or _zone(row[3]) or ZoneInfo("UTC"),
            zone_known=own is not None,
            birth_date=row[4],
            conditions=frozenset(row[5]),
            traits=frozenset(row[6]),
            personal_trends=row[7],
            enrolments=tuple(stays.get(row[0], ())),
            baselines=MappingProxyType({Metric.WEIGHT: starts[row[0]]} if row[0] in starts else {}),
        )
    return found


async def office_hours(
    connection: Connection, organisations: Sequence[UUID]
) -> dict[UUID, OfficeHours]:
    """Return each organisation's hours; the product's default where none are set."""
    found: dict[UUID, OfficeHours] = {}
    for row in await _all(connection, "office_hours", {"organisations": list(organisations)}):
        zone = _zone(row[1]) or ZoneInfo("UTC")
        if row[2] is None:
            found[row[0]] = OfficeHours(zone=zone)
            continue
        opens, closes = row[2], row[3]
        found[row[0]] = OfficeHours(
            zone=zone,
            opens=opens if isinstance(opens, time) else time(8),
            closes=closes,
            days=tuple(row[4]),
            country=row[5],
            subdivision=row[6],
            extra_holidays=frozenset(row[7]),
        )
    return found


def samples_of(row: Sequence[Any]) -> Iterable[Sample]:
    """The one or two samples of a reading: its own kind, and the pulse that came with it."""
    id_, kind, at, received, value, dia, pulse, flags, status = row
    metric = METRIC_OF.get(kind)
    words, flagged = frozenset(flags), status == "flagged"
    if metric is not None:
        yield Sample(
            id=id_, metric=metric, at=at, received_at=received, value=value,
            dia=dia if metric is Metric.BP else None, flags=words, flagged=flagged,
        )  # fmt: skip
    if pulse is not None and kind in ("blood_pressure", "spo2"):
        yield Sample(
            id=id_, metric=Metric.HEART_RATE, at=at, received_at=received, value=pulse,
            flags=words, flagged=flagged,
        )  # fmt: skip


def answer_of(row: Sequence[Any]) -> Sample:
    """One answered item of a questionnaire."""
    return Sample(
        id=row[0], metric=Metric.SURVEY, at=row[5], received_at=row[6], value=row[4],
        item=row[3], questionnaire=row[2],
    )  # fmt: skip


async def overrides(
    connection: Connection, organisations: Sequence[UUID], patients: Sequence[UUID], now: datetime
) -> dict[UUID, list[Override]]:
    """Return the overrides of each organisation that hold now or held lately."""
    wanted = {"organisations": organisations, "patients": patients, "since": now - HISTORY}
    found: dict[UUID, list[Override]] = {}
    for row in await _all(connection, "overrides", wanted):
        made = Override(
            id=row[0], level=Level[row[2].upper()], patient_id=row[3], programme=row[4],
            rule_id=row[5], changes=row[6], disabled=row[7], effective_from=row[8],
            expires_at=row[9],
        )  # fmt: skip
        found.setdefault(row[1], []).append(made)
    return found


def _trended(found: Mapping[UUID, Subject]) -> frozenset[UUID]:
    """Patients whose organisation has personal trends switched on."""
    return frozenset(patient for patient, subject in found.items() if subject.personal_trends)


async def _samples(
    connection: Connection, queued: Mapping[UUID, Sequence[Pending]], trended: frozenset[UUID]
) -> dict[UUID, list[Sample]]:
    found: dict[UUID, list[Sample]] = {}
    patients, kinds, since = _windows(queued, trended)
    wanted = {"patients": patients, "kinds": kinds, "since": since}
    for row in await _all(connection, "history", wanted):
        found.setdefault(row[1], []).extend(samples_of((row[0], *row[2:])))
    earliest = min(each.measured_at for rows_ in queued.values() for each in rows_)
    near = {"patients": list(queued), "since": earliest - timedelta(hours=3)}
    for row in await _all(connection, "answers", near):
        found.setdefault(row[1], []).append(answer_of(row))
    return found


def _windows(
    queued: Mapping[UUID, Sequence[Pending]], trended: frozenset[UUID]
) -> tuple[list[UUID], list[str], list[datetime]]:
    """Which (patient, kind) pairs to read, and from when."""
    patients: list[UUID] = []
    kinds: list[str] = []
    since: list[datetime] = []
    for patient, waiting in queued.items():
        start = min(each.measured_at for each in waiting) - HISTORY
        wanted = _needed({each.kind for each in waiting})
        if patient in trended:
            start, wanted = start - TREND_MORE, wanted | TREND_KINDS
        for kind in sorted(wanted):
            patients.append(patient)
            kinds.append(kind)
            since.append(start)
    return patients, kinds, since


def _needed(kinds: set[str]) -> set[str]:
    if "survey" in kinds:
        return set(ALL_KINDS)
    return kinds | WITH_PULSE if kinds & WITH_PULSE else kinds


async def _held(
    connection: Connection, patients: Sequence[UUID], now: datetime
) -> dict[UUID, list[tuple[datetime, datetime | None]]]:
    wanted = {"patients": patients, "states": HELD_STATES, "now": now}
    found: dict[UUID, list[tuple[datetime, datetime | None]]] = {}
    for row in await _all(connection, "holds", wanted):
        found.setdefault(row[0], []).append((row[1], row[2]))
    return found


def _zone(name: str | None) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        return None


async def _all(
    connection: Connection, name: str, wanted: Mapping[str, object]
) -> list[tuple[Any, ...]]:
    return await (await connection.execute(sql.load("alerts")[name], wanted)).fetchall()
