from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from gateway.known import Device, Facts
from gateway.outbox import Visit
from gateway.settings import KnownDevice
from tests.gateway.conftest import Disk

ADDRESS = "F0:00:5E:00:53:12"


def test_a_device_is_remembered_over_a_restart(disk: Disk, noon: datetime) -> None:
    disk.registry.remember(
        Device(identity="M-1", address=ADDRESS.lower(), model="m", enrolled=True)
    )
    disk.registry.learn("M-1", Facts(battery=80, firmware="1.2", bonded=True, offset_s=4.0))
    disk.registry.fetched_all("M-1", noon)
    disk.registry.set_passkey("M-1", "123456")
    disk.restart()
    found = disk.registry.at_address(ADDRESS)
    assert found == Device(
        identity="M-1",
        address=ADDRESS,
        model="m",
        enrolled=True,
        fetched_all_at=noon,
        battery=80,
        firmware="1.2",
        bonded=True,
        offset_s=4.0,
    )
    assert disk.registry.passkeys() == {ADDRESS: "123456"}


def test_what_is_known_stays_when_less_is_told(disk: Disk) -> None:
    disk.registry.remember(
        Device(identity="M-1", address=ADDRESS, model="m", name="n", enrolled=True)
    )
    disk.registry.learn("M-1", Facts(battery=80))
    found = disk.registry.remember(Device(identity="M-1"))
    disk.registry.learn("M-1", Facts(firmware="2"))
    found = disk.registry.get("M-1") or found
    assert (found.address, found.model, found.name, found.enrolled) == (ADDRESS, "m", "n", True)
    assert (found.battery, found.firmware) == (80, "2")


def test_an_address_has_one_owner(disk: Disk) -> None:
    disk.registry.remember(Device(identity="OLD", address=ADDRESS))
    disk.registry.remember(Device(identity="NEW", address=ADDRESS))
    assert disk.registry.at_address(ADDRESS) == Device(identity="NEW", address=ADDRESS)
    assert disk.registry.get("OLD") == Device(identity="OLD")


def test_a_device_that_changed_its_address_keeps_its_identity(disk: Disk) -> None:
    disk.registry.remember(Device(identity="M-1", address=ADDRESS))
    disk.registry.remember(Device(identity="M-1", address="F0:00:5E:00:53:99"))
    assert disk.registry.at_address(ADDRESS) is None
    assert len(disk.registry.all()) == 1


def test_the_last_sequence_moves_with_the_records_on_the_disk(
    disk: Disk, noon: datetime, meter_frame: Callable[..., bytes]
) -> None:
    disk.registry.remember(Device(identity="M-1", address=ADDRESS))
    visit = disk.outbox.begin_visit(Visit(device="M-1", clock_known=True))
    for sequence in (4, 6, 5):
        disk.outbox.catch(visit, "2A18", meter_frame(noon, sequence), at=noon)
    disk.outbox.settle(UTC)
    disk.restart()
    found = disk.registry.get("M-1")
    assert found is not None
    assert (found.last_sequence, found.last_read) == (6, noon)
    disk.registry.restart_sequence("M-1", 2)
    found = disk.registry.get("M-1")
    assert found is not None
    assert found.last_sequence == 2


def test_forgotten_is_gone(disk: Disk, noon: datetime) -> None:
    disk.registry.remember(Device(identity="M-1", address=ADDRESS))
    disk.registry.forget("M-1")
    disk.registry.saw("M-1", at=noon + timedelta(seconds=1), rssi=-50)
    disk.restart()
    assert disk.registry.all() == []


LISTED = (
    KnownDevice(identity="M-1", model="and_ua_651ble"),
    KnownDevice(address=ADDRESS.lower()),
    KnownDevice(identity="M-2"),
    KnownDevice(model="generic_weight"),
)


def test_forgotten_is_struck_off_the_configuration_over_a_restart(disk: Disk) -> None:
    disk.registry.enrolled_as("first")
    disk.registry.remember(Device(identity="M-1", address=ADDRESS))
    assert disk.registry.still_listed(LISTED) == LISTED
    disk.registry.forget("M-1")
    disk.restart()
    disk.registry.enrolled_as("first")
    assert disk.registry.still_listed(LISTED) == LISTED[2:]


def test_what_was_never_met_can_be_forgotten(disk: Disk) -> None:
    disk.registry.forget("M-2")
    assert disk.registry.still_listed(LISTED) == (*LISTED[:2], LISTED[3])


def test_a_device_that_is_paired_again_is_no_longer_forgotten(disk: Disk) -> None:
    disk.registry.forget("M-1")
    disk.registry.remember(Device(identity="M-1"))
    assert disk.registry.still_listed(LISTED) == LISTED[1:], "met by chance, not paired"
    disk.registry.remember(Device(identity="M-1", enrolled=True))
    assert disk.registry.still_listed(LISTED) == LISTED


def test_a_new_enrolment_knows_best_which_devices_the_home_has(disk: Disk) -> None:
    disk.registry.enrolled_as("first")
    disk.registry.forget("M-1")
    disk.registry.enrolled_as("second")
    assert disk.registry.still_listed(LISTED) == LISTED
