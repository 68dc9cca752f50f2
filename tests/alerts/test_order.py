"""Whatever the order of arrival, the alerts are those of one sorted evaluation (promise 5)."""

import itertools
from collections.abc import Sequence
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from alerts import applicability, catalogue, evaluation
from alerts.evaluation import Gathered
from alerts.policy import Alert
from alerts.rules import Metric
from alerts.samples import Sample
from tests.alerts.patients import HOURS, NOON, ids, sample, subject

PROFILES = ("adult_htn", "adult_dm", "general_vitals", "hf", "neutropenia")
WHO = subject(*PROFILES, conditions=["heart_failure"])
RULES = applicability.in_force(catalogue.product(), (), WHO, NOON)
LONG_AFTER = NOON + timedelta(days=40)

minutes = st.integers(0, 8 * 24 * 6).map(lambda tens: NOON + timedelta(minutes=10 * tens))
near = st.integers(0, 60).map(lambda n: NOON + timedelta(days=7, minutes=n))
moments = st.one_of(minutes, near)
readings = st.one_of(
    st.builds(
        lambda v, d, at, f: sample(Metric.BP, v, at, dia=d, flagged=f),
        st.sampled_from([88, 120, 150, 179, 180, 190]),
        st.sampled_from([70, 95, 121]),
        moments,
        st.booleans(),
    ),
    st.builds(
        lambda v, at: sample(Metric.GLUCOSE, v, at),
        st.sampled_from([50, 60, 100, 260, 310, 420]),
        moments,
    ),
    st.builds(
        lambda v, at, f: sample(Metric.TEMPERATURE, v, at, flagged=f),
        st.sampled_from([36.6, 38.1, 38.4, 39.5]),
        moments,
        st.booleans(),
    ),
    st.builds(
        lambda v, at: sample(Metric.WEIGHT, v, at),
        st.sampled_from([80, 80.5, 81, 81.5, 82.5]),
        moments,
    ),
    st.builds(
        lambda v, at: sample(
            Metric.SURVEY, v, at, item="chest_pain", questionnaire="bp_emergency_symptoms"
        ),
        st.sampled_from([0, 1]),
        moments,
    ),
)


def judged(samples: Sequence[Sample], batches: Sequence[Sequence[Sample]]) -> dict[str, Alert]:
    """Let the readings arrive batch by batch; return the alerts by rule."""
    opened: dict[str, Alert] = {}
    known: list[Sample] = []
    for batch in batches:
        known += [each for each in dict.fromkeys(batch) if each not in known]
        gathered = Gathered(
            subject=WHO,
            rules=RULES,
            samples=tuple(known),
            pending=frozenset(each.id for each in batch),
            open=opened,
            hours=HOURS,
        )
        decided = evaluation.evaluate(gathered, now=LONG_AFTER, new_id=ids)
        opened = {**opened, **{alert.rule_id: alert for alert in decided.alerts}}
    assert len(known) == len(samples)
    return opened


def outcome(alerts: dict[str, Alert]) -> dict[str, object]:
    """What counts of the alerts: those whose ground no earlier arrival took away."""
    return {
        rule: (alert.severity, alert.state, alert.headline, alert.why, alert.standing)
        for rule, alert in alerts.items()
        if alert.standing
    }


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[list[Sample], list[list[Sample]]]:
    """Readings, and the batches in which they arrive: shuffled, some twice."""
    found = draw(st.lists(readings, min_size=1, max_size=14))
    again = draw(st.lists(st.sampled_from(found), max_size=4))
    shuffled = draw(st.permutations([*found, *again]))
    cuts = draw(st.lists(st.integers(1, len(shuffled)), max_size=6).map(sorted))
    edges = [0, *cuts, len(shuffled)]
    batches = [list(shuffled[a:b]) for a, b in itertools.pairwise(edges) if a < b]
    return found, batches


@settings(max_examples=150, deadline=None)
@given(arrivals())
def test_any_order_gives_what_the_sorted_history_gives(
    case: tuple[list[Sample], list[list[Sample]]],
) -> None:
    samples, batches = case
    in_order = sorted(samples, key=lambda each: (each.at, each.id))
    assert outcome(judged(samples, batches)) == outcome(judged(samples, [in_order]))


@settings(max_examples=60, deadline=None)
@given(arrivals())
def test_one_call_or_many_leave_the_same_record(
    case: tuple[list[Sample], list[list[Sample]]],
) -> None:
    samples, _ = case
    in_order = sorted(samples, key=lambda each: (each.at, each.id))
    singly = judged(samples, [[each] for each in in_order])
    assert outcome(singly) == outcome(judged(samples, [in_order]))
