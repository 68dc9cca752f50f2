from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from devices.reading import Kind
from devices.wire import WireReading
from ingest import owner
from ingest.bounds import shipped
from ingest.owner import Owner, OwnerState
from ingest.people import Assignment, Device, Medians, Person
from tests.ingest.builders import ReadingMaker

NOON = datetime(2026, 9, 15, 12, tzinfo=UTC)
ANNE = Person(patient_id=UUID(int=1))
BEN = Person(patient_id=UUID(int=2))
LONG_AGO = NOON - timedelta(days=99)
RULES = shipped().owner


def held(
    person: Person,
    *,
    slot: int | None = None,
    start: datetime = LONG_AGO,
    end: datetime | None = None,
) -> Assignment:
    return Assignment(person=person, slot=slot, start=start, end=end)


def find(
    reading: WireReading,
    *assignments: Assignment,
    at: datetime = NOON,
    weights: tuple[tuple[Person, float], ...] = (),
) -> Owner:
    medians = {(person.patient_id.int, "weight"): Medians(value=kg) for person, kg in weights}
    return owner.find(reading, assignments, at, medians, RULES)


@pytest.mark.parametrize(
    ("assignments", "slot", "state", "person"),
    [
        ((), None, OwnerState.UNKNOWN, None),
        ((held(ANNE),), None, OwnerState.SURE, ANNE),
        ((held(ANNE),), 2, OwnerState.SURE, ANNE),
        ((held(ANNE, slot=1),), 1, OwnerState.SLOT, ANNE),
        ((held(ANNE, slot=1),), 2, OwnerState.UNKNOWN, None),
        ((held(ANNE, slot=1),), None, OwnerState.AMBIGUOUS, None),
        ((held(ANNE, slot=1), held(BEN, slot=2)), 2, OwnerState.SLOT, BEN),
        ((held(ANNE, slot=1), held(BEN, slot=2)), 3, OwnerState.UNKNOWN, None),
        ((held(ANNE, slot=1), held(BEN, slot=1)), 1, OwnerState.AMBIGUOUS, None),
        ((held(ANNE), held(BEN)), None, OwnerState.AMBIGUOUS, None),
    ],
    ids=[
        "nobody",
        "single",
        "single ignores slots",
        "slot",
        "a guest's slot",
        "shared device, no slot",
        "the other's slot",
        "a third slot",
        "two in one slot",
        "two without slots",
    ],
)
def test_whose(
    reading: ReadingMaker,
    assignments: tuple[Assignment, ...],
    slot: int | None,
    state: OwnerState,
    person: Person | None,
) -> None:
    found = find(reading(user_slot=slot), *assignments)
    assert (found.state, found.person) == (state, person)


@pytest.mark.parametrize(
    ("at", "person"),
    [
        (NOON - timedelta(days=10, microseconds=1), ANNE),
        (NOON - timedelta(days=10), BEN),
        (NOON, BEN),
        (NOON + timedelta(days=1), None),
        (LONG_AGO - timedelta(microseconds=1), None),
    ],
)
def test_the_time_of_the_measurement_decides(
    reading: ReadingMaker, at: datetime, person: Person | None
) -> None:
    assignments = (
        held(ANNE, end=NOON - timedelta(days=10)),
        held(BEN, start=NOON - timedelta(days=10), end=NOON + timedelta(days=1)),
    )
    assert find(reading(), *assignments, at=at).person == person


@pytest.mark.parametrize(
    ("kg", "weights", "person"),
    [
        (83.0, ((ANNE, 80.0), (BEN, 95.0)), ANNE),
        (83.1, ((ANNE, 80.0), (BEN, 95.0)), None),
        (123.6, ((ANNE, 120.0), (BEN, 95.0)), ANNE),
        (123.7, ((ANNE, 120.0), (BEN, 95.0)), None),
        (80.0, ((ANNE, 80.0), (BEN, 85.1)), ANNE),
        (80.0, ((ANNE, 80.0), (BEN, 85.0)), None),
        (80.0, ((ANNE, 80.0), (BEN, 82.0)), None),
        (80.0, ((ANNE, 80.0),), None),
        (15.0, ((ANNE, 80.0), (BEN, 95.0)), None),
    ],
    ids=[
        "within 3 kg",
        "just not",
        "within 3 %",
        "just not 3 %",
        "5.1 kg from the other",
        "5 kg from the other",
        "near both",
        "the other's weight unknown",
        "a child",
    ],
)
def test_a_weight_points_at_one_person_or_nobody(
    reading: ReadingMaker,
    kg: float,
    weights: tuple[tuple[Person, float], ...],
    person: Person | None,
) -> None:
    found = find(reading(Kind.WEIGHT, value=kg), held(ANNE), held(BEN), weights=weights)
    assert found.person == person
    assert found.state == (OwnerState.LIKELY if person else OwnerState.AMBIGUOUS)


def test_a_devices_zone_is_that_of_its_people_if_they_share_one() -> None:
    paris, lima = ZoneInfo("Europe/Paris"), ZoneInfo("America/Lima")
    anne, ben = (Person(patient_id=UUID(int=number), zone=paris) for number in (1, 2))
    carl = Person(patient_id=UUID(int=3), zone=lima)
    scale = partial(Device, id="scale", organisation_id=UUID(int=9))
    assert scale(assignments=(held(anne), held(ben))).zone == paris
    assert scale(assignments=(held(anne), held(carl))).zone is None
    assert scale().zone is None
