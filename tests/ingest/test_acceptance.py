from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.reading import Kind
from devices.wire import WireReading
from ingest import acceptance
from ingest.bounds import shipped
from ingest.decision import (
    Accepted,
    Decision,
    Doubt,
    Flagged,
    Quarantined,
    Queue,
    Reason,
    TimeQuality,
)
from ingest.people import Assignment, Device, Gateway, Medians, OtherRate, Person
from tests.ingest.builders import ContextMaker, ReadingMaker

NOON = datetime(2026, 9, 15, 12, tzinfo=UTC)
ORGANISATION = UUID("00000000-0000-4000-8000-00000000000a")
ANNE = UUID("00000000-0000-4000-8000-0000000000a1")
BEN = UUID("00000000-0000-4000-8000-0000000000b2")
OTHERS = UUID("00000000-0000-4000-8000-0000000000cc")
ACCEPTED, FLAGGED = "accepted", "flagged"


def outcome(decision: Decision) -> str:
    if isinstance(decision, Accepted):
        return ACCEPTED
    return FLAGGED if isinstance(decision, Flagged) else decision.reason


def accepted(decision: Decision) -> Accepted:
    assert isinstance(decision, Accepted)
    return decision


def refused(decision: Decision) -> Quarantined:
    assert isinstance(decision, Quarantined)
    return decision


BOUNDS = [  # kind, field, value, outcome: at, just below and just above each adult bound
    (Kind.BLOOD_PRESSURE, {"value": 39.9, "diastolic": 20.0}, Reason.OUT_OF_BOUNDS),
    (Kind.BLOOD_PRESSURE, {"value": 40.0, "diastolic": 20.0}, FLAGGED),
    (Kind.BLOOD_PRESSURE, {"value": 69.9, "diastolic": 45.0}, FLAGGED),
    (Kind.BLOOD_PRESSURE, {"value": 70.0, "diastolic": 45.0}, ACCEPTED),
    (Kind.BLOOD_PRESSURE, {"value": 250.0, "diastolic": 130.0}, ACCEPTED),
    (Kind.BLOOD_PRESSURE, {"value": 250.1, "diastolic": 130.0}, FLAGGED),
    (Kind.BLOOD_PRESSURE, {"value": 300.0, "diastolic": 180.0}, FLAGGED),
    (Kind.BLOOD_PRESSURE, {"value": 300.1, "diastolic": 180.0}, Reason.OUT_OF_BOUNDS),
    (Kind.BLOOD_PRESSURE, {"value": 100.0, "diastolic": 19.9}, Reason.OUT_OF_BOUNDS),
    (Kind.BLOOD_PRESSURE, {"value": 100.0, "diastolic": 20.0}, FLAGGED),
    (Kind.BLOOD_PRESSURE, {"value": 100.0, "diastolic": 39.9}, FLAGGED),
    (Kind.BLOOD_PRESSURE, {"value": 100.0, "diastolic": 40.0}, ACCEPTED),
    (Kind.BLOOD_PRESSURE, {"value": 200.0, "diastolic": 150.0}, ACCEPTED),
    (Kind.BLOOD_PRESSURE, {"value": 200.0, "diastolic": 150.1}, FLAGGED),
    (Kind.BLOOD_PRESSURE, {"value": 250.0, "diastolic": 200.0}, FLAGGED),
    (Kind.BLOOD_PRESSURE, {"value": 250.0, "diastolic": 200.1}, Reason.OUT_OF_BOUNDS),
    (Kind.HEART_RATE, {"value": 19.9}, Reason.OUT_OF_BOUNDS),
    (Kind.HEART_RATE, {"value": 20.0}, FLAGGED),
    (Kind.HEART_RATE, {"value": 34.9}, FLAGGED),
    (Kind.HEART_RATE, {"value": 35.0}, ACCEPTED),
    (Kind.HEART_RATE, {"value": 200.0}, ACCEPTED),
    (Kind.HEART_RATE, {"value": 200.1}, FLAGGED),
    (Kind.HEART_RATE, {"value": 300.0}, FLAGGED),
    (Kind.HEART_RATE, {"value": 300.1}, Reason.OUT_OF_BOUNDS),
    (Kind.SPO2, {"value": 49.9}, Reason.OUT_OF_BOUNDS),
    (Kind.SPO2, {"value": 50.0}, FLAGGED),
    (Kind.SPO2, {"value": 79.9}, FLAGGED),
    (Kind.SPO2, {"value": 80.0}, ACCEPTED),
    (Kind.SPO2, {"value": 100.0}, ACCEPTED),
    (Kind.SPO2, {"value": 100.1}, Reason.OUT_OF_BOUNDS),
    (Kind.TEMPERATURE, {"value": 29.9}, Reason.OUT_OF_BOUNDS),
    (Kind.TEMPERATURE, {"value": 30.0}, FLAGGED),
    (Kind.TEMPERATURE, {"value": 33.9}, FLAGGED),
    (Kind.TEMPERATURE, {"value": 34.0}, ACCEPTED),
    (Kind.TEMPERATURE, {"value": 41.0}, ACCEPTED),
    (Kind.TEMPERATURE, {"value": 41.1}, FLAGGED),
    (Kind.TEMPERATURE, {"value": 44.0}, FLAGGED),
    (Kind.TEMPERATURE, {"value": 44.1}, Reason.OUT_OF_BOUNDS),
    (Kind.WEIGHT, {"value": 1.9}, Reason.OUT_OF_BOUNDS),
    (Kind.WEIGHT, {"value": 2.0}, FLAGGED),
    (Kind.WEIGHT, {"value": 29.9}, FLAGGED),
    (Kind.WEIGHT, {"value": 30.0}, ACCEPTED),
    (Kind.WEIGHT, {"value": 250.0}, ACCEPTED),
    (Kind.WEIGHT, {"value": 250.1}, FLAGGED),
    (Kind.WEIGHT, {"value": 400.0}, FLAGGED),
    (Kind.WEIGHT, {"value": 400.1}, Reason.OUT_OF_BOUNDS),
    (Kind.GLUCOSE, {"value": 1.9}, Reason.OUT_OF_BOUNDS),
    (Kind.GLUCOSE, {"value": 9.9, "original_unit": "mmol/L"}, Reason.OUT_OF_BOUNDS),
    (Kind.GLUCOSE, {"value": 10.0, "original_unit": "mmol/L"}, FLAGGED),
    (Kind.GLUCOSE, {"value": 29.9, "original_unit": "mmol/L"}, FLAGGED),
    (Kind.GLUCOSE, {"value": 30.0, "original_unit": "mmol/L"}, ACCEPTED),
    (Kind.GLUCOSE, {"value": 500.0}, ACCEPTED),
    (Kind.GLUCOSE, {"value": 500.1}, FLAGGED),
    (Kind.GLUCOSE, {"value": 1000.0}, FLAGGED),
    (Kind.GLUCOSE, {"value": 1000.1}, Reason.OUT_OF_BOUNDS),
    (Kind.BODY_COMPOSITION, {"value": 0.9}, Reason.OUT_OF_BOUNDS),
    (Kind.BODY_COMPOSITION, {"value": 3.9}, FLAGGED),
    (Kind.BODY_COMPOSITION, {"value": 60.0}, ACCEPTED),
]


