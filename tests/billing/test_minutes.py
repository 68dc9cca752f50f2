"""Minutes are a union: splitting, repeating or reordering entries changes nothing."""

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing import minutes
from billing.minutes import Interval

START = datetime(2026, 1, 1, tzinfo=UTC)


def at(seconds: int) -> datetime:
    return START + timedelta(seconds=seconds)


intervals = st.lists(
    st.tuples(st.integers(0, 5_000), st.integers(0, 900)).map(
        lambda pair: (at(pair[0]), at(pair[0] + pair[1]))
    ),
    max_size=12,
)


def covered(rows: list[Interval]) -> set[int]:
    return {
        second
        for start, end in rows
        for second in range(
            int((start - START).total_seconds()), int((end - START).total_seconds())
        )
    }


@given(intervals)
def test_whole_minutes_are_the_seconds_covered(rows: list[Interval]) -> None:
    assert minutes.whole(rows) == len(covered(rows)) // 60


@given(intervals, st.randoms(use_true_random=False))
def test_splitting_and_reordering_keep_the_union(
    rows: list[Interval], chance: random.Random
) -> None:
    pieces: list[Interval] = []
    for start, end in rows:
        middle = start + (end - start) * chance.random()
        pieces += [(start, middle), (middle, end)]
    chance.shuffle(pieces)
    assert minutes.union(pieces) == minutes.union(rows)
    assert minutes.whole(pieces + rows) == minutes.whole(rows)


@given(intervals, intervals)
def test_what_is_cut_out_and_what_is_left_make_the_whole(
    rows: list[Interval], taken: list[Interval]
) -> None:
    left = [part for row in rows for part in minutes.without(row, taken)]
    assert covered(left) == covered(rows) - covered(taken)


@given(intervals, st.integers(0, 60))
def test_threshold_is_reached_when_so_many_minutes_are_covered(
    rows: list[Interval], threshold: int
) -> None:
    moment = minutes.reached_at(rows, threshold)
    if moment is None:
        assert minutes.whole(rows) < threshold or not minutes.union(rows)
    else:
        before = [(start, min(end, moment)) for start, end in rows if start < moment]
        assert minutes.whole(before) == threshold


@given(intervals)
def test_union_does_not_touch_itself(rows: list[Interval]) -> None:
    joined = minutes.union(rows)
    assert all(first[1] < second[0] for first, second in pairwise(joined))


@pytest.mark.parametrize(
    ("seconds", "whole"), [(0, 0), (59, 0), (60, 1), (599, 9), (600, 10), (1199, 19)]
)
def test_never_rounded_up(seconds: int, whole: int) -> None:
    assert minutes.whole([(at(0), at(seconds))]) == whole
