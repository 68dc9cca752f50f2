import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import battery, features, information
from devices.battery import Battery
from devices.information import SystemId, Text

UNIT = information.parse(bytes.fromhex("f026aafeffb51434"))


def test_a_system_id_made_of_an_address_gives_it_back() -> None:
    assert UNIT.mac == "34:14:B5:AA:26:F0"
    assert information.fields(UNIT) == {
        "oui": "3414b5",
        "manufacturer": "fffeaa26f0",
        "mac": "34:14:B5:AA:26:F0",
    }


@given(st.binary(min_size=6, max_size=6))
def test_any_address_survives_being_a_system_id(address: bytes) -> None:
    mac = address.hex(":").upper()
    system = information.system_id(mac)
    assert system.mac == mac
    assert information.parse(information.encode(system)) == system


def test_a_system_id_that_is_no_address_says_so() -> None:
    assert SystemId(manufacturer=0x123456789A, oui=0x001122).mac is None


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (b"A&D Medical\0\0\0", "A&D Medical"),
        (b"  UA-651BLE ", "UA-651BLE"),
        (b"", ""),
        (b"\xff1", "\ufffd1"),
    ],
)
def test_strings_lose_their_padding(frame: bytes, text: str) -> None:
    assert information.parse_text(frame) == Text(text=text)
    assert information.text_fields(Text(text=text)) == {"text": text}


@pytest.mark.parametrize(
    ("serial", "system", "identity"),
    [
        ("5160400123", UNIT, "5160400123"),
        (" 5160400123 ", None, "5160400123"),
        ("0000000", UNIT, "3414B5FFFEAA26F0"),
        ("Serial Number", UNIT, "3414B5FFFEAA26F0"),
        ("", UNIT, "3414B5FFFEAA26F0"),
        (None, None, "34:14:B5:AA:26:F0"),
        ("0", SystemId(manufacturer=0, oui=0), "34:14:B5:AA:26:F0"),
    ],
)
def test_a_device_is_its_serial_number_else_its_system_id_else_its_address(
    serial: str | None, system: SystemId | None, identity: str
) -> None:
    address = "34:14:b5:aa:26:f0"
    assert information.identity(serial=serial, system=system, address=address) == identity


@pytest.mark.parametrize(("level", "percent"), [(0, 0), (100, 100), (101, None), (255, None)])
def test_a_battery_holds_at_most_all(level: int, percent: int | None) -> None:
    read = battery.parse(bytes([level]))
    assert read == Battery(level=level)
    assert battery.percent(read) == percent
    assert battery.fields(read) == {"level": level}


def test_features_keep_unknown_bits() -> None:
    found = features.parse(b"\x05\x80\x01", 2)
    assert (found.raw, found.trailing) == (0x8005, b"\x01")
    assert features.fields(found, {0: "zero", 1: "one"}) == {"bits": 0x8005, "features": ["zero"]}
    assert features.encode(found) == b"\x05\x80\x01"
