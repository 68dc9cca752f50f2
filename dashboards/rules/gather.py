"""What the pages of rules show, gathered in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

import msgspec

from alerts import catalogue
from alerts.applicability import Level
from alerts.replay import Comparison
from alerts.rules import Rule
from dashboards.door import MissingError, Visit
from dashboards.rules import standing, store, words
from dashboards.rules.rows import Called, Replay, Signed, Version
from dashboards.rules.standing import Changes, Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What holds for one scope, and what is being drafted for it."""

    programme: str | None
    current: Version | None
    draft: Version | None
    history: Sequence[Version]
    upcoming: Sequence[Version]
    overrides: Sequence[Signed]

    @property
    def number(self) -> int:
        """The newest version of the scope, begun or not; 0 where there is none."""
        return max((each.number or 0 for each in self.history), default=0)

    def changes(self, at: datetime) -> Changes:
        """Return what this scope changes at that moment."""
        return standing.in_scope([o.override for o in self.overrides], self.programme, at)

    def standings(self, at: datetime) -> list[tuple[str, list[Standing]]]:
        """Return every rule as it stands, by profile."""
        product = catalogue.product()
        overrides = [each.override for each in self.overrides]
        found = standing.standings(product, overrides, self.programme, at)
        return [(name, list(rules)) for name, rules in groupby(found, lambda s: s.rule.profile)]

    def of_patients(self) -> list[Signed]:
        """Return the limits that single patients have."""
        return [each for each in self.overrides if each.level == "patient"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One rule of a version: what it changes."""

    rule: Rule
    words: list[str]
    is_new: bool
    """Not as in the version that holds now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """A replay with its answer, and whether it is about the draft as it is."""

    run: Replay
    found: Comparison | None
    people: dict[UUID, Called]
    is_current: bool


async def holding(visit: Visit, programme: str | None) -> Holding:
    """Return what holds for the organisation, or one of its programmes."""
    found = [v for v in await store.versions(visit.connection) if v.programme == programme]
    published = [v for v in found if v.number is not None]
    begun = [v for v in published if v.effective_from and v.effective_from <= visit.now]
    return Holding(
        programme=programme,
        current=begun[0] if begun else None,
        draft=next((v for v in found if v.is_draft), None),
        history=published,
        upcoming=[v for v in published if v not in begun],
        overrides=await store.overrides(visit.connection, visit.now),
    )


async def version(visit: Visit, version_id: UUID) -> Version:
    """Return a version of this organisation."""
    found = await store.version(visit.connection, version_id)
    if found is None:
        raise MissingError
    return found


def rule(rule_id: str) -> Rule:
    """Return a rule of the product."""
    try:
        return catalogue.product().rule(rule_id)
    except KeyError as error:
        raise MissingError from error


def changes(version: Version, held: Holding, at: datetime) -> list[Change]:
    """Return what a version changes, and what a draft takes back, in the order of the product."""
    before = held.changes(at) if version.is_draft else {}
    told = standing.asked(version.changes, before)
    return [
        Change(
            rule=each,
            words=words.differences(each, told[each.id]) or ["Back to the product's own"],
            is_new=version.is_draft and told[each.id] != before.get(each.id),
        )
        for each in catalogue.product().rules
        if each.id in told
    ]


def question(version: Version, held: Holding, at: datetime) -> Changes:
    """Return what a replay of a draft is told."""
    return standing.asked(version.changes, held.changes(at))


async def what_if(visit: Visit, version: Version, held: Holding) -> WhatIf | None:
    """Return the last replay of a draft, or None."""
    run = await store.replay_of(visit.connection, version.id)
    if run is None:
        return None
    found = msgspec.convert(run.result, Comparison) if run.result else None
    return WhatIf(
        run=run,
        found=found,
        people=await store.called(visit.connection, found) if found else {},
        is_current=not version.is_draft or run.draft == question(version, held, visit.now),
    )


LEVELS = {Level.ORGANISATION: "Organization", Level.PROGRAMME: "Program", Level.PATIENT: "Patient"}
