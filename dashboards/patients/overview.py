"""The overview page of a record, gathered."""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from dashboards.door import Visit
from dashboards.minutes.month import month_seconds
from dashboards.patients import record, store
from dashboards.patients.chart import Frame
from dashboards.patients.record import ChartItem
from dashboards.patients.store import Enrolment, PastAlert, Person
from dashboards.work.store import Task, tasks_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """A page of the record."""

    id: str
    name: str


TABS = (
    Tab(id="overview", name="Overview"),
    Tab(id="readings", name="Readings"),
    Tab(id="alerts", name="Alerts"),
    Tab(id="limits", name="Limits"),
    Tab(id="programs", name="Programs"),
    Tab(id="tasks", name="Tasks"),
    Tab(id="messages", name="Messages"),
    Tab(id="time", name="Time"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """This month's device days, as squares."""

    days: list[tuple[date, bool]]
    counted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What the overview shows."""

    person: Person
    enrolments: list[Enrolment]
    charts: list[ChartItem]
    lead_kind: str
    days: int
    open_alerts: list[PastAlert]
    closed_alerts: list[PastAlert]
    episode_id: UUID | None
    month: Month
    month_seconds: int
    background: list[str]
    quality: str
    equipment: list[store.Equipment]
    tasks: list[Task]


async def overview(visit: Visit, who: Person, frame: Frame, *, lead: str = "") -> Overview:
    """Gather the overview."""
    connection = visit.connection
    stays = await store.enrolments(connection, who.id)
    alerts = await store.past_alerts(connection, who.id, visit.now - timedelta(days=90))
    still_open = sorted((a for a in alerts if a.closed_at is None), key=lambda a: a.severity)
    lead = lead or (still_open[0].kind if still_open else "")
    trends = await record.trends(connection, who, stays, frame, alerts=alerts, lead=lead)
    return Overview(
        person=who,
        enrolments=stays,
        charts=trends.charts,
        lead_kind=lead,
        days=frame.days,
        open_alerts=still_open,
        closed_alerts=[a for a in alerts if a.closed_at is not None][:6],
        episode_id=await store.open_episode(connection, who.id),
        month_seconds=await month_seconds(visit, who.id),
        month=await month(visit, who, frame.zone),
        background=[w for w in [record.usual(trends.points, lead)] if w],
        quality=record.quality([p for p in trends.points if p.kind == lead]),
        equipment=await store.equipment(connection, who.id, visit.now),
        tasks=await tasks_of(connection, who.id),
    )


async def month(visit: Visit, who: Person, zone: str) -> Month:
    """Return the days of this month and on which of them there is a reading."""
    local = visit.now.astimezone(ZoneInfo(zone))
    first = record.month_start(local)
    measured = await store.days_with_readings(visit.connection, who.id, since=first, zone=zone)
    following = (first + timedelta(days=32)).replace(day=1)
    whole = [(first + timedelta(days=n)).date() for n in range((following - first).days + 1)]
    days = [day for day in whole if day.month == local.month]
    return Month(days=[(day, day in measured) for day in days], counted=len(measured))
