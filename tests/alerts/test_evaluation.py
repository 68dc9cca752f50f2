"""Sessions, second measurements, symptoms, late and doubtful readings, closing and reopening."""

import dataclasses

import msgspec
import pytest

from alerts import catalogue
from alerts.evaluation import Decided
from alerts.matching import recovered
from alerts.policy import Action, Alert
from alerts.rules import Metric
from alerts.samples import series, sessions
from alerts.severity import Severity
from tests.alerts.patients import NOON, after, before, bp, decide, fired, sample, subject

ADULT = subject("adult_htn", "adult_dm", "general_vitals")
HEART = subject("hf", conditions=["heart_failure"])
G = Metric.GLUCOSE


def alert(decided: Decided, rule: str) -> Alert:
    return next(each for each in decided.alerts if each.rule_id == rule)


def actions(decided: Decided, rule: str) -> list[Action]:
    own = {each.id for each in decided.alerts if each.rule_id == rule}
    return [each.action for each in decided.events if each.alert_id in own]


def closed(alert_: Alert, at_minutes: float) -> Alert:
    return dataclasses.replace(alert_, closed_at=after(at_minutes), state="closed")


def test_a_session_is_ten_minutes_and_drops_the_first_of_three() -> None:
    found = sessions(
        [bp(180, 90), bp(150, 80, after(3)), bp(140, 78, after(10)), bp(99, 60, after(11))]
    )
    assert [(each.value, each.dia, len(each.samples)) for each in found] == [
        (145, 79, 3),
        (99, 60, 1),
    ]


def test_a_first_severe_reading_asks_for_a_second_one_and_fires_nothing_yet() -> None:
    decided = decide(ADULT, [bp(185, 100)])
    assert fired(decided) == {}
    (ask,) = [each for each in decided.asks if each.rule.id == "bp_severe"]
    assert ask.measure_after == after(5)
    assert ask.due_at == after(15)


@pytest.mark.parametrize(
    ("minutes", "severity"), [(14.99, None), (15, 2)], ids=["still waiting", "on the minute"]
)
def test_silence_after_a_severe_reading_fires_the_unconfirmed_branch(
    minutes: float, severity: int | None
) -> None:
    decided = decide(ADULT, [bp(185, 100)], now=after(minutes))
    assert fired(decided).get("bp_severe") == severity
    if severity:
        assert alert(decided, "bp_severe").why.endswith("not measured again in time")


def test_in_pregnancy_silence_is_critical() -> None:
    who = subject("pregnancy_bp", age=30, conditions=["pregnant"])
    assert fired(decide(who, [bp(165, 100)], now=after(15))) == {"preg_severe": 1}


@pytest.mark.parametrize(
    ("second", "fires"), [(174, False), (175, True), (179, True)], ids=["normal", "at", "inside"]
)
def test_only_a_clearly_normal_second_value_calms(second: float, fires: bool) -> None:
    decided = decide(ADULT, [bp(185, 100), bp(second, 80, after(5))], now=after(60))
    assert ("bp_severe" in fired(decided)) is fires


def test_symptoms_raise_a_severe_pressure_to_critical() -> None:
    yes = sample(
        Metric.SURVEY, 1, after(4), item="chest_pain", questionnaire="bp_emergency_symptoms"
    )
    no = msgspec.structs.replace(yes, value=0.0)
    pair = [bp(185, 100, before(2)), bp(186, 100)]
    assert fired(decide(ADULT, [*pair, no]))["bp_severe"] == 2
    decided = decide(ADULT, [*pair, yes])
    assert fired(decided)["bp_severe"] == 1
    assert alert(decided, "bp_severe").why.endswith("; patient reports chest pain")
    assert actions(decided, "bp_severe") == [Action.OPEN, Action.RAISE]


def test_a_critical_low_glucose_that_recovers_is_downgraded_and_kept() -> None:
    decided = decide(ADULT, [sample(G, 50), sample(G, 95, after(16))])
    kept = alert(decided, "glu_level2_hypo")
    assert (kept.severity, kept.state) == (Severity.HIGH, "downgraded")
    assert kept.why.endswith("normal when measured again")
    assert actions(decided, "glu_level2_hypo") == [Action.OPEN, Action.DOWNGRADE]


def test_a_weight_that_was_a_mistake_is_downgraded() -> None:
    readings = [sample(Metric.WEIGHT, 80, before(days=1)), sample(Metric.WEIGHT, 83)]
    assert fired(decide(HEART, readings))["wt_1d"] == 2
    again = [*readings, sample(Metric.WEIGHT, 80.2, after(10))]
    assert fired(decide(HEART, again))["wt_1d"] == 4


LATE = [
    (1.9, 1, False),
    (2.1, 1, False),
    (5.9, 1, False),
    (6.1, 3, True),
    (24 * 29, 3, True),
    (24 * 31, None, False),
]


@pytest.mark.parametrize(("hours", "severity", "late"), LATE)
def test_an_old_reading_pages_only_while_it_is_the_news(
    hours: float, severity: int | None, late: bool
) -> None:
    decided = decide(ADULT, [sample(G, 50, before(hours=hours), received=NOON)], now=NOON)
    assert fired(decided).get("glu_level2_hypo") == severity
    if severity:
        assert alert(decided, "glu_level2_hypo").why.startswith("Late reading") is late


def test_never_pages_for_a_value_that_a_newer_one_has_replaced() -> None:
    newer = sample(G, 100, before(hours=1), received=before(50))
    old = sample(G, 50, before(hours=3), received=NOON)
    assert fired(decide(ADULT, [newer, old], now=NOON))["glu_level2_hypo"] == 3