@pytest.mark.parametrize(("kind", "fields", "expected"), BOUNDS)
def test_bounds_of_an_adult(
    reading: ReadingMaker, context: ContextMaker, kind: str, fields: dict[str, Any], expected: str
) -> None:
    assert outcome(acceptance.decide(reading(kind, **fields), context())) == expected


@pytest.mark.parametrize(
    ("band", "value", "expected"),
    [
        ("infant", 5.0, ACCEPTED),
        ("infant", 0.29, Reason.OUT_OF_BOUNDS),
        ("infant", 40.1, Reason.OUT_OF_BOUNDS),
        ("child", 5.0, ACCEPTED),
        ("child", 4.9, FLAGGED),
        ("adult", 5.0, FLAGGED),
    ],
)
def test_bounds_follow_the_age(
    reading: ReadingMaker, context: ContextMaker, band: str, value: float, expected: str
) -> None:
    person = Person(patient_id=ANNE, band=band)
    decision = acceptance.decide(reading(Kind.WEIGHT, value=value), context(person=person))
    assert outcome(decision) == expected


@pytest.mark.parametrize(
    ("kind", "fields", "doubt"),
    [
        (Kind.BLOOD_PRESSURE, {"value": 90.0, "diastolic": 80.0}, Doubt.PRESSURES_TOO_CLOSE),
        (Kind.BLOOD_PRESSURE, {"value": 94.9, "diastolic": 80.0}, Doubt.PULSE_PRESSURE),
        (Kind.BLOOD_PRESSURE, {"value": 210.1, "diastolic": 80.0}, Doubt.PULSE_PRESSURE),
        (Kind.BLOOD_PRESSURE, {"mean_arterial": 79.9}, Doubt.MEAN_OUTSIDE),
        (Kind.BLOOD_PRESSURE, {"mean_arterial": 128.1}, Doubt.MEAN_OUTSIDE),
        (Kind.BLOOD_PRESSURE, {"flags": ("movement",)}, Doubt.MOVEMENT),
        (Kind.BLOOD_PRESSURE, {"flags": ("cuff_loose",)}, Doubt.CUFF_LOOSE),
        (Kind.BLOOD_PRESSURE, {"pulse": 34.9}, Doubt.PULSE_OUT_OF_RANGE),
        (Kind.BLOOD_PRESSURE, {"pulse": 200.1}, Doubt.PULSE_OUT_OF_RANGE),
        (Kind.SPO2, {"extra": {"perfusion_index": 0.39}}, Doubt.WEAK_PERFUSION),
        (Kind.SPO2, {"pulse": None}, Doubt.PULSE_ABSENT),
        (Kind.GLUCOSE, {"value": 32.9}, Doubt.UNIT_MIX_UP),
    ],
)
def test_doubts_flag(
    reading: ReadingMaker, context: ContextMaker, kind: str, fields: dict[str, Any], doubt: Doubt
) -> None:
    decision = acceptance.decide(reading(kind, **fields), context())
    assert isinstance(decision, Flagged)
    assert doubt in decision.reasons
    assert doubt in decision.flags


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (Kind.BLOOD_PRESSURE, {"value": 95.0, "diastolic": 80.0}),
        (Kind.BLOOD_PRESSURE, {"value": 210.0, "diastolic": 80.0}),
        (Kind.BLOOD_PRESSURE, {"mean_arterial": 80.0}),
        (Kind.BLOOD_PRESSURE, {"mean_arterial": 128.0}),
        (Kind.BLOOD_PRESSURE, {"pulse": 35.0}),
        (Kind.BLOOD_PRESSURE, {"flags": ("irregular_pulse",)}),
        (Kind.SPO2, {"extra": {"perfusion_index": 0.4}}),
        (Kind.GLUCOSE, {"value": 33.1}),
        (Kind.TEMPERATURE, {"value": 37.0, "original_unit": "[degF]"}),
    ],
)
def test_just_inside_is_accepted(
    reading: ReadingMaker, context: ContextMaker, kind: str, fields: dict[str, Any]
) -> None:
    assert isinstance(acceptance.decide(reading(kind, **fields), context()), Accepted)


