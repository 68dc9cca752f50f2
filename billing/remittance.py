"""The payer's answers read back: from an 835 remittance, or typed in by the biller."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from x12sdk.access import PaidClaim
from x12sdk.io import X12ModelReader
from x12sdk.v5010.x12_835_005010X221A1.loops import Loop2110
from x12sdk.v5010.x12_835_005010X221A1.transaction_set import HealthCareClaimPayment

from billing.claims import BillLine
from billing.fields import CaseError, Row, day, mapping, text

LINE_CONTROL_NUMBER = "6R"
CAS_PLACES = range(1, 7)


class Outcome(StrEnum):
    """What the payer did with a line."""

    PAID = "paid"
    PAID_IN_PART = "paid in part"
    DENIED = "denied"


@dataclass(frozen=True, slots=True, kw_only=True)
class PayerAnswer:
    """The payer's answer to one line; `line_id` is empty when the payer did not say which."""

    claim_id: str
    line_id: str
    code: str
    charged: Decimal
    paid: Decimal
    outcome: Outcome
    reasons: tuple[str, ...]
    source: str
    answered_on: date | None = None


def read_835(content: str) -> tuple[PayerAnswer, ...]:
    """Return every line's answer of a remittance file's content."""
    if not content.lstrip().startswith("ISA"):
        raise CaseError("remittance: not an X12 interchange (it has to start with ISA)")
    try:
        answers = tuple(_answers(content.lstrip()))
    except Exception as error:
        raise CaseError(f"remittance: cannot be read: {type(error).__name__}") from error
    if not answers:
        raise CaseError("remittance: no answered lines in it")
    return answers


def typed_in(raw: object) -> PayerAnswer:
    """Return an answer that a biller typed in from paper or a portal."""
    row = mapping(raw, "answer")
    charged, paid = _money(row, "charged"), _money(row, "paid")
    reasons = row.get("reasons")
    return PayerAnswer(
        claim_id=text(row.get("claim_id")),
        line_id=text(row.get("line_id")),
        code=text(row.get("code")),
        charged=charged,
        paid=paid,
        outcome=_outcome(charged, paid),
        reasons=tuple(text(item) for item in reasons) if isinstance(reasons, list) else (),
        source="manual",
        answered_on=day(row.get("answered_on"), "answer.answered_on"),
    )


def matched(
    answers: Iterable[PayerAnswer], lines: Iterable[BillLine]
) -> tuple[Mapping[str, PayerAnswer], tuple[PayerAnswer, ...]]:
    """Return answers by line id, and those that fit no line: a person has to look at them."""
    known = {line.id: line for line in lines}
    found: dict[str, PayerAnswer] = {}
    strays: list[PayerAnswer] = []
    for answer in answers:
        line = known.get(answer.line_id)
        if line is not None and line.code == answer.code:
            found[line.id] = answer
        else:
            strays.append(answer)
    return found, tuple(strays)


def _answers(content: str) -> Iterator[PayerAnswer]:
    with X12ModelReader(content) as reader:
        for model in reader.models():
            if isinstance(model, HealthCareClaimPayment):
                for claim in model.claims():
                    yield from _lines(claim)


def _lines(claim: PaidClaim) -> Iterator[PayerAnswer]:
    claim_reasons = tuple(_reasons(claim.adjustments))
    for service in claim.service_lines:
        segment = service.svc_segment
        charged = segment.line_item_charge_amount
        paid = segment.line_item_provider_payment_amount
        yield PayerAnswer(
            claim_id=claim.patient_control_number,
            line_id=_line_id(service),
            code=segment.composite_medical_procedure_identifier_1.split(":")[1],
            charged=charged,
            paid=paid,
            outcome=_outcome(charged, paid),
            reasons=(*claim_reasons, *_reasons(service.cas_segment or [])),
            source="835",
        )


def _line_id(service: Loop2110) -> str:
    for reference in service.ref_segment or []:
        if reference.reference_identification_qualifier == LINE_CONTROL_NUMBER:
            return str(reference.reference_identification)
    return ""


def _reasons(adjustments: Iterable[object]) -> Iterator[str]:
    for adjustment in adjustments:
        group = getattr(adjustment, "adjustment_group_code", "")
        for place in CAS_PLACES:
            reason = getattr(adjustment, f"adjustment_reason_code_{place}", None)
            if reason:
                yield f"{getattr(group, 'value', group)}-{reason}"


def _outcome(charged: Decimal, paid: Decimal) -> Outcome:
    if paid <= 0:
        return Outcome.DENIED
    return Outcome.PAID if paid >= charged else Outcome.PAID_IN_PART


def _money(row: Row, name: str) -> Decimal:
    try:
        amount = Decimal(text(row.get(name)))
    except InvalidOperation:
        raise CaseError(f"answer.{name}: {row.get(name)!r} is no amount") from None
    if amount < 0:
        raise CaseError(f"answer.{name}: {amount} is negative")
    return amount
