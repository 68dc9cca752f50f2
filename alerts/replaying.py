"""Run a what-if replay over a clinic's stored history: several processes, progress, one answer."""

import asyncio
import multiprocessing
import os
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from alerts import applicability, catalogue, gather, replay
from alerts.applicability import Level, Override
from alerts.replay import Comparison, History, Relevant, Replayed
from alerts.samples import Sample
from alerts.severity import Severity
from database import sql
from database.pool import OPTIONS

Connection = psycopg.AsyncConnection[tuple[Any, ...]]
CHUNK = 25
BEFORE = timedelta(days=15)
FAR = timedelta(days=366)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What to replay: a draft (rule id -> changed fields, or {"disabled": true}) over some days."""

    dsn: str
    organisation: UUID
    until: datetime
    days: int = 90
    draft: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    patients: int | None = None
    """Only so many patients: a quick sample while somebody drags a slider."""
    programme: str | None = None
    """The draft is of this programme's rules; None: of the organisation's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chunk:
    """Some patients of one replay, as sent to a process."""

    dsn: str
    organisation: UUID
    until: datetime
    days: int
    draft: tuple[tuple[str, bytes], ...]
    patients: tuple[UUID, ...]
    programme: str | None


def run(
    asked: Asked,
    *,
    processes: int = 2,
    niceness: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Comparison:
    """Replay and compare; `progress` is told how many patients are done, of how many.

    RuleError if the draft cannot be used.
    """
    checked(asked.draft)
    patients, relevant, minutes = asyncio.run(_scope(asked))
    current: list[Replayed] = []
    draft: list[Replayed] = []
    done = 0
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        max_workers=processes, mp_context=context, initializer=os.nice, initargs=(niceness,)
    ) as pool:
        for found in pool.map(_chunk, _chunks(asked, patients)):
            current += found[0]
            draft += found[1]
            done = min(len(patients), done + CHUNK)
            if progress is not None:
                progress(done, len(patients))
    return replay.compare(
        current, draft, relevant, patients=len(patients), days=asked.days, minutes=minutes
    )


def as_words(found: Comparison) -> dict[str, object]:
    """The comparison as plain values, for the table and the API."""
    words: dict[str, object] = msgspec.to_builtins(found)
    return words


def checked(draft: Mapping[str, Mapping[str, object]]) -> None:
    """Refuse unknown rules and unusable changes before any work is done."""
    for rule_id, changes in draft.items():
        rest = {key: value for key, value in changes.items() if key != "disabled"}
        applicability.validated(catalogue.product().rule(rule_id), rest)


def _chunks(asked: Asked, patients: Sequence[UUID]) -> list[_Chunk]:
    draft = tuple((key, msgspec.json.encode(value)) for key, value in asked.draft.items())
    return [
        _Chunk(
            dsn=asked.dsn,
            organisation=asked.organisation,
            until=asked.until,
            days=asked.days,
            draft=draft,
            patients=tuple(patients[start : start + CHUNK]),
            programme=asked.programme,
        )
        for start in range(0, len(patients), CHUNK)
    ]


def _chunk(chunk: _Chunk) -> tuple[list[Replayed], list[Replayed]]:
    return asyncio.run(_replayed(chunk))


async def _replayed(chunk: _Chunk) -> tuple[list[Replayed], list[Replayed]]:
    start = chunk.until - timedelta(days=chunk.days)
    async with await _connect(chunk.dsn) as connection:
        patients = list(chunk.patients)
        subjects = await gather.subjects(connection, patients, now=chunk.until)
        found = await gather.overrides(connection, [chunk.organisation], patients, start)
        samples = await _samples(connection, chunk, start - BEFORE)
    draft = [_override(key, value, chunk) for key, value in chunk.draft]
    current: list[Replayed] = []
    changed: list[Replayed] = []
    for patient, subject in subjects.items():
        history = History(
            subject=subject, samples=samples.get(patient, ()), start=start, end=chunk.until
        )
        one, other = replay.both(
            catalogue.product(), found.get(chunk.organisation, ()), draft, history
        )
        current += one
        changed += other
    return current, changed


def _override(rule_id: str, changes: bytes, chunk: _Chunk) -> Override:
    told: dict[str, object] = msgspec.json.decode(changes)
    return Override(
        id=uuid.uuid5(uuid.NAMESPACE_OID, rule_id),
        level=Level.PROGRAMME if chunk.programme else Level.ORGANISATION,
        programme=chunk.programme,
        rule_id=rule_id,
        changes={key: value for key, value in told.items() if key != "disabled"},
        disabled=bool(told.get("disabled")),
        effective_from=chunk.until - FAR,
        expires_at=chunk.until + FAR,
    )


async def _samples(
    connection: Connection, chunk: _Chunk, since: datetime
) -> dict[UUID, list[Sample]]:
    wanted = {"patients": list(chunk.patients), "since": since, "until": chunk.until}
    found: dict[UUID, list[Sample]] = {}
    for row in await _rows(connection, "history_between", wanted):
        found.setdefault(row[1], []).extend(gather.samples_of((row[0], *row[2:])))
    for row in await _rows(connection, "answers", wanted):
        found.setdefault(row[1], []).append(gather.answer_of(row))
    return found


async def _scope(
    asked: Asked,
) -> tuple[list[UUID], list[Relevant], Mapping[Severity, float]]:
    """Whose history, which of their alerts mattered, and how long alerts take here."""
    start = asked.until - timedelta(days=asked.days)
    wanted = {"organisation": asked.organisation, "since": start, "until": asked.until}
    async with await _connect(asked.dsn) as connection:
        patients = [row[0] for row in await _rows(connection, "replay_patients", wanted)]
        mattered = [
            Relevant(
                patient_id=row[0], rule_id=row[1], first_at=row[2], last_at=row[3], headline=row[4]
            )
            for row in await _rows(connection, "relevant_alerts", wanted)
        ]
        own = {
            Severity(row[0]): float(row[1])
            for row in await _rows(connection, "handling_minutes", wanted)
        }
    chosen = patients[: asked.patients] if asked.patients else patients
    inside = [each for each in mattered if each.patient_id in set(chosen)]
    return chosen, inside, {**replay.MINUTES, **own}


async def _connect(dsn: str) -> Connection:
    return await psycopg.AsyncConnection.connect(
        dsn, autocommit=True, prepare_threshold=None, options=OPTIONS
    )


async def _rows(
    connection: Connection, name: str, wanted: Mapping[str, object]
) -> list[tuple[Any, ...]]:
    return await (await connection.execute(sql.load("alerts")[name], wanted)).fetchall()