@pytest.mark.parametrize(
    ("kind", "fields", "reason"),
    [
        (Kind.TEMPERATURE, {"value": 98.6}, Reason.UNIT_MIX_UP),
        (Kind.TEMPERATURE, {"value": 86.0}, Reason.UNIT_MIX_UP),
        (Kind.TEMPERATURE, {"value": 85.9}, Reason.OUT_OF_BOUNDS),
        (Kind.TEMPERATURE, {"value": 111.1}, Reason.OUT_OF_BOUNDS),
        (Kind.GLUCOSE, {"value": 5.5}, Reason.UNIT_MIX_UP),
        (Kind.GLUCOSE, {"value": 2.0}, Reason.UNIT_MIX_UP),
        (Kind.GLUCOSE, {"original_unit": "stone"}, Reason.UNKNOWN_UNIT),
        (Kind.GLUCOSE, {"flags": ("control_solution",)}, Reason.CONTROL_SOLUTION),
        (Kind.BLOOD_PRESSURE, {"diastolic": None}, Reason.MISSING_VALUE),
        (Kind.BLOOD_PRESSURE, {"value": 80.0, "diastolic": 80.0}, Reason.OUT_OF_BOUNDS),
        (Kind.BLOOD_PRESSURE, {"value": None}, Reason.MISSING_VALUE),
        ("blood_colour", {"value": 1.0}, Reason.UNKNOWN_KIND),
    ],
)
def test_impossible_values_are_quarantined(
    reading: ReadingMaker, context: ContextMaker, kind: str, fields: dict[str, Any], reason: Reason
) -> None:
    decision = refused(acceptance.decide(reading(kind, **fields), context()))
    assert (decision.reason, decision.queue) == (reason, Queue.TECHNICAL)


