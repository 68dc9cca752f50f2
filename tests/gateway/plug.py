"""Pulls the plug: runs a box's outbox and publisher in children that kill themselves at a seeded
moment, and plays device, broker and server for them. Prints one JSON object per scenario.

The children are forked from this small process, which has one thread and everything imported.
"""

import json
import os
import random
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import CodeType, FrameType

from devices import blood_pressure, date_time, glucose, glucose_context, wire
from gateway.backoff import Pace
from gateway.link import NOT_DELIVERED
from gateway.outbox import Outbox, Visit
from gateway.publisher import Publisher
from gateway.store import Store
from gateway.surroundings import Surroundings

NOON = datetime(2026, 9, 15, 12, tzinfo=UTC)
FILES = ("outbox.py", "store.py", "settling.py", "publisher.py", "interpret.py")
STAGES = ("catch", "settle", "next_parcel", "sent", "acknowledge")
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  kill -9 spares the page cache anyway
Frame = tuple[str, str]
"""Characteristic and hex."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doom:
    """When to kill: at this count of what is done in this stage (None: in any)."""

    at: int
    stage: str | None


class Fuse:
    """Counts executed lines of the box's code and SQLite instructions; kills at the given count."""

    def __init__(self, doom: Doom | None, tell: Callable[[str], None]) -> None:
        self.count = 0
        self._doom = doom
        self._tell = tell
        self._ours: dict[CodeType, bool] = {}

    def trace(self, frame: FrameType, _event: str, _: object) -> Callable[..., object] | None:
        code = frame.f_code
        if code not in self._ours:
            self._ours[code] = code.co_filename.endswith(FILES) and "/gateway/" in code.co_filename
        if not self._ours[code]:
            return None
        self.tick()
        return self.line

    def line(self, _frame: FrameType, _event: str, _: object) -> Callable[..., object]:
        self.tick()
        return self.line

    def tick(self) -> int:
        doom = self._doom
        if doom is None or doom.stage not in (None, _stage()):
            return 0
        self.count += 1
        if self.count == doom.at:
            self._tell(_stage())
            os.kill(os.getpid(), signal.SIGKILL)
        return 0


def _stage() -> str:
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if frame.f_code.co_name in STAGES:
            return frame.f_code.co_name
        frame = frame.f_back
    return "between"


class Wire:
    """Lines over a socket, question and answer."""

    def __init__(self, end: socket.socket) -> None:
        self._file = end.makefile("rw", encoding="utf-8")

    def say(self, what: str, body: str = "") -> None:
        self._file.write(f"{what} {body}\n")
        self._file.flush()

    def hear(self) -> tuple[str, str]:
        line = self._file.readline()
        what, _, body = line.rstrip("\n").partition(" ")
        return what, body


def box(end: socket.socket, path: Path, doom: Doom | None, hours: int) -> None:
    """The child: catch what the device gives, publish, take acknowledgements, until all is done."""
    line = Wire(end)
    now = NOON + timedelta(hours=hours)

    def clock() -> datetime:
        nonlocal now
        now += timedelta(milliseconds=7)
        return now

    around = Surroundings(
        now=clock, draw=lambda: 0.0, zone=UTC, synced=lambda: True, disk_free_mb=lambda: None
    )
    fuse = Fuse(doom, lambda stage: line.say("killed", stage))
    store = Store(path)
    store.watch(50, fuse.tick)
    sys.settrace(fuse.trace)
    outbox = Outbox(store, "gw-1")
    publisher = Publisher(outbox, Courier(line), Pace(), around)
    visit = outbox.begin_visit(Visit(device="D-1", clock_known=True, offset_s=0.0))
    while True:
        line.say("give")
        what, body = line.hear()
        if what == "frame":
            characteristic, frame = body.split()
            outbox.catch(visit, characteristic, bytes.fromhex(frame), at=clock(), fetched=True)
            line.say("taken")
        else:
            outbox.end_visit(visit)
        publisher.work()
        while (said := _ask(line)) is not None:
            _take(publisher, *said)
        if what != "frame" and outbox.depth().rows == 0:
            break
        now += timedelta(minutes=16)
    sys.settrace(None)
    line.say("done")


def _ask(line: Wire) -> tuple[str, str] | None:
    line.say("news")
    what, body = line.hear()
    return None if what == "none" else (what, body)


def _take(publisher: Publisher, what: str, body: str) -> None:
    if what == "puback":
        mid, code = body.split()
        publisher.answered(int(mid), int(code))
    else:
        publisher.acknowledged(body.encode())


class Courier:
    """The child's connection: hands messages to the parent."""

    def __init__(self, line: Wire) -> None:
        self._line = line
        self._mid = 0

    def publish(self, channel: str, body: bytes, *, retain: bool = False) -> int | None:
        del retain
        self._mid += 1
        self._line.say("publish", f"{self._mid} {channel} {body.decode()}")
        return self._mid