def test_a_doubtful_reading_pages_nobody_until_a_second_or_silence_confirms_it() -> None:
    doubtful = sample(G, 29, flagged=True)
    assert fired(decide(ADULT, [doubtful]))["glu_level2_hypo"] == 2
    second = sample(G, 31, after(5))
    assert fired(decide(ADULT, [doubtful, second]))["glu_level2_hypo"] == 1
    assert fired(decide(ADULT, [doubtful], now=after(30)))["glu_level2_hypo"] == 1


def test_a_pulse_from_the_cuff_counts_as_heart_rate() -> None:
    pulses = [sample(Metric.HEART_RATE, 140, before(6)), sample(Metric.HEART_RATE, 138)]
    assert fired(decide(ADULT, pulses))["hr_crit"] == 1


def test_in_hospital_only_critical_fires() -> None:
    away = [(before(60), None)]
    assert fired(decide(ADULT, [sample(G, 60)], held=away)) == {}
    assert fired(decide(ADULT, [sample(G, 50)], held=away)) == {"glu_level2_hypo": 1}


def test_a_second_breach_attaches_and_a_worse_one_raises() -> None:
    first = decide(ADULT, [sample(G, 60)])
    known = alert(first, "glu_level1_hypo")
    again = sample(G, 62, after(30))
    decided = decide(ADULT, [again], opened=[known])
    assert actions(decided, "glu_level1_hypo") == [Action.ATTACH]
    assert len(alert(decided, "glu_level1_hypo").standing) == 2
    assert alert(decided, "glu_level1_hypo").due_at == known.due_at


def test_closed_within_a_day_the_same_problem_reopens_unless_it_was_over() -> None:
    low = sample(G, 60)
    done = closed(alert(decide(ADULT, [low]), "glu_level1_hypo"), 10)
    again = sample(G, 61, after(hours=3))
    decided = decide(ADULT, [low, again], pending=[again], closed=[done])
    assert actions(decided, "glu_level1_hypo") == [Action.REOPEN]
    assert len(alert(decided, "glu_level1_hypo").standing) == 1
    normal = sample(G, 110, after(hours=1))
    anew = decide(ADULT, [low, normal, again], pending=[again], closed=[done])
    assert actions(anew, "glu_level1_hypo") == [Action.OPEN]
    next_day = sample(G, 61, after(hours=25))
    anew = decide(ADULT, [low, next_day], pending=[next_day], closed=[done])
    assert actions(anew, "glu_level1_hypo") == [Action.OPEN]


def test_a_reading_that_a_person_has_judged_is_not_raised_again() -> None:
    low = sample(G, 60)
    done = closed(alert(decide(ADULT, [low]), "glu_level1_hypo"), 10)
    assert decide(ADULT, [low], closed=[done]).alerts == ()


def test_the_weekly_list_gets_a_patient_once_a_week() -> None:
    readings = [bp(135, 70, before(20 * n, days=d)) for d in range(8) for n in range(2)]
    first = decide(ADULT, [r for r in readings if r.at <= before(days=1)])
    done = closed(alert(first, "bp_above_goal_week"), -60 * 12)
    today = [r for r in readings if r.at > before(days=1)]
    later = decide(ADULT, readings, pending=today, closed=[done])
    assert "bp_above_goal_week" not in fired(later)


def test_a_late_arrival_withdraws_what_rested_on_a_gap_and_leaves_it_for_review() -> None:
    light = sample(Metric.WEIGHT, 80, before(days=1))
    heavy = sample(Metric.WEIGHT, 83)
    opened = alert(decide(HEART, [light, heavy]), "wt_1d")
    earlier = sample(Metric.WEIGHT, 82.5, before(days=1, hours=1), received=NOON)
    decided = decide(HEART, [earlier, light, heavy], pending=[earlier], opened=[opened])
    assert actions(decided, "wt_1d") == [Action.WITHDRAW]
    kept = alert(decided, "wt_1d")
    assert (kept.severity, kept.state, kept.closed_at) == (Severity.LOW, "downgraded", None)


def test_a_device_that_reports_out_of_range_high_fires_without_a_number() -> None:
    high = sample(G, 350, flags=["above_range"])
    assert fired(decide(ADULT, [high]))["glu_very_high"] == 1
    assert alert(decide(ADULT, [high]), "glu_very_high").why == (
        "Glucose 350 mg/dL; above what the meter can show"
    )


@pytest.mark.parametrize(
    ("days", "reference", "fires"),
    [(3, 80, True), (2, 80, True), (4, 80, False), (1, 80, False)],
)
def test_a_three_day_change_uses_the_day_or_a_nearer_one(
    days: int, reference: float, fires: bool
) -> None:
    readings = [sample(Metric.WEIGHT, reference, before(days=days)), sample(Metric.WEIGHT, 82)]
    assert ("wt_3d" in fired(decide(HEART, readings))) is fires


def test_yesterday_is_the_patients_own_yesterday() -> None:
    late_evening = sample(Metric.WEIGHT, 80, NOON.replace(hour=5))  # 23:00 the day before in Denver
    assert fired(decide(HEART, [late_evening, sample(Metric.WEIGHT, 82)]))["wt_1d"] == 2
    same_day = sample(Metric.WEIGHT, 80, NOON.replace(hour=7))
    assert "wt_1d" not in fired(decide(HEART, [same_day, sample(Metric.WEIGHT, 82)]))


def test_recovery_needs_the_margin() -> None:
    hypo = catalogue.product().rule("glu_level1_hypo")
    values = [79, 80, 81]
    found = [recovered(hypo, series([]), sample(G, v), ADULT) for v in values]
    assert found == [False, True, True]