@pytest.mark.parametrize(
    ("word", "shown", "value"), [("above_range", "HI", 600.0), ("below_range", "LO", 20.0)]
)
def test_a_meter_that_shows_hi_or_lo_is_heard(
    reading: ReadingMaker, context: ContextMaker, word: str, shown: str, value: float
) -> None:
    told = reading(Kind.GLUCOSE, status="failed", value=None, reason=word)
    decision = acceptance.decide(told, context())
    assert isinstance(decision, Accepted)
    assert (decision.value, shown in decision.flags, decision.alert) == (value, True, True)


@pytest.mark.parametrize(
    ("status", "reason"),
    [("failed", Reason.FAILED_MEASUREMENT), ("unreadable", Reason.UNREADABLE_FRAME)],
)
def test_what_has_no_value_keeps_its_reason(
    reading: ReadingMaker, context: ContextMaker, status: str, reason: Reason
) -> None:
    told = reading(Kind.BLOOD_PRESSURE, status=status, value=None, reason="not_a_number")
    decision = refused(acceptance.decide(told, context()))
    assert (decision.reason, decision.detail) == (reason, "not_a_number")


GATEWAY = Gateway(id="gw", organisation_id=ORGANISATION)
DEVICE = Device(id="cuff", organisation_id=ORGANISATION)


@pytest.mark.parametrize(
    ("changes", "reason", "organisation"),
    [
        ({"gateway": None}, Reason.UNKNOWN_GATEWAY, None),
        (
            {"gateway": Gateway(id="gw", organisation_id=ORGANISATION, revoked=True)},
            Reason.REVOKED_GATEWAY,
            ORGANISATION,
        ),
        ({"device": None}, Reason.UNKNOWN_DEVICE, ORGANISATION),
        (
            {"device": Device(id="cuff", organisation_id=OTHERS)},
            Reason.ORGANISATION_MISMATCH,
            ORGANISATION,
        ),
        (
            {"device": Device(id="cuff", organisation_id=ORGANISATION, retired_at=NOON)},
            Reason.RETIRED_DEVICE,
            ORGANISATION,
        ),
        ({"device": DEVICE}, Reason.OWNER_UNKNOWN, ORGANISATION),
    ],
)
def test_strangers_are_quarantined(
    reading: ReadingMaker,
    context: ContextMaker,
    changes: dict[str, Any],
    reason: Reason,
    organisation: UUID | None,
) -> None:
    decision = refused(acceptance.decide(reading(), context(**changes)))
    assert (decision.reason, decision.organisation_id) == (reason, organisation)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("at", datetime(2026, 9, 15, 12)),
        ("at", datetime(1900, 1, 1, tzinfo=UTC)),
        ("device_time", NOON),
        ("sequence", 2**31),
        ("sequence", -1),
        ("user_slot", 2**15),
        ("offset_s", 1e300),
        ("value", 1e300),
        ("pulse", -1e300),
        ("frame", "0g"),
        ("frame", "0"),
    ],
)
def test_fields_that_no_column_holds_are_quarantined(
    reading: ReadingMaker, context: ContextMaker, field: str, value: float
) -> None:
    decision = refused(acceptance.decide(reading(**{field: value}), context()))
    assert decision.reason == Reason.IMPOSSIBLE_FIELD


def usual(kind: str, **told: Any) -> dict[tuple[int, str], Medians]:  # noqa: ANN401 - any field
    return {(ANNE.int, str(kind)): Medians(**({"value": 81.0} | told))}


