"""The self-audit: what an auditor would look for, with its numbers and the rows behind them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse

from billing import analysis
from billing.self_audit import Pattern
from dashboards.billing import words
from dashboards.billing.store import QUERIES, span
from dashboards.door import MissingError, Visit, holding
from dashboards.fetch import every, first
from dashboards.permissions import Verb
from dashboards.shared import shell
from dashboards.wiring import wiring

router = APIRouter(prefix="/billing/self-audit", tags=["billing"])
Looking = Annotated[Visit, holding(Verb.SEE_BILLING)]
PAGE = 100
PATTERNS = {each.name.lower(): each.value for each in Pattern}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Count:
    pattern: str
    findings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to look at."""

    id: int
    pattern: str
    subject: str
    number: float
    most: float
    things: int
    who: str | None
    patient_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A finding with the ids behind it."""

    pattern: str
    subject: str
    number: float
    most: float
    ids: list[str]
    first: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A time entry behind a finding."""

    id: UUID
    started_at: datetime
    ended_at: datetime
    seconds: int
    activity: str
    note: str
    who: str
    patient_id: UUID
    family_name: str
    given_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Someone:
    """A patient behind a finding."""

    id: UUID
    family_name: str
    given_name: str
    mrn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stretch:
    who: str
    day: str
    seconds: int


@router.get("", response_class=HTMLResponse)
async def self_audit(
    request: Request,
    visit: Looking,
    month: Annotated[str, Query(max_length=7)] = "",
    pattern: Annotated[str, Query(max_length=40)] = "",
    after: Annotated[int, Query(ge=0)] = 0,
) -> HTMLResponse:
    """Every pattern with its number, the findings, and everybody's time."""
    shown = words.month_or_running(month, visit.now.date())
    counts = await every(visit.connection, _Count, QUERIES["patterns"], span(shown))
    found = await findings(visit, shown, pattern, after)
    worked = await every(visit.connection, _Stretch, QUERIES["worked"], span(shown))
    return wiring(request).pages.html(
        request,
        "billing/self_audit.html",
        await shell(visit, "billing"),
        month=shown,
        patterns=PATTERNS,
        counts={each.pattern: each.findings for each in counts},
        pattern=pattern,
        findings=found[:PAGE],
        following=found[PAGE - 1].id if len(found) > PAGE else None,
        people=analysis.by_person((each.who, each.day, each.seconds) for each in worked),
    )


async def findings(visit: Visit, month: date, pattern: str, after: int) -> list[Finding]:
    """Look at a month's findings; one more than a page tells that there are more."""
    await visit.record("look", "billing_self_audit", f"{month:%Y-%m}")
    wanted = span(month) | {"pattern": pattern, "after": after, "most_rows": PAGE + 1}
    return await every(visit.connection, Finding, QUERIES["findings"], wanted)


async def whole(visit: Visit, finding_id: int) -> Whole:
    """Look at a finding with the ids behind it."""
    found = await first(visit.connection, Whole, QUERIES["finding"], {"id": finding_id})
    if found is None:
        raise MissingError
    await visit.record("look", "billing_finding", finding_id)
    return found


@router.get("/{finding_id}", response_class=HTMLResponse)
async def one_finding(request: Request, visit: Looking, finding_id: int) -> HTMLResponse:
    """The rows behind a finding."""
    found = await whole(visit, finding_id)
    ids = {"ids": [*found.ids, found.subject]}
    entries: Sequence[Entry] = await every(visit.connection, Entry, QUERIES["entries_of"], ids)
    people = await every(visit.connection, Someone, QUERIES["patients_of"], ids)
    shown = {str(each.id) for each in entries} | {str(each.id) for each in people}
    return wiring(request).pages.html(
        request,
        "billing/finding.html",
        await shell(visit, "billing"),
        finding=found,
        patterns=PATTERNS,
        entries=entries,
        people=people,
        others=[each for each in found.ids if each not in shown],
    )
