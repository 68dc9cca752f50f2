"""The private D-Bus daemon: starts, stops, dies with its parent, says when it is missing."""

import os
import select
import subprocess
import sys
from pathlib import Path

import pytest
from dbus_fast import BusType
from dbus_fast.aio import MessageBus

from gateway.simulated.bus import (
    SYSTEM_BUS,
    DbusDaemonFailed,
    DbusDaemonMissing,
    PrivateBus,
    private_bus,
    running_bus,
)

pytestmark = pytest.mark.radio

PARENT = """
import pathlib, sys, time
from gateway.simulated.bus import running_bus
with running_bus(pathlib.Path(sys.argv[1])) as bus:
    print(bus.pid, flush=True)
    time.sleep(60)
"""


async def test_is_the_system_bus_while_the_block_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SYSTEM_BUS, "unix:path=/before")
    with private_bus() as address:
        assert os.environ[SYSTEM_BUS] == address
        bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
        assert bus.unique_name
        bus.disconnect()
    assert os.environ[SYSTEM_BUS] == "unix:path=/before"


def test_leaves_the_environment_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SYSTEM_BUS, raising=False)
    with private_bus():
        pass
    assert SYSTEM_BUS not in os.environ


def test_several_run_side_by_side() -> None:
    with running_bus() as one, running_bus() as other:
        assert one.address != other.address


async def test_starts_again_at_the_same_address() -> None:
    with running_bus() as private:
        address = private.address
        private.stop()
        with pytest.raises(OSError, match="No such file"):
            await MessageBus(bus_address=address).connect()
        private.start()
        (await MessageBus(bus_address=address).connect()).disconnect()


def test_nothing_is_left_behind() -> None:
    with running_bus() as private:
        directory, pid = private.directory, private.pid
    assert not directory.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_says_that_the_daemon_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DbusDaemonMissing, match="install the package `dbus-daemon`"):
        PrivateBus(tmp_path).start()


def test_says_why_the_daemon_did_not_start(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    with pytest.raises(DbusDaemonFailed, match="too long"):
        PrivateBus(folder).start()


def test_a_folder_gives_the_same_address_every_time(tmp_path: Path) -> None:
    with running_bus(tmp_path / "gw") as first:
        address = first.address
    (tmp_path / "gw" / "bus").touch()
    with running_bus(tmp_path / "gw") as second:
        assert second.address == address


def test_dies_with_its_parent(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path)]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    daemon = int(parent.stdout.readline())
    end = select.poll()
    descriptor = os.pidfd_open(daemon)
    end.register(descriptor, select.POLLIN)
    parent.kill()
    parent.communicate()
    assert end.poll(10_000), "the daemon outlived its parent"
    os.close(descriptor)
