"""The demo's silent neighbourhood speaks the wire as a gateway does."""

from datetime import datetime

from deploy.demo import homes, neighbours
from deploy.demo.clinic import residents
from deploy.demo.seed import SEED
from devices import wire


def test_every_home_that_does_not_measure_live_says_how_it_is(noon: datetime) -> None:
    people = residents(seed=SEED, today=noon.date())
    said = list(neighbours.beats(people, noon))
    assert len(said) == len(people) - len(homes.LIVING_AT)
    states = {each.gateway: wire.load(each.body, wire.Status) for each in said}
    assert {g for g, s in states.items() if s.state == "offline"} == homes.UNPLUGGED
    batteries = [d.battery for s in states.values() for d in s.devices]
    assert len([level for level in batteries if level is not None and level < 20]) == 1


def test_readings_wait_until_the_server_has_them(noon: datetime) -> None:
    people = residents(seed=SEED, today=noon.date())
    waiting = {each.body: each for each in neighbours.doubtful(people, noon)}
    whole, cut = (wire.load_readings(body).readings[0] for body in waiting)
    assert (whole.status, cut.status) == ("measured", "unreadable")
    neighbours.forget(waiting, wire.dump(wire.Acks(v=wire.VERSION, ids=[whole.id])))
    assert [wire.load_readings(b).readings[0].id for b in waiting] == [cut.id]
