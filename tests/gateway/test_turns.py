from datetime import datetime, timedelta

import pytest

from gateway import turns
from gateway.turns import Turn

COOL_DOWN = timedelta(seconds=20)
FRESH = timedelta(seconds=10)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def next_turn(known: dict[str, Turn], now: datetime) -> str | None:
    return turns.next_turn(known, now, cool_down=COOL_DOWN, fresh=FRESH)


def test_connects_at_once_on_the_first_advert(noon: datetime) -> None:
    assert next_turn({"cuff": turns.heard(None, noon)}, noon) == "cuff"


def test_a_device_that_fell_silent_is_left_alone(noon: datetime) -> None:
    assert next_turn({"cuff": turns.heard(None, noon)}, noon + seconds(11)) is None


def test_nobody_is_visited_twice_at_the_same_time(noon: datetime) -> None:
    assert next_turn({"cuff": turns.started(turns.heard(None, noon))}, noon) is None


def test_who_waited_longest_comes_first(noon: datetime) -> None:
    known = {
        "chatty": Turn(heard_at=noon, heard_first_at=noon, visited_at=noon - seconds(30)),
        "patient": Turn(heard_at=noon, heard_first_at=noon, visited_at=noon - seconds(300)),
        "new": Turn(heard_at=noon, heard_first_at=noon),
    }
    order = []
    while (turn := next_turn(known, noon)) is not None:
        order.append(turn)
        known[turn] = turns.started(known[turn])
    assert order == ["new", "patient", "chatty"]


def ended(noon: datetime, *, failed: bool = False, brought: int = 1) -> Turn:
    return turns.ended(turns.heard(None, noon), noon, failed=failed, brought=brought)


@pytest.mark.parametrize(
    ("failed", "brought", "after", "ready"),
    [
        (False, 1, 19, False),
        (False, 1, 20, True),
        (False, 0, 39, False),
        (False, 0, 40, True),
        (True, 0, 1, True),
    ],
    ids=["cools down", "cooled down", "brought nothing", "brought nothing, later", "failed"],
)
def test_waits_after_a_visit_as_it_ended(
    noon: datetime, failed: bool, brought: int, after: float, ready: bool
) -> None:
    turn = ended(noon, failed=failed, brought=brought)
    for moment in (*range(1, int(after), 5), after):
        turn = turns.heard(turn, noon + seconds(moment))
    assert (next_turn({"scale": turn}, noon + seconds(after)) == "scale") is ready


def test_an_advert_after_silence_is_a_new_measurement(noon: datetime) -> None:
    turn = ended(noon, brought=0)
    turn = turns.ended(turn, noon, failed=False, brought=0)
    later = noon + seconds(25)
    assert next_turn({"scale": turns.heard(turn, noon + seconds(5))}, noon + seconds(5)) is None
    assert next_turn({"scale": turns.heard(turn, later)}, later) == "scale"


def test_is_not_visited_again_until_it_is_heard_again(noon: datetime) -> None:
    assert next_turn({"cuff": ended(noon)}, noon + seconds(9)) is None


def test_failures_make_it_wait_longer_each_time(noon: datetime) -> None:
    turn, waits = turns.heard(None, noon), []
    for _ in range(8):
        turn = turns.heard(turns.ended(turn, noon, failed=True, brought=0), noon + seconds(0.1))
        waits.append((turns.ready_at(turn, COOL_DOWN) - noon).total_seconds())
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
