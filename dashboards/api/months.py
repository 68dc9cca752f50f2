"""What is done with a billing month, for programs: long work, signing, answers, requests."""

from collections.abc import Callable
from typing import Annotated
from uuid import UUID

from fastapi import Request, Response
from pydantic import Field

from billing import closing, remittance
from billing.fields import CaseError
from billing.files import Format
from billing.gather import Connection
from billing.jobs import Kind
from dashboards.api import edge
from dashboards.api.billing import Job, LineId
from dashboards.api.edge import Asked, ConflictError, GivenDate, Made, Month, New, Reason, Text
from dashboards.billing import answering, steps, store
from dashboards.billing.steps import NotNowError, key_of, named, who
from dashboards.billing.words import MEND_TITLES, PROBLEMS
from dashboards.door import Visit, holding
from dashboards.permissions import Verb

router = edge.router("billing")
Closing = Annotated[Visit, holding(Verb.CLOSE_MONTH)]
Adjustment = Annotated[str, Field(pattern="^[A-Z0-9-]{1,8}$", examples=["CO-45"])]
Amount = Annotated[
    str, Field(pattern="^[0-9]{1,7}\\.[0-9]{2}$", description="Dollars.", examples=["43.03"])
]


class NewJob(Asked):
    """Long work on a month."""

    kind: Annotated[Kind, Field(description="evaluate: judge; lock: prove; export: write a file.")]
    format: Annotated[Format, Field(description="Of an export.")] = Format.XLSX


class Signature(Asked):
    """Whoever signs is not whoever made the month ready."""

    note: Annotated[Text, Field(max_length=300)] = ""


class Because(Asked):
    """Why."""

    reason: Reason


class Remittance(Asked):
    """A payer's answer."""

    content: Annotated[Text, Field(max_length=8_000_000, description="X12 835, as text.")]


class LineAnswer(Asked):
    """A payer's answer to one line, from paper or a portal."""

    code: Annotated[str, Field(pattern="^[A-Z0-9]{5}$", examples=["99454"])]
    charged: Amount
    paid: Amount
    reasons: Annotated[tuple[Adjustment, ...], Field(max_length=10)] = ()
    claim_id: Annotated[Text, Field(max_length=40)] = ""
    answered_on: GivenDate


class CareRequest(Asked):
    """What the care team is asked for."""

    mend: Annotated[str, Field(json_schema_extra={"enum": list(MEND_TITLES)})]


@router.post("/billing/{month}/jobs", status_code=202, response_model=Made)
async def start_billing_job(request: Request, visit: Closing, month: Month, asked: NewJob) -> New:
    """Begin long work; `/billing-jobs/{id}` says how far it is."""
    try:
        return New(id=await steps.begun(request, visit, named(month), asked.kind, asked.format))
    except NotNowError as error:
        raise _conflict(error) from error


@router.post("/billing-jobs/{job_id}/cancel", response_model=Job)
async def cancel_billing_job(visit: Closing, job_id: UUID) -> store.Job:
    """Call long work off: what it had begun is rolled back; what has ended stays as it is."""
    return await steps.called_off(visit, job_id)


@router.post("/billing/{month}/review", status_code=204)
async def review_month(request: Request, visit: Closing, month: Month) -> Response:
    """Close collecting."""
    key, by, now = key_of(visit, named(month)), who(visit), visit.now
    return await _step(request, lambda at: closing.review(at, key, by=by, now=now))


@router.post("/billing/{month}/sign", status_code=204)
async def sign_month(request: Request, visit: Closing, month: Month, asked: Signature) -> Response:
    """Sign the month off, as a second person."""
    key, by, now = key_of(visit, named(month)), who(visit), visit.now
    return await _step(
        request, lambda at: closing.sign_off(at, key, by=by, now=now, note=asked.note)
    )


@router.post("/billing/{month}/reopen", status_code=204)
async def reopen_month(request: Request, visit: Closing, month: Month, asked: Because) -> Response:
    """Go back to collecting."""
    key, by, now = key_of(visit, named(month)), who(visit), visit.now
    return await _step(
        request, lambda at: closing.reopen(at, key, by=by, now=now, reason=asked.reason)
    )


@router.post("/billing/{month}/answers", status_code=204)
async def answer_month(
    request: Request, visit: Closing, month: Month, asked: Remittance
) -> Response:
    """Read a payer's answers."""
    try:
        given = remittance.read_835(asked.content)
    except CaseError as error:
        raise _conflict(NotNowError("UNREADABLE")) from error
    key, by, now = key_of(visit, named(month)), who(visit), visit.now
    return await _step(request, lambda at: closing.answers(at, key, given, by=by, now=now))


@router.post("/billing/{month}/lines/{line_id}/confirm", status_code=204)
async def confirm_line(
    request: Request, visit: Closing, month: Month, line_id: LineId, asked: Because
) -> Response:
    """State that a line that waited for review still stands."""
    await steps.known_line(visit, line_id)
    key, by, now = key_of(visit, named(month)), who(visit), visit.now
    return await _step(
        request,
        lambda at: closing.confirm(at, key, line_id, by=by, now=now, reason=asked.reason),
    )


@router.post("/billing/{month}/lines/{line_id}/answer", status_code=204)
async def answer_line(
    request: Request, visit: Closing, month: Month, line_id: LineId, asked: LineAnswer
) -> Response:
    """Note a payer's answer to one exported line."""
    await steps.known_line(visit, line_id)
    try:
        await answering.noted(request, visit, month, line_id, asked.model_dump(mode="json"))
    except CaseError as error:
        raise _conflict(NotNowError("AMOUNT")) from error
    except NotNowError as error:
        raise _conflict(error) from error
    return Response(status_code=204)


@router.post("/billing-patients/{patient_id}/ask", status_code=204)
async def ask_care_team(visit: Closing, patient_id: UUID, asked: CareRequest) -> Response:
    """Give the care team a task; nothing happens if it has that one already."""
    await steps.asked(visit, patient_id, asked.mend)
    return Response(status_code=204)


async def _step(request: Request, step: Callable[[Connection], object]) -> Response:
    try:
        await steps.stepped(request, step)
    except NotNowError as error:
        raise _conflict(error) from error
    return Response(status_code=204)


def _conflict(error: NotNowError) -> ConflictError:
    return ConflictError(error.problem, PROBLEMS.get(error.problem, error.problem))
