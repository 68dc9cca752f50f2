import pytest
from dbus_fast import DBusError

from gateway.agent import PairingAgent, address_in

MINE, OTHER = "/org/bluez/hci0/dev_F0_00_5E_00_53_10", "/org/bluez/hci0/dev_F0_00_5E_00_53_99"
ADDRESS = "F0:00:5E:00:53:10"


def agent(passkey: str | None = "012345") -> PairingAgent:
    return PairingAgent(allowed=lambda one: one == ADDRESS, passkey=lambda _: passkey)


def test_reads_the_address_in_a_path() -> None:
    assert address_in(MINE) == ADDRESS


def test_tells_the_passkey_of_a_device_that_may_pair() -> None:
    assert PairingAgent._number(agent(), MINE) == "012345"


@pytest.mark.parametrize("passkey", [None, "", "12a456"])
def test_refuses_without_a_number_it_could_tell(passkey: str | None) -> None:
    with pytest.raises(DBusError, match="no passkey"):
        agent(passkey)._number(MINE)


def test_refuses_a_device_that_may_not_pair_now() -> None:
    with pytest.raises(DBusError, match="may not pair"):
        agent()._check(OTHER)
    agent()._check(MINE)


def test_speaks_the_whole_of_the_agent_interface() -> None:
    names = {method.name for method in agent().introspect().methods}
    assert names == {
        "Release", "RequestPinCode", "DisplayPinCode", "RequestPasskey", "DisplayPasskey",
        "RequestConfirmation", "RequestAuthorization", "AuthorizeService", "Cancel",
    }  # fmt: skip
