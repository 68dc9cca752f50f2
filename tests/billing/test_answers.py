"""Worked cases pass whole, their lines stand on their own evidence, and order means nothing."""

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest

from billing import answers, case, claims, evaluate, missing, pack
from billing.fields import CaseError
from billing.reasons import Reason

Raw = dict[str, Any]
RULES = pack.named("us-medicare-cy2026")


def test_worked_case_is_as_expected(worked: Raw) -> None:
    assert answers.answer(worked, RULES).differences == ()


def test_every_code_of_an_evaluated_family_stands_once(worked: Raw) -> None:
    parsed = case.parse(worked["input"])
    found = evaluate.evaluate(parsed, RULES)
    named = [line.code for line in found.lines] + [row.code for row in found.not_billable]
    assert len(named) == len(set(named))
    for family in parsed.families:
        if family != "rtm_device":
            assert {code.code for code in RULES.of(family)} <= set(named)


def test_evidence_alone_gives_the_same_line(worked: Raw) -> None:
    parsed = case.parse(worked["input"])
    rules = pack.adjusted(RULES, parsed.parameters)
    for line in evaluate.evaluate(parsed, RULES).lines:
        assert claims.proven(parsed, line, rules) == line


def test_permuted_input_changes_nothing(worked: Raw) -> None:
    shuffled = copy.deepcopy(worked["input"])
    for name in ("readings", "time_entries", "consents", "orders", "external_claims"):
        random.Random(7).shuffle(shuffled.get(name, []))
    shuffled["evaluate"]["families"].reverse()
    before = evaluate.evaluate(case.parse(worked["input"]), RULES)
    after = evaluate.evaluate(case.parse(shuffled), RULES)
    assert (after.lines, after.not_billable, after.facts) == (
        before.lines,
        before.not_billable,
        before.facts,
    )


def test_every_blocked_code_has_a_phrase(worked: Raw) -> None:
    for row in evaluate.evaluate(case.parse(worked["input"]), RULES).not_billable:
        assert missing.shortest_way(row).text


def test_every_reason_has_a_worked_case(cases: dict[str, Raw]) -> None:
    used = {row["reason"] for one in cases.values() for row in one["expected"]["not_billable"]}
    assert {reason.value for reason in Reason} - used == set()


def _changed(expected: Raw, what: str) -> None:
    if what == "units":
        expected["codes"][0]["units"] += 1
    elif what == "code":
        expected["codes"].append({"code": "99091", "units": 1})
    elif what == "missing code":
        expected["codes"].pop()
    elif what == "reason":
        expected["not_billable"][0]["reason"] = "NO_ORDER"
    elif what == "missing reason":
        expected["not_billable"].pop()
    elif what == "fact":
        expected["facts"]["rpm_minutes"] = 999
    elif what == "unknown fact":
        expected["facts"]["moon_phase"] = "full"


@pytest.mark.parametrize(
    "what",
    ["units", "code", "missing code", "reason", "missing reason", "fact", "unknown fact"],
)
def test_runner_notices_a_changed_expectation(cases: dict[str, Raw], what: str) -> None:
    row = copy.deepcopy(cases["MGT-21"])
    assert answers.answer(row, RULES).passed
    _changed(row["expected"], what)
    assert not answers.answer(row, RULES).passed


def test_parameters_may_stand_beside_the_input(cases: dict[str, Raw]) -> None:
    row = copy.deepcopy(cases["OWN-MGT-04"])
    row["parameters"] = row["input"].pop("parameters")
    assert answers.answer(row, RULES).passed


def test_an_unreadable_case_is_a_difference_not_a_crash(cases: dict[str, Raw]) -> None:
    row = copy.deepcopy(cases["MGT-21"])
    row["input"]["as_of"] = "soon"
    (difference,) = answers.answer(row, RULES).differences
    assert "as_of: 'soon' is not a time" in difference.found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON"),
        ("[]", "expected an object"),
        ('{"rule_pack": "us-medicare-cy2026", "cases": []}', "no cases"),
        ('{"rule_pack": "us-medicare-cy1999", "cases": [{}]}', "no rule pack"),
    ],
)
def test_unreadable_files_are_named(text: str, message: str) -> None:
    with pytest.raises(CaseError, match=message):
        list(answers.of_file(text))


def test_a_code_expected_twice_is_an_error(cases: dict[str, Raw]) -> None:
    row = copy.deepcopy(cases["MGT-21"])
    row["expected"]["codes"] *= 2
    assert "twice" in answers.answer(row, RULES).differences[0].found


def test_given_cases_keep_their_notice() -> None:
    path = Path(__file__).parent / "cases" / "us_medicare_cy2026.json"
    document = json.loads(path.read_text())
    assert document["notice"].startswith("Test data, not billing advice.")
    assert len(document["cases"]) == 41
