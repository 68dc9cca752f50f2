"""The 837P that we write is accepted by an independent validator."""

import io
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pyx12 import params, x12n_document  # type: ignore[import-untyped]  # ships no types
from x12sdk.io import X12ModelReader
from x12sdk.v5010.x12_837_005010X222A2.transaction_set import HealthCareClaimProfessional

from billing import case, claims, evaluate, pack, x12_claim
from billing.claims import BillLine
from billing.fields import CaseError
from billing.submission import Address, Practice, Professional, Submission, Subscriber

Raw = dict[str, Any]
RULES = pack.named("us-medicare-cy2026")
HOME = Address(street="1 MAIN ST", city="ALBANY", state="NY", postal_code="122070001")


def subscriber(number: int) -> Subscriber:
    return Subscriber(
        last_name="TESTER",
        first_name=f"ANN{number}",
        born_on=date(1950, 1, 2),
        gender="F",
        member_id=f"1EG4TE5MK{number:02d}",
        address=HOME,
        payer_name="MEDICARE",
        payer_id="13282",
    )


def submission(patients: int) -> Submission:
    return Submission(
        practice=Practice(
            name="EXAMPLE CLINIC",
            npi="1234567893",
            tax_id="123456789",
            address=HOME,
            contact="BILLING",
            phone="5185550100",
        ),
        receiver_name="EXAMPLE CLEARING HOUSE",
        receiver_id="CLEARING",
        subscribers={f"P{number}": subscriber(number) for number in range(patients)},
        professionals={
            "1245319599": Professional(last_name="REYES", first_name="MAYA", npi="1245319599")
        },
        charges={code.code: Decimal("52.10") for code in RULES.codes},
        created=datetime(2026, 2, 5, 12, 30, tzinfo=UTC),
        control_number=7,
    )


def lines_of(month: Callable[..., Raw], patients: int) -> list[BillLine]:
    found: list[BillLine] = []
    for number in range(patients):
        raw = month()
        raw["patient"]["id"] = f"P{number}"
        raw["time_entries"][0]["end"] = "2026-01-08T11:25:00-05:00"
        parsed = case.parse(raw)
        found += claims.bill_lines(parsed, evaluate.evaluate(parsed, RULES))
    return found


def acknowledgement(written: str) -> str:
    """Return the 999 with which the validator answers."""
    answer = io.StringIO()
    accepted = x12n_document.x12n_document(
        params.ParamsBase(), io.StringIO(written), answer, None, None
    )
    assert accepted, answer.getvalue()
    return answer.getvalue()


def test_the_file_validates(month: Callable[..., Raw]) -> None:
    written = x12_claim.interchange(lines_of(month, 3), submission(3))
    assert "IK5*A~" in acknowledgement(written)


def test_the_validator_notices_a_broken_file(month: Callable[..., Raw]) -> None:
    written = x12_claim.interchange(lines_of(month, 1), submission(1))
    broken = written.replace("DTP*472*D8*20260203~", "DTP*472*D8*2026023~")
    assert broken != written
    with pytest.raises(AssertionError):
        acknowledgement(broken)


def test_every_line_is_in_the_file_with_its_date_and_control_number(
    month: Callable[..., Raw],
) -> None:
    lines = lines_of(month, 2)
    written = x12_claim.interchange(lines, submission(2))
    assert set(re.findall(r"REF\*6R\*(\w+)~", written)) == {line.id for line in lines}
    assert (
        written.count("SV1*HC:99454*52.10*UN*1***1:2~")
        + written.count("SV1*HC:99454*52.10*UN*1***1~")
        == 2
    )
    assert written.count("SV1*HC:99458*") == 2
    assert written.count("DTP*472*D8*20260203~") == 2
    assert written.count("HI*ABK:I10*ABF:E119~") == 2
    assert written.count("NM1*82*1*REYES*MAYA****XX*1245319599~") == 2


def test_our_library_reads_its_own_file(month: Callable[..., Raw]) -> None:
    lines = lines_of(month, 2)
    with X12ModelReader(x12_claim.interchange(lines, submission(2))) as reader:
        submitted = [
            claim
            for model in reader.models()
            if isinstance(model, HealthCareClaimProfessional)
            for claim in model.claims()
        ]
    assert [claim.charge for claim in submitted] == [Decimal("312.60")] * 2


def test_many_patients_are_split_into_transactions(
    month: Callable[..., Raw], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(x12_claim, "PATIENTS_PER_TRANSACTION", 2)
    written = x12_claim.interchange(lines_of(month, 5), submission(5))
    assert re.findall(r"ST\*837\*(\d+)\*", written) == ["0001", "0002", "0003"]
    assert acknowledgement(written).count("IK5*A~") == 3


def test_the_same_lines_are_the_same_file(month: Callable[..., Raw]) -> None:
    lines = lines_of(month, 2)
    first = x12_claim.interchange(lines, submission(2))
    assert first == x12_claim.interchange(lines[::-1], submission(2))


def test_it_is_a_test_file_unless_asked_otherwise(month: Callable[..., Raw]) -> None:
    lines = lines_of(month, 1)
    assert "*0*T*:~" in x12_claim.interchange(lines, submission(1))
    assert "*0*P*:~" in x12_claim.interchange(lines, replace(submission(1), production=True))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"billing": None}, "billing NPI, rendering NPI, place of service"),
        ({"orders": [{"program": "RPM", "at": "2026-01-05T09:05:00-05:00"}]}, "diagnosis"),
    ],
    ids=["no parties", "no diagnosis"],
)
def test_a_line_that_no_payer_could_take_is_refused(
    month: Callable[..., Raw], change: Raw, message: str
) -> None:
    raw = month(**change)
    raw["patient"]["id"] = "P0"
    parsed = case.parse(raw)
    lines = claims.bill_lines(parsed, evaluate.evaluate(parsed, RULES))
    with pytest.raises(CaseError, match=message):
        x12_claim.interchange(lines, submission(1))


def test_a_patient_without_coverage_is_named(month: Callable[..., Raw]) -> None:
    with pytest.raises(CaseError, match="P1 99453: missing coverage of the patient"):
        x12_claim.interchange(lines_of(month, 2), submission(1))
