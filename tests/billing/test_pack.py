"""Packs are dated, complete and tied to lines by a hash; payers lay their rules over them."""

import copy
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from importlib.resources import files
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from billing import case, evaluate, gates, overlay, pack
from billing.fields import CaseError
from billing.pack import Pack

Raw = dict[str, Any]
PACKS = pack.shelf()
THIS_YEAR = pack.named("us-medicare-cy2026")
LAST_YEAR = pack.named("us-medicare-cy2025")


@pytest.fixture(params=PACKS, ids=lambda known: known.id)
def known(request: pytest.FixtureRequest) -> Pack:
    found = request.param
    assert isinstance(found, Pack)
    return found


def test_every_code_has_a_family_a_label_and_a_source(known: Pack) -> None:
    families = {family.name for family in known.families}
    sources = {source.id for source in known.sources}
    for code in known.codes:
        assert code.family in families
        assert 0 < len(code.label) <= 60
        assert code.source in sources
        assert code.confidence
    assert len({code.code for code in known.codes}) == len(known.codes)


def test_every_family_has_rules_and_known_gates(known: Pack) -> None:
    for family in known.families:
        assert family.name in evaluate.RULES
        assert set(family.needs) <= set(gates.GATES)
        assert known.of(family.name)


def test_exclusions_name_families_and_sources_of_the_pack(known: Pack) -> None:
    families = {family.name for family in known.families}
    for row in known.exclusions:
        assert {row.family, *row.beside} <= families
        assert row.source in {source.id for source in known.sources}
        assert not row.unless or hasattr(known.parameters, row.unless)


def test_every_cap_is_a_parameter(known: Pack) -> None:
    assert all(hasattr(known.parameters, code.cap) for code in known.codes if code.cap)


def test_packs_do_not_overlap_in_time() -> None:
    for first, second in pairwise(PACKS):
        assert first.effective_to < second.effective_from


def test_parameters_are_those_of_the_worked_cases(cases: dict[str, Raw]) -> None:
    assert cases
    document = json.loads(
        (files("tests.billing") / "cases" / "us_medicare_cy2026.json").read_text()
    )
    ours = json.loads(msgspec.json.encode(THIS_YEAR.parameters))
    for name, value in document["default_parameters"].items():
        own = ours[name]
        if name == "holidays":
            assert set(value) <= set(own)
        elif isinstance(value, list):
            assert sorted(map(str, own)) == sorted(map(str, value))
        else:
            assert own == value


def test_the_hash_is_the_same_in_every_process() -> None:
    program = "from billing import pack; print(*[p.digest for p in pack.shelf()])"
    seen = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()[-1]
        for seed in ("1", "2")
    }
    assert seen == {THIS_YEAR.digest}


def test_the_hash_follows_the_rules_and_not_the_signature() -> None:
    changed = pack.adjusted(THIS_YEAR, {"late_grace_hours": 24})
    signed = msgspec.structs.replace(
        THIS_YEAR, approved=pack.Approval(by="R. Lee", role="compliance", at=date(2026, 1, 2))
    )
    assert changed.digest != THIS_YEAR.digest
    assert signed.digest == THIS_YEAR.digest


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"late_grace_hour": 24}, "unknown field `late_grace_hour`"),
        ({"late_grace_hours": "a day"}, "Expected `int`"),
        ({"low_tier": [2]}, "length 2"),
        ({"ccm_prefer": "nobody"}, "Invalid enum value"),
    ],
)
def test_a_wrong_parameter_is_an_error(changes: Raw, message: str) -> None:
    with pytest.raises(CaseError, match=message):
        pack.adjusted(THIS_YEAR, changes)


@pytest.mark.parametrize(
    ("day", "identifier"),
    [
        (date(2025, 1, 1), "us-medicare-cy2025"),
        (date(2025, 12, 31), "us-medicare-cy2025"),
        (date(2026, 1, 1), "us-medicare-cy2026"),
    ],
)
def test_the_date_of_service_chooses_the_pack(day: date, identifier: str) -> None:
    assert pack.in_force(day).id == identifier


def test_a_date_without_rules_is_an_error() -> None:
    with pytest.raises(CaseError, match="no rule pack covers 2031-01-01; known are us-medicare"):
        pack.in_force(date(2031, 1, 1))


def _shifted(raw: Raw, year: str) -> Raw:
    text = json.dumps(raw).replace("2026-", f"{year}-")
    moved = json.loads(text)
    assert isinstance(moved, dict)
    return moved


