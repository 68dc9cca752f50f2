from gateway.credentials import Credentials
from gateway.settings import Broker
from tests.gateway.conftest import Disk

BROKER = Broker(username="gw-1", password="first")


def test_uses_the_configured_password(disk: Disk) -> None:
    assert Credentials(disk.store, BROKER).current() == ("gw-1", "first")


def test_a_rotation_survives_a_restart_and_the_old_one_is_still_tried(disk: Disk) -> None:
    Credentials(disk.store, BROKER).rotate("second")
    disk.restart()
    credentials = Credentials(disk.store, BROKER)
    assert credentials.current() == ("gw-1", "second")
    assert credentials.refused() == ("gw-1", "first")
    assert credentials.refused() == ("gw-1", "second"), "round and round: it cannot lock itself out"


def test_a_new_enrolment_starts_afresh(disk: Disk) -> None:
    Credentials(disk.store, BROKER).rotate("second")
    enrolled = Broker(username="gw-1", password="enrolled")
    assert Credentials(disk.store, enrolled).current() == ("gw-1", "enrolled")


def test_keeps_the_last_two_rotations(disk: Disk) -> None:
    credentials = Credentials(disk.store, BROKER)
    for password in ("second", "third", "fourth"):
        credentials.rotate(password)
    tried = [credentials.current()[1], credentials.refused()[1], credentials.refused()[1]]
    assert tried == ["fourth", "third", "first"]


def test_the_password_that_works_is_never_let_go(disk: Disk) -> None:
    credentials = Credentials(disk.store, BROKER)
    credentials.rotate("second")
    credentials.accepted()
    for lost in ("third", "fourth", "fifth"):  # the server never heard that we have these
        credentials.rotate(lost)
        credentials.rotate(lost)  # taken up again after a power cut
    disk.restart()
    credentials = Credentials(disk.store, BROKER)
    tried = [credentials.current()[1], credentials.refused()[1], credentials.refused()[1]]
    assert tried == ["fifth", "second", "first"]