class Outside:
    """Device, broker and server, as the parent plays them."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.produced = frames(self.random)
        self.on_device = list(self.produced)
        self.stored: dict[str, Frame] = {}
        self.contexts: list[str] = []
        self.news: list[str] = []
        self.killed: str = ""

    def serve(self, end: socket.socket) -> bool:
        """Answer a child until it ends; whether it got everything done."""
        line, self.news, self.killed = Wire(end), [], ""
        given = 0
        while True:
            what, body = line.hear()
            match what:
                case "give" if given < len(self.on_device):
                    line.say("frame", " ".join(self.on_device[given]))
                case "give":
                    line.say("nothing")
                case "taken":
                    self.on_device.pop(given)
                case "publish":
                    self._published(*body.split(" ", 2))
                case "news":
                    line.say(*(self.news.pop(0).split(" ", 1) if self.news else ("none", "")))
                case "killed":
                    self.killed = body
                case "done":
                    return True
                case _:
                    return False

    def _published(self, mid: str, _: str, body: str) -> None:
        """Brokers lose messages, servers are away; sometimes everything works."""
        luck = self.random.random()
        if luck < 0.2:
            self.news.append(f"puback {mid} {NOT_DELIVERED}")
            return
        self.news.append(f"puback {mid} 0")
        if luck < 0.4:
            return
        message = wire.load_readings(body.encode())
        for reading in message.readings:
            self.stored[str(reading.id)] = (reading.char, reading.frame)
            if "following" in reading.extra:
                self.contexts.append(str(reading.extra["following"]))
        if luck > 0.5:
            ids = [reading.id for reading in message.readings]
            acks = wire.dump(wire.Acks(v=wire.VERSION, ids=ids)).decode()
            self.news.append(f"acks {acks}")


def frames(draw: random.Random) -> list[Frame]:
    """What one device has in its memory: pressures, glucose with and without context."""
    found: list[Frame] = []
    for number in range(12):
        moment = date_time.of(NOON - timedelta(minutes=17 * number))
        systolic = float(draw.randint(90, 190))
        pressure = blood_pressure.BloodPressure(
            systolic=systolic, diastolic=80.0, mean_arterial=93.0, timestamp=moment
        )
        found.append(("2A35", blood_pressure.encode(pressure).hex()))
        sugar = glucose.Glucose(
            sequence=number,
            base_time=moment,
            concentration=draw.randint(60, 300) / 100_000,
            type=1,
            location=1,
            context_follows=number % 3 == 0,
        )
        found.append(("2A18", glucose.encode(sugar).hex()))
        if number % 3 == 0:
            context = glucose_context.GlucoseContext(sequence=number, meal=1)
            found.append(("2A34", glucose_context.encode(context).hex()))
    return found


def incarnation(outside: Outside, path: Path, fate: Doom | None, hours: int) -> bool:
    """Run one child to its end; whether it got everything done."""
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        ours.close()
        try:
            box(theirs, path, fate, hours)
        finally:
            os._exit(0)
    theirs.close()
    with ours:
        done = outside.serve(ours)
    os.waitpid(child, 0)
    return done


def scenario(seed: int, kills: int) -> dict[str, object]:
    """Kill a box so many times; then let it finish and compare."""
    outside = Outside(seed)
    stages: list[str] = []
    with tempfile.TemporaryDirectory(prefix="tidings-plug-", dir=MEMORY) as directory:
        path = Path(directory) / "outbox.db"
        hours = 0
        while len(stages) < kills:
            hours += 1
            if not incarnation(outside, path, doom(outside.random), hours):
                stages.append(outside.killed)
            elif not outside.on_device:
                outside.on_device = frames(outside.random)
                outside.produced += outside.on_device
        while not incarnation(outside, path, None, hours + 1):
            stages.append("died by itself")
    return verdict(seed, outside, stages)


def doom(draw: random.Random) -> Doom:
    """Any stage, early or late."""
    stage = draw.choice([*STAGES, None])
    return Doom(stage=stage, at=round(10 ** draw.uniform(0, 4 if stage is None else 2.5)))


def verdict(seed: int, outside: Outside, stages: list[str]) -> dict[str, object]:
    """What the server has against what the device produced; contexts travel with their record."""
    wanted = sorted({frame for frame in outside.produced if frame[0] != "2A34"})
    stored = sorted(frame for frame in outside.stored.values() if frame[0] != "2A34")
    told = {frame for char, frame in outside.stored.values() if char == "2A34"}
    contexts = {frame for char, frame in outside.produced if char == "2A34"}
    return {
        "seed": seed,
        "stages": stages,
        "lost": [frame for frame in wanted if frame not in stored],
        "doubled": len(stored) - len(set(stored)),
        "invented": [frame for frame in stored if frame not in wanted],
        "contexts_lost": sorted(contexts - told - set(outside.contexts)),
    }


if __name__ == "__main__":
    for number in range(int(sys.argv[1]), int(sys.argv[2])):
        sys.stdout.write(json.dumps(scenario(number, kills=int(sys.argv[3]))) + "\n")
        sys.stdout.flush()
