from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from devices import models
from gateway.known import Device
from gateway.settings import KnownDevice
from gateway.sightings import House, Interest, Sighting, Wanted, belongs, interest, passkey_for

ADDRESS = "F0:00:5E:00:53:10"
CUFF, METER = "and_ua_651ble", "accu_chek_guide"


@pytest.fixture
def sighting(noon: datetime) -> Sighting:
    return Sighting(
        address=ADDRESS,
        adapter="hci0",
        name="A&D_UA-651BLE_AB12CD",
        model=models.by_name(CUFF),
        rssi=-60,
        at=noon,
        manufacturer={},
    )


def house(
    *listed: KnownDevice, located: frozenset[str] = frozenset(), open_door: bool = False
) -> House:
    return House(listed=listed, located=located, accept_unknown=open_door)


MINE = Device(identity="CUFF-1", address=ADDRESS, enrolled=True)
MET = Device(identity="CUFF-1", address=ADDRESS)


@pytest.mark.parametrize(
    ("device", "home", "expected"),
    [
        (None, house(), Interest.STRANGER),
        (MINE, house(), Interest.KNOWN),
        (MET, house(), Interest.STRANGER),
        (MET, house(KnownDevice(identity="CUFF-1")), Interest.KNOWN),
        (None, house(KnownDevice(identity="CUFF-1", model=CUFF)), Interest.LISTED),
        (None, house(KnownDevice(identity="CUFF-1", model=METER)), Interest.STRANGER),
        (None, house(KnownDevice(identity="CUFF-1")), Interest.LISTED),
        (
            None,
            house(KnownDevice(identity="CUFF-1"), located=frozenset({"CUFF-1"})),
            Interest.STRANGER,
        ),
        (None, house(KnownDevice(identity="x", address=ADDRESS.lower())), Interest.LISTED),
        (None, house(KnownDevice(identity="x", name="A&D_UA-651BLE_AB12CD")), Interest.LISTED),
        (None, house(KnownDevice(identity="x", name="another")), Interest.STRANGER),
        (None, house(open_door=True), Interest.OPEN),
    ],
    ids=[
        "a neighbour's",
        "paired here",
        "met once, never ours",
        "met and listed",
        "could be the listed one",
        "another model is listed",
        "any model is listed",
        "the listed one is known already",
        "listed by address",
        "listed by name",
        "another name",
        "demonstration",
    ],
)
def test_visits_only_what_belongs_to_this_home(
    sighting: Sighting, device: Device | None, home: House, expected: Interest
) -> None:
    assert interest(sighting, device, home, None) is expected


def test_what_we_cannot_read_is_ignored_even_in_a_demonstration(sighting: Sighting) -> None:
    lamp = replace(sighting, name="lamp", model=None)
    assert interest(lamp, None, house(open_door=True), None) is Interest.UNSUPPORTED


@pytest.mark.parametrize(
    ("wanted", "minutes", "expected"),
    [
        (None, 1, Interest.PAIR),
        (None, -1, Interest.STRANGER),
        (ADDRESS, 1, Interest.PAIR),
        ("A&D_UA-651BLE_AB12CD", 1, Interest.PAIR),
        (CUFF, 1, Interest.PAIR),
        (METER, 1, Interest.STRANGER),
    ],
    ids=["any", "too late", "by address", "by name", "by model", "another one"],
)
def test_pairs_only_what_was_ordered_while_it_is_ordered(
    sighting: Sighting, wanted: str | None, minutes: int, expected: Interest, noon: datetime
) -> None:
    order = Wanted(device=wanted, passkey=None, until=noon + timedelta(minutes=minutes))
    assert interest(sighting, None, house(), order) is expected


@pytest.mark.parametrize(("flags", "invites"), [(5, True), (4, False), (None, True)])
def test_a_scale_shows_by_its_flags_whether_it_wants_to_pair(
    sighting: Sighting, flags: int | None, invites: bool
) -> None:
    scale = replace(sighting, model=models.by_name("and_uc_352ble"), advertising_flags=flags)
    assert scale.invites_pairing is invites


def test_the_passkey_is_that_of_the_address_then_of_the_model(sighting: Sighting) -> None:
    other = KnownDevice(identity="m", model=METER, passkey="111111")
    same_model = KnownDevice(identity="c", model=CUFF, passkey="222222")
    exact = KnownDevice(identity="d", address=ADDRESS, passkey="333333")
    assert passkey_for(sighting, [other, same_model, exact]) == "333333"
    assert passkey_for(sighting, [other, same_model]) == "222222"
    assert passkey_for(sighting, [other]) is None


def test_belongs_by_identity_or_address() -> None:
    home = house(KnownDevice(identity="CUFF-1"), KnownDevice(address=ADDRESS))
    assert belongs("CUFF-1", "other", home)
    assert belongs("other", ADDRESS, home)
    assert not belongs("other", "other", home)
