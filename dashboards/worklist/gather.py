"""What the worklist's pages show, gathered in one transaction."""

from dataclasses import dataclass
from datetime import timedelta
from time import perf_counter
from uuid import UUID
from zoneinfo import ZoneInfo

from dashboards import units
from dashboards.door import MissingError, Visit
from dashboards.faces import LANGUAGES, SEVERITIES, SOON, ago, humane
from dashboards.fetch import Connection
from dashboards.minutes.month import month_seconds
from dashboards.patients import record
from dashboards.patients.chart import Frame
from dashboards.patients.record import ChartItem
from dashboards.patients.store import Enrolment, Person, enrolments, past_alerts, person
from dashboards.worklist import closing, store
from dashboards.worklist.filters import VIEWS, Cursor, Filters, parameters
from dashboards.worklist.lately import Lately
from dashboards.worklist.protocol import Protocol, protocol
from dashboards.worklist.store import Alert, Choices, Counts, Draft, Episode, Happening
from dashboards.worklist.tally import NEVER, Tally, Whose

PAGE = 50
CAP = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Pane:
    """Everything about the selected episode."""

    row: Episode
    person: Person
    enrolments: list[Enrolment]
    alerts: list[Alert]
    timeline: list[Happening]
    background: list[str]
    quality: str
    charts: list[ChartItem]
    lead_kind: str
    days: int
    draft: Draft
    draft_fields: dict[str, str]
    protocol: Protocol
    month_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One page of rows, and where the next begins."""

    rows: list[Episode]
    next_cursor: str
    at_cap: bool


async def listing(
    visit: Visit, filters: Filters, after: Cursor | None = None, shown: int = 0
) -> Listing:
    """Return a page of the worklist."""
    fields = parameters(filters, staff_id=visit.staff.id, now=visit.now, after=after, most=PAGE + 1)
    found = await store.rows(visit.connection, fields)
    rows, more = found[:PAGE], len(found) > PAGE
    full = shown + len(rows) >= CAP
    cursor = ""
    if more and not full:
        last = rows[-1]
        cursor = f"{Cursor(severity=last.severity, due_at=last.due_at, id=last.id)}~{shown + PAGE}"
    return Listing(rows=rows, next_cursor=cursor, at_cap=more and full)


def shared(visit: Visit, filters: Filters) -> dict[str, object]:
    """Return what every worklist template may ask for."""
    return {
        "visit": visit,
        "filters": filters,
        "now": visit.now,
        "today": visit.now.astimezone(ZoneInfo(visit.zone)).date(),
        "zone": visit.zone,
        "views": VIEWS,
        "document_fields": closing.FIELDS,
    }


async def changed(visit: Visit, lately: Lately, event: int, ids: list[UUID]) -> list[Episode]:
    """Return rows that an event told of: read once for all who were told and see the same."""
    if not ids:
        return []
    asked = (*_whose(visit), event, tuple(ids))
    rows = lately.rows(asked, visit.now)
    if rows is None:
        rows = await store.by_id(visit.connection, ids)
        lately.keep(asked, rows, visit.now)
    return rows


async def counted(visit: Visit, tally: Tally, *, fresh: bool = False) -> dict[str, object]:
    """Return the numbers above the list; all but one's own may be a few seconds old."""
    counts = tally.recent(_whose(visit), visit.now, acted=fresh)
    return await _numbers(visit, counts or await _count(visit, tally, NEVER))


async def counted_since(visit: Visit, tally: Tally, event: int) -> dict[str, object]:
    """Return the numbers after an event: counted once for all who were told and see the same."""
    counts = tally.since(_whose(visit), visit.now, event)
    if counts is None:
        async with tally.turn(_whose(visit)):  # the others then find what the first has counted
            counts = tally.since(_whose(visit), visit.now, event)
            counts = counts or await _count(visit, tally, event)
    return await _numbers(visit, counts)


