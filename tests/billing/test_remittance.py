"""The payer's answer finds its line, or is shown as a stray; nothing unreadable passes."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing import case, claims, evaluate, pack, payer, remittance
from billing.claims import BillLine
from billing.fields import CaseError
from billing.payer import Outcome, PayerAnswer

Raw = dict[str, Any]
RULES = pack.named("us-medicare-cy2026")

CUT = "CAS*PR*2*10.00~\n"
SERVICE = "SVC*HC:{code}*{charged}*{paid}**1~\n{adjustments}REF*6R*{line}~\n"


def file_835(services: str, charged: str = "150.00", paid: str = "90.00") -> str:
    segments = services.count("~")
    return (
        "ISA*00*          *00*          *30*EXAMPLEPAYER   *30*EXAMPLECLINIC  "
        "*260301*1200*^*00501*000000001*0*T*:~\n"
        "GS*HP*EXAMPLEPAYER*EXAMPLECLINIC*20260301*1200*1*X*005010X221A1~\n"
        f"ST*835*0001~\nBPR*I*{paid}*C*CHK~\nTRN*1*4698091149*0669074390~\n"
        "N1*PR*EXAMPLE PAYER~\nN3*1 ELM ST~\nN4*SPRINGFIELD*IL*62701~\n"
        "N1*PE*EXAMPLE CLINIC*XX*1234567893~\nLX*1~\n"
        f"CLP*CLAIM1*1*{charged}*{paid}**CH*853256536527~\n"
        "NM1*QC*1*TESTER*ANN****MI*1EG4TE5MK73~\n"
        f"{services}SE*{segments + 11}*0001~\nGE*1*1~\nIEA*1*000000001~\n"
    )


@pytest.fixture
def lines(month: Callable[..., Raw]) -> tuple[BillLine, ...]:
    parsed = case.parse(month())
    return claims.bill_lines(parsed, evaluate.evaluate(parsed, RULES))


@pytest.fixture
def answers(lines: tuple[BillLine, ...]) -> tuple[PayerAnswer, ...]:
    setup, supply, management = lines
    services = (
        SERVICE.format(
            code="99453", charged="50.00", paid="0", line=setup.id, adjustments="CAS*CO*97*50.00~\n"
        )
        + SERVICE.format(
            code="99454",
            charged="50.00",
            paid="40.00",
            line=supply.id,
            adjustments="CAS*PR*2*10.00~\n",
        )
        + SERVICE.format(
            code="99457", charged="50.00", paid="50.00", line=management.id, adjustments=""
        )
    )
    return remittance.read_835(file_835(services))


def test_each_line_has_its_answer(
    lines: tuple[BillLine, ...], answers: tuple[PayerAnswer, ...]
) -> None:
    found, strays = payer.matched(answers, lines)
    assert strays == ()
    by_code = {line.code: found[line.id] for line in lines}
    assert {code: answer.outcome for code, answer in by_code.items()} == {
        "99453": Outcome.DENIED,
        "99454": Outcome.PAID_IN_PART,
        "99457": Outcome.PAID,
    }
    assert by_code["99453"].reasons == ("CO-97",)
    assert by_code["99454"].reasons == ("PR-2",)
    assert by_code["99454"].paid == Decimal("40.00")


def test_an_answer_that_fits_no_line_is_a_stray(
    lines: tuple[BillLine, ...], answers: tuple[PayerAnswer, ...]
) -> None:
    found, strays = payer.matched(answers, lines[:2])
    assert len(found) == 2
    assert [stray.code for stray in strays] == ["99457"]


def test_an_answer_for_another_code_is_a_stray(
    lines: tuple[BillLine, ...], answers: tuple[PayerAnswer, ...]
) -> None:
    wrong = PayerAnswer(
        claim_id="", line_id=lines[0].id, code="99458", charged=Decimal(1), paid=Decimal(0),
        outcome=Outcome.DENIED, reasons=(), source="manual",
    )  # fmt: skip
    assert payer.matched([wrong], lines) == ({}, (wrong,))
    assert answers


def test_a_biller_types_an_answer_in() -> None:
    answer = payer.typed_in(
        {
            "line_id": "ab12",
            "code": "99454",
            "charged": "50.00",
            "paid": "0",
            "reasons": ["CO-16"],
            "answered_on": "2026-03-02",
        }
    )
    assert (answer.outcome, answer.source) == (Outcome.DENIED, "manual")
    assert answer.answered_on == date(2026, 3, 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"paid": "much"}, "answer.paid: 'much' is no amount"),
        ({"charged": "-1"}, "answer.charged: -1 is negative"),
        ({"answered_on": None}, "answer.answered_on"),
    ],
)
def test_a_wrongly_typed_answer_is_an_error(change: Raw, message: str) -> None:
    row = {"code": "99454", "charged": "50", "paid": "0", "answered_on": "2026-03-02"}
    with pytest.raises(CaseError, match=message):
        payer.typed_in({**row, **change})


@pytest.mark.parametrize("content", ["", "tests/billing/conftest.py", "not x12", "ISA*00~"])
def test_what_is_no_remittance_is_refused(content: str) -> None:
    with pytest.raises(CaseError, match="remittance"):
        remittance.read_835(content)


@given(st.integers(0, 700), st.sampled_from(["", "X", "~", "*", "SVC*"]))
def test_a_damaged_file_gives_answers_or_one_clear_error(place: int, junk: str) -> None:
    whole = file_835(
        SERVICE.format(code="99454", charged="50.00", paid="40.00", line="ab", adjustments=CUT),
        charged="50.00",
        paid="40.00",
    )
    assert len(remittance.read_835(whole)) == 1
    damaged = whole[:place] + junk + whole[place + 3 :]
    try:
        found = remittance.read_835(damaged)
    except CaseError:
        return
    assert all(answer.source == "835" for answer in found)
