"""What the simulated patients show."""

import random

import pytest

from gateway.simulated import values

KINDS = sorted(values.USUAL)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_shows_the_same(kind: str) -> None:
    first, second = (
        [values.draw(kind, {}, breach_share=0.2, chance=chance) for _ in range(20)]
        for chance in (random.Random(7), random.Random(7))
    )
    assert first == second


@pytest.mark.parametrize("kind", KINDS)
def test_values_are_possible_and_have_the_decimals_of_a_display(kind: str) -> None:
    chance = random.Random(1)
    for _ in range(500):
        for name, value in values.draw(kind, {}, breach_share=0.5, chance=chance).items():
            low, high = values.POSSIBLE[name]
            assert low - values.LEAST_PULSE_PRESSURE <= value <= high
            assert round(value, values.PLACES.get(name, 0)) == value


@pytest.mark.parametrize(("share", "breaches"), [(0.0, 0), (1.0, 100)])
def test_the_share_of_bad_days_is_kept(share: float, breaches: int) -> None:
    chance = random.Random(3)
    drawn = [values.draw("oximeter", {}, breach_share=share, chance=chance) for _ in range(100)]
    assert sum(shown["spo2"] < 90 for shown in drawn) == breaches


def test_a_profile_moves_the_mean() -> None:
    chance = random.Random(5)
    profile = {"systolic": (151.0, 0.0)}
    assert values.draw("cuff", profile, breach_share=0, chance=chance)["systolic"] == 151


def test_diastolic_stays_below_systolic() -> None:
    profile = {"systolic": (90.0, 0.0), "diastolic": (100.0, 0.0)}
    shown = values.draw("cuff", profile, breach_share=0, chance=random.Random(5))
    assert shown["diastolic"] == 75
