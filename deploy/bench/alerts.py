"""From a breach at the broker to a row in the API, under load; then a what-if replay.

`python -m deploy.bench.alerts [--seconds 20] [--open 100000] [--replay 1000]`; ends in JSON.
"""

import argparse
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from uuid import UUID

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from deploy.bench import common, program
from deploy.bench.common import Servers
from deploy.bench.program import Reader
from devices import wire

PATIENTS = 2000
PROBES_PER_S = 10
LOOKS_PER_S = 10
HISTORY_DAYS = 14
TARGET_S = 1.0
REPLAY_TARGET_S = 60.0
SQL = Path(__file__).with_name("alerts.sql")


def main() -> None:
    """Measure, tell, conclude."""
    told = _arguments()
    figures: dict[str, object] = {"bench": "alerts", "target_p99_s": TARGET_S}
    with common.servers() as servers:
        organisation = _clinic(servers, told.open, told.seconds)
        with _processes(servers), program.web(servers) as port:
            reader = program.Reader(port, program.token(servers, organisation))
            fastest = _fastest(servers)
            common.say(f"ingest at its maximum beside the alert worker: {fastest:,.0f}/s")
            half = fastest / 2
            waits, waiting = _under_load(servers, reader, half, told.seconds)
            figures |= _latency(waits, half, told.open) | {"left_unjudged": waiting}
            common.say(f"{waiting:,} ordinary readings still wait; they are judged in time")
        if told.replay:
            figures |= _replay(servers, organisation, told.replay)
    common.conclude(figures)


