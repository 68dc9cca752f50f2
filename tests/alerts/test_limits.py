"""All 43 rules at their limits: just inside, at, and just beyond; numbers written out by hand."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest

from alerts import catalogue
from alerts.rules import Metric
from alerts.samples import Sample, Subject
from tests.alerts.patients import NOON, before, bp, decide, fired, sample, subject

Build = Callable[[float], Sequence[Sample]]

ADULT = subject("adult_htn", "adult_dm", "general_vitals", "resp_general", "behavioural")
PREGNANT = subject("adult_htn", "pregnancy_bp", age=30, conditions=["pregnant"])
HEART = subject("hf", conditions=["heart_failure"])
HYPERCAPNIC = subject("copd", traits=["hypercapnic_risk", "on_oxygen"])
NEUTROPENIC = subject("neutropenia")
OLD = subject("older_adult_infection", age=65)
PSYCHIATRIC = subject("metabolic_antipsychotic", baseline=100.0)


def once(metric: Metric, **more: str) -> Build:
    return lambda value: [sample(metric, value, **more)]


def times(metric: Metric, *minutes_ago: float) -> Build:
    return lambda value: [sample(metric, value, before(each)) for each in (*minutes_ago, 0)]


def sys_at(*minutes_ago: float) -> Build:
    return lambda value: [bp(value, 75, before(each)) for each in (*minutes_ago, 0)]


def dia_at(*minutes_ago: float) -> Build:
    return lambda value: [bp(125, value, before(each)) for each in (*minutes_ago, 0)]


def sys_mean(days: int, a_day: int) -> Build:
    """Constant readings, `a_day` of them on each of the last days, twenty minutes apart."""
    return lambda value: _spread(days, a_day, lambda at: bp(value, 70, at))


def dia_mean(days: int, a_day: int) -> Build:
    return lambda value: _spread(days, a_day, lambda at: bp(118, value, at))


def _spread(days: int, a_day: int, make: Callable[..., Sample]) -> list[Sample]:
    moments = [before(20 * n, days=d) for d in range(days) for n in range(a_day)]
    return [make(at) for at in sorted(moments)]


def weight_after(days: int, *, base: float = 80.0) -> Build:
    """First weight so many days ago, then the same plus the change."""
    return lambda change: [
        sample(Metric.WEIGHT, base, before(days=days)),
        sample(Metric.WEIGHT, base + change),
    ]


def over_median(metric: Metric, usual: float, days: int) -> Build:
    return lambda change: [
        *(sample(metric, usual, before(days=d)) for d in range(1, days)),
        sample(metric, usual + change),
    ]


def hypos(count: int) -> Build:
    return lambda value: [sample(Metric.GLUCOSE, value, before(days=d)) for d in range(count)]


def irregular(count: float) -> Sequence[Sample]:
    return [
        sample(Metric.BP, 120, before(days=d), dia=75, flags=["irregular_pulse"])
        for d in range(int(count))
    ]


def answer(item: str) -> Build:
    return lambda value: [sample(Metric.SURVEY, value, item=item, questionnaire="phq_9")]


G, T, OX, H, R = (
    Metric.GLUCOSE,
    Metric.TEMPERATURE,
    Metric.SPO2,
    Metric.HEART_RATE,
    Metric.RESPIRATORY_RATE,
)
# rule, patient, readings, just inside, at the limit, just beyond, does the limit fire, severity
LIMITS: list[tuple[str, Subject, Build, float, float, float, bool, int]] = [
    ("bp_severe", ADULT, sys_at(1), 179, 180, 181, True, 2),
    ("bp_severe", ADULT, dia_at(1), 119, 120, 121, True, 2),
    ("bp_low_symptom", ADULT, sys_at(5), 91, 90, 89, False, 2),
    ("bp_stage2_sustained", ADULT, sys_mean(3, 2), 159, 160, 161, True, 3),
    ("bp_stage2_sustained", ADULT, dia_mean(3, 2), 99, 100, 101, True, 3),
    ("bp_above_goal_week", ADULT, sys_mean(6, 2), 129, 130, 131, True, 4),
    ("bp_above_goal_week", ADULT, dia_mean(6, 2), 79, 80, 81, True, 4),
    ("irregular_pulse", ADULT, irregular, 2, 3, 4, True, 3),
    ("preg_severe", PREGNANT, sys_at(5), 159, 160, 161, True, 1),
    ("preg_severe", PREGNANT, dia_at(5), 109, 110, 111, True, 1),
    ("preg_high", PREGNANT, sys_at(15), 139, 140, 141, True, 2),
    ("preg_high", PREGNANT, dia_at(15), 89, 90, 91, True, 2),
    ("glu_level2_hypo", ADULT, once(G), 55, 54, 53, False, 1),
    ("glu_level1_hypo", ADULT, once(G), 71, 70, 69, False, 2),
    ("glu_hypo_pattern", ADULT, hypos(2), 71, 70, 69, False, 3),
    ("glu_high", ADULT, times(G, 240), 249, 250, 251, False, 3),
    ("glu_very_high", ADULT, once(G), 399, 400, 401, True, 1),
    ("glu_300", ADULT, times(G, 120), 299, 300, 301, True, 2),
    ("wt_1d", HEART, weight_after(1), 1.35, 1.36, 1.37, True, 2),
    ("wt_1d_soft", HEART, weight_after(1), 0.90, 0.91, 0.92, True, 3),
    ("wt_3d", HEART, weight_after(3), 1.9, 2.0, 2.1, True, 2),
    ("wt_7d", HEART, weight_after(7), 2.26, 2.27, 2.28, True, 2),
    ("wt_loss", HEART, weight_after(3), -1.9, -2.0, -2.1, True, 3),
    ("hf_hr", HEART, times(H, 10), 119, 120, 121, True, 2),
    ("spo2_low", ADULT, times(OX, 5), 92, 91, 90, True, 1),
    ("spo2_reduced", ADULT, times(OX, 5), 94, 93, 92, True, 2),
    ("spo2_drop", ADULT, over_median(OX, 98, 5), -3, -4, -5, True, 3),
    ("spo2_copd_crit", HYPERCAPNIC, times(OX, 5), 84, 83, 82, True, 1),
    ("spo2_copd_urgent", HYPERCAPNIC, times(OX, 5), 88, 87, 86, True, 2),
    ("spo2_copd_high_on_o2", HYPERCAPNIC, times(OX, 30), 96, 97, 98, True, 3),
    ("hr_crit", ADULT, times(H, 5), 130, 131, 132, True, 1),
    ("hr_crit", ADULT, times(H, 5), 41, 40, 39, True, 1),
    ("hr_urgent", ADULT, times(H, 10), 110, 111, 112, True, 2),
    ("hr_low", ADULT, times(H, 120, 60), 51, 50, 49, True, 3),
    ("temp_high", ADULT, once(T), 39.0, 39.1, 39.2, True, 2),
    ("temp_fever", ADULT, once(T), 37.9, 38.0, 38.1, True, 3),
    ("temp_low", ADULT, times(T, 10), 35.1, 35.0, 34.9, True, 2),
    ("rr_urgent", ADULT, times(R, 5), 20, 21, 22, True, 2),
    ("rr_low", ADULT, times(R, 30), 12, 11, 10, True, 4),
    ("rr_crit", ADULT, times(R, 5), 24, 25, 26, True, 1),
    ("rr_crit", ADULT, times(R, 5), 9, 8, 7, True, 1),
    ("neut_spot", NEUTROPENIC, once(T), 38.2, 38.3, 38.4, True, 1),
    ("neut_sustained", NEUTROPENIC, times(T, 60), 37.9, 38.0, 38.1, True, 1),
    ("temp_oral_single", OLD, once(T), 37.7, 37.8, 37.9, True, 3),
    ("temp_over_baseline", OLD, over_median(T, 36.5, 5), 1.0, 1.1, 1.2, True, 3),
    ("wt_gain_7pct", PSYCHIATRIC, once(Metric.WEIGHT), 106.9, 107.0, 107.1, True, 3),
    ("phq9_severe", ADULT, answer("44261-6"), 19, 20, 21, True, 3),
    ("phq9_moderate", ADULT, answer("44261-6"), 9, 10, 11, True, 4),
    ("phq9_item9", ADULT, answer("44260-8"), 0, 1, 1, True, 2),
    ("phq9_item9", ADULT, answer("44260-8"), 0, 2, 3, True, 1),
]
OFF_BY_DEFAULT = {"hf_composite"}


@pytest.mark.parametrize(
    ("rule", "who", "build", "inside", "limit", "beyond", "at_fires", "severity"),
    LIMITS,
    ids=[f"{row[0]}-{row[4]}" for row in LIMITS],
)
def test_each_rule_fires_from_its_limit_on(  # noqa: PLR0917  # the columns of the table
    rule: str,
    who: Subject,
    build: Build,
    inside: float,
    limit: float,
    beyond: float,
    at_fires: bool,
    severity: int,
) -> None:
    assert rule not in fired(decide(who, build(inside)))
    assert (fired(decide(who, build(limit))).get(rule) == severity) is at_fires
    assert fired(decide(who, build(beyond)))[rule] == severity


def test_every_rule_of_the_product_stands_in_the_table() -> None:
    tested = {row[0] for row in LIMITS}
    assert {rule.id for rule in catalogue.product().rules} == tested | OFF_BY_DEFAULT
    assert len(catalogue.product().rules) == 43
    assert len(catalogue.product().profiles) == 14


CONFIRMED = [rule for rule in catalogue.product().rules if rule.kind.value == "confirmed"]
PATIENTS = {"pregnancy_bp": PREGNANT, "hf": HEART, "copd": HYPERCAPNIC, "neutropenia": NEUTROPENIC}
VALUES = {Metric.BP: 0, Metric.SURVEY: 0}


@pytest.mark.parametrize("rule", CONFIRMED, ids=lambda rule: rule.id)
def test_confirmation_needs_its_gap_and_its_window(rule: object) -> None:
    from alerts.rules import Field, Rule  # noqa: PLC0415  # only for the type of the parameter

    assert isinstance(rule, Rule)
    who = PATIENTS.get(rule.profile, ADULT)
    condition = rule.any[0]
    value = condition.limit + (1 if condition.upward else -1)
    dia = value if condition.field is Field.DIA else 75

    def read(*gaps: timedelta) -> list[Sample]:
        moments, at = [NOON], NOON
        for gap in gaps:
            at -= gap
            moments.append(at)
        return [sample(rule.metric, value, m, dia=dia) for m in reversed(moments)]

    second = timedelta(seconds=1)
    gaps = [rule.min_gap] * (rule.n - 1)
    assert rule.id in fired(decide(who, read(*gaps)))
    assert rule.id not in fired(decide(who, read(*gaps[:-1], gaps[-1] - second)))
    whole = rule.within - rule.min_gap * (rule.n - 2)
    assert rule.id in fired(decide(who, read(*gaps[:-1], whole)))
    alone = decide(who, read(*gaps[:-1], whole + second))
    assert "within" not in next((a.why for a in alone.alerts if a.rule_id == rule.id), "")
