"""The door: bad rows are kept with their reason, an unusable case is one clear error."""

import contextlib
import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing import case, evaluate, pack
from billing.fields import CaseError
from billing.reasons import EntryReason, ReadingReason

Raw = dict[str, Any]
RULES = pack.named("us-medicare-cy2026")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"as_of": None}, "as_of: expected a time"),
        ({"as_of": "2026-02-05T12:00:00"}, "as_of: '2026-02-05T12:00:00' has no time zone"),
        ({"patient": None}, "patient: a case needs a patient"),
        ({"patient": "P1"}, "patient: expected an object"),
        ({"evaluate": {"families": []}}, "name at least one family"),
        ({"evaluate": {"families": "ccm"}}, "families: expected a list"),
        ({"evaluate": {"families": ["ccm"], "month": "Jan"}}, "is not a month"),
        ({"evaluate": {"families": ["ccm"], "window": ["2026-01-05"]}}, "first and last date"),
        (
            {"evaluate": {"families": ["ccm"], "window": ["2026-01-05", "2026-01-01"]}},
            "ends 2026-01-01 before it starts",
        ),
        ({"readings": {"at": 1}}, "readings: expected a list"),
        ({"parameters": {"late_grace_hours": {"a": 1}}}, "is no parameter value"),
        ({"em_visits": ["soon"]}, "em_visits: 'soon' is not a date"),
        ({"inpatient_stays": [{"to": "2026-01-02"}]}, "inpatient_stays.from"),
        ({"external_claims": [{"code": "99454"}]}, "claims.from"),
        ({"tcm": {"discharged_on": "x"}}, "tcm.discharged_on: 'x' is not a date"),
        ({"ccm": {"comprehensive_care_plan": "yes"}}, "expected true or false"),
    ],
)
def test_an_unusable_case_is_one_clear_error(
    month: Callable[..., Raw], changes: Raw, message: str
) -> None:
    with pytest.raises(CaseError, match=message.replace("(", r"\(")):
        case.parse(month(**changes))


@pytest.mark.parametrize("value", [None, [], "case", 7])
def test_a_case_is_an_object(value: object) -> None:
    with pytest.raises(CaseError, match="case: expected an object"):
        case.parse(value)


ENTRY = {
    "start": "2026-01-09T10:00:00-05:00",
    "end": "2026-01-09T10:30:00-05:00",
    "staff_id": "S1",
    "role": "rn",
    "program": "RPM",
    "activity": "treatment_mgmt",
}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"end": "2026-01-09T09:00:00-05:00"}, EntryReason.ENDS_BEFORE_START),
        ({"start": "2026-01-09T10:00:00"}, EntryReason.WITHOUT_ZONE),
        ({"end": "2026-01-09T10:30:00"}, EntryReason.WITHOUT_ZONE),
        ({"start": None}, EntryReason.UNREADABLE),
        ({"end": "25 minutes"}, EntryReason.UNREADABLE),
        ({"interactive": "yes"}, EntryReason.UNREADABLE),
        ({"start": "2026-01-09T23:50:00-05:00"}, EntryReason.ENDS_BEFORE_START),
        ({"start": "2027-01-09T10:00:00-05:00", "end": "2027-01-09T10:30:00-05:00"}, None),
    ],
    ids=[
        "negative",
        "start without zone",
        "end without zone",
        "no start",
        "end is no time",
        "flag is no flag",
        "crosses midnight with one date",
        "other year: outside the month",
    ],
)
def test_a_bad_entry_is_left_out_with_its_reason(
    month: Callable[..., Raw], change: Raw, reason: EntryReason | None
) -> None:
    raw = month()
    raw["time_entries"].append({**ENTRY, **change})
    found = evaluate.evaluate(case.parse(raw), RULES)
    expected = {} if reason is None else {reason.value: 1}
    assert found.facts["rpm_excluded_entries"] == expected
    assert found.facts["rpm_minutes"] == 25
    if reason is not None:
        assert any("time_entries[1]" in remark for remark in found.remarks)


def test_overlaps_and_midnights_are_remarked_and_counted_once(month: Callable[..., Raw]) -> None:
    raw = month()
    raw["time_entries"] += [
        {
            **ENTRY,
            "id": "T2",
            "start": "2026-01-08T10:20:00-05:00",
            "end": "2026-01-08T10:30:00-05:00",
        },
        {
            **ENTRY,
            "id": "T3",
            "start": "2026-01-10T23:55:00-05:00",
            "end": "2026-01-11T00:05:00-05:00",
        },
    ]
    found = evaluate.evaluate(case.parse(raw), RULES)
    assert found.facts["rpm_minutes"] == 40
    assert found.remarks == (
        "S1: entries T1 and T2 overlap",
        "entry T3 crosses midnight and is split there",
    )


