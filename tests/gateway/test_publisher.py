"""The publisher's decisions, with a sender that the test holds; real brokers: test_link."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from devices import wire
from gateway.backoff import Pace
from gateway.link import NOT_DELIVERED
from gateway.outbox import Visit
from gateway.publisher import IN_FLIGHT, WINDOW, Publisher
from tests.gateway.conftest import Disk, World

Frame = Callable[..., bytes]
PACE = Pace()


class FakeSender:
    """A connection that keeps what it is given."""

    def __init__(self) -> None:
        self.up = True
        self.sent: list[wire.Readings] = []
        self.given = asyncio.Event()

    def publish(self, channel: str, body: bytes, *, retain: bool = False) -> int | None:
        assert channel == "readings"
        assert not retain
        if not self.up:
            return None
        self.sent.append(wire.load_readings(body))
        self.given.set()
        return len(self.sent)

    def ids(self) -> list[UUID]:
        return [reading.id for message in self.sent for reading in message.readings]


@pytest.fixture
def sender() -> FakeSender:
    return FakeSender()


@pytest.fixture
async def publisher(disk: Disk, sender: FakeSender, world: World) -> Publisher:
    return Publisher(disk.outbox, sender, PACE, world.surroundings())


def catch(disk: Disk, frames: list[bytes], at: datetime) -> None:
    visit = disk.outbox.begin_visit(Visit(device="CUFF-1", clock_known=True, offset_s=0.0))
    for frame in frames:
        disk.outbox.catch(visit, "2A35", frame, at=at)
    disk.outbox.end_visit(visit)


def acks(ids: list[UUID]) -> bytes:
    return wire.dump(wire.Acks(v=wire.VERSION, ids=ids))


async def test_puback_alone_deletes_nothing(
    publisher: Publisher, disk: Disk, sender: FakeSender, world: World, cuff_frame: Frame
) -> None:
    catch(disk, [cuff_frame(world.now)], world.now)
    publisher.work()
    publisher.answered(1, 0)
    assert disk.outbox.depth().rows == 1
    assert publisher.acknowledged(acks(sender.ids())) == 1
    assert disk.outbox.depth().rows == 0
    assert publisher.counts.acknowledged == 1


async def test_sends_again_what_the_server_did_not_acknowledge(
    publisher: Publisher, disk: Disk, sender: FakeSender, world: World, cuff_frame: Frame
) -> None:
    catch(disk, [cuff_frame(world.now)], world.now)
    publisher.work()
    publisher.answered(1, 0)
    world.pass_seconds(29)
    publisher.work()
    assert len(sender.sent) == 1
    world.pass_seconds(1)
    publisher.work()
    assert len(sender.sent) == 2
    assert sender.sent[0] == sender.sent[1]


@pytest.mark.parametrize("code", [NOT_DELIVERED, 0x87, 0x97])
async def test_a_puback_that_says_nobody_got_it_is_followed_soon(
    publisher: Publisher, disk: Disk, sender: FakeSender, world: World, code: int
) -> None:
    catch(disk, [b"\x16"], world.now)
    publisher.work()
    publisher.answered(1, code)
    world.pass_seconds(2)
    publisher.work()
    assert len(sender.sent) == 2
    assert publisher.counts.undelivered == 1


async def test_without_a_connection_nothing_counts_as_sent(
    publisher: Publisher, disk: Disk, sender: FakeSender, world: World, cuff_frame: Frame
) -> None:
    sender.up = False
    catch(disk, [cuff_frame(world.now)], world.now)
    publisher.work()
    sender.up = True
    publisher.connected(session_present=True)
    publisher.work()
    assert len(sender.sent) == 1


async def test_never_more_messages_in_flight_than_agreed(
    publisher: Publisher, disk: Disk, sender: FakeSender, world: World, cuff_frame: Frame
) -> None:
    frames = [cuff_frame(world.now, 100 + number / 10) for number in range(IN_FLIGHT + 5)]
    catch(disk, frames, world.now)
    publisher.work()
    assert len(sender.sent) == IN_FLIGHT
    publisher.answered(1, 0)
    publisher.work()
    assert len(sender.sent) == IN_FLIGHT + 1


async def test_a_silent_server_is_not_flooded_but_a_live_reading_still_goes(
    publisher: Publisher, disk: Disk, sender: FakeSender, world: World, cuff_frame: Frame
) -> None:
    old = world.now - timedelta(days=2)
    catch(disk, [cuff_frame(old + timedelta(seconds=n)) for n in range(WINDOW + 200)], world.now)
    for mid in range(1, 100):
        publisher.work()
        publisher.answered(mid, 0)
    assert len(sender.ids()) == WINDOW
    catch(disk, [cuff_frame(world.now, 199)], world.now)
    publisher.work()
    assert sender.sent[-1].readings[0].value == 199


async def test_a_broker_that_forgot_us_gets_everything_again_at_once(
    publisher: Publisher, disk: Disk, sender: FakeSender, world: World, cuff_frame: Frame
) -> None:
    catch(disk, [cuff_frame(world.now)], world.now)
    publisher.work()
    publisher.connected(session_present=True)
    world.pass_seconds(2)
    publisher.work()
    assert len(sender.sent) == 1, "the broker still has it"
    publisher.connected(session_present=False)
    world.pass_seconds(2)
    publisher.work()
    assert len(sender.sent) == 2


async def test_wakes_when_something_is_caught(
    publisher: Publisher, disk: Disk, sender: FakeSender, world: World, cuff_frame: Frame
) -> None:
    running = asyncio.create_task(publisher.run())
    await asyncio.sleep(0)
    catch(disk, [cuff_frame(world.now)], world.now)
    publisher.wake()
    async with asyncio.timeout(5):
        await sender.given.wait()
    running.cancel()


async def test_an_acknowledgement_it_cannot_read_is_an_error(publisher: Publisher) -> None:
    with pytest.raises(wire.WireError):
        publisher.acknowledged(b'{"v":"1.0"}')
