"""Simulated staff: they answer pages, take the next line, call, close it, sign, hand over."""

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

from alerts import pages, queue
from alerts.closing import Action, ClosingForm, Contact
from alerts.delivery import Address, Message
from alerts.lifecycle import Actor, Episode
from alerts.senders import Sent
from alerts.severity import Severity
from database import sql
from deploy.day import plan

Connection = psycopg.AsyncConnection[tuple[Any, ...]]
QUEUES = ("rn_triage", "titration", "titration_weekly", "outreach", "ma_outreach")
ANSWERS = 0.8
"""Share of pages that somebody hears; the others escalate."""
CONTACT = Contact(mode="audio", who="patient", result="reached")
ACTIONS = (Action.EDUCATION, Action.NONE, Action.MEDICATION_CHANGE, Action.VISIT)


@dataclass(slots=True, kw_only=True)
class Person:
    """One member of staff, and what is in their hands until when."""

    actor: Actor
    shifts: tuple[tuple[int, int], ...]
    """Local hours of work at the queues; whoever has none only answers pages."""
    busy: dict[UUID, datetime] = field(default_factory=dict)

    def works(self, now: datetime) -> bool:
        """True during a shift."""
        hour = now.astimezone(plan.ZONE).hour
        return any(start <= hour < end for start, end in self.shifts)


@dataclass(slots=True, kw_only=True)
class Team:
    """Everybody, and the pages that will be answered."""

    chance: random.Random
    people: dict[UUID, Person]
    answers: dict[UUID, datetime] = field(default_factory=dict)
    """Page -> when its receiver answers."""

    async def hear(self, address: Address, message: Message, now: datetime) -> Sent:
        """Take a page; most are answered within minutes, some are not heard."""
        if address.staff_id is not None and self.chance.random() < ANSWERS:
            wait = timedelta(minutes=self.chance.uniform(1, 4))
            self.answers.setdefault(message.page_id, now + wait)
        return Sent(ok=True)


async def work(connection: Connection, team: Team, *, now: datetime) -> None:
    """What everybody does at this moment."""
    await _answer(connection, team, now)
    for person in team.people.values():
        await _finish(connection, team, person, now)
        if person.works(now) and not person.busy:
            async with connection.transaction():
                taken = await queue.take_next(connection, person.actor, QUEUES, now=now)
            _begin(team, person, taken, now)
    await _sign(connection, team, now)


async def go_home(connection: Connection, team: Team, *, now: datetime, step: timedelta) -> None:
    """Whoever ends a shift gives what is left back to its queue."""
    for person in team.people.values():
        if person.shifts and person.works(now - step) and not person.works(now):
            async with connection.transaction():
                await queue.hand_over(connection, person.actor, None, "end of shift", now=now)
            person.busy.clear()


async def _answer(connection: Connection, team: Team, now: datetime) -> None:
    due = [page for page, at in team.answers.items() if at <= now]
    wanted = {"ids": due}
    for page, token in await _rows(connection, "page_tokens", wanted) if due else []:
        del team.answers[page]
        async with connection.transaction():
            told = await pages.find(connection, token)
            await pages.acknowledge(connection, token, "link", now=now)
            if told is None or told.staff_id is None or told.episode_id is None:
                continue
            line = await queue.find(connection, told.episode_id)
        if line and line.owner_id == told.staff_id:
            _begin(team, team.people[told.staff_id], line, now)


def _begin(team: Team, person: Person, line: object, now: datetime) -> None:
    if isinstance(line, Episode) and line.closed_at is None:
        taken = plan.handling(team.chance, Severity(line.severity))
        person.busy.setdefault(line.id, now + taken)


async def _finish(connection: Connection, team: Team, person: Person, now: datetime) -> None:
    for line in [each for each, until in person.busy.items() if until <= now]:
        del person.busy[line]
        form = ClosingForm(
            action=team.chance.choices(ACTIONS, weights=(4, 3, 2, 1))[0],
            note="called, instructed",
            contacts=(CONTACT,),
            medication_by="supervising provider",
        )
        async with connection.transaction():
            await queue.resolve(connection, line, person.actor, form, now=now)


async def _sign(connection: Connection, team: Team, now: datetime) -> None:
    """A provider signs what a nurse has closed as critical."""
    for provider in _providers(team.people.values()):
        for (line,) in await _rows(connection, "to_sign", {}):
            async with connection.transaction():
                await queue.cosign(connection, line, provider.actor, now=now)


def _providers(people: Iterable[Person]) -> Iterator[Person]:
    return (each for each in people if each.actor.role == "provider")


async def _rows(
    connection: Connection, name: str, wanted: Mapping[str, object]
) -> list[tuple[Any, ...]]:
    return await (await connection.execute(sql.load("deploy.day")[name], wanted)).fetchall()
