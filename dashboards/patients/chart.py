"""What one trend chart draws: numbers and words for the browser, decided here. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import fmean
from zoneinfo import ZoneInfo

import msgspec

from dashboards import faces, units
from dashboards.patients.limits import Limits
from dashboards.patients.store import PastAlert, Point, Treatment
from devices.reading import Kind

GAP = timedelta(days=3)
"""A line is broken where nothing was measured for longer."""
MARGIN = 0.12


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A horizontal limit with its words in the gutter."""

    at: float
    label: str
    tone: str
    """alert or goal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A tinted part of the plot."""

    low: float
    high: float
    tone: str
    """target, warn or danger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """An alert at the top, or a change of treatment."""

    at: float
    label: str
    tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The figures under a chart."""

    latest: str
    mean: str
    range: str
    days: int
    outside: int
    count: int
    latest_tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One kind of reading over some days, in shown units."""

    kind: str
    name: str
    short: str
    unit: str
    days: int
    digits: int
    since: float
    until: float
    times: list[float]
    values: list[float]
    lows: list[float | None]
    tones: list[str]
    """Of each point: in, warn, high, low."""
    floor: float
    ceiling: float
    lines: list[Line] = field(default_factory=list)
    zones: list[Zone] = field(default_factory=list)
    alerts: list[Mark] = field(default_factory=list)
    treatments: list[Mark] = field(default_factory=list)
    last: str = ""
    gap: float = GAP.total_seconds()
    zone: str = "UTC"

    def json(self) -> str:
        """What the browser draws."""
        return msgspec.json.encode(self).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The time that a chart covers."""

    now: datetime
    days: int
    zone: str

    @property
    def since(self) -> datetime:
        """Its left edge."""
        return self.now - timedelta(days=self.days)


def chart(  # noqa: PLR0913 -- what a chart is made of
    kind: str,
    points: Sequence[Point],
    limits: Limits,
    frame: Frame,
    *,
    alerts: Iterable[PastAlert] = (),
    treatments: Iterable[Treatment] = (),
) -> Chart:
    """Lay out one chart."""
    how = units.measure(kind)
    values = [round(how.shown(point.value), 2) for point in points]
    lows = [point.diastolic for point in points]
    floor, ceiling = _span([*values, *(low for low in lows if low is not None)], limits, kind)
    return Chart(
        kind=kind,
        name=how.name,
        short=how.short,
        unit=how.unit,
        days=frame.days,
        digits=how.digits,
        since=frame.since.timestamp(),
        until=frame.now.timestamp(),
        times=[point.measured_at.timestamp() for point in points],
        values=values,
        lows=lows,
        tones=[tone(point.value, limits) for point in points],
        floor=floor,
        ceiling=ceiling,
        lines=_lines(limits, kind),
        zones=_zones(limits, kind, floor, ceiling),
        alerts=[_alert(a) for a in alerts if a.kind == kind and a.raised_at >= frame.since],
        treatments=[Mark(at=t.at.timestamp(), label=t.what, tone="") for t in treatments],
        last=units.value(kind, points[-1].value, points[-1].diastolic) if points else "",
        zone=frame.zone,
    )


def tone(value: float, limits: Limits) -> str:
    """Return where a value lies: in, warn, high or low."""
    if limits.alert_high is not None and value >= limits.alert_high:
        return "high"
    if limits.alert_low is not None and value <= limits.alert_low:
        return "low"
    low, high = limits.band
    beyond = (high is not None and value >= high) or (low is not None and value <= low)
    return "warn" if beyond else "in"


def summary(kind: str, points: Sequence[Point], limits: Limits, zone: str) -> Summary | None:
    """Return the figures under a chart, None without readings."""
    if not points:
        return None
    values = [point.value for point in points]
    last = points[-1]
    low, high = (units.value(kind, edge) for edge in (min(values), max(values)))
    days = {point.measured_at.astimezone(ZoneInfo(zone)).date() for point in points}
    tones = [tone(value, limits) for value in values]
    return Summary(
        latest=units.value(kind, last.value, last.diastolic),
        mean=f"{units.measure(kind).shown(fmean(values)):.1f}",
        range=low if low == high else f"{low}–{high}",  # noqa: RUF001 -- a range's dash
        days=len(days),
        outside=sum(t in {"high", "low"} for t in tones),
        count=len(points),
        latest_tone=tones[-1],
    )