@pytest.mark.parametrize(
    ("kind", "fields", "before", "expected"),
    [
        (Kind.BLOOD_PRESSURE, {"value": 188.1}, {"value": 128.0}, FLAGGED),
        (Kind.BLOOD_PRESSURE, {"value": 188.0}, {"value": 128.0}, ACCEPTED),
        (
            Kind.BLOOD_PRESSURE,
            {"value": 170.0, "diastolic": 120.1},
            {"value": 170.0, "diastolic": 80.0},
            FLAGGED,
        ),
        (
            Kind.BLOOD_PRESSURE,
            {"value": 170.0, "diastolic": 120.0},
            {"value": 170.0, "diastolic": 80.0},
            ACCEPTED,
        ),
        (Kind.HEART_RATE, {"value": 130.1}, {"value": 70.0}, FLAGGED),
        (Kind.HEART_RATE, {"value": 130.0}, {"value": 70.0}, ACCEPTED),
        (Kind.SPO2, {"value": 87.9}, {"value": 96.0}, FLAGGED),
        (Kind.SPO2, {"value": 88.0}, {"value": 96.0}, ACCEPTED),
        (Kind.TEMPERATURE, {"value": 38.7}, {"value": 36.6}, FLAGGED),
        (Kind.TEMPERATURE, {"value": 38.6}, {"value": 36.6}, ACCEPTED),
        (Kind.WEIGHT, {"value": 89.0}, {"value": 81.0}, ACCEPTED),
        (Kind.WEIGHT, {"value": 89.2}, {"value": 81.0}, Reason.WRONG_PERSON),
        (Kind.WEIGHT, {"value": 15.0}, {"value": 100.0}, Reason.WRONG_PERSON),
        (Kind.WEIGHT, {"value": 178.6}, {"value": 81.0}, FLAGGED),
        (Kind.WEIGHT, {"value": 81.0}, {"value": 178.6}, FLAGGED),
        (Kind.WEIGHT, {"value": 183.0}, {"value": 81.0}, Reason.WRONG_PERSON),
    ],
)
def test_compared_with_ones_own_week(  # noqa: PLR0917 - pytest passes them by name
    reading: ReadingMaker,
    context: ContextMaker,
    kind: str,
    fields: dict[str, Any],
    before: dict[str, Any],
    expected: str,
) -> None:
    decision = acceptance.decide(reading(kind, **fields), context(medians=usual(kind, **before)))
    assert outcome(decision) == expected


@pytest.mark.parametrize(
    ("value", "hours_ago", "last", "expected"),
    [
        (84.1, 23, 80.0, FLAGGED),
        (84.0, 23, 80.0, ACCEPTED),
        (84.1, 25, 80.0, ACCEPTED),
        (52.6, 23, 50.0, FLAGGED),
        (52.5, 23, 50.0, ACCEPTED),
    ],
)
def test_weight_in_a_day(  # noqa: PLR0917 - pytest passes them by name
    reading: ReadingMaker,
    context: ContextMaker,
    value: float,
    hours_ago: int,
    last: float,
    expected: str,
) -> None:
    before = usual(
        Kind.WEIGHT, value=value, last_value=last, last_at=NOON - timedelta(hours=hours_ago)
    )
    decision = acceptance.decide(reading(Kind.WEIGHT, value=value), context(medians=before))
    assert outcome(decision) == expected


@pytest.mark.parametrize(
    ("device", "rate", "seconds", "expected"),
    [
        ("oximeter", 85.1, 300, FLAGGED),
        ("oximeter", 85.0, 300, ACCEPTED),
        ("oximeter", 99.0, 303, ACCEPTED),
        ("cuff", 99.0, 10, ACCEPTED),
    ],
)
def test_two_devices_that_disagree(  # noqa: PLR0917 - pytest passes them by name
    reading: ReadingMaker,
    context: ContextMaker,
    device: str,
    rate: float,
    seconds: int,
    expected: str,
) -> None:
    at = NOON - timedelta(seconds=2 + seconds)
    rates = {ANNE: [OtherRate(device_id=device, at=at, rate=rate)]}
    told = context(other_rates=rates)
    assert outcome(acceptance.decide(reading(Kind.HEART_RATE), told)) == expected


def test_old_readings_are_stored_but_raise_no_alert(
    reading: ReadingMaker, context: ContextMaker
) -> None:
    told = {"offset_s": 0.0, "live": False}
    thirty = NOON.replace(tzinfo=None) - timedelta(days=30)
    at_limit = accepted(acceptance.decide(reading(device_time=thirty, **told), context()))
    before = thirty - timedelta(seconds=1)
    older = accepted(acceptance.decide(reading(device_time=before, **told), context()))
    assert (at_limit.alert, older.alert) == (True, False)


def test_a_mean_says_of_how_many(reading: ReadingMaker, context: ContextMaker) -> None:
    mean = accepted(acceptance.decide(reading(), context(averaging=3)))
    assert mean.extra == {"readings_in_mean": 3.0}
    assert accepted(acceptance.decide(reading(), context())).extra == {}


def test_an_unsynchronised_gateway_flags(reading: ReadingMaker, context: ContextMaker) -> None:
    told = reading(at=NOON - timedelta(hours=2), synced=False)
    decision = acceptance.decide(told, context())
    assert isinstance(decision, Flagged)
    assert decision.time_quality == TimeQuality.UNKNOWN
    assert decision.reasons == (Doubt.GATEWAY_CLOCK,)


