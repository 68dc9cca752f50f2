from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.backoff import Pace, again_at, wait

PACE = Pace(first=timedelta(seconds=30), longest=timedelta(minutes=15))


@pytest.mark.parametrize(
    ("attempts", "draw", "seconds"),
    [(1, 0.0, 30), (1, 0.999999, 60), (2, 0.0, 60), (3, 0.5, 180), (6, 0.0, 900), (99, 0.5, 900)],
    ids=["at least 30 s", "at most 60 s", "twice", "spread", "capped", "for ever capped"],
)
def test_waits_longer_after_each_attempt(attempts: int, draw: float, seconds: float) -> None:
    assert wait(attempts, PACE, draw=draw).total_seconds() == pytest.approx(seconds, abs=0.01)


@given(st.integers(0, 10**6), st.floats(0, 1, exclude_max=True))
def test_always_waits_between_first_and_longest(attempts: int, draw: float) -> None:
    assert PACE.first <= wait(attempts, PACE, draw=draw) <= PACE.longest


def test_is_due_after_the_wait(noon: datetime) -> None:
    assert again_at(1, PACE, now=noon, draw=0) == noon + timedelta(seconds=30)
