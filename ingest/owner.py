"""Whose reading it is, from dated device assignments; never a default person. Pure."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from devices.reading import Kind
from devices.wire import WireReading
from ingest.bounds import OwnerRules
from ingest.people import Assignment, Medians, Person

WEIGHT = Kind.WEIGHT


class OwnerState(StrEnum):
    """How sure it is; only `sure` and `slot` enter a chart unasked."""

    SURE = "sure"
    SLOT = "slot"
    LIKELY = "likely"
    AMBIGUOUS = "ambiguous"
    UNKNOWN = "unknown"
    NAMED = "named"
    """Said by a person, who releases the reading from quarantine."""


SURE, LIKELY, NAMED = OwnerState.SURE, OwnerState.LIKELY, OwnerState.NAMED
"""Python 3.11 takes 0.3 us to find a member in its class: where every reading passes, names do."""


class Owner(msgspec.Struct, frozen=True, gc=False):
    """The state, and the person where there is one to name."""

    state: OwnerState
    person: Person | None


NOBODY = Owner(OwnerState.UNKNOWN, None)


def find(
    reading: WireReading,
    assignments: tuple[Assignment, ...],
    at: datetime,
    medians: Mapping[tuple[int, str], Medians | None],
    rules: OwnerRules,
) -> Owner:
    """Return the owner of a reading measured at `at`."""
    if len(assignments) == 1 and assignments[0].slot is None:
        only = assignments[0]
        return Owner(SURE, only.person) if only.holds(at) else NOBODY
    held = [each for each in assignments if each.holds(at)]
    if not held:
        return NOBODY
    if len(held) == 1 and held[0].slot is None:
        return Owner(SURE, held[0].person)
    if reading.user_slot is not None:
        return _by_slot(held, reading.user_slot)
    if reading.kind == WEIGHT and reading.value is not None:
        return _by_weight(held, reading.value, medians, rules)
    return Owner(OwnerState.AMBIGUOUS, None)


def _by_slot(held: list[Assignment], user_slot: int) -> Owner:
    """A slot that is mapped to nobody is a guest."""
    mine = [each for each in held if each.slot == user_slot]
    if len(mine) == 1:
        return Owner(OwnerState.SLOT, mine[0].person)
    return Owner(OwnerState.AMBIGUOUS if mine else OwnerState.UNKNOWN, None)


def _by_weight(
    held: list[Assignment],
    value: float,
    medians: Mapping[tuple[int, str], Medians | None],
    rules: OwnerRules,
) -> Owner:
    """A scale without slots: likely only if near exactly one and far from everybody else."""
    usual = [
        (each.person, found.value)
        for each in held
        if (found := medians.get((each.person.patient_id.int, Kind.WEIGHT))) is not None
    ]
    near = [
        person
        for person, weight in usual
        if abs(value - weight) <= max(rules.likely_kg, rules.likely_share * weight)
    ]
    far = [person for person, weight in usual if abs(value - weight) > rules.others_kg]
    if len(usual) == len(held) and len(near) == 1 and len(far) == len(held) - 1:
        return Owner(OwnerState.LIKELY, near[0])
    return Owner(OwnerState.AMBIGUOUS, None)
