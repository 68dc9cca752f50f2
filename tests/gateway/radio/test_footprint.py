"""What the box costs a small machine, beside ten devices that advertise all the time.

How little of a core it needs when idle is measured by `make bench NAME=gateway`; here a busy
machine must not fail a good box, so that only a loop that spins is found.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.embedded.broker import EmbeddedBroker
from devices import wire
from tests.gateway.test_link import Server

ROOT = Path(__file__).parents[3]
SETTLING_S = 3.0
WINDOW_S = 5.0
MOST_MEMORY_MB = 80
SPINNING_CPU_SHARE = 0.2
KINDS = ("cuff", "scale", "glucometer")

pytestmark = pytest.mark.radio


def plan(folder: Path) -> Path:
    """A home full of the neighbours' devices, each with a record that nobody fetches."""
    devices = [
        {"kind": KINDS[n % 3], "address": f"F0:00:5E:00:54:{n:02X}", "name": f"device {n}"}
        for n in range(10)
    ]
    path = folder / "homes.json"
    home = {"gateway": "gw-1", "devices": devices}
    path.write_text(json.dumps({"homes": [home], "every_s": 1e6, "backlog": 1}))
    return path


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[str]:
    """The D-Bus address of that home, simulated by a process of its own."""
    command = [sys.executable, "-m", "gateway.simulated", "--plan", plan(tmp_path)]
    homes = subprocess.Popen(
        [*command, "--truth", tmp_path / "truth"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with homes:
        assert homes.stdout is not None
        yield json.loads(homes.stdout.readline())["homes"][0]["bus"]
        homes.terminate()


@pytest.fixture
def box(tmp_path: Path, broker: EmbeddedBroker, bus: str) -> Iterator[int]:
    """A box beside that home; its process id."""
    environment = os.environ | {
        "DBUS_SYSTEM_BUS_ADDRESS": bus,
        "TIDINGS_SITE": "home-1",
        "TIDINGS_GATEWAY": "gw-1",
        "TIDINGS_BROKER_PORT": str(broker.port),
        "TIDINGS_OUTBOX": str(tmp_path / "outbox.db"),
        "TIDINGS_CLOCK": "trusted",
        "TIDINGS_HEARTBEAT_S": "5",  # a slow start is waited out
    }
    command = [sys.executable, "-m", "gateway", "--log-level", "warning"]
    with subprocess.Popen(command, cwd=ROOT, env=environment) as process:
        yield process.pid
        process.terminate()


async def test_under_80_mb_and_nothing_spins(broker: EmbeddedBroker, box: int) -> None:
    async with Server(broker) as server:
        await server.until(lambda: radios(server)[-1:] == ["ok"])
        await asyncio.sleep(SETTLING_S)  # what starting costs is not the question
        before = cpu_seconds(box)
        await asyncio.sleep(WINDOW_S)  # the window over which is measured
        used = cpu_seconds(box) - before
        assert memory_mb(box) < MOST_MEMORY_MB
        assert used / WINDOW_S < SPINNING_CPU_SHARE


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, from the kernel."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(pid: int) -> float:
    """Resident memory of a process, from the kernel."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def radios(server: Server) -> list[str]:
    """How the radio was, heartbeat by heartbeat."""
    bodies = [body for topic, body, _ in server.messages if topic.endswith("/status")]
    return [wire.load(body, wire.Status).radio for body in bodies]