def two_on_a_scale() -> tuple[Assignment, ...]:
    start = NOON - timedelta(days=9)
    people = (Person(patient_id=ANNE), Person(patient_id=BEN))
    return tuple(Assignment(person=person, start=start) for person in people)


def test_a_likely_owner_is_asked_about_by_default(
    reading: ReadingMaker, context: ContextMaker
) -> None:
    medians = {
        (ANNE.int, "weight"): Medians(value=81.0),
        (BEN.int, "weight"): Medians(value=95.0),
    }
    told = {"assignments": two_on_a_scale(), "medians": medians}
    asked = refused(acceptance.decide(reading(Kind.WEIGHT), context(**told)))
    assert (asked.reason, asked.queue) == (Reason.OWNER_LIKELY, Queue.IDENTITY_REVIEW)
    assert str(ANNE) in asked.detail
    taken = acceptance.decide(reading(Kind.WEIGHT), context(accept_likely=True, **told))
    assert isinstance(taken, Flagged)
    assert (taken.patient_id, taken.reasons) == (ANNE, (Doubt.OWNER_LIKELY,))


def test_an_ambiguous_owner_is_nobody(reading: ReadingMaker, context: ContextMaker) -> None:
    decision = refused(acceptance.decide(reading(), context(assignments=two_on_a_scale())))
    assert (decision.reason, decision.queue) == (Reason.OWNER_AMBIGUOUS, Queue.IDENTITY_REVIEW)


def test_a_named_person_settles_the_owner_and_nothing_else(
    reading: ReadingMaker, context: ContextMaker
) -> None:
    ben = Person(patient_id=BEN)
    told = context()
    assert told.device is not None
    released = acceptance.decide_for(reading(Kind.WEIGHT), ben, told.device, told)
    assert accepted(released).patient_id == BEN
    impossible = acceptance.decide_for(reading(Kind.WEIGHT, value=900.0), ben, told.device, told)
    assert refused(impossible).reason == Reason.OUT_OF_BOUNDS


numbers = st.none() | st.floats(allow_nan=False, allow_infinity=False)
any_reading = st.builds(
    WireReading,
    id=st.uuids(),
    char=st.text(max_size=4),
    frame=st.binary(max_size=20).map(bytes.hex) | st.text(max_size=5),
    at=st.datetimes(timezones=st.just(UTC) | st.none()),
    status=st.sampled_from(["measured", "failed", "unreadable"]),
    kind=st.sampled_from([*Kind, "", "other"]),
    value=numbers,
    diastolic=numbers,
    mean_arterial=numbers,
    pulse=numbers,
    original_value=numbers,
    original_unit=st.none() | st.sampled_from(["kg", "mg/dL", "Cel", "%", "/min", "mm[Hg]", "?"]),
    device_time=st.none() | st.datetimes(),
    offset_s=numbers,
    synced=st.booleans(),
    live=st.booleans(),
    sequence=st.none() | st.integers(-(2**40), 2**40),
    user_slot=st.none() | st.integers(-300, 300),
    flags=st.lists(st.sampled_from(["movement", "control_solution", "x"])).map(tuple),
    extra=st.dictionaries(st.sampled_from(["perfusion_index", "y"]), st.floats(0, 1) | st.text()),
    reason=st.none() | st.sampled_from(["above_range", "x"]),
)


@given(told=any_reading, siblings=st.lists(any_reading, max_size=3), slot=st.none() | st.just(1))
def test_any_reading_has_one_of_three_outcomes(
    told: WireReading, siblings: list[WireReading], slot: int | None
) -> None:
    assignment = Assignment(
        person=Person(patient_id=ANNE), start=NOON - timedelta(days=9000), slot=slot
    )
    decision = acceptance.decide(
        told,
        acceptance.Context(
            gateway=GATEWAY,
            device=Device(id="cuff", organisation_id=ORGANISATION, assignments=(assignment,)),
            medians={(ANNE.int, str(told.kind)): Medians(value=80.0)},
            bounds=shipped(),
            siblings=(told, *siblings),
            now=NOON,
        ),
    )
    assert isinstance(decision, Accepted | Flagged | Quarantined)
    if not isinstance(decision, Quarantined):
        limits = shipped().in_band["adult"].of_kind[told.kind].hard
        assert limits[0] <= decision.value <= limits[1]
        assert decision.measured_at <= NOON + timedelta(minutes=2)
        assert decision.patient_id == ANNE
