from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sequences import SEQUENCES, Ask, Counter, advance, ask, counter


@pytest.mark.parametrize(
    ("last", "days", "expected"),
    [
        (None, None, Ask.ALL_FIRST_TIME),
        (41, None, Ask.ALL_AGAIN),
        (41, 1, Ask.NEW),
        (41, 7, Ask.ALL_AGAIN),
        (65535, 1, Ask.ALL_FIRST_TIME),
    ],
    ids=["new meter", "never read whole", "usual", "once a week", "the counter is at its end"],
)
def test_asks_for_what_is_new(
    last: int | None, days: int | None, expected: Ask, noon: datetime
) -> None:
    fetched = noon - timedelta(days=days) if days is not None else None
    assert ask(last, fetched, noon) is expected


@pytest.mark.parametrize(
    ("last", "newest", "expected"),
    [
        (41, 41, Counter.GOES_ON),
        (41, 5, Counter.RESET),
        (41, 40, Counter.RESET),
        (0, 0, Counter.GOES_ON),
    ],
)
def test_a_lower_newest_record_means_that_the_counter_was_reset(
    last: int, newest: int, expected: Counter
) -> None:
    assert counter(last, newest) is expected


@pytest.mark.parametrize(
    ("last", "sequence", "after"),
    [(None, 7, 7), (7, 8, 8), (8, 7, 8), (7, 7, 7), (65535, 0, 0), (65530, 3, 3)],
    ids=["first", "next", "out of order", "again", "wraps", "wraps with a gap"],
)
def test_remembers_the_highest(last: int | None, sequence: int, after: int) -> None:
    assert advance(last, sequence) == after


@given(st.lists(st.integers(0, SEQUENCES // 2), min_size=1))
def test_order_does_not_matter_below_the_wrap(sequences: list[int]) -> None:
    last: int | None = None
    for sequence in sequences:
        last = advance(last, sequence)
    assert last == max(sequences)
