"""The worklist for programs: open episodes, most pressing first, and what the views count."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query, Request
from pydantic import Field

from alerts.lifecycle import Refusal
from dashboards.api import edge
from dashboards.api.edge import (
    Asked,
    ConflictError,
    Listed,
    Moment,
    Page,
    SeverityWord,
    Text,
    Told,
)
from dashboards.door import MissingError, Visit, holding
from dashboards.permissions import Verb
from dashboards.wiring import wiring
from dashboards.worklist import actions, gather, store
from dashboards.worklist.filters import VIEWS, Cursor, Filters

router = edge.router("worklist")
Looking = Annotated[Visit, holding(Verb.SEE_WORKLIST)]
Acting = Annotated[Visit, holding(Verb.ACT)]
Word = Annotated[Text, Field(max_length=40)]


class EpisodeRow(Told):
    """All open alerts of one patient, as one line of work."""

    id: UUID
    patient_id: UUID
    family_name: str
    given_name: str
    birth_date: date
    mrn: Annotated[str, Field(description="Medical record number.")]
    same_name: Annotated[bool, Field(description="Another patient has the same name.")]
    severity: SeverityWord
    technical: Annotated[bool, Field(description="About a device, not about the patient.")]
    kind: Annotated[str, Field(description="What was measured: blood_pressure, weight, ...")]
    headline: str
    why: Annotated[str, Field(description="The rule's reason in a sentence.")]
    alert_count: int
    opened_at: Moment
    due_at: Annotated[Moment, Field(description="Respond until then; UTC.")]
    owner_id: UUID | None
    owner_name: str | None
    lease_until: Annotated[Moment | None, Field(description="The claim lapses then; UTC.")]
    snoozed_until: Moment | None
    closed_at: Moment | None
    version: Annotated[int, Field(description="Grows with every change.")]


class Wanted(Asked):
    """Which episodes."""

    view: Literal["action", "mine", "unclaimed", "soon", "silent", "devices", "all"] = "action"
    sev: Annotated[
        Literal["critical", "high", "medium", "low"] | None, Field(description="One severity.")
    ] = None
    prog: Annotated[Word, Field(description="Care programme.")] = ""
    cond: Annotated[Word, Field(description="Condition.")] = ""
    metric: Annotated[Word, Field(description="Kind of measurement.")] = ""
    lang: Annotated[Word, Field(description="Patient's language, ISO 639-1.")] = ""
    team: Annotated[UUID | None, Field(description="Care team.")] = None
    owner: Annotated[Literal["me", "none"] | None, Field(description="Whose.")] = None
    snoozed: Annotated[Literal["yes"] | None, Field(description="Show snoozed ones too.")] = None

    def filters(self) -> Filters:
        """As the worklist page reads them from its address."""
        said = self.model_dump(exclude={"after"}, exclude_none=True)
        return Filters.parse({name: str(value) for name, value in said.items()})


class WorklistQuery(Wanted):
    """Which episodes, and from where on."""

    after: Annotated[Text, Field(max_length=120, description="`next` of the page before.")] = ""


class CountedView(Told):
    """A saved view with how many episodes it holds."""

    id: str
    name: str
    count: int


class Tallied(Told):
    """What the worklist counts; the organisation's numbers may be five seconds old."""

    critical: int
    overdue: int
    unclaimed_high: int
    views: list[CountedView]


@router.get("/worklist", response_model=Page[EpisodeRow])
async def worklist(
    visit: Looking, wanted: Annotated[WorklistQuery, Query()]
) -> Listed[store.Episode]:
    """A page of open episodes, in the order in which somebody must answer them."""
    filters = wanted.filters()
    text, _, shown = wanted.after.partition("~")
    after = Cursor.parse(text) if text else None
    if text and after is None:
        raise MissingError
    already = int(shown) if shown.isdecimal() and len(shown) < 5 else 0  # noqa: PLR2004 -- at most CAP
    found = await gather.listing(visit, filters, after, already)
    seen = [str(row.patient_id) for row in found.rows]
    await visit.record("look", "worklist", filters.view, detail={"patients": seen})
    return Listed(items=found.rows, next=found.next_cursor)


@router.get("/worklist/counts")
async def worklist_counts(request: Request, visit: Looking) -> Tallied:
    """How many episodes each view holds."""
    found = await gather.counted(visit, wiring(request).tally)
    counts, own = found["counts"], found["own"]
    return Tallied(
        critical=getattr(counts, "critical", 0),
        overdue=getattr(counts, "overdue", 0),
        unclaimed_high=getattr(counts, "unclaimed_high", 0),
        views=[
            CountedView(
                id=view.id,
                name=view.name,
                count=getattr(own, view.count, getattr(counts, view.count, 0)),
            )
            for view in VIEWS
        ],
    )


@router.post("/worklist/next", response_model=EpisodeRow)
async def take_next(visit: Acting) -> store.Episode:
    """Claim the most pressing unowned episode; never the same for two callers."""
    done = await actions.take_next(visit)
    if isinstance(done, Refusal):
        raise ConflictError("NOTHING_LEFT", "Nothing is unowned.")
    return await gather.episode(visit.connection, done.id)
