"""The billing month for programs: where it stands, its patients, lines, findings and files."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Path, Query, Request, Response
from pydantic import Field

from dashboards.api import edge
from dashboards.api.edge import Listed, Moment, Month, Page, Told
from dashboards.billing import finding, routes, store
from dashboards.billing import patient as patients
from dashboards.billing.routes import PAGE, TYPES, attached
from dashboards.billing.steps import named
from dashboards.door import MissingError, Visit, holding
from dashboards.permissions import Verb

router = edge.router("billing")
Looking = Annotated[Visit, holding(Verb.SEE_BILLING)]
Status = Literal["all", "ready", "near", "blocked", "risk", "review", "exported"]
LineId = Annotated[str, Path(pattern="^[A-Za-z0-9._-]{1,80}$", description="Of a claim's line.")]
FindingId = Annotated[int, Path(ge=1, le=2**62)]
FILES: dict[int | str, dict[str, object]] = {
    200: {"content": {kind.partition(";")[0]: {} for kind in TYPES.values()}}
}


class Totals(Told):
    """How many patients, and codes."""

    everybody: int
    codes: Annotated[int, Field(description="Billable units.")]
    ready: int
    near: Annotated[int, Field(description="One step away.")]
    blocked: int
    at_risk: int
    review: int
    exported: int
    lines: int


class File(Told):
    """A file that was written."""

    id: UUID
    number: Annotated[int | None, Field(description="Null: a draft.")]
    format: str
    name: str
    lines: int
    sha256: str
    who: str
    at: Moment


class Job(Told):
    """Long work, and how far it is."""

    id: UUID
    kind: Annotated[str, Field(description="evaluate, lock, export.")]
    state: Annotated[str, Field(description="running, done, failed, ...")]
    runs: Annotated[bool, Field(description="Its process still works on it.")]
    done: Annotated[int, Field(description="Patients or rows.")]
    total: Annotated[int, Field(description="0: not known yet.")]
    words: str
    export_id: Annotated[UUID | None, Field(description="The file it wrote.")]


class Done(Told):
    """A step of the month."""

    action: str
    who: str
    at: Moment
    note: str


class BillingMonth(Told):
    """Where a month stands."""

    month: Annotated[date, Field(description="Its first day.")]
    state: Annotated[str, Field(description="collecting, ready, locked, exported, answered.")]
    signed_by: str
    exports: Annotated[int, Field(description="Files that left.")]
    evaluated_at: Moment | None
    rules: Annotated[str, Field(description="The rule pack in force; empty: none.")]
    totals: Totals
    steps: Annotated[list[Done], Field(description="Newest first.")]
    files: Annotated[list[File], Field(description="Newest first.")]
    job: Annotated[Job | None, Field(description="The newest work.")]


class BillingRow(Told):
    """One patient's month."""

    patient_id: UUID
    family_name: str
    given_name: str
    mrn: str
    birth_date: date
    programme: str
    days: Annotated[int | None, Field(description="Days with a reading.")]
    days_need: int
    minutes: int | None
    minutes_need: int
    contact_on: date | None
    codes: list[list[str]]
    blocked: str
    at_risk: bool
    missing: str
    review: bool


class Code(Told):
    """A code with its units, or its one reason and the shortest way."""

    code: str
    label: str
    units: int
    service_from: date | None
    service_to: date | None
    reason: str
    missing: str


class Line(Told):
    """A line of a claim."""

    line_id: str
    code: str
    units: int
    exported_at: Moment | None
    locked_at: Moment | None
    review_reason: str


class Day(Told):
    """A day that counts, with the readings it rests on."""

    on: date
    reading_ids: list[str]


class Stretch(Told):
    """A time entry: what of it counts, or why it does not."""

    id: str
    start: datetime
    end: datetime
    staff_id: str
    seconds: Annotated[int, Field(description="Counted.")]
    reasons: Annotated[list[str], Field(description="Why not all of it.")]


class PatientMonth(Told):
    """Every day and every minute of a patient's month: the answer to an auditor."""

    patient_id: UUID
    month: date
    zone: str
    rules: str
    codes: list[Code]
    lines: list[Line]
    window_first: date | None
    window_last: date | None
    counted_days: int
    days: list[Day]
    minutes: int
    entries: list[Stretch]
    remarks: list[str]


class Finding(Told):
    """One thing that an auditor would ask about."""

    id: int
    pattern: str
    subject: str
    number: float
    most: Annotated[float, Field(description="The limit.")]
    who: str | None
    patient_id: UUID | None


class WholeFinding(Told):
    """A finding with what is behind it."""

    pattern: str
    subject: str
    number: float
    most: float
    ids: Annotated[list[str], Field(description="Time entries, patients or lines.")]
    first: Annotated[date, Field(description="The month.")]


