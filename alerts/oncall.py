"""Read an organisation's rotas and how its people are reached."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg

from alerts import catalogue, gather
from alerts.delivery import Address
from alerts.severity import Severity
from care import rota
from care.calendar import OfficeHours
from care.rota import Duty, Layer, OnHolidays, Override, Rota
from database import sql

Connection = psycopg.AsyncConnection[tuple[Any, ...]]


async def rotas(connection: Connection, organisation: UUID) -> list[Rota]:
    """Return the organisation's rotas with their layers and overrides."""
    hours = (await gather.office_hours(connection, [organisation]))[organisation]
    layers = await _grouped(connection, "rota_layers", organisation)
    overrides = await _grouped(connection, "rota_overrides", organisation)
    found = await _rows(connection, "rotas", {"organisation": organisation})
    return [
        Rota(
            zone=ZoneInfo(row[1]),
            programmes=tuple(row[2]),
            hours=hours,
            layers=tuple(_layer(each) for each in layers.get(row[0], ())),
            overrides=tuple(_override(each) for each in overrides.get(row[0], ())),
        )
        for row in found
    ]


async def hours(connection: Connection, organisation: UUID) -> dict[UUID, OfficeHours]:
    """Return the organisation's opening hours."""
    return await gather.office_hours(connection, [organisation])


async def addresses(
    connection: Connection, organisation: UUID, staff_id: UUID | None
) -> list[Address]:
    """Return the person's addresses in order; with None the organisation's last resort."""
    wanted = {"organisation": organisation, "staff": staff_id}
    return [
        Address(id=row[0], staff_id=row[1], channel=row[2], address=row[3], secret=row[4])
        for row in await _rows(connection, "addresses", wanted)
    ]


def pages(profiles: Sequence[str]) -> bool:
    """True when rules of these profiles can page somebody at once."""
    product = catalogue.product()
    seen: set[str] = set()
    todo = list(profiles)
    while todo:
        profile = product.profiles.get(todo.pop())
        if profile is None or profile.id in seen:
            continue
        seen.add(profile.id)
        todo += [*profile.include, *filter(None, [profile.otherwise])]
        for rule in profile.rules:
            worst = [rule.severity, rule.if_symptoms, rule.worse[1] if rule.worse else None]
            if profile.severity_up or Severity.CRITICAL in worst:
                return True
    return False


async def enrolment_refusal(
    connection: Connection,
    organisation: UUID,
    programme: str,
    profiles: Sequence[str],
    at: datetime,
) -> str | None:
    """Return why a patient may not be enrolled now: nobody would be paged; None if all is well."""
    own = rota.for_programmes(await rotas(connection, organisation), [programme])
    return rota.enrolment_refusal(own, pages=pages(profiles), at=at)


def _layer(row: Sequence[Any]) -> Layer:
    return Layer(
        duty=Duty(row[1]),
        layer=row[2],
        members=tuple(row[3]),
        starts_at=row[4],
        turn=row[5],
        from_time=row[6],
        to_time=row[7],
        days=tuple(row[8]),
        on_holidays=OnHolidays(row[9]),
        ends_at=row[10],
    )


def _override(row: Sequence[Any]) -> Override:
    return Override(duty=Duty(row[1]), staff_id=row[2], from_at=row[3], to_at=row[4])


async def _grouped(
    connection: Connection, name: str, organisation: UUID
) -> Mapping[UUID, list[tuple[Any, ...]]]:
    found: dict[UUID, list[tuple[Any, ...]]] = {}
    for row in await _rows(connection, name, {"organisation": organisation}):
        found.setdefault(row[0], []).append(row)
    return found


async def _rows(
    connection: Connection, name: str, wanted: Mapping[str, object]
) -> list[tuple[Any, ...]]:
    return await (await connection.execute(sql.load("alerts")[name], wanted)).fetchall()
