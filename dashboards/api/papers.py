"""A patient's papers for programs: consents, orders, education, visits, devices' labels."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import BackgroundTasks, Depends, Path, Query, Request, Response
from pydantic import BaseModel, Field, ValidationError

from dashboards.api import edge
from dashboards.api.edge import (
    Asked,
    ConflictError,
    GivenDate,
    GivenMoment,
    Moment,
    Month,
    Text,
    Told,
)
from dashboards.billing import paper, paper_store, papers, papers_forms
from dashboards.billing.paper import Paper
from dashboards.billing.papers_forms import Fact, Kind, Listed, Method, Program
from dashboards.billing.words import PROBLEMS
from dashboards.door import MissingError, Visit, holding
from dashboards.patients.routes import known
from dashboards.permissions import Verb

router = edge.router("billing")
Reading = Annotated[Visit, holding(Verb.SEE_PATIENT)]
InMonth = Annotated[
    Month | None, Query(description="The month that is judged again; null: the running one.")
]
Form = TypeVar("Form", bound=BaseModel)
DeviceId = Annotated[str, Path(pattern=edge.DEVICE)]
Npi = Annotated[
    str,
    Field(
        pattern="^[0-9]{10}$",
        description="The last digit is a check digit.",
        examples=["1245319599"],
    ),
]
Diagnosis = Annotated[
    str, Field(pattern="^[A-Z][0-9][0-9A-Z](\\.[0-9A-Z]{1,4})?$", examples=["I10"])
]
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Which month is judged again once the answer is out."""

    request: Request
    later: BackgroundTasks
    month: InMonth = None


JudgedAgain = Annotated[Again, Depends()]


class Consent(Told):
    """A consent on file."""

    id: UUID
    programme: str
    at: Moment
    method: str
    withdrawn_at: Moment | None
    text_version: str
    cost_share_told: bool
    one_practitioner_told: bool
    who: str | None


class Order(Told):
    """An order on file."""

    programme: str
    at: Moment
    ended_at: Moment | None
    ordering_npi: str
    icd10: list[str]
    goal: str
    who: str | None


class Episode(Told):
    """A time of monitoring, with the education at its beginning."""

    programme: str
    started_on: date
    education_on: date | None
    education_note: str
    who: str | None


class Seen(Told):
    """A visit on file."""

    kind: str
    on: date
    npi: str | None


class Label(Told):
    """A device that the patient has or had, and what its label says."""

    id: str
    model: str
    serial: str | None
    make: str
    udi: str
    listing: str
    fda_listed: bool | None
    more_specific_code: str


class Stated(Told):
    """What the practice stated of a patient."""

    name: str
    value: bool | str
    on: date
    who: str | None


class Papers(Told):
    """Everything on file for a patient that billing rests on."""

    consents: list[Consent]
    orders: list[Order]
    episodes: list[Episode]
    visits: list[Seen]
    devices: list[Label]
    statements: list[Stated]


class NewConsent(Asked):
    """A consent that somebody obtained."""

    program: Program
    at: GivenMoment
    method: Method
    text_version: Annotated[Text, Field(max_length=40)] = ""
    cost_share_told: Annotated[bool, Field(strict=True)] = False
    one_practitioner_told: Annotated[bool, Field(strict=True)] = False


class NewWithdrawal(Asked):
    """When a consent ended."""

    at: GivenMoment


class NewOrder(Asked):
    """A practitioner's order."""

    program: Program
    at: GivenMoment
    ordering_npi: Npi
    icd10: Annotated[list[Diagnosis], Field(min_length=1, max_length=20)]
    goal: Annotated[Text, Field(max_length=1000)] = ""


class NewEducation(Asked):
    """Set-up of the equipment and education of the patient."""

    program: Program = Program.RPM
    started_on: GivenDate
    education_on: GivenDate
    note: Annotated[Text, Field(min_length=10, max_length=1000)]


class NewVisit(Asked):
    """A visit with the practice."""

    kind: Kind
    on: GivenDate
    npi: Npi | None = None


class NewStatement(Asked):
    """What the practice states of a patient from a day on; the newest holds."""

    name: Fact
    on: GivenDate
    value: Annotated[
        Text,
        Field(
            min_length=1,
            max_length=1000,
            description="yes or no; for some names which: the kind of the assessment, the add-on,"
            " the last day of the period, the summary.",
        ),
    ] = "yes"


