"""An 835 remittance file becomes the payer's answers."""

from collections.abc import Iterable, Iterator

from x12sdk.access import PaidClaim
from x12sdk.io import X12ModelReader
from x12sdk.v5010.x12_835_005010X221A1.loops import Loop2110
from x12sdk.v5010.x12_835_005010X221A1.transaction_set import HealthCareClaimPayment

from billing.fields import CaseError
from billing.payer import PayerAnswer, outcome_of

LINE_CONTROL_NUMBER = "6R"
CAS_PLACES = range(1, 7)


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
            outcome=outcome_of(charged, paid),
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
