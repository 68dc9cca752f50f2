from datetime import datetime, timedelta

from gateway import watchdog
from gateway.watchdog import Health, Step


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def scanning(noon: datetime) -> Health:
    return watchdog.restarted(watchdog.newly_found(noon), noon, works=True)


def test_starts_scanning_at_once(noon: datetime) -> None:
    assert watchdog.decide(watchdog.newly_found(noon), noon) is Step.RESTART


def test_leaves_a_radio_alone_that_is_heard(noon: datetime) -> None:
    health = watchdog.heard(scanning(noon), noon + seconds(60))
    assert watchdog.decide(health, noon + seconds(149)) is Step.NOTHING


def test_restarts_the_scanner_after_90_silent_seconds(noon: datetime) -> None:
    assert watchdog.decide(scanning(noon), noon + seconds(89)) is Step.NOTHING
    assert watchdog.decide(scanning(noon), noon + seconds(90)) is Step.RESTART


def steps(health: Health, start: datetime, hours: float, *, works: bool) -> list[Step]:
    """Let the watchdog do what it decides, second by second, in a home where nobody advertises."""
    done = []
    for number in range(int(hours * 3600)):
        now = start + seconds(number)
        step = watchdog.decide(health, now)
        if step is Step.NOTHING:
            continue
        done.append(step)
        if step is Step.GIVE_UP:
            break
        if step is Step.RECOVER:
            health = watchdog.recovered(health, now)
        else:
            health = watchdog.restarted(health, now, works=works)
    return done


def test_a_slow_start_is_not_a_radio_that_is_down(noon: datetime) -> None:
    health = watchdog.newly_found(noon)
    assert not watchdog.is_down(health)
    health = watchdog.restarted(health, noon, works=False)
    assert not watchdog.is_down(health)
    assert watchdog.is_down(watchdog.restarted(health, noon, works=False))


def test_a_radio_that_needed_a_reset_is_down_until_it_works(noon: datetime) -> None:
    health = watchdog.recovered(scanning(noon), noon)
    assert watchdog.is_down(health)
    assert not watchdog.is_down(watchdog.restarted(health, noon, works=True))


def test_a_silent_home_never_ends_the_box(noon: datetime) -> None:
    done = steps(scanning(noon), noon, 24, works=True)
    assert Step.GIVE_UP not in done
    assert done[:4] == [Step.RESTART, Step.RESTART, Step.RESTART, Step.RECOVER]
    assert done.count(Step.RECOVER) <= 24, "a reset at most once an hour"


def test_a_radio_that_fails_is_restarted_then_reset_then_given_up(noon: datetime) -> None:
    done = steps(watchdog.newly_found(noon), noon, 1, works=False)
    once = [Step.RESTART] * 3 + [Step.RECOVER]
    assert done == [*once, *once, *[Step.RESTART] * 3, Step.GIVE_UP]


def test_a_lost_adapter_is_looked_for_again_soon(noon: datetime) -> None:
    health = watchdog.lost(watchdog.heard(scanning(noon), noon + seconds(60)))
    assert watchdog.decide(health, noon + seconds(61)) is Step.RESTART


def test_an_advert_settles_everything(noon: datetime) -> None:
    health = watchdog.recovered(watchdog.restarted(scanning(noon), noon, works=False), noon)
    healthy = watchdog.heard(health, noon + seconds(5))
    assert (healthy.failures, healthy.recoveries, healthy.scanning) == (0, 0, True)
    assert watchdog.decide(healthy, noon + seconds(6)) is Step.NOTHING
