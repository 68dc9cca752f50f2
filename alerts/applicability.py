"""Which rules hold for a patient now: profiles, who they are for, and overrides. Pure."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from uuid import UUID

from alerts import definition
from alerts.rules import Applies, Catalogue, Profile, Rule
from alerts.samples import Enrolment, Subject

PREGNANT = frozenset({"pregnant", "pregnancy"})
POSTPARTUM = frozenset({"postpartum", "postpartum_6w"})


class Level(IntEnum):
    """How narrow an override is; the narrowest is applied last and wins."""

    ORGANISATION = 1
    PROGRAMME = 2
    PATIENT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A signed change to one rule, for a while."""

    id: UUID
    level: Level
    rule_id: str
    changes: Mapping[str, object]
    disabled: bool
    effective_from: datetime
    expires_at: datetime
    patient_id: UUID | None = None
    programme: str | None = None


def in_force(
    catalogue: Catalogue, overrides: Sequence[Override], subject: Subject, at: datetime
) -> tuple[Rule, ...]:
    """Return the rules that judge this patient's readings at that moment, overrides applied."""
    rules = _remembered(catalogue, subject, at)
    if not overrides:
        return rules
    changed = (_overridden(rule, overrides, subject, at) for rule in rules)
    return tuple(rule for rule in changed if rule is not None)


_memory: dict[tuple[object, ...], tuple[Rule, ...]] = {}
REMEMBER = 10_000


def _remembered(catalogue: Catalogue, subject: Subject, at: datetime) -> tuple[Rule, ...]:
    """Most patients of a clinic are alike: the same profiles, facts, age and day give the same."""
    day = subject.local_day(at)
    stays = tuple((e.profiles, _boosts(catalogue, e, at)) for e in subject.enrolments)
    key = (catalogue.version, stays, subject.conditions, subject.traits, subject.age_on(day), day)
    if key not in _memory:
        if len(_memory) >= REMEMBER:
            _memory.clear()
        _memory[key] = _of_patient(catalogue, subject, at)
    return _memory[key]


def _boosts(catalogue: Catalogue, enrolment: Enrolment, at: datetime) -> tuple[bool, ...]:
    found = (catalogue.profiles.get(name) for name in enrolment.profiles)
    return tuple(p is not None and at < enrolment.enrolled_at + p.severity_up_for for p in found)


def _of_patient(catalogue: Catalogue, subject: Subject, at: datetime) -> tuple[Rule, ...]:
    rules: dict[str, Rule] = {}
    for enrolment in subject.enrolments:
        for rule in _of_enrolment(catalogue, enrolment, subject, at):
            known = rules.get(rule.id)
            if known is None or rule.severity_up > known.severity_up:
                rules[rule.id] = rule
    return tuple(rules.values())


def holds_for(applies: Applies, subject: Subject, at: datetime) -> bool:
    """True when every part of `applies` is met by the patient."""
    age = subject.age_on(subject.local_day(at))
    facts = subject.conditions | subject.traits
    pregnant, postpartum = bool(facts & PREGNANT), bool(facts & POSTPARTUM)
    excluded = {"pregnant": pregnant, "pregnant_or_6w_postpartum": pregnant or postpartum}
    wanted = applies.pregnant_or_6w_postpartum
    return (
        (applies.age_gte is None or age >= applies.age_gte)
        and (applies.age_lt is None or age < applies.age_lt)
        and (applies.condition is None or applies.condition in facts)
        and (applies.trait is None or applies.trait in facts)
        and (wanted is None or wanted == (pregnant or postpartum))
        and not (applies.excluding and excluded.get(applies.excluding, applies.excluding in facts))
    )


def validated(rule: Rule, changes: Mapping[str, object]) -> Rule:
    """Return the rule with the changes of an override; RuleError if one cannot be used."""
    return definition.changed(rule, changes)


def _of_enrolment(
    catalogue: Catalogue, enrolment: Enrolment, subject: Subject, at: datetime
) -> Iterable[Rule]:
    named = [p for name in enrolment.profiles for p in _expanded(catalogue, name, subject, at)]
    resting = {each for profile, _ in named for each in profile.replaces}
    for profile, top in named:
        if profile.id in resting:
            continue
        boosted = bool(top.severity_up) and at < enrolment.enrolled_at + top.severity_up_for
        for rule in profile.rules:
            if rule.on_by_default and _in_effect(rule, at) and holds_for(rule.when, subject, at):
                yield dataclasses.replace(rule, severity_up=top.severity_up) if boosted else rule


def _expanded(
    catalogue: Catalogue, name: str, subject: Subject, at: datetime
) -> list[tuple[Profile, Profile]]:
    """The profile with all it includes, each beside the one that was asked for."""
    profile = catalogue.profiles.get(name)
    if profile is None:
        return []
    if not holds_for(profile.applies, subject, at):
        return _expanded(catalogue, profile.otherwise, subject, at) if profile.otherwise else []
    inner = [p for each in profile.include for p, _ in _expanded(catalogue, each, subject, at)]
    return [(each, profile) for each in (profile, *inner)]


def _in_effect(rule: Rule, at: datetime) -> bool:
    day = at.date().isoformat()
    return (not rule.effective_from or rule.effective_from <= day) and (
        not rule.effective_to or day < rule.effective_to
    )


def _overridden(
    rule: Rule, overrides: Sequence[Override], subject: Subject, at: datetime
) -> Rule | None:
    """Apply organisation, then programme, then patient; of one level the latest."""
    valid = [o for o in overrides if o.rule_id == rule.id and _covers(o, subject, at)]
    result: Rule | None = rule
    for each in sorted(valid, key=lambda o: (o.level, o.effective_from)):
        if each.disabled:
            result = None
        else:
            base = result or rule
            version = f"{base.version}+{str(each.id)[:8]}"
            result = dataclasses.replace(_changed(base, each.changes), version=version)
    return result


_changes: dict[tuple[Rule, str], Rule] = {}


def _changed(rule: Rule, changes: Mapping[str, object]) -> Rule:
    """Reading a definition costs more than judging with it, and overrides last for months."""
    key = rule, repr(sorted(changes.items()))
    if key not in _changes:
        if len(_changes) >= REMEMBER:
            _changes.clear()
        _changes[key] = definition.changed(rule, changes)
    return _changes[key]


def _covers(override: Override, subject: Subject, at: datetime) -> bool:
    if not override.effective_from <= at < override.expires_at:
        return False
    if override.level is Level.PATIENT:
        return override.patient_id == subject.id
    if override.level is Level.PROGRAMME:
        return any(each.programme == override.programme for each in subject.enrolments)
    return True
