"""Write what was decided: alerts, evidence, episodes, events, requests, notices, then the audit."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from alerts import channel, rows
from alerts.episodes import Line
from alerts.evaluation import Ask, Decided, Event
from alerts.lifecycle import Episode
from alerts.policy import TELLS, Alert
from alerts.samples import Subject
from database import sql

Connection = psycopg.AsyncConnection[tuple[Any, ...]]
Row = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One patient's decisions, ready to be written."""

    subject: Subject
    decided: Decided
    line: Line | None
    queue_ids: tuple[int, ...]
    arrived: tuple[tuple[str, datetime], ...] = ()
    """What came in: (metric or questionnaire, when); it answers what was asked before."""


async def apply(
    connection: Connection, judgements: Sequence[Judgement], *, now: datetime
) -> list[Episode]:
    """Write all decisions of one transaction; return the episodes that changed.

    The audit lines are the last statement: their lock serialises writers of an organisation.
    """
    changed = [each for each in judgements if each.line is not None and each.decided.events]
    saved = await _save_lines(connection, [each.line for each in changed if each.line])
    await _many(connection, "save_alert", _alert_rows(changed, now))
    await _many(connection, "save_evidence", _evidence_rows(changed))
    await _many(connection, "record_event", _event_rows(changed, now))
    await _requests(connection, judgements, now)
    await _escalations(connection, changed, now)
    ids = [each for judgement in judgements for each in judgement.queue_ids]
    await connection.execute(sql.load("alerts")["done"], {"ids": ids})
    await _notify(connection, changed, saved)
    await _many(connection, "audit_alerts", _audit_rows(changed, now))
    return saved


async def _save_lines(connection: Connection, lines: Sequence[Line]) -> list[Episode]:
    """Write new and changed lines; a changed one was locked when it was read: its next version."""
    saved = [
        line.episode
        if line.new
        else dataclasses.replace(line.episode, version=line.episode.version + 1)
        for line in lines
    ]
    new = [_new_row(line.episode) for line in lines if line.new]
    await _many(connection, "open_episode", new)
    older = [
        {**rows.mutable(line.episode), "id": line.episode.id, "step": 1}
        for line in lines
        if not line.new
    ]
    await _many(connection, "save_episode", older)
    return saved


def _new_row(episode: Episode) -> Row:
    fixed = ("id", "organisation_id", "patient_id", "opened_at", "technical")
    return {**{name: getattr(episode, name) for name in fixed}, **rows.mutable(episode)}


def _alert_rows(changed: Sequence[Judgement], now: datetime) -> list[Row]:
    return [
        alert_row(alert, judgement.subject, judgement.line.episode.id, now)
        for judgement in changed
        if judgement.line
        for alert in judgement.decided.alerts
    ]


def alert_row(alert: Alert, subject: Subject, episode_id: UUID, now: datetime) -> Row:
    """One alert as query parameters; its readings and numbers are those of its evidence."""
    standing = alert.standing or tuple(alert.evidence.values())
    latest = max(standing, key=lambda each: each.at, default=None)
    ids = dict.fromkeys(i for each in standing for i in each.reading_ids)
    return {
        "id": alert.id,
        "organisation_id": subject.organisation_id,
        "patient_id": subject.id,
        "episode_id": episode_id,
        "rule_id": alert.rule_id,
        "rule_version": alert.rule_version,
        "profile": alert.profile,
        "kind": alert.kind,
        "route": alert.route,
        "technical": alert.technical,
        "severity": int(alert.severity),
        "state": alert.state,
        "headline": alert.headline,
        "why": alert.why,
        "reading_ids": list(ids),
        "computed": Jsonb(dict(latest.computed) if latest else {}),
        "raised_at": alert.raised_at,
        "last_breach_at": latest.at if latest else alert.raised_at,
        "due_at": alert.due_at,
        "breaches": max(1, len(standing)),
        "late": bool(standing) and all(each.late for each in standing),
        "counts_from": alert.counts_from,
        "now": now,
    }


def _evidence_rows(changed: Sequence[Judgement]) -> list[Row]:
    return [
        row
        for judgement in changed
        for alert in judgement.decided.alerts
        for row in _evidence_of(alert, judgement)
    ]