def test_history_is_judged_by_the_rules_of_its_year(month: Callable[..., Raw]) -> None:
    raw = month(readings=month()["readings"][:12])
    raw["time_entries"][0]["end"] = "2026-01-08T10:14:00-05:00"
    (now,) = evaluate.evaluate_in_force(case.parse(raw))
    (then,) = evaluate.evaluate_in_force(case.parse(_shifted(raw, "2025")))
    assert [line.code for line in now.lines] == ["99453", "99445", "99470"]
    assert then.pack == "us-medicare-cy2025"
    assert then.lines == ()
    assert {row.code: row.reason for row in then.not_billable} == {
        "99453": "SETUP_DAYS_BELOW_MIN",
        "99454": "DAYS_BELOW_16",
        "99457": "MINUTES_BELOW_20",
        "99458": "BASE_CODE_NOT_BILLED",
    }


def test_a_window_that_ends_in_the_new_year_has_the_new_rules(month: Callable[..., Raw]) -> None:
    raw = month(
        readings=[
            {"at": f"2025-12-{day}T07:30:00-05:00", "device": "bp-1", "entry": "device"}
            for day in range(20, 30)
        ],
        consents=[{"program": "RPM", "at": "2025-12-01T09:00:00-05:00"}],
        orders=[{"program": "RPM", "at": "2025-12-01T09:00:00-05:00"}],
    )
    raw["evaluate"] |= {"window": ["2025-12-10", "2026-01-08"], "month": "2025-12"}
    found = {one.pack: one for one in evaluate.evaluate_in_force(case.parse(raw))}
    assert [line.code for line in found["us-medicare-cy2026"].lines] == ["99453", "99445"]
    assert found["us-medicare-cy2025"].reason("99457") == "NO_INTERACTIVE_COMMUNICATION"


def test_a_payer_lays_its_rules_over_the_pack(month: Callable[..., Raw]) -> None:
    (example,) = overlay.shipped()
    raw = month()
    raw["patient"]["payer"] = example.payer
    heart = copy.deepcopy(raw)
    heart["orders"][0]["icd10"] = ["I50.22"]
    (refused,) = evaluate.evaluate_in_force(case.parse(raw))
    (covered,) = evaluate.evaluate_in_force(case.parse(heart))
    assert refused.lines == ()
    assert refused.reason("99454") == "NOT_COVERED_BY_PAYER"
    assert [line.code for line in covered.lines] == ["99453", "99454", "99457"]
    assert covered.digest != THIS_YEAR.digest


def test_an_overlay_holds_between_its_dates() -> None:
    (example,) = overlay.shipped()
    assert overlay.for_payer(LAST_YEAR, example.payer, date(2025, 6, 1)) is LAST_YEAR
    assert overlay.for_payer(THIS_YEAR, "somebody else", date(2026, 6, 1)) is THIS_YEAR
    laid = overlay.for_payer(THIS_YEAR, example.payer, date(2026, 6, 1))
    assert laid.overlays == (example.id,)


def test_a_code_that_the_payer_leaves_out_has_its_reason(month: Callable[..., Raw]) -> None:
    without = msgspec.structs.replace(THIS_YEAR, not_covered=("99457",))
    found = evaluate.evaluate(case.parse(month()), without)
    assert found.reason("99457") == "NOT_COVERED_BY_PAYER"
    assert found.line("99454") is not None


def test_an_unknown_family_is_an_error_that_names_the_known(month: Callable[..., Raw]) -> None:
    raw = month(evaluate={"families": ["acupuncture"], "month": "2026-01"})
    with pytest.raises(CaseError, match="no family 'acupuncture'; it has apcm, rpm_device"):
        evaluate.evaluate(case.parse(raw), THIS_YEAR)


@pytest.mark.parametrize("read", [pack.read, overlay.read], ids=["pack", "overlay"])
def test_a_broken_file_is_an_error_of_ours(read: Callable[[str], object]) -> None:
    with pytest.raises(CaseError):
        read("{id: x, surprise: 1}")


def test_a_running_month_shows_what_it_already_has(month: Callable[..., Raw]) -> None:
    running = case.parse(month(as_of="2026-01-25T12:00:00-05:00"))
    assert evaluate.evaluate(running, THIS_YEAR).reason("99457") == "PERIOD_NOT_COMPLETE"
    outlook = evaluate.outlook(running, THIS_YEAR)
    assert [line.code for line in outlook.lines] == ["99453", "99454", "99457"]
