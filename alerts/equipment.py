"""Technical alerts from gateways and devices: open while a fault lasts, closed when it is gone."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from alerts import faults, incidents, technical
from alerts.faults import Fault, State
from alerts.incidents import Incident
from alerts.severity import Severity
from database import sql

SLICE = 200
"""Homes that are looked at in one go: the same process judges readings meanwhile."""
Connection = psycopg.AsyncConnection[tuple[Any, ...]]
RULES = ("gw_offline", "gw_backlog", "gw_clock", "dev_battery", "dev_clock", "dev_error")


async def check(connection: Connection, now: datetime) -> int:
    """Compare every home's equipment with its open technical alerts; return how many changed.

    Only homes where something differs are locked, one transaction each: most homes are well.
    """
    homes = await _homes(connection, now)
    open_: dict[UUID, dict[str, int]] = {}
    for patient, rule_id, severity in await _rows(connection, "open_technical", rules=list(RULES)):
        open_.setdefault(patient, {})[rule_id] = severity
    changed = 0
    for number, (patient, (organisation, states)) in enumerate(homes.items()):
        if number % SLICE == 0:
            await asyncio.sleep(0)
        wanted = _wanted(states, now)
        known = open_.get(patient, {})
        if {rule: int(fault.severity) for rule, fault in wanted.items()} != known:
            async with connection.transaction():
                await _rows(connection, "lock_patients", patients=[patient])
                changed += await _differ(connection, patient, organisation, wanted, known, now)
    async with connection.transaction():
        await _homeless(connection, now)
        await _identity(connection, now)
    return changed


async def _homes(connection: Connection, now: datetime) -> dict[UUID, tuple[UUID, list[State]]]:
    """Return every patient's equipment, by patient, in slices: readings are judged beside."""
    found = await connection.execute(sql.load("alerts")["equipment"], {"now": now})
    homes: dict[UUID, tuple[UUID, list[State]]] = {}
    while rows := await found.fetchmany(SLICE):
        for row in rows:
            homes.setdefault(row[0], (row[1], []))[1].append(_state(row))
        await asyncio.sleep(0)
    return homes


def _state(row: Sequence[Any]) -> State:
    return State(
        gateway=row[2],
        heard_at=row[3],
        ever_heard=row[4],
        depth=row[5] or 0,
        oldest=row[6],
        gateway_offset_s=row[7],
        device=row[8],
        battery=row[9],
        clock_offset_s=row[10],
        failures=row[11] or 0,
        clock_fault=row[12],
    )


def _wanted(states: list[State], now: datetime) -> dict[str, Fault]:
    """The faults of one home, the worst of each kind."""
    wanted: dict[str, Fault] = {}
    for fault in (each for state in states for each in faults.faults(state, now=now)):
        known = wanted.get(fault.rule_id)
        if known is None or fault.severity.worse_than(known.severity):
            wanted[fault.rule_id] = fault
    return wanted


async def _differ(  # noqa: PLR0913, PLR0917  # whose home, what is wrong, what is on record
    connection: Connection,
    patient: UUID,
    organisation: UUID,
    wanted: Mapping[str, Fault],
    known: Mapping[str, int],
    now: datetime,
) -> int:
    changed = 0
    for fault in wanted.values():
        finding = technical.Finding(
            patient_id=patient,
            organisation_id=organisation,
            rule_id=fault.rule_id,
            severity=fault.severity,
            queue="tech",
            headline=fault.headline,
            why=fault.why,
        )
        changed += await technical.open_alert(connection, finding, now=now)
    for rule_id in known:
        if rule_id not in wanted:
            changed += await technical.close_alert(
                connection, patient, rule_id, reason="the cause is gone", now=now
            )
    return changed


async def _homeless(connection: Connection, now: datetime) -> None:
    """A silent gateway that serves nobody's device has no patient: it is an incident."""
    for gateway, organisation, silent in await _rows(connection, "lone_gateways", now=now):
        if silent:
            await incidents.raise_one(connection, _lone(gateway, organisation), now=now)
        else:
            await incidents.close(connection, "gw_offline", gateway, reason="heard again", now=now)


async def _identity(connection: Connection, now: datetime) -> None:
    """Readings whose owner is not known wait in identity review; more than a day is too long."""
    for organisation, waiting, late in await _rows(connection, "unknown_owners", now=now):
        subject = str(organisation)
        if waiting:
            incident = Incident(
                organisation_id=organisation,
                rule_id="unknown_owner",
                subject=subject,
                severity=Severity.HIGH if late else Severity.MEDIUM,
                queue="identity_review",
                headline=f"{waiting} readings without an owner",
                why=f"{waiting} readings wait in identity review, {late} of them for over 24 hours",
            )
            await incidents.raise_one(connection, incident, now=now)
        else:
            await incidents.close(
                connection, "unknown_owner", subject, reason="review is empty", now=now
            )


def _lone(gateway: str, organisation: UUID) -> Incident:
    return Incident(
        organisation_id=organisation,
        rule_id="gw_offline",
        subject=gateway,
        severity=Severity.LOW,
        queue="tech",
        headline="Gateway offline",
        why="No heartbeat for 2 hours from a gateway whose devices belong to nobody now",
    )


async def _rows(connection: Connection, name: str, **wanted: object) -> list[tuple[Any, ...]]:
    found = await connection.execute(sql.load("alerts")[name], wanted)
    return await found.fetchall() if found.description else []
