"""What the box costs a small machine: memory, and processor time beside devices that advertise.

`python -m deploy.bench.gateway [--devices 10] [--window 60]`; measured against the simulated
radio, in a process of its own. The last line is one JSON object; exit 1 if a floor is missed.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from deploy.bench.common import conclude, cpu_s, memory_mb, say
from deploy.embedded.broker import EmbeddedBroker, Kind
from devices import wire

MEMORY_MB = 80.0
CPU_SHARE = 0.02
READY_S = 60.0
SETTLE_S = 5.0
KINDS = ("cuff", "scale", "glucometer", "oximeter", "thermometer")
OWN = {"kind": "cuff", "address": "F1:00:5E:00:53:10", "name": "UA-651BLE", "serial": "CUFF-1"}


def plan(folder: Path, devices: int) -> Path:
    """Write a plan: one cuff of the home, and so many devices that are not, all with records."""
    strangers = [
        {
            "kind": KINDS[number % len(KINDS)],
            "address": f"F0:00:5E:00:54:{number:02X}",
            "name": f"neighbour {number}",
        }
        for number in range(devices)
    ]
    path = folder / "homes.json"
    home = {"gateway": "gw-1", "devices": [OWN, *strangers]}
    path.write_text(json.dumps({"homes": [home], "every_s": 1e6, "backlog": 1}))
    return path


@contextmanager
def home(folder: Path, devices: int) -> Iterator[str]:
    """Run the virtual devices in a process of their own; yield their bus."""
    files = ["--plan", str(plan(folder, devices)), "--truth", str(folder / "truth.jsonl")]
    with subprocess.Popen(
        [sys.executable, "-m", "gateway.simulated", *files],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        if process.stdout is None:
            raise RuntimeError("the devices say nothing")
        yield json.loads(process.stdout.readline())["homes"][0]["bus"]
        process.terminate()


@contextmanager
def box(folder: Path, bus: str, broker: EmbeddedBroker) -> Iterator[int]:
    """Run a box beside that home; yield its process id."""
    config = folder / "gateway.toml"
    device = f'[[devices]]\nidentity = "{OWN["serial"]}"\naddress = "{OWN["address"]}"\n'
    config.write_text(
        f'site = "s"\ngateway = "gw-1"\noutbox = "{folder / "outbox.db"}"\nclock = "trusted"\n'
        f'[broker]\nhost = "{broker.host}"\nport = {broker.port}\n{device}'
    )
    with subprocess.Popen(
        [sys.executable, "-m", "gateway", "--config", str(config), "--log-level", "warning"],
        env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": bus},
    ) as process:
        yield process.pid
        process.terminate()


class Server:
    """Acknowledges what the box sends, as ingest does."""

    def __init__(self, broker: EmbeddedBroker) -> None:
        self.readings = 0
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
        self._client.on_message = self._acknowledge
        self._client.connect(broker.host, broker.port)
        self._client.subscribe("tidings/v1/+/+/readings", 1)
        self._client.loop_start()

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()

    def _acknowledge(self, client: Client, _: object, message: MQTTMessage) -> None:
        told = wire.load_readings(bytes(message.payload))
        acks = wire.Acks(v=wire.VERSION, ids=[reading.id for reading in told.readings])
        client.publish(message.topic.replace("/readings", "/acks"), wire.dump(acks), 1)
        self.readings += len(told.readings)


def measure(devices: int, window_s: float) -> dict[str, object]:
    """Return what the box took in the window, once it has read its own device."""
    with tempfile.TemporaryDirectory(prefix="tidings-bench-") as top:
        Path(top).chmod(0o711)
        folder = Path(top)
        with (
            EmbeddedBroker(folder / "broker", kind=Kind.MOSQUITTO) as broker,
            home(folder, devices) as bus,
            box(folder, bus, broker) as pid,
        ):
            server = Server(broker)
            deadline = time.monotonic() + READY_S
            while not server.readings and time.monotonic() < deadline:
                time.sleep(0.1)
            time.sleep(SETTLE_S)
            before, began = cpu_s([pid]), time.monotonic()
            time.sleep(window_s)
            share = (cpu_s([pid]) - before) / (time.monotonic() - began)
            server.close()
            return {
                "devices_advertising": devices,
                "read": server.readings,
                "window_s": window_s,
                "cpu_share": round(share, 4),
                "memory_mb": round(memory_mb(pid, "VmRSS"), 1),
                "memory_peak_mb": round(memory_mb(pid), 1),
            }


def main() -> int:
    """Measure, print, compare with the floors."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=10)
    parser.add_argument("--window", type=float, default=60.0)
    given = parser.parse_args()
    figures = measure(given.devices, given.window)
    kept = (
        figures["read"] != 0
        and float(str(figures["memory_peak_mb"])) < MEMORY_MB
        and float(str(figures["cpu_share"])) < CPU_SHARE
    )
    verdict = "kept" if kept else "MISSED"
    say(f"floors: below {MEMORY_MB:.0f} MB, below {CPU_SHARE:.0%} of a core: {verdict}")
    conclude({"bench": "gateway", **figures, "kept": kept})
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