def _clinic(servers: Servers, opened: int, seconds: int) -> UUID:
    """Patients with rules, two weeks of history and a crowd of open alerts."""
    with servers.owner() as owner:
        probes = PROBES_PER_S * seconds
        organisation = common.found_clinic(owner, PATIENTS + probes + opened // 2)
        parts = SQL.read_text(encoding="utf-8").split("-- part\n")
        last = PATIENTS + probes
        told = {"days": HISTORY_DAYS, "busy": PATIENTS, "last": last}
        for part in parts[1:4]:
            owner.execute(part.encode(), told)
        owner.execute("analyze")
    return organisation


@contextmanager
def _processes(servers: Servers) -> Iterator[None]:
    """One ingest worker and one alert process."""
    dsn = servers.postgres.dsn(user="tidings_worker")
    port = str(servers.broker.port)
    started = [
        common.spawn(
            "ingest", environment={"TIDINGS_INGEST_DSN": dsn, "TIDINGS_BROKER_PORT": port}
        ),
        common.spawn("alerts", environment={"TIDINGS_ALERTS_DSN": dsn}),
    ]
    try:
        time.sleep(3)
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


def _fastest(servers: Servers, count: int = 40_000) -> float:
    """Readings per second that ingest stores when nothing holds it back."""
    began = time.monotonic()
    before = _count(servers, "select count(*) from reading")
    publisher = _publisher(servers, count, None)
    while _count(servers, "select count(*) from reading") < before + count:
        time.sleep(0.05)
    took = time.monotonic() - began
    publisher.join()
    with servers.owner() as owner:
        owner.execute("delete from to_evaluate")  # a burst that no clinic has is not judged
    return count / took


def _publisher(servers: Servers, count: int, rate: float | None) -> Any:  # noqa: ANN401  # a process
    messages = common.our_messages(count, PATIENTS)
    publisher = get_context("spawn").Process(
        target=common.publish, args=(servers.broker.port, messages, rate)
    )
    publisher.start()
    return publisher


def _under_load(
    servers: Servers, reader: Reader, rate: float, seconds: int
) -> tuple[list[float], int]:
    """Publish breaches of probe patients into the stream; return seconds until each is a row."""
    publisher = _publisher(servers, int(rate * (seconds + 4)), rate)
    time.sleep(2)
    seen: dict[str, float] = {}
    stop = threading.Event()
    watcher = threading.Thread(target=_watch, args=(reader, seen, stop))
    watcher.start()
    sent = _probe(servers, PROBES_PER_S * seconds)
    deadline = time.monotonic() + 30
    while len(seen) < len(sent) and time.monotonic() < deadline:
        time.sleep(0.05)
    stop.set()
    watcher.join()
    publisher.join()
    lost = [mrn for mrn in sent if mrn not in seen]
    if lost:
        common.say(f"{len(lost)} breaches were not visible within 30 s")
    waits = [seen.get(mrn, deadline) - at for mrn, at in sent.items()]
    return waits, _count(servers, "select count(*) from to_evaluate")


def _probe(servers: Servers, count: int) -> dict[str, float]:
    """Publish one critical glucose per probe patient; return when the broker had taken it."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.connect("127.0.0.1", servers.broker.port)
    client.loop_start()
    taken: dict[str, float] = {}
    began = time.monotonic()
    for number in range(count):
        who = PATIENTS + number
        time.sleep(max(0.0, began + number / PROBES_PER_S - time.monotonic()))
        info = client.publish(f"tidings/v1/s/gw{who}/readings", _breach(who), qos=1)
        info.wait_for_publish(5)
        taken[str(who)] = time.monotonic()
    client.disconnect()
    client.loop_stop()
    return taken


def _breach(who: int) -> bytes:
    now = datetime.now(UTC)
    ordinary = common.reading_at(who, now)
    low = wire.WireReading(
        id=ordinary.id,
        char="2A18",
        frame=common.FRAME,
        at=now,
        kind="glucose",
        value=45.0,
        original_value=45.0,
        original_unit="mg/dL",
        device_time=now.replace(tzinfo=None),
        offset_s=0.0,
        sequence=1,
    )
    return wire.dump(
        wire.Readings(v=wire.VERSION, gateway=f"gw{who}", device=f"cuff{who}", readings=[low])
    )


def _watch(reader: Reader, seen: dict[str, float], stop: threading.Event) -> None:
    """Read the worklist as a program does, through the API, many times a second."""
    with closing(reader):
        while not stop.is_set():
            began = time.monotonic()
            for mrn in reader.critical():
                seen.setdefault(mrn, time.monotonic())
            time.sleep(max(0.0, began + 1 / LOOKS_PER_S - time.monotonic()))


def _latency(waits: list[float], rate: float, opened: int) -> dict[str, object]:
    ordered = sorted(waits)
    p50, p99 = statistics.median(ordered), ordered[int(len(ordered) * 0.99) - 1]
    common.say(
        f"{len(ordered)} breaches at {rate:,.0f} readings/s with {opened:,} open alerts:"
        f" p50 {p50 * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms, worst {ordered[-1] * 1000:.0f} ms"
    )
    return {
        "readings_per_s": round(rate),
        "open_alerts": opened,
        "p50_s": round(p50, 3),
        "p99_s": round(p99, 3),
        "worst_s": round(ordered[-1], 3),
        "met": p99 < TARGET_S,
    }


def _replay(servers: Servers, organisation: UUID, patients: int) -> dict[str, object]:
    """Ninety days of a clinic, replayed by the command that a person would use."""
    with servers.owner() as owner:
        parts = SQL.read_text(encoding="utf-8").split("-- part\n")
        owner.execute(parts[4].encode(), {"patients": patients})
        owner.execute("analyze")
        readings = _count(servers, "select count(*) from reading")
    began = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "tidings", "alerts", "replay", "--organisation", str(organisation)],
        env={"TIDINGS_ALERTS_DSN": servers.postgres.dsn(user="tidings_worker")},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    took = time.monotonic() - began
    common.say(f"replay of {patients} patients, 90 days, {readings:,} readings: {took:.1f} s")
    return {"replay_s": round(took, 1), "replay_met": took < REPLAY_TARGET_S}


def _count(servers: Servers, query: str) -> int:
    with servers.owner() as owner:
        row = owner.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--open", type=int, default=100_000, help="open alerts in the tables")
    parser.add_argument("--replay", type=int, default=1000, help="patients to replay; 0: none")
    return parser.parse_args()


if __name__ == "__main__":
    main()
