"""Advertising data: what is packed comes back, and any bytes are survived."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.simulated import adverts
from gateway.simulated.adverts import Advert, uuid128

OWN_SERVICE = "23434100-1fe4-1eff-80cb-00ff78297d8b"


@pytest.mark.parametrize(
    "advert",
    [
        Advert(),
        Advert(name="UA-651BLE", services=(uuid128(0x1810),), flags=5),
        Advert(name="BF720", services=(uuid128(0x181D), uuid128(0x181B))),
        Advert(services=(OWN_SERVICE,), flags=4),
        Advert(name="X", manufacturer=(0x020E, b"\x01\x28")),
    ],
    ids=["empty", "cuff", "two services", "own service", "manufacturer"],
)
def test_what_is_packed_comes_back(advert: Advert) -> None:
    assert adverts.load(adverts.dump(advert)) == advert


def test_a_known_packet_is_read() -> None:
    packet = bytes.fromhex("020105030310180a0955412d363531424c45")
    assert adverts.load(packet) == Advert(name="UA-651BLE", services=(uuid128(0x1810),), flags=5)


def test_more_than_a_packet_can_carry_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 31"):
        adverts.dump(Advert(name="a name that is far too long for it"))


@given(st.binary(max_size=64))
def test_any_bytes_are_survived(packet: bytes) -> None:
    assert isinstance(adverts.load(packet), Advert)
