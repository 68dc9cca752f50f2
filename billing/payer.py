"""The payer's answer to a line, whoever brings it; a biller may type it in. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from billing.claims import BillLine
from billing.fields import CaseError, Row, day, mapping, text


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
        outcome=outcome_of(charged, paid),
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


def outcome_of(charged: Decimal, paid: Decimal) -> Outcome:
    """Return what a payment says about a charge."""
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