def _evidence_of(alert: Alert, judgement: Judgement) -> list[Row]:
    touched = {e.reading_id for e in judgement.decided.events if e.alert_id == alert.id}
    return [
        {
            "alert_id": alert.id,
            "organisation_id": judgement.subject.organisation_id,
            "rule_id": alert.rule_id,
            "reading_id": each.reading_id,
            "at": each.at,
            "severity": int(each.severity),
            "standing": each.standing,
            "headline": each.headline,
            "why": each.why,
            "reading_ids": list(each.reading_ids),
            "computed": Jsonb(dict(each.computed)),
            "late": each.late,
            "answered_normal": each.answered_normal,
        }
        for each in alert.evidence.values()
        if each.reading_id in touched
    ]


def _event_rows(changed: Sequence[Judgement], now: datetime) -> list[Row]:
    return [
        event_row(event, judgement.subject, judgement.line.episode.id, now)
        for judgement in changed
        if judgement.line
        for event in judgement.decided.events
    ]


def event_row(event: Event, subject: Subject, episode_id: UUID, now: datetime) -> Row:
    """One event as query parameters."""
    return {
        "organisation_id": subject.organisation_id,
        "episode_id": episode_id,
        "alert_id": event.alert_id,
        "at": now,
        "action": event.action.name.lower(),
        "reason": event.action.value,
        "detail": Jsonb({"reading": str(event.reading_id), "severity": event.severity}),
    }


async def _requests(connection: Connection, judgements: Sequence[Judgement], now: datetime) -> None:
    asks = [(each.subject, ask) for each in judgements for ask in each.decided.asks]
    arrived = [(each.subject.id, name, at) for each in judgements for name, at in each.arrived]
    if arrived:
        patients, names, ats = (list(column) for column in zip(*arrived, strict=True))
        told = {"patients": patients, "names": names, "ats": ats, "now": now}
        await connection.execute(sql.load("alerts")["answer_remeasure"], told)
        await connection.execute(sql.load("alerts")["answer_symptoms"], told)
    await _many(connection, "ask_remeasure", [_ask_row(s, a, now) for s, a in asks])
    questions = [_ask_row(s, a, now) for s, a in asks if a.rule.ask]
    await _many(connection, "ask_symptoms", questions)


def _ask_row(subject: Subject, ask: Ask, now: datetime) -> Row:
    return {
        "organisation_id": subject.organisation_id,
        "patient_id": subject.id,
        "rule_id": ask.rule.id,
        "reading_id": ask.sample.id,
        "metric": ask.rule.metric.value,
        "measured_at": ask.sample.at,
        "measure_after": ask.measure_after,
        "due_at": ask.due_at,
        "message": ask.rule.patient_message,
        "questionnaire": ask.rule.ask,
        "now": now,
    }


async def _escalations(connection: Connection, changed: Sequence[Judgement], now: datetime) -> None:
    """Start, or start again, the clock of every line that somebody has to be told of."""
    lines = [each.line for each in changed if each.line and each.line.tells]
    started = [
        {
            "episode_id": line.episode.id,
            "organisation_id": line.episode.organisation_id,
            "severity": line.episode.severity,
            "now": now,
        }
        for line in lines
        if line.episode.acknowledged_at is None and line.episode.snoozed_until is None
    ]
    await _many(connection, "start_escalation", started)


async def _notify(
    connection: Connection, changed: Sequence[Judgement], saved: Sequence[Episode]
) -> None:
    told = [
        (channel.WORKLIST, channel.changed(episode, new=each.line.new))
        for each, episode in zip(changed, saved, strict=True)
        if each.line
    ]
    if told:
        async with connection.cursor() as cursor:
            await cursor.executemany("select pg_notify(%s, %s)", told)


def _audit_rows(changed: Sequence[Judgement], now: datetime) -> list[Row]:
    found = [
        {
            "organisation_id": each.subject.organisation_id,
            "now": now,
            "id": str(each.line.episode.id),
            "patient_id": each.subject.id,
            "detail": Jsonb({"alert": str(event.alert_id), "action": event.action.value}),
        }
        for each in changed
        if each.line
        for event in each.decided.events
        if event.action in TELLS
    ]
    return sorted(found, key=lambda row: str(row["organisation_id"]))


async def _many(connection: Connection, name: str, wanted: Sequence[Row]) -> None:
    if wanted:
        async with connection.cursor() as cursor:
            await cursor.executemany(sql.load("alerts")[name], wanted)