def described(summary: Summary, name: str, unit: str) -> str:
    """Return the chart in a sentence, for those who do not see it."""
    return (
        f"{name}: {summary.count} readings, latest {summary.latest} {unit}, "
        f"mean {summary.mean}, {summary.outside} outside the alert limits."
    )


def _span(values: Sequence[float], limits: Limits, kind: str) -> tuple[float, float]:
    """The plot's lower and upper edge: all values, the limits, and some air."""
    how = units.measure(kind)
    edges = [how.shown(edge) for edge in _drawn(limits, kind)]
    shown = [*values, *edges] or [0.0, how.least_span]
    low, high = min(shown), max(shown)
    missing = max(how.least_span - (high - low), 0) / 2
    air = MARGIN * (high - low)
    return round(low - missing - air, 1), round(high + missing + air, 1)


def _drawn(limits: Limits, kind: str) -> list[float]:
    """The limits that a chart always shows; a systolic floor would only waste its height."""
    edges = [limits.alert_high, limits.goal_high, limits.goal_low]
    if kind not in {Kind.BLOOD_PRESSURE, Kind.GLUCOSE}:
        edges.append(limits.alert_low)
    return [edge for edge in edges if edge is not None]


def _lines(limits: Limits, kind: str) -> list[Line]:
    """The limits in words."""
    if kind == Kind.WEIGHT:
        return _gain_line(limits)
    named: Mapping[str, tuple[float | None, str]] = {
        "High": (limits.alert_high, "alert"),
        "Low": (limits.alert_low if kind != Kind.BLOOD_PRESSURE else None, "alert"),
        "Goal": (limits.goal_high, "goal"),
    }
    how = units.measure(kind)
    return [
        Line(at=how.shown(at), label=f"{word} {how.shown(at):.{how.digits}f}", tone=tone)
        for word, (at, tone) in named.items()
        if at is not None
    ]


def _gain_line(limits: Limits) -> list[Line]:
    """The largest gain over somebody's own weight."""
    if limits.alert_high is None or limits.gain is None:
        return []
    label = f"+{units.pounds(limits.gain):.0f} lb"
    return [Line(at=units.pounds(limits.alert_high), label=label, tone="alert")]


def _zones(limits: Limits, kind: str, floor: float, ceiling: float) -> list[Zone]:
    """Target, warning and danger, from the bottom up, within the plot."""
    shown = units.measure(kind).shown
    low, high = (None if edge is None else shown(edge) for edge in limits.band)
    least = None if limits.alert_low is None else shown(limits.alert_low)
    most = None if limits.alert_high is None else shown(limits.alert_high)
    lower: list[tuple[float | None, float | None, str]] = [
        (floor, least, "danger"),
        (floor if least is None else least, low, "warn"),
        (floor if low is None else low, ceiling if high is None else high, "target"),
    ]
    upper: list[tuple[float | None, float | None, str]] = [
        (high, ceiling if most is None else most, "warn"),
        (most, ceiling, "danger"),
    ]
    if low is None and high is None:
        return []
    # diastolic values lie below a systolic goal: nothing is tinted there
    parts = upper if kind == Kind.BLOOD_PRESSURE else lower + upper
    bounded = [
        (max(a, floor), min(b, ceiling), t) for a, b, t in parts if a is not None and b is not None
    ]
    return [Zone(low=a, high=b, tone=t) for a, b, t in bounded if b > a]


def _alert(alert: PastAlert) -> Mark:
    """An alert's marker."""
    return Mark(
        at=alert.raised_at.timestamp(),
        label=alert.headline,
        tone=faces.severity(alert.severity),
    )
