"""Claim and ChargeItem say what the line says, as drafts."""

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from billing import case, claims, evaluate, fhir, pack
from billing.claims import BillLine

Raw = dict[str, Any]
RULES = pack.named("us-medicare-cy2026")


def lines_of(raw: Raw) -> tuple[BillLine, ...]:
    parsed = case.parse(raw)
    return claims.bill_lines(parsed, evaluate.evaluate(parsed, RULES))


def test_a_claim_has_an_item_for_each_line(month: Callable[..., Raw]) -> None:
    found = fhir.claim(
        lines_of(month()),
        created=date(2026, 2, 5),
        coverage="Medicare Part B",
        charges={"99454": Decimal("52.10")},
    )
    claim = json.loads(fhir.as_text(found))
    assert (claim["resourceType"], claim["status"], claim["use"]) == ("Claim", "draft", "claim")
    assert claim["billablePeriod"] == {"start": "2026-01-01", "end": "2026-02-03"}
    codes = {item["productOrService"]["coding"][0]["code"]: item for item in claim["item"]}
    assert set(codes) == {"99453", "99454", "99457"}
    assert codes["99454"]["net"] == {"value": 52.1, "currency": "USD"}
    assert codes["99454"]["diagnosisSequence"] == [1, 2]
    assert [row["sequence"] for row in claim["item"]] == [1, 2, 3]


def test_every_required_element_of_a_claim_is_there(month: Callable[..., Raw]) -> None:
    found = fhir.claim(lines_of(month()), created=date(2026, 2, 5), coverage="Medicare Part B")
    required = {"status", "type", "use", "patient", "created", "provider", "priority", "insurance"}
    assert required <= set(found)


def test_a_charge_item_points_at_its_evidence(month: Callable[..., Raw]) -> None:
    line = next(line for line in lines_of(month()) if line.code == "99457")
    item = json.loads(fhir.as_text(fhir.charge_item(line)))
    named = [proof["display"] for proof in item["supportingInformation"]]
    assert named == ["Encounter/T1", "Consent/C1", "ServiceRequest/O1"]
    assert RULES.digest in item["note"][0]["text"]
    assert item["code"]["coding"][0]["system"] == fhir.CPT


def test_g_codes_are_hcpcs(cases: dict[str, Raw]) -> None:
    (line, _) = lines_of(cases["CHI-01"]["input"])
    item = fhir.charge_item(line)
    assert item["code"] == {"coding": [{"system": fhir.HCPCS, "code": "G0019"}]}
    assert item["performer"] == [{"actor": {"display": "not recorded"}}]
