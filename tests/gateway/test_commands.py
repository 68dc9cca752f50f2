import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from devices import wire
from devices.wire import Command, Result
from gateway.commands import Commands, Orders, RefusedError
from tests.gateway.conftest import Disk, World


class Crew:
    """Carries out orders and remembers them."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.hold: asyncio.Event | None = None

    async def obey(self, command: Command) -> str:
        self.done.append(command.command)
        if self.hold is not None:
            await self.hold.wait()
        return "done"

    async def refuse(self, _: Command) -> str:
        raise RefusedError("not now")

    async def fail(self, _: Command) -> str:
        raise ZeroDivisionError

    def orders(self) -> Orders:
        return Orders(
            pair=self.obey,
            forget=self.refuse,
            set_clock=self.fail,
            report_now=self.obey,
            rotate_credential=self.obey,
        )


class Ward:
    """Commands with a server that hears the answers, when there is a connection."""

    def __init__(self, disk: Disk, world: World) -> None:
        self.disk, self.world = disk, world
        self.crew = Crew()
        self.up = True
        self.answers: list[Result] = []
        self.start()

    def start(self) -> None:
        around = self.world.surroundings()
        self.commands = Commands(self.disk.store, self.crew.orders(), around, self.answer)

    def answer(self, body: bytes) -> int | None:
        if not self.up:
            return None
        self.answers.append(wire.load(body, Result))
        return len(self.answers)

    async def settle(self) -> None:
        await asyncio.gather(*self.commands._running.values())


@pytest.fixture
async def ward(disk: Disk, world: World) -> AsyncIterator[Ward]:
    ward = Ward(disk, world)
    yield ward
    await ward.commands.stop()


def command(now: datetime, number: int = 1, word: str = "report_now") -> Command:
    body = {
        "v": "1.0",
        "id": str(UUID(int=number)),
        "command": word,
        "expires_at": (now + timedelta(minutes=10)).isoformat(),
        "passkey": "123456",
    }
    return wire.load(wire.msgspec.json.encode(body), Command)


async def test_is_carried_out_once_however_often_it_comes(ward: Ward, noon: datetime) -> None:
    for _ in range(3):
        ward.commands.take(command(noon))
    await ward.settle()
    ward.commands.take(command(noon))
    assert ward.crew.done == ["report_now"]
    assert [(a.ok, a.reason) for a in ward.answers] == [(True, "done")] * 2


async def test_is_answered_alike_after_a_restart(ward: Ward, noon: datetime) -> None:
    ward.commands.take(command(noon))
    await ward.settle()
    ward.disk.restart()
    ward.start()
    ward.commands.take(command(noon))
    assert ward.crew.done == ["report_now"]
    assert ward.answers[0] == ward.answers[1]


async def test_one_cut_off_by_a_restart_is_taken_up_again(ward: Ward, noon: datetime) -> None:
    ward.crew.hold = asyncio.Event()
    ward.commands.take(command(noon, word="pair"))
    await asyncio.sleep(0)
    await ward.commands.stop()
    ward.disk.restart()
    ward.crew.hold = None
    ward.start()
    ward.commands.resume()
    await ward.settle()
    assert ward.crew.done == ["pair", "pair"]
    assert [a.ok for a in ward.answers] == [True]


async def test_never_after_it_expired(ward: Ward, noon: datetime) -> None:
    ward.world.pass_seconds(600)
    ward.commands.take(command(noon))
    await ward.settle()
    assert ward.crew.done == []
    assert [(a.ok, a.reason) for a in ward.answers] == [(False, "expired")]


@pytest.mark.parametrize(
    ("word", "reason"), [("forget", "not now"), ("set_clock", "failed: ZeroDivisionError")]
)
async def test_what_goes_wrong_is_answered_too(
    ward: Ward, noon: datetime, word: str, reason: str
) -> None:
    ward.commands.take(command(noon, word=word))
    await ward.settle()
    assert [(a.ok, a.reason) for a in ward.answers] == [(False, reason)]


async def test_an_answer_without_a_connection_is_given_later_and_once(
    ward: Ward, noon: datetime
) -> None:
    ward.up = False
    ward.commands.take(command(noon))
    await ward.settle()
    ward.up = True
    ward.commands.resume()
    ward.commands.resume()
    assert len(ward.answers) == 1


async def test_the_disk_forgets_old_commands(ward: Ward, noon: datetime) -> None:
    ward.commands.take(command(noon))
    await ward.settle()
    ward.world.pass_seconds(32 * 86_400)
    ward.commands.resume()
    assert ward.disk.store.run("command_result", UUID(int=1).bytes) == []
