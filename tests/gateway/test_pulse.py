import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from devices import wire
from gateway.events import Trouble, Word
from gateway.heartbeat import Radio
from gateway.metrics import Metrics
from gateway.outbox import Visit
from gateway.publisher import Publisher
from gateway.pulse import Body, Pulse
from gateway.settings import build
from tests.gateway.conftest import Disk, World

SETTINGS = build(
    {
        "site": "s",
        "gateway": "gw-1",
        "heartbeat_s": 0.01,
        "devices": [{"identity": "CUFF-1", "expected_every_hours": 24}],
    }
)


class FakeSource:
    """A radio that is as the test says."""

    def __init__(self) -> None:
        self.standing: list[Trouble] = []
        self.noted = 0

    def radio(self) -> Radio:
        return "down" if self.standing else "ok"

    def troubles(self) -> list[Trouble]:
        return self.standing

    def note_sightings(self) -> None:
        self.noted += 1


class Nobody:
    """A link without a connection."""

    def publish(self, channel: str, body: bytes, *, retain: bool = False) -> int | None:
        del channel, body, retain


class Patient:
    """A pulse with everything around it."""

    def __init__(self, disk: Disk, world: World) -> None:
        self.disk, self.world = disk, world
        self.source = FakeSource()
        self.said: list[wire.Status] = []
        self.metrics = Metrics(0)
        around = world.surroundings()
        self.body = Body(
            settings=SETTINGS,
            around=around,
            outbox=disk.outbox,
            registry=disk.registry,
            publisher=Publisher(disk.outbox, Nobody(), SETTINGS.pace, around),
            source=self.source,
            metrics=self.metrics,
            version="0.1.0",
            say=lambda body: self.said.append(wire.load(body, wire.Status)),
        )
        self.pulse = Pulse(self.body)

    def events(self) -> list[str]:
        found = []
        while (parcel := self.disk.outbox.next_parcel(self.world.now)) is not None:
            found.append(wire.load(parcel.body, wire.Event).event)
            self.disk.outbox.acknowledge(parcel.ids)
        return found


@pytest.fixture
async def patient(disk: Disk, world: World) -> Patient:
    return Patient(disk, world)


async def test_a_healthy_box_says_so_and_raises_nothing(patient: Patient) -> None:
    patient.pulse.beat()
    assert [(s.state, s.radio, s.outbox_depth) for s in patient.said] == [("online", "ok", 0)]
    assert patient.events() == []
    assert patient.source.noted == 1


async def test_troubles_become_events_in_the_outbox_once(patient: Patient) -> None:
    patient.source.standing = [Trouble(word=Word.RADIO_DOWN)]
    patient.world.synced = False
    patient.world.disk_free_mb = 100
    for _ in range(3):
        patient.pulse.beat()
        patient.world.pass_seconds(60)
    assert sorted(patient.events()) == ["disk_low", "gateway_clock", "radio_down"]
    assert patient.said[-1].radio == "down"


async def test_a_device_that_is_not_used_is_missed(patient: Patient) -> None:
    patient.pulse.beat()
    patient.world.now += timedelta(hours=25)
    patient.pulse.beat()
    assert patient.events() == ["device_unseen"]


async def test_a_device_that_was_forgotten_is_not_missed(patient: Patient) -> None:
    patient.pulse.beat()
    patient.disk.registry.forget("CUFF-1")
    patient.world.now += timedelta(hours=25)
    patient.pulse.beat()
    assert patient.events() == []


async def test_beats_at_its_interval_and_when_asked(patient: Patient) -> None:
    running = asyncio.create_task(patient.pulse.run())
    await beats(patient, 2)
    patient.pulse._body = replace(patient.body, settings=replace(SETTINGS, heartbeat_s=3600))
    await beats(patient, 3)
    count = len(patient.said)
    patient.pulse.soon()
    await beats(patient, count + 1)
    running.cancel()


async def beats(patient: Patient, count: int) -> None:
    """Wait for so many heartbeats."""
    async with asyncio.timeout(10):
        while len(patient.said) < count:  # noqa: ASYNC110  the pulse itself has no event to await
            await asyncio.sleep(0.005)


async def test_the_gauges_show_the_same(patient: Patient, cuff_frame: Callable[..., bytes]) -> None:
    visit = patient.disk.outbox.begin_visit(Visit(device="CUFF-1"))
    patient.disk.outbox.catch(visit, "2A35", cuff_frame(patient.world.now), at=patient.world.now)
    patient.world.pass_seconds(90)
    patient.pulse.beat()
    shown = patient.metrics.registry.get_sample_value
    assert shown("tidings_gateway_outbox_rows") == 1
    assert shown("tidings_gateway_outbox_oldest_seconds") == 90
    assert shown("tidings_gateway_radio_up") == 1
    assert shown("tidings_gateway_clock_synced") == 1
