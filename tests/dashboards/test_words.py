"""Times, people, units, limits and charts in words and numbers: pure tables of cases."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alerts.samples import Subject
from dashboards import faces, units
from dashboards.patients import rules
from dashboards.patients.chart import Frame, chart, summary, tone
from dashboards.patients.limits import Limits, baseline, limits
from dashboards.patients.store import Point
from dashboards.throttle import Throttle
from dashboards.worklist import closing, snooze
from dashboards.worklist.filters import Cursor, Filters, parameters
from dashboards.worklist.snooze import Until

NOON = datetime(2026, 9, 15, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("minutes", "time", "word", "soon"),
    [(5.2, "5:12", "left", False), (0.5, "0:30", "left", True), (-1.5, "1:30", "late", False),
     (65, "1 h 05", "left", False), (-4000, "2 d", "late", False)],
)  # fmt: skip
def test_respond_in(minutes: float, time: str, word: str, soon: bool) -> None:
    due = NOON + timedelta(minutes=minutes)
    shown = faces.respond(due, NOON - timedelta(minutes=9), NOON)
    assert (shown.time, shown.word, shown.is_soon) == (time, word, soon)


@given(st.floats(-1e7, 1e7), st.floats(-1e7, 1e7))
def test_the_bar_never_leaves_its_bed(due: float, opened: float) -> None:
    shown = faces.respond(NOON + timedelta(seconds=due), NOON + timedelta(seconds=opened), NOON)
    assert 0 <= shown.left <= 1


def test_people_in_words() -> None:
    assert faces.age(date(1952, 3, 12), date(2026, 3, 11)) == 73
    assert faces.age(date(1952, 3, 12), date(2026, 3, 12)) == 74
    assert faces.day(date(1952, 3, 12)) == "12-Mar-1952"
    assert faces.mrn("0048213") == "004 8213"
    assert faces.mrn("DEMO 0001") == "DEMO 0001"
    assert faces.initials("Maya Reyes") == "MR"
    assert faces.humane("heart_failure") == "Heart failure"
    assert faces.humane("copd") == "COPD"
    assert faces.severity(1) == "critical"
    assert faces.severity(1, True) == "device"


@pytest.mark.parametrize(
    ("kind", "stored", "diastolic", "text"),
    [("blood_pressure", 183.0, 111.0, "183/111"), ("weight", 84.1, None, "185.4"),
     ("temperature", 38.0, None, "100.4"), ("spo2", 86.0, None, "86"),
     ("new_kind", 1.26, None, "1.3")],
)  # fmt: skip
def test_readings_in_the_clinics_units(
    kind: str, stored: float, diastolic: float | None, text: str
) -> None:
    assert units.value(kind, stored, diastolic) == text


@example([0.0, 5e-324], None)
@given(st.lists(st.floats(-1e4, 1e4), min_size=2, max_size=30), st.none() | st.floats(0, 200))
def test_a_sparkline_stays_in_its_box(values: list[float], high: float | None) -> None:
    shown = faces.spark(values, None, high)
    ys = [float(pair.split(",")[1]) for pair in shown.points.split()]
    assert all(2.9 <= y <= 23.1 for y in ys)


def who(*profiles: str, conditions: Iterable[str] = (), traits: Iterable[str] = ()) -> Subject:
    stays = [rules.stay("any", profiles, NOON)]
    return rules.subject(
        birth_date=date(1950, 1, 1), conditions=conditions, traits=traits, stays=stays
    )


@pytest.mark.parametrize(
    ("profile", "kind", "low", "high"),
    [("adult_htn", "blood_pressure", 90, 180), ("resp_general", "spo2", 93, None),
     ("adult_dm", "glucose", 70, 300), ("general_vitals", "heart_rate", 40, 111)],
)  # fmt: skip
def test_chart_limits_are_the_alert_rules_own(
    profile: str, kind: str, low: float | None, high: float | None
) -> None:
    found = limits(kind, rules.in_force(who(profile), NOON))
    assert (found.alert_low, found.alert_high) == (low, high)


def test_a_recorded_hypercapnic_risk_changes_the_oxygen_limit() -> None:
    found = limits("spo2", rules.in_force(who("copd", traits=["hypercapnic_risk"]), NOON))
    assert found.alert_low == 87


def test_weight_is_held_against_the_persons_own_weight() -> None:
    own = baseline([82.0, 82.5, 82.2, 82.4, 85.0, 86.0])
    found = limits("weight", rules.in_force(who("hf", conditions=["heart_failure"]), NOON))
    around = found.against(own)
    assert own == pytest.approx(82.3, abs=0.2)
    assert around.alert_high == pytest.approx(own + 2.27)
    assert around.band[0] < own < around.band[1]


@pytest.mark.parametrize(
    ("value", "where"), [(179, "warn"), (180, "high"), (120, "in"), (90, "low"), (130, "warn")]
)
def test_a_value_lies_where_the_rule_says(value: object, where: str) -> None:
    assert tone(value, Limits(alert_low=90, alert_high=180, goal_high=130)) == where


def point(value: object, days: int, diastolic: float | None = None) -> Point:
    return Point(
        reading_id=uuid4(), kind="spo2", measured_at=NOON - timedelta(days=days), value=value,
        diastolic=diastolic, pulse=None, status="accepted", flags=[], time_quality="device_synced",
    )  # fmt: skip


@given(st.lists(st.floats(50, 100), min_size=1, max_size=60))
def test_a_chart_shows_all_its_values_and_limits(values: list[float]) -> None:
    points = [point(value, len(values) - i) for i, value in enumerate(values)]
    made = chart(
        "spo2", points, Limits(alert_low=88, goal_low=90), Frame(now=NOON, days=90, zone="UTC")
    )
    assert made.floor <= min([*made.values, 88])
    assert made.ceiling >= max([*made.values, 90])
    assert all(zone.low < zone.high for zone in made.zones)
    assert len(made.tones) == len(values)


def test_nothing_is_tinted_where_diastolic_values_lie() -> None:
    bounds = Limits(alert_low=90, alert_high=180, goal_high=130)
    frame = Frame(now=NOON, days=30, zone="UTC")
    made = chart("blood_pressure", [point(142, 2, 78), point(186, 1, 108)], bounds, frame)
    assert [(zone.low, zone.tone) for zone in made.zones] == [(130, "warn"), (180, "danger")]


def test_the_figures_under_a_chart() -> None:
    points = [point(95, 3), point(91, 2), point(86, 2)]
    figures = summary("spo2", points, Limits(alert_low=88), "America/New_York")
    assert (figures.latest, figures.mean, figures.range) == ("86", "90.7", "86\u201395")
    assert (figures.days, figures.outside, figures.latest_tone) == (2, 1, "low")
    assert summary("spo2", [], Limits(), "UTC") is None


def test_filters_live_in_the_address() -> None:
    filters = Filters.parse({"view": "mine", "lang": "es", "evil": "1", "sev": "critical"})
    assert filters.address() == "/worklist?view=mine&sev=critical&lang=es"
    assert filters.toggled("lang", "es") == "/worklist?view=mine&sev=critical"
    assert Filters.parse({"view": "nonsense"}).view == "action"
    assert Filters().address(view="all") == "/worklist?view=all"


@given(
    st.dictionaries(st.sampled_from(["view", "sev", "team", "owner", "snoozed", "x"]), st.text())
)
def test_any_address_gives_parameters(query: dict[str, str]) -> None:
    filters = Filters.parse(query)
    made = parameters(filters, staff_id=uuid4(), now=NOON, after=None, most=50)
    assert made["most"] == 50
    assert filters.address().startswith("/worklist")


@given(st.text())
def test_any_cursor_is_read_or_ignored(text: str) -> None:
    assert Cursor.parse(text) is None or str(Cursor.parse(text))


def test_a_cursor_survives_the_round_trip() -> None:
    cursor = Cursor(severity=2, due_at=NOON, id=uuid4())
    assert Cursor.parse(str(cursor)) == cursor


def test_a_critical_alert_rests_half_an_hour_at_most() -> None:
    words = [value for value, _ in snooze.choices([1, 3], NOON, "UTC")]
    assert words == [Until.QUARTER, Until.READING]
    assert Until.MORNING in [value for value, _ in snooze.choices([3], NOON, "UTC")]
    assert snooze.moment(Until.MORNING, snooze.Severity.MEDIUM, NOON, "UTC").hour == 8
    assert (snooze.longest(1), snooze.longest(2), snooze.longest(3)) == (
        "30 minutes", "4 hours", "3 days",
    )  # fmt: skip


def test_the_documentation_form_becomes_a_closing_form() -> None:
    form = closing.parse(
        {"contact": "reached", "action": "medication_change", "note": " up "}, signed_by="T, MD"
    )
    assert (form.contacts[0].result, form.medication_by, form.note) == ("reached", "T, MD", "up")
    assert form.interactive
    with pytest.raises(ValueError, match="Choose an outcome"):
        closing.parse({"note": "x"}, signed_by="")
    with pytest.raises(ValueError, match="nonsense"):
        closing.parse({"contact": "none", "action": "nonsense"}, signed_by="")


def test_drafts_keep_the_radio_buttons() -> None:
    packed = closing.packed({"contact": "reached", "judged": "true", "note": "x", "action": "<b>"})
    assert closing.draft_fields(packed) == {"contact": "reached", "judged": "true"}


def test_a_throttle_refills() -> None:
    throttle = Throttle(burst=2, refill=timedelta(seconds=10))
    waits = [throttle.wait("a", NOON).total_seconds() for _ in range(3)]
    assert waits == [0, 0, 10]
    assert throttle.wait("b", NOON) == timedelta(0)
    assert throttle.wait("a", NOON + timedelta(seconds=10)) == timedelta(0)
    throttle.forgive("a")
    assert throttle.wait("a", NOON) == timedelta(0)
