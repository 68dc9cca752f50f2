"""Personal trends on synthetic deteriorations, beside the plain thresholds (docs/model-card.md)."""

import random
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from alerts import catalogue, replay, trends
from alerts.replay import History
from alerts.rules import Metric
from alerts.samples import Sample, by_metric
from tests.alerts.conftest import Clinic
from tests.alerts.patients import NOON, before, sample, subject

WHO = subject("hf", conditions=["heart_failure"])
DAYS = 60
ONSET = 14
"""Days before the event at which a deteriorating patient begins to change."""
CARD = Path(__file__).parents[2] / "docs" / "model-card.md"


@dataclass(frozen=True)
class Course:
    """One synthetic patient: sixty days, the last fourteen stable or worsening."""

    samples: list[Sample]
    worsens: bool


def course(number: int, *, worsens: bool) -> Course:
    """A stable patient, or one who retains fluid slowly, below the thresholds' daily steps."""
    chance = random.Random(f"{number}-{worsens}")
    weight, pulse, systolic = (
        chance.uniform(60, 110),
        chance.uniform(58, 85),
        chance.uniform(105, 145),
    )
    gain, faster, lower = chance.uniform(1.2, 3.5), chance.uniform(6, 18), chance.uniform(-18, 4)
    found: list[Sample] = []
    for day in range(DAYS):
        at = NOON - timedelta(days=DAYS - 1 - day)
        share = max(0.0, (day - (DAYS - ONSET)) / ONSET) if worsens else 0.0
        if chance.random() < 0.12:
            continue
        found += [
            sample(Metric.WEIGHT, weight + gain * share + chance.gauss(0, 0.45), at),
            sample(Metric.HEART_RATE, pulse + faster * share + chance.gauss(0, 4), at),
            sample(Metric.BP, systolic + lower * share + chance.gauss(0, 8), at, dia=75),
        ]
    return Course(samples=found, worsens=worsens)


def trend_days(of: Course) -> list[int]:
    """Days (of the last 30) on which the score is raised."""
    known = by_metric(of.samples)
    moments = [NOON - timedelta(days=back) for back in range(29, -1, -1)]
    return [n for n, at in enumerate(moments) if trends.trend(known, WHO, at).raised]


def threshold_days(of: Course) -> list[int]:
    """Days (of the last 30) on which a rule of the hf profile opens an alert."""
    start = NOON - timedelta(days=29, hours=12)
    past = History(subject=WHO, samples=of.samples, start=start, end=NOON + timedelta(hours=12))
    found = replay.replay(catalogue.product(), (), past)
    return [(each.at - start).days for each in found]


def figures(alarms: list[tuple[Course, list[int]]]) -> tuple[float, float, float]:
    """Sensitivity, median lead time in days, alerts per stable patient-week."""
    onset = 30 - ONSET
    caught = [
        min(d for d in days if d >= onset)
        for c, days in alarms
        if c.worsens and any(d >= onset for d in days)
    ]
    worse = sum(c.worsens for c, _ in alarms)
    leads = sorted(29 - day for day in caught)
    stable = [days for c, days in alarms if not c.worsens]
    episodes = sum(_episodes(days) for days in stable)
    return len(caught) / worse, float(leads[len(leads) // 2]), episodes / (len(stable) * 30 / 7)


def _episodes(days: list[int]) -> int:
    """Runs of alarms less than a week apart are one alert for the nurse."""
    ordered = sorted(days)
    return sum(n == 0 or day - ordered[n - 1] >= 7 for n, day in enumerate(ordered))


@cache
def validation() -> dict[str, tuple[float, float, float]]:
    courses = [course(n, worsens=w) for n in range(1000, 1060) for w in (True, False)]
    return {
        "personal trend": figures([(c, trend_days(c)) for c in courses]),
        "thresholds": figures([(c, threshold_days(c)) for c in courses]),
    }


def test_the_model_card_states_what_the_validation_gives() -> None:
    text = CARD.read_text(encoding="utf-8")
    for name, (sensitivity, lead, rate) in validation().items():
        row = f"| {name} | {sensitivity:.0%} | {lead:.0f} days | {rate:.2f} |"
        assert row in text, f"docs/model-card.md should say: {row}"


def test_the_trend_raises_fewer_alerts_in_stable_patients_than_the_thresholds() -> None:
    found = validation()
    assert found["personal trend"][2] < found["thresholds"][2]


def test_a_week_of_readings_is_not_enough_to_know_what_is_usual() -> None:
    few = [sample(Metric.WEIGHT, 80 + d, before(days=7 - d)) for d in range(7)]
    assert trends.trend(by_metric(few), WHO, NOON).score == 0


def test_one_input_alone_raises_nothing_and_symptoms_count_as_one() -> None:
    weights = [sample(Metric.WEIGHT, 80 + (d > 14) * 2.0, before(days=20 - d)) for d in range(20)]
    alone = trends.trend(by_metric(weights), WHO, NOON)
    assert (alone.score, alone.raised) == (1, False)
    assert trends.trend(by_metric(weights), WHO, NOON, symptoms=True).raised


def test_it_says_what_is_unusual() -> None:
    worse = course(1, worsens=True)
    found = trends.trend(by_metric(worse.samples), WHO, NOON)
    assert re.fullmatch(r"Personal trend: (.+ \d+\.\d, usually \d+\.\d(; )?)*", found.why)


@pytest.mark.parametrize("switched_on", [True, False])
async def test_it_opens_an_alert_only_where_somebody_switched_it_on(
    clinic: Clinic, noon: datetime, switched_on: bool
) -> None:
    patient = clinic.patient("hf", conditions=("heart_failure",))
    if switched_on:
        clinic.run(
            "insert into alert_setting (organisation_id, personal_trends) values (%s, true)",
            clinic.organisation,
        )
    for back in range(30, -1, -1):
        at, worse = noon - timedelta(days=back), max(0, 7 - back) / 7
        last = back == 0
        clinic.reading(patient, "weight", 80 + 1.8 * worse, at, queue=last)
        clinic.reading(patient, "heart_rate", 70 + 20 * worse + back % 3, at, queue=False)
    await clinic.judge()
    found = [row for row in clinic.alerts(patient) if row[0] == "hf_composite"]
    assert [row[1:3] for row in found] == ([(2, "Personal trend, score 2")] if switched_on else [])
