"""A patient's record gathered for a page: charts with limits, summaries, background."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import quantiles

from alerts.rules import Rule
from alerts.samples import Subject
from dashboards import units
from dashboards.fetch import Connection
from dashboards.patients import rules, store
from dashboards.patients.chart import Chart, Frame, Summary, chart, described, summary
from dashboards.patients.limits import Limits, baseline, limits
from dashboards.patients.store import Enrolment, PastAlert, Person, Point, Treatment
from devices.reading import Kind

RANGES = (7, 30, 90)
DEFAULT_DAYS = 30
LISTED = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartItem:
    """One chart with its figures and its sentence."""

    chart: Chart
    summary: Summary
    words: str
    points: list[Point]

    @property
    def latest(self) -> list[Point]:
        """What the table beside a chart shows, newest first; the rest is a page of its own."""
        return self.points[: -LISTED - 1 : -1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trends:
    """What was measured over some days."""

    charts: list[ChartItem]
    points: list[Point]
    limits: dict[str, Limits]


def days(asked: int) -> int:
    """Return one of the ranges that charts have."""
    return asked if asked in RANGES else DEFAULT_DAYS


async def trends(  # noqa: PLR0913 -- what a page of charts is made of
    connection: Connection,
    who: Person,
    enrolments: Sequence[Enrolment],
    frame: Frame,
    *,
    alerts: Sequence[PastAlert],
    lead: str = "",
) -> Trends:
    """Return the charts of a patient, the leading kind first, then the usual order."""
    points = await store.points(connection, who.id, since=frame.since, until=frame.now)
    changes = await store.treatments(connection, who.id, frame.since)
    overrides = await store.overrides(connection, who.id, frame.now)
    in_force = rules.in_force(_subject(who, enrolments), frame.now, overrides)
    return laid_out(points, in_force, frame, changes=changes, alerts=alerts, lead=lead)


def _subject(who: Person, enrolments: Sequence[Enrolment]) -> Subject:
    """Somebody, as the alert rules see them."""
    return rules.subject(
        birth_date=who.birth_date,
        conditions=who.conditions,
        traits=who.traits,
        stays=[rules.stay(e.programme, e.profiles, e.enrolled_at) for e in enrolments],
        zone=who.time_zone or "UTC",
        patient_id=who.id,
    )


def laid_out(  # noqa: PLR0913 -- what a page of charts is made of
    points: Sequence[Point],
    in_force: Sequence[Rule],
    frame: Frame,
    *,
    changes: Sequence[Treatment],
    alerts: Sequence[PastAlert],
    lead: str,
) -> Trends:
    """Return one chart for every kind that was measured. Pure."""
    series = with_pulse(points)
    found: dict[str, list[Point]] = {}
    for point in series:
        found.setdefault(point.kind, []).append(point)
    kinds = sorted(found, key=lambda kind: (kind != lead, _place(kind)))
    bounds = {kind: _limits(kind, found[kind], in_force) for kind in kinds}
    items = [
        _item(kind, found[kind], bounds[kind], frame, alerts=alerts, changes=changes)
        for kind in kinds
    ]
    return Trends(charts=items, points=list(points), limits=bounds)


def with_pulse(points: Sequence[Point]) -> list[Point]:
    """Add the pulse that cuffs and oximeters give as heart rate."""
    pulses = [
        Point(
            reading_id=point.reading_id,
            kind=Kind.HEART_RATE,
            measured_at=point.measured_at,
            value=point.pulse,
            diastolic=None,
            pulse=None,
            status=point.status,
            flags=point.flags,
            time_quality=point.time_quality,
        )
        for point in points
        if point.pulse is not None and point.kind != Kind.HEART_RATE
    ]
    return sorted([*points, *pulses], key=lambda point: point.measured_at)


def _item(  # noqa: PLR0913 -- what a chart is made of
    kind: str,
    points: list[Point],
    bounds: Limits,
    frame: Frame,
    *,
    alerts: Sequence[PastAlert],
    changes: Sequence[Treatment],
) -> ChartItem:
    made = chart(kind, points, bounds, frame, alerts=alerts, treatments=changes)
    figures = summary(kind, points, bounds, frame.zone)
    if figures is None:
        raise ValueError("a chart needs readings")
    words = described(figures, made.name, made.unit)
    return ChartItem(chart=made, summary=figures, words=words, points=points)


def _limits(kind: str, points: Sequence[Point], in_force: Sequence[Rule]) -> Limits:
    own = baseline([p.value for p in points]) if kind == Kind.WEIGHT else None
    return limits(kind, in_force).against(own)


def _place(kind: str) -> int:
    return units.ORDER.index(kind) if kind in units.ORDER else len(units.ORDER)


def usual(points: Sequence[Point], kind: str) -> str | None:
    """Return what somebody usually has: the median and the middle half."""
    values = [point.value for point in points if point.kind == kind]
    if len(values) < 8:  # noqa: PLR2004 -- fewer say nothing about what is usual
        return None
    low, middle, high = (units.value(kind, v) for v in quantiles(values, n=4))
    unit = units.measure(kind).unit
    return f"Usually {middle} {unit} ({low}–{high})"  # noqa: RUF001 -- a range's dash


def quality(points: Sequence[Point]) -> str:
    """Return the quality words of the latest readings, or nothing."""
    latest = points[-6:]
    words = sorted({flag.replace("_", " ") for point in latest for flag in point.flags})
    clocks = {p.time_quality for p in latest} & {"corrected", "gateway_reception", "unknown"}
    if clocks:
        words.append("time " + ", ".join(sorted(c.replace("_", " ") for c in clocks)))
    return "; ".join(words)


def month_start(now: datetime) -> datetime:
    """Return the first moment of the month that `now` lies in (in its own zone)."""
    return now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
