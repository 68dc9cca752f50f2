"""The payer's answers: a remittance file read, or one line's answer typed in."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Request, UploadFile
from starlette.responses import RedirectResponse, Response

from billing import closing, payer, remittance
from billing.fields import CaseError
from billing.gather import Connection
from billing.payer import PayerAnswer
from billing.store import Key
from dashboards.billing import steps
from dashboards.billing.papers_forms import Answer
from dashboards.billing.steps import Closing, NotNowError
from dashboards.door import Visit

router = APIRouter()
SEE_OTHER = 303
AT_MOST = 8_000_000
"""Bytes of a remittance file."""


@router.post("/{month}/answers")
async def answers(request: Request, visit: Closing, month: str, file: UploadFile) -> Response:
    """Read a remittance file (835)."""
    first = steps.named(month)
    try:
        given = remittance.read_835((await file.read(AT_MOST)).decode("utf-8", "replace"))
    except CaseError:
        return steps.to_month(first, "UNREADABLE")
    key, by, now = steps.key_of(visit, first), steps.who(visit), visit.now
    try:
        await steps.stepped(request, lambda at: closing.answers(at, key, given, by=by, now=now))
    except NotNowError as error:
        return steps.to_month(first, error.problem)
    return steps.to_month(first)


@router.post("/{month}/lines/{line_id}/answer")
async def typed(
    request: Request,
    visit: Closing,
    month: str,
    line_id: str,
    form: Annotated[Answer, Form()],
) -> Response:
    """Note one line's answer, from paper or the payer's portal."""
    address = f"/billing/patients/{form.patient}?month={month}"
    try:
        raw = form.model_dump(mode="json", exclude={"patient"})
        raw["reasons"] = [word for word in form.reasons.replace(",", " ").split() if word]
        await noted(request, visit, month, line_id, raw)
    except CaseError:
        return RedirectResponse(f"{address}&problem=AMOUNT", SEE_OTHER)
    except NotNowError as error:
        return RedirectResponse(f"{address}&problem={error.problem}", SEE_OTHER)
    return RedirectResponse(address, SEE_OTHER)


async def noted(
    request: Request, visit: Visit, month: str, line_id: str, raw: Mapping[str, object]
) -> None:
    """Note one line's answer; CaseError if an amount cannot be read."""
    key, by, now = steps.key_of(visit, steps.named(month)), steps.who(visit), visit.now
    given = payer.typed_in({**raw, "line_id": line_id})
    await steps.stepped(request, lambda at: _kept(at, key, given, by=by, now=now))


def _kept(connection: Connection, key: Key, given: PayerAnswer, *, by: str, now: datetime) -> None:
    """Keep the answer; one that fits no exported line leaves the month as it was."""
    with connection.transaction():
        fitting, _ = closing.answers(connection, key, (given,), by=by, now=now)
        if not fitting:
            raise NotNowError("STRAY")
