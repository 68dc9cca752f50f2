"""The whole box as its own process: settings in, readings out, signals, power cuts."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from deploy.embedded.broker import EmbeddedBroker, free_port
from devices import wire
from gateway.__main__ import EXIT_SETTINGS
from tests.gateway.test_link import Server

PLAN = [
    {"device": "CUFF-1", "char": "2A35", "values": {"systolic": [110, 180], "diastolic": [70, 90]}},
    {"device": "SCALE-1", "char": "2A9D", "values": {"kg": [70, 90]}},
]
PATIENCE_S = 30


class Process:
    """A box that can be started, asked to stop, and killed."""

    def __init__(self, folder: Path, broker: EmbeddedBroker) -> None:
        self.plan, self.outbox = folder / "plan.jsonl", folder / "outbox.db"
        self.plan.write_text(
            "\n".join(json.dumps({**line, "every_s": 0.05, "times": 20}) for line in PLAN)
        )
        self.metrics_port = free_port()
        self.environment = {
            "PATH": os.environ["PATH"],
            "TIDINGS_SITE": "home-1",
            "TIDINGS_GATEWAY": "gw-1",
            "TIDINGS_BROKER_PORT": str(broker.port),
            "TIDINGS_OUTBOX": str(self.outbox),
            "TIDINGS_RADIO_RECORDED": str(self.plan),
            "TIDINGS_RESEND_S": "0.5",
            "TIDINGS_CLOCK": "trusted",
            "TIDINGS_GATEWAY_METRICS_PORT": str(self.metrics_port),
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "gateway"]
        root = Path(__file__).parents[2]
        self.process = subprocess.Popen(
            command, cwd=root, env=self.environment, stderr=subprocess.DEVNULL
        )

    async def end(self, number: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return await asyncio.to_thread(self.process.wait, PATIENCE_S)

    def metrics(self) -> str:
        url = f"http://127.0.0.1:{self.metrics_port}/metrics"
        with urllib.request.urlopen(url, timeout=5) as reply:
            text: str = reply.read().decode()
        return text


@pytest.fixture
def box(tmp_path: Path, broker: EmbeddedBroker) -> Iterator[Process]:
    box = Process(tmp_path, broker)
    yield box
    if box.process is not None and box.process.poll() is None:
        box.process.kill()
        box.process.wait()


def statuses(server: Server) -> list[wire.Status]:
    bodies = [body for topic, body, _ in server.messages if topic.endswith("/status")]
    return [wire.load(body, wire.Status) for body in bodies]


async def test_runs_a_plan_and_ends_on_sigterm_with_a_goodbye(
    broker: EmbeddedBroker, box: Process
) -> None:
    async with Server(broker) as server:
        box.start()
        await server.until(lambda: len(set(server.readings())) >= 5)
        shown = await asyncio.to_thread(box.metrics)
        assert await box.end(signal.SIGTERM) == 0
        await server.until(lambda: [s.state for s in statuses(server)][-1:] == ["offline"])
        first = statuses(server)[0]
        assert (first.state, first.radio, first.gateway) == ("online", "none", "gw-1")
        assert "tidings_gateway_messages_sent" in shown


async def test_a_killed_box_goes_on_where_it_was(broker: EmbeddedBroker, box: Process) -> None:
    async with Server(broker, acknowledges=False) as server:
        box.start()
        await server.until(lambda: len(set(server.readings())) >= 5)
        await box.end(signal.SIGKILL)
        before = set(server.readings())
        server.acknowledges = True
        del server.messages[:]
        box.start()
        await server.until(lambda: before <= set(server.readings()))
        await server.until(lambda: len(set(server.readings())) >= len(before) + 20)
        assert await box.end(signal.SIGTERM) == 0


async def test_obeys_report_now_and_answers(broker: EmbeddedBroker, box: Process) -> None:
    async with Server(broker) as server:
        box.start()
        await server.until(lambda: bool(statuses(server)))
        for number, word in ((1, "report_now"), (2, "pair"), (3, "set_clock")):
            command = {
                "v": "1.0",
                "id": str(UUID(int=number)),
                "command": word,
                "device": "nobody",
                "expires_at": "2099-01-01T00:00:00Z",
            }
            server.say("commands", json.dumps(command).encode())

        def results() -> list[wire.Result]:
            bodies = [body for topic, body, _ in server.messages if topic.endswith("/results")]
            return [wire.load(body, wire.Result) for body in bodies]

        await server.until(lambda: len(results()) == 3)
        answers = {result.id.int: (result.ok, result.reason) for result in results()}
        assert answers == {
            1: (True, "reported"),
            2: (False, "no radio: nobody cannot be paired"),
            3: (False, "device nobody is not known here"),
        }
        await server.until(lambda: len(statuses(server)) >= 2)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("TIDINGS_GATEWAY", "a/b", "a/b"),
        ("TIDINGS_OUTBOX_KEY", "abcd", "outbox key"),
        ("TIDINGS_RADIO_RECORDED", "/nowhere/plan.jsonl", "plan.jsonl"),
    ],
)
def test_says_in_one_line_what_is_wrong_with_its_settings(
    box: Process, name: str, value: str, said: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gateway"],
        cwd=Path(__file__).parents[2],
        env=box.environment | {name: value},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == EXIT_SETTINGS
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
