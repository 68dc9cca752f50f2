"""A bill line carries its evidence and its rules, and stands only on what it names."""

import copy
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from billing import case, claims, evaluate, pack
from billing.claims import BillLine
from billing.fields import CaseError
from billing.outcome import Line
from billing.record import Case

Raw = dict[str, Any]
RULES = pack.named("us-medicare-cy2026")


def lines_of(raw: Raw) -> dict[str, BillLine]:
    parsed = case.parse(raw)
    found = claims.bill_lines(parsed, evaluate.evaluate(parsed, RULES))
    return {line.code: line for line in found}


def parsed_with_line(raw: Raw, code: str) -> tuple[Case, Line]:
    parsed = case.parse(raw)
    line = evaluate.evaluate(parsed, RULES).line(code)
    assert line is not None
    return parsed, line


def test_a_device_line_names_every_reading(month: Callable[..., Raw]) -> None:
    line = lines_of(month())["99454"]
    assert line.evidence.readings == tuple(f"R{day}" for day in range(5, 21))
    assert line.evidence.consents == ("C1",)
    assert line.evidence.orders == ("O1",)
    assert line.threshold_met_at == datetime(2026, 1, 20, 12, 30, tzinfo=UTC)
    assert (line.service_from, line.service_to) == (date(2026, 1, 5), date(2026, 2, 3))
    assert line.date_of_service == date(2026, 2, 3)


def test_a_time_line_names_every_entry(month: Callable[..., Raw]) -> None:
    line = lines_of(month())["99457"]
    assert line.evidence.entries == ("T1",)
    assert line.threshold_met_at == datetime(2026, 1, 8, 15, 20, tzinfo=UTC)
    assert line.date_of_service == date(2026, 1, 31)


def test_the_date_of_service_may_be_the_day_of_the_threshold(month: Callable[..., Raw]) -> None:
    raw = month(parameters={"minutes_service_date": "threshold_met"})
    assert lines_of(raw)["99457"].date_of_service == date(2026, 1, 8)


def test_set_up_names_its_education(month: Callable[..., Raw]) -> None:
    line = lines_of(month())["99453"]
    assert line.evidence.education == "education/E1"
    assert line.date_of_service == date(2026, 1, 6)


def test_a_transition_is_dated_by_its_visit(cases: dict[str, Raw]) -> None:
    raw = copy.deepcopy(cases["TCM-01"]["input"])
    assert lines_of(raw)["99496"].date_of_service == date(2026, 5, 29)


def test_a_line_carries_parties_and_rules(month: Callable[..., Raw]) -> None:
    line = lines_of(month())["99457"]
    assert (line.billing_npi, line.rendering_npi) == ("1234567893", "1245319599")
    assert (line.ordering_npi, line.place_of_service) == ("1245319599", "11")
    assert line.icd10 == ("I10", "E11.9")
    assert (line.pack, line.pack_version) == ("us-medicare-cy2026", RULES.version)
    assert line.parameter_hash == RULES.digest
    assert claims.missing_for_claim(line) == ()


def test_what_a_payer_would_miss_is_named(month: Callable[..., Raw]) -> None:
    raw = month(billing=None, orders=[{"program": "RPM", "at": "2026-01-05T09:05:00-05:00"}])
    assert claims.missing_for_claim(lines_of(raw)["99457"]) == (
        "billing NPI",
        "rendering NPI",
        "place of service",
        "diagnosis (ICD-10)",
    )


def test_the_identity_follows_the_content(month: Callable[..., Raw]) -> None:
    first, again = lines_of(month())["99454"], lines_of(month())["99454"]
    fewer = lines_of(month(readings=month()["readings"][:-1]))["99445"]
    assert first.id == again.id
    assert fewer.id != first.id


@pytest.mark.parametrize("code", ["99453", "99454", "99457"])
def test_without_one_piece_of_evidence_the_line_is_another(
    month: Callable[..., Raw], code: str
) -> None:
    parsed, line = parsed_with_line(month(), code)
    for name in ("readings", "entries", "consents", "orders"):
        kept = getattr(line.evidence, name)
        if kept:
            less = replace(line, evidence=replace(line.evidence, **{name: kept[1:]}))
            assert claims.judged_again(parsed, less, RULES) != line


def test_a_line_that_its_evidence_does_not_give_must_not_leave(
    month: Callable[..., Raw],
) -> None:
    parsed, line = parsed_with_line(month(), "99457")
    with pytest.raises(CaseError, match="99457: the evidence alone gives"):
        claims.proven(parsed, replace(line, units=2), RULES)


def test_time_cut_by_another_programme_stays_cut(cases: dict[str, Raw]) -> None:
    raw = cases["OWN-CCM-10"]["input"]
    longer = copy.deepcopy(raw)
    longer["time_entries"][0]["end"] = "2026-01-08T10:40:00-05:00"
    parsed, line = parsed_with_line(longer, "99490")
    assert line.evidence.limiting == ("T2",)
    assert claims.proven(parsed, line, RULES) == line