@pytest.mark.parametrize(
    ("changes", "code", "reason"),
    [
        ({"consents": []}, "99457", "NO_CONSENT"),
        ({"consents": [{"program": "RPM", "at": "2026-01-05T09:00:00"}]}, "99457", "NO_CONSENT"),
        ({"orders": []}, "99454", "NO_ORDER"),
        ({"orders": [{"program": "RPM"}]}, "99454", "NO_ORDER"),
        ({"org_timezone": None}, "99457", "NO_ORGANISATION_TIMEZONE"),
        ({"org_timezone": "Mars/Olympus"}, "99457", "NO_ORGANISATION_TIMEZONE"),
        ({"patient": {"id": "P1", "established_patient": True}}, "99454", "NO_PATIENT_TIMEZONE"),
        ({"patient": {"id": "P1", "timezone": "UTC"}}, "99454", "NOT_ESTABLISHED_PATIENT"),
        ({"episode": None}, "99453", "SETUP_NO_EDUCATION_RECORDED"),
        (
            {"external_claims": [{"code": "99457", "on": "2026-01-09", "billing_npi": "1"}]},
            "99457",
            "OTHER_PRACTITIONER_BILLED_PERIOD",
        ),
    ],
)
def test_what_is_missing_is_a_reason_not_an_exception(
    month: Callable[..., Raw], changes: Raw, code: str, reason: str
) -> None:
    assert evaluate.evaluate(case.parse(month(**changes)), RULES).reason(code) == reason


def test_a_prior_visit_makes_an_established_patient(month: Callable[..., Raw]) -> None:
    patient = {"id": "P1", "timezone": "America/New_York", "prior_visit_on": "2025-11-03"}
    assert case.parse(month(patient=patient)).patient.established


def test_rejected_rows_keep_their_place_and_value(month: Callable[..., Raw]) -> None:
    raw = month(readings=[{"at": "noon", "device": "bp-1", "entry": "device"}])
    (row,) = case.parse(raw).rejected
    assert (row.where, row.reason) == ("readings[0]", ReadingReason.UNREADABLE)
    assert "'noon'" in row.text


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.text(max_size=5),
    st.sampled_from(
        [
            "2026-01-09",
            "2026-01-09T10:00:00Z",
            "2026-13-01",
            "9999-12-31T23:59:59Z",
            "0001-01-01",
            "RPM",
            "UTC",
        ]
    ),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.sampled_from(["at", "on", "program"]), st.text(max_size=3), max_size=2),
)


def _paths(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    found = [path] if path else []
    if isinstance(value, dict):
        return found + [p for key, item in value.items() for p in _paths(item, (*path, key))]
    if isinstance(value, list):
        return found + [p for place, item in enumerate(value) for p in _paths(item, (*path, place))]
    return found


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=200)
@given(data=st.data())
def test_any_junk_anywhere_gives_an_evaluation_or_one_clear_error(
    month: Callable[..., Raw], data: st.DataObject
) -> None:
    raw = month(
        tcm={"discharged_on": "2026-01-09", "contact_attempts": [{"on": "2026-01-09"}]},
        chi={"initiating_visit_on": "2026-01-05"},
        em_visits=["2026-01-09"],
        inpatient_stays=[{"from": "2026-01-10", "to": None}],
        external_claims=[{"code": "99454", "from": "2025-01-10", "to": "2025-02-08"}],
    )
    raw["evaluate"]["families"] += ["tcm", "chi", "ccm", "99091"]
    broken = copy.deepcopy(raw)
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(_paths(broken)))
        parent: Any = broken
        for step in path[:-1]:
            parent = parent[step]
        parent[path[-1]] = data.draw(JUNK)
    with contextlib.suppress(CaseError):
        evaluate.evaluate(case.parse(broken), RULES)


def test_an_open_surgical_global_period_is_remarked(month: Callable[..., Raw]) -> None:
    raw = month(surgical_globals=[{"from": "2026-01-02", "to": "2026-04-02"}])
    found = evaluate.evaluate(case.parse(raw), RULES)
    (remark,) = found.remarks
    assert remark.startswith("surgical global period 2026-01-02 to 2026-04-02: bill only")
    assert found.line("99457") is not None