async def _count(visit: Visit, tally: Tally, event: int) -> Counts:
    began = perf_counter()
    counts = await store.counts(visit.connection, now=visit.now, soon=visit.now + SOON)
    tally.keep(_whose(visit), counts, visit.now, seconds=perf_counter() - began, event=event)
    return counts


def _whose(visit: Visit) -> Whose:
    return visit.staff.organisation_id, visit.who.sight


async def _numbers(visit: Visit, counts: Counts) -> dict[str, object]:
    own = await store.own_counts(visit.connection, staff_id=visit.staff.id, now=visit.now)
    return {"counts": counts, "own": own, "nav_critical": counts.critical}


async def choices(visit: Visit, tally: Tally) -> Choices:
    """Return what the filters offer, some minutes old at most."""
    organisation = visit.staff.organisation_id
    found = tally.choices(organisation, visit.now)
    if found is None:
        found = await store.choices(visit.connection)
        tally.keep_choices(organisation, found, visit.now)
    return found


async def episode(connection: Connection, episode_id: UUID) -> Episode:
    """Return one episode of this organisation."""
    found = await store.by_id(connection, [episode_id])
    if not found:
        raise MissingError
    return found[0]


async def pane(visit: Visit, episode_id: UUID, *, days: int = 30) -> Pane:
    """Return the right-hand side for one episode."""
    connection = visit.connection
    row = await episode(connection, episode_id)
    who = await person(connection, row.patient_id)
    if who is None:
        raise MissingError
    stays = await enrolments(connection, row.patient_id)
    alerts = await store.alerts(connection, episode_id, closed=row.closed_at is not None)
    frame = Frame(now=visit.now, days=days, zone=who.time_zone or visit.zone)
    lead = alerts[0].kind if alerts else row.kind
    past = await past_alerts(connection, who.id, frame.since)
    trends = await record.trends(connection, who, stays, frame, alerts=past, lead=lead)
    draft = await store.draft(connection, visit.staff.id, episode_id)
    return Pane(
        row=row,
        person=who,
        enrolments=stays,
        alerts=alerts,
        timeline=await store.timeline(connection, episode_id),
        background=await _background(visit, row, alerts, trends),
        quality=record.quality([p for p in trends.points if p.kind == lead]),
        charts=trends.charts[:4],
        lead_kind=lead,
        days=days,
        draft=draft,
        draft_fields=closing.draft_fields(draft.outcome),
        protocol=protocol(alerts),
        month_seconds=await month_seconds(visit, row.patient_id),
    )


async def _background(
    visit: Visit, row: Episode, alerts: list[Alert], trends: record.Trends
) -> list[str]:
    """What puts the alert into perspective: the usual value, and the last time."""
    if not alerts:
        return []
    lead = alerts[0]
    words = [record.usual(trends.points, lead.kind)]
    since = visit.now - timedelta(days=30)
    earlier = await store.before(visit.connection, row, lead.rule_id, since)
    if earlier and earlier.times and earlier.last_at:
        times = "once" if earlier.times == 1 else f"{earlier.times} times"
        last = f", last {ago(earlier.last_at, visit.now)}"
        outcome = f", then: {humane(earlier.last_outcome).lower()}" if earlier.last_outcome else ""
        words.append(f"same alert {times} in the 30 days before{last}{outcome}")
    return [word for word in words if word]


def filter_fields(choices: Choices) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Return the filter form: name, label, options."""
    return [
        ("sev", "Severity", [(word, humane(word)) for word in SEVERITIES.values()]),
        ("prog", "Programme", [(name, humane(name)) for name in choices.programmes]),
        ("cond", "Condition", [(name, humane(name)) for name in choices.conditions]),
        ("metric", "Measurement", [(kind, m.name) for kind, m in units.MEASURES.items()]),
        ("lang", "Language", [(code, LANGUAGES.get(code, code)) for code in choices.languages]),
        ("owner", "Owner", [("me", "Me"), ("none", "Nobody")]),
        ("snoozed", "Snoozed", [("yes", "Shown")]),
    ]
