"""Kept sessions are those of a fresh look, and the quick look at a value hides nothing."""

import dataclasses
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from alerts import catalogue, samples
from alerts.matching import qualifies
from alerts.rules import NEVER_CALM, Metric, Rule
from alerts.samples import EMPTY, SESSION, Sample, Session
from tests.alerts.patients import NOON, sample

RULES = catalogue.product().rules
moments = st.integers(0, 90).map(lambda minutes: NOON + timedelta(minutes=minutes))
many = st.lists(
    st.builds(
        lambda value, at, flagged: sample(Metric.GLUCOSE, value, at, flagged=flagged),
        st.integers(40, 400),
        moments,
        st.booleans(),
    ),
    min_size=1,
    max_size=12,
)


def grouped(found: list[Sample]) -> list[list[Sample]]:
    """Readings within ten minutes of the first of their group."""
    groups: list[list[Sample]] = []
    for each in sorted(found, key=lambda s: (s.at, s.id)):
        if groups and each.at <= groups[-1][0].at + SESSION:
            groups[-1].append(each)
        else:
            groups.append([each])
    return groups


def members(found: list[Session]) -> list[list[Sample]]:
    return [list(each.samples) for each in found]


@given(many, st.data())
def test_sessions_stay_true_while_readings_join_in_any_order(
    found: list[Sample], data: st.DataObject
) -> None:
    known = EMPTY
    for count, each in enumerate(found, start=1):
        known = samples.with_sample(known, each)
        assert members(known.sessions(0, count)) == grouped(found[:count])
        first = data.draw(st.integers(0, count))
        last = data.draw(st.integers(first, count))
        assert members(known.sessions(first, last)) == grouped(list(known.samples[first:last]))


@given(many)
def test_the_trusted_series_is_the_readings_nobody_doubts(found: list[Sample]) -> None:
    trusted = samples.series(found).trusted
    assert set(trusted.samples) == {each for each in found if not each.flagged}


def a_reading(rule: Rule, value: float, dia: float) -> Sample:
    item = next((c.item for c in rule.conditions if c.item), "")
    return sample(rule.metric, value, dia=dia, item=item)


@given(
    st.sampled_from(RULES),
    st.one_of(st.floats(0, 500), st.integers(0, 500), st.decimals(0, 200, places=3).map(float)),
    st.floats(0, 200),
)
def test_the_quick_look_never_hides_what_the_careful_one_sees(
    rule: Rule, value: float, dia: float
) -> None:
    careful = dataclasses.replace(rule)
    object.__setattr__(careful, "calm", NEVER_CALM)
    reading = a_reading(rule, value, dia)
    assert qualifies(rule, reading) == qualifies(careful, reading)


def test_most_rules_have_a_quick_look() -> None:
    assert sum(rule.calm != NEVER_CALM for rule in RULES) > len(RULES) / 2


def test_at_each_limit_the_quick_look_gives_way() -> None:
    for rule in RULES:
        for condition in rule.conditions:
            if rule.calm != NEVER_CALM:
                assert not rule.calm.holds(condition.limit, condition.limit)
