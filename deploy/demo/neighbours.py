"""The homes that do not measure live: `python -m deploy.demo.neighbours`.

Each box says every minute that it is well, two are silent, and one morning's readings need a
person's eye: a scale that two people use, and a frame that is cut short. All over the real broker.
"""

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from deploy.demo import history, homes
from deploy.demo.clinic import SITE, Resident, residents
from deploy.demo.seed import SEED
from devices import wire
from devices.reading import Capture, reading_id

BEAT_S = 60.0
AGAIN_S = 5.0
VERSION = "0.1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One message of one home."""

    gateway: str
    channel: str
    body: bytes

    @property
    def topic(self) -> str:
        """Where it is published."""
        return f"tidings/v1/{SITE}/{self.gateway}/{self.channel}"


def beats(people: Sequence[Resident], now: datetime) -> Iterator[Said]:
    """Yield what every neighbour's box says of itself now."""
    for person in people:
        gateway = homes.gateway_of(person)
        if gateway in homes.LIVING_AT:
            continue
        silent = gateway in homes.UNPLUGGED
        status = wire.Status(
            v=wire.VERSION,
            gateway=gateway,
            state="offline" if silent else "online",
            at=now,
            version=VERSION,
            devices=[] if silent else _devices(person, now),
        )
        yield Said(gateway=gateway, channel="status", body=wire.dump(status))


def _devices(person: Resident, now: datetime) -> list[wire.DeviceState]:
    return [
        wire.DeviceState(
            device=history.device_of(person, kind),
            model=homes.MODELS[kind],
            last_seen=now - timedelta(minutes=7 * person.number % 300),
            battery=homes.battery_of(person, kind),
            rssi=-60 - person.number % 20,
            bonded=True,
        )
        for kind in person.cohort.kinds
    ]


def doubtful(people: Sequence[Resident], now: datetime) -> Iterator[Said]:
    """Yield the two readings of this morning that a person must look at."""
    owner, other = (people[number - 1] for number in homes.COUPLE)
    between = (owner.usual["weight"] + other.usual["weight"]) / 2
    at = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
    whole = _as_sent(history.measure(owner, "weight", at, {"weight": between}))
    yield _readings(owner, whole)
    cut = bytes.fromhex(whole.frame)[:2]
    lost = wire.WireReading(
        id=reading_id(
            Capture(device_id=_scale(owner), characteristic=whole.char, frame=cut, captured_at=at),
            None,
        ),
        char=whole.char,
        frame=cut.hex(),
        at=at,
        status="unreadable",
        reason="the frame ends before its weight",
    )
    yield _readings(owner, lost)


def _as_sent(past: history.Past) -> wire.WireReading:
    said = past.reading
    return wire.WireReading(
        id=reading_id(past.capture, said),
        char=past.capture.characteristic,
        frame=past.capture.frame.hex(),
        at=past.measured_at,
        kind=said.kind,
        value=said.value,
        original_value=said.original_value,
        original_unit=said.original_unit,
        device_time=said.device_time,
    )


def _readings(person: Resident, reading: wire.WireReading) -> Said:
    gateway = homes.gateway_of(person)
    message = wire.Readings(
        v=wire.VERSION,
        gateway=gateway,
        device=_scale(person),
        model=homes.MODELS["weight"],
        readings=[reading],
    )
    return Said(gateway=gateway, channel="readings", body=wire.dump(message))


def _scale(person: Resident) -> str:
    return history.device_of(person, "weight")


def main() -> None:
    """Publish for as long as the demo runs; readings until they are acknowledged, as a box does."""
    people = residents(seed=SEED, today=datetime.now(UTC).date())
    waiting = {each.body: each for each in doubtful(people, datetime.now(UTC))}
    acks = {each.topic.replace("/readings", "/acks") for each in waiting.values()}
    client = Client(
        CallbackAPIVersion.VERSION2, "demo-neighbours", protocol=MQTTProtocolVersion.MQTTv5
    )
    client.user_data_set(acks)
    client.on_connect = listen
    client.on_message = lambda _, __, message: forget(waiting, bytes(message.payload))
    client.connect(os.environ["TIDINGS_BROKER_HOST"], int(os.environ["TIDINGS_BROKER_PORT"]))
    client.loop_start()
    while True:
        for each in [*waiting.values(), *beats(people, datetime.now(UTC))]:
            client.publish(each.topic, each.body, qos=1, retain=each.channel == "status")
        time.sleep(AGAIN_S if waiting else BEAT_S)


def listen(client: Client, acks: set[str], *_: object) -> None:
    """Ask for the acknowledgements, at every connect."""
    client.subscribe([(topic, 1) for topic in acks])


def forget(waiting: dict[bytes, Said], body: bytes) -> None:
    """Drop the readings that the server has."""
    known = set(wire.load(body, wire.Acks).ids)
    for sent in [s for s in list(waiting) if wire.load_readings(s).readings[0].id in known]:
        waiting.pop(sent, None)


if __name__ == "__main__":
    main()