class NewLabel(Asked):
    """What stands on a device's label."""

    make: Annotated[Text, Field(max_length=100)] = ""
    udi: Annotated[Text, Field(max_length=200)] = ""
    listing: Annotated[Text, Field(max_length=60)] = ""
    listed: Listed = Listed.UNKNOWN
    more_specific_code: Annotated[Text, Field(max_length=5)] = ""


@router.get("/patients/{patient_id}/papers", response_model=Papers)
async def patient_papers(visit: Reading, patient_id: UUID) -> paper_store.Papers:
    """What is on file for a patient."""
    papers.keeper(visit)
    await known(visit.connection, patient_id)
    await visit.record("look", "papers", patient_id, patient_id=patient_id)
    return await paper_store.papers(visit, patient_id)


@router.post("/patients/{patient_id}/papers/consents", status_code=204)
async def add_consent(
    visit: Reading, patient_id: UUID, asked: NewConsent, again: JudgedAgain
) -> Response:
    """Record a consent."""
    form = _form(papers_forms.Consent, asked)
    return await _kept(visit, patient_id, paper.consent(form, asked.at), again)


@router.post("/patients/{patient_id}/papers/consents/{consent_id}/withdraw", status_code=204)
async def withdraw_consent(
    visit: Reading, patient_id: UUID, consent_id: UUID, asked: NewWithdrawal, again: JudgedAgain
) -> Response:
    """Record that a consent was withdrawn."""
    form = _form(papers_forms.Withdrawal, asked, consent_id=consent_id)
    return await _kept(visit, patient_id, paper.withdrawal(form, asked.at), again)


@router.post("/patients/{patient_id}/papers/orders", status_code=204)
async def add_order(
    visit: Reading, patient_id: UUID, asked: NewOrder, again: JudgedAgain
) -> Response:
    """Record a practitioner's order."""
    form = _form(papers_forms.Order, asked, icd10=" ".join(asked.icd10))
    return await _kept(visit, patient_id, paper.order(form, asked.at), again)


@router.post("/patients/{patient_id}/papers/education", status_code=204)
async def add_education(
    visit: Reading, patient_id: UUID, asked: NewEducation, again: JudgedAgain
) -> Response:
    """Record set-up and education."""
    made = paper.education(_form(papers_forms.Education, asked))
    return await _kept(visit, patient_id, made, again)


@router.post("/patients/{patient_id}/papers/visits", status_code=204)
async def add_visit(
    visit: Reading, patient_id: UUID, asked: NewVisit, again: JudgedAgain
) -> Response:
    """Record a visit with the practice."""
    return await _kept(visit, patient_id, paper.visit(_form(papers_forms.Seen, asked)), again)


@router.post("/patients/{patient_id}/papers/statements", status_code=204)
async def add_statement(
    visit: Reading, patient_id: UUID, asked: NewStatement, again: JudgedAgain
) -> Response:
    """Record a care plan, an attestation, an assessment: what the practice states."""
    made = paper.statement(_form(papers_forms.Statement, asked))
    return await _kept(visit, patient_id, made, again)


@router.post("/patients/{patient_id}/papers/devices/{device_id}", status_code=204)
async def label_device(
    visit: Reading, patient_id: UUID, device_id: DeviceId, asked: NewLabel, again: JudgedAgain
) -> Response:
    """Record what stands on the label of a device that the patient has or had."""
    made = paper.device(_form(papers_forms.Device, asked, device_id=device_id))
    return await _kept(visit, patient_id, made, again)


def _form(kind: type[Form], asked: Asked, **more: object) -> Form:
    """Return the body as the page's form says the same."""
    try:
        return kind.model_validate(asked.model_dump() | more)
    except ValidationError as error:
        words = "; ".join(each["msg"] for each in error.errors())
        raise ConflictError("UNUSABLE", words) from error


async def _kept(visit: Visit, patient_id: UUID, made: Paper, again: Again) -> Response:
    """Keep one paper, or say why not; then the month is judged again."""
    if made.at and made.at < EARLIEST:
        raise ConflictError("TOO_LONG_AGO", "Papers begin with the year 2000.")
    problem = await papers.kept(visit, patient_id, made)
    if problem == "NOT_KEPT":
        raise MissingError
    if problem:
        raise ConflictError(problem, PROBLEMS[problem])
    work = papers.judging(again.request, visit, patient_id, again.month or "")
    again.later.tasks += [work] if work else []
    return Response(status_code=204)