@router.get("/billing/{month}")
async def billing_month(visit: Looking, month: Month) -> BillingMonth:
    """Where a month stands."""
    first = named(month)
    await visit.record("look", "billing_month", month)
    stand, job = await store.stand(visit, first), await store.last_job(visit, first)
    rules = routes.rules_of(first)
    return BillingMonth(
        month=first,
        state=stand.state,
        signed_by=await store.signer(visit, stand.signed_by),
        exports=stand.exports,
        evaluated_at=stand.evaluated_at,
        rules=f"{rules.id} {rules.version}" if rules else "",
        totals=Totals.model_validate(await store.totals(visit, first)),
        steps=[Done.model_validate(each) for each in await store.steps(visit, first)],
        files=[File.model_validate(each) for each in await store.files(visit, first)],
        job=Job.model_validate(job) if job else None,
    )


@router.get("/billing/{month}/patients", response_model=Page[BillingRow])
async def billing_patients(
    visit: Looking,
    month: Month,
    status: Annotated[Status, Query()] = "all",
    after: Annotated[UUID | None, Query(description="`next` of the page before.")] = None,
) -> Listed[store.Row]:
    """A page of patients, by name."""
    rows = await store.rows(visit, named(month), status, after, PAGE + 1)
    await visit.record("look", "billing_month", month, detail={"status": status})
    return Listed(
        items=rows[:PAGE], next=str(rows[PAGE - 1].patient_id) if len(rows) > PAGE else ""
    )


@router.get("/billing/{month}/patients/{patient_id}")
async def billing_patient(visit: Looking, month: Month, patient_id: UUID) -> PatientMonth:
    """Every day and every minute of a patient's month."""
    first = named(month)
    found = await store.person(visit, first, patient_id)
    if found is None:
        raise MissingError
    told = {"month": str(first)}
    await visit.record("look", "billing_patient", patient_id, patient_id=patient_id, detail=told)
    lines = await store.lines(visit, first, patient_id)
    return _whole(patient_id, first, patients.seen(found.facts), lines)


@router.get("/billing/{month}/findings", response_model=Page[Finding])
async def billing_findings(
    visit: Looking,
    month: Month,
    pattern: Annotated[str, Query(pattern="^[a-z_]*$", max_length=40)] = "",
    after: Annotated[int, Query(ge=0, le=2**62)] = 0,
) -> Listed[finding.Finding]:
    """A page of what the self-audit found."""
    rows = await finding.findings(visit, named(month), pattern, after)
    most = finding.PAGE
    return Listed(items=rows[:most], next=str(rows[most - 1].id) if len(rows) > most else "")


@router.get("/billing-findings/{finding_id}", response_model=WholeFinding)
async def billing_finding(visit: Looking, finding_id: FindingId) -> finding.Whole:
    """One finding, with the ids of the rows behind it."""
    return await finding.whole(visit, finding_id)


@router.get("/billing-jobs/{job_id}", response_model=Job)
async def billing_job(visit: Looking, job_id: UUID) -> store.Job:
    """How far a piece of long work is."""
    found = await store.job(visit, job_id)
    if found is None:
        raise MissingError
    return found


@router.get("/billing-files/{file_id}", response_class=Response, responses=FILES)
async def billing_file(request: Request, visit: Looking, file_id: UUID) -> Response:
    """A file that was written; that it left is on the trail."""
    return await routes.file(request, visit, file_id)


@router.get("/billing-lines/{line_id}/evidence", response_class=Response, responses=FILES)
async def billing_evidence(
    request: Request,
    visit: Looking,
    line_id: LineId,
    format: Annotated[Literal["pdf", "csv", "json"], Query()] = "json",  # noqa: A002 -- the word in the address
) -> Response:
    """The evidence of a line."""
    made = await routes.evidence_of(request, visit, line_id, format)
    return attached(made, f"evidence-{line_id}.{format}", format)


def _whole(
    patient_id: UUID, first: date, seen: patients.Seen, lines: list[store.StoredLine]
) -> PatientMonth:
    return PatientMonth(
        patient_id=patient_id,
        month=first,
        zone=seen.zone,
        rules=seen.rules,
        codes=[Code.model_validate(each) for each in seen.codes],
        lines=[Line.model_validate(each) for each in lines],
        window_first=seen.window.first if seen.window else None,
        window_last=seen.window.last if seen.window else None,
        counted_days=seen.counted_days,
        days=[
            Day(on=day.on, reading_ids=[each.id for each in day.readings])
            for day in seen.days
            if day.readings
        ],
        minutes=seen.minutes,
        entries=[_stretch(each) for each in seen.entries],
        remarks=list(seen.remarks),
    )


def _stretch(seen: patients.EntrySeen) -> Stretch:
    entry = seen.entry
    return Stretch(
        id=entry.id,
        start=entry.start,
        end=entry.end,
        staff_id=entry.staff_id,
        seconds=seen.seconds,
        reasons=list(seen.reasons),
    )
