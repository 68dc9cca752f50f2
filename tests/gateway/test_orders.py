"""What the box does when the server orders it, without a process around it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from devices import wire
from gateway.box import Box
from gateway.commands import RefusedError
from gateway.known import Device
from gateway.settings import build
from tests.gateway.conftest import World


@pytest.fixture
async def box(tmp_path: Path, world: World) -> AsyncIterator[Box]:
    plan = tmp_path / "plan.jsonl"
    plan.write_text("")
    tree = {
        "site": "s",
        "gateway": "gw-1",
        "outbox": str(tmp_path / "outbox.db"),
        "radio": {"recorded": str(plan)},
        "broker": {"username": "gw-1", "password": "first"},
        "devices": [{"identity": "SCALE-1"}],
    }
    box = Box(build(dict(tree)), world.surroundings())
    yield box
    box._parts.store.close()


def command(word: str, world: World, **more: object) -> wire.Command:
    body = {
        "v": "1.0",
        "id": "00000000-0000-0000-0000-000000000001",
        "command": word,
        "expires_at": (world.now + timedelta(minutes=1)).isoformat(),
        **more,
    }
    return wire.load(wire.msgspec.json.encode(body), wire.Command)


async def test_set_clock_waits_for_the_next_visit(box: Box, world: World) -> None:
    registry = box._parts.registry
    registry.remember(Device(identity="CUFF-1", model="and_ua_651ble"))
    assert await box._set_clock(command("set_clock", world, device="CUFF-1")) == "at the next visit"
    found = registry.get("CUFF-1")
    assert found is not None
    assert found.clock_wanted


@pytest.mark.parametrize("model", ["accu_chek_guide", "generic_weight", "unheard of", ""])
async def test_a_clock_that_is_not_ours_is_refused(box: Box, world: World, model: str) -> None:
    box._parts.registry.remember(Device(identity="M-1", model=model))
    with pytest.raises(RefusedError, match="not ours"):
        await box._set_clock(command("set_clock", world, device="M-1"))


async def test_a_rotated_password_is_kept_before_it_is_answered(box: Box, world: World) -> None:
    order = command("rotate_credential", world, arguments={"password": "second"})
    assert (await box._rotate(order)).startswith("kept")
    assert box._credentials.current() == ("gw-1", "second")
    with pytest.raises(RefusedError, match="no password"):
        await box._rotate(command("rotate_credential", world))


async def test_forget_takes_the_device_off_the_list(box: Box, world: World) -> None:
    box._parts.registry.remember(Device(identity="CUFF-1"))
    await box._forget(command("forget", world, device="CUFF-1"))
    assert box._parts.registry.all() == []
    with pytest.raises(RefusedError, match="not known"):
        await box._forget(command("forget", world, device="CUFF-1"))


async def test_a_device_that_is_only_listed_is_forgotten_too(box: Box, world: World) -> None:
    await box._forget(command("forget", world, device="SCALE-1"))
    assert box._listed() == ()
    with pytest.raises(RefusedError, match="not known"):
        await box._forget(command("forget", world, device="SCALE-1"))


async def test_a_message_that_is_not_understood_is_let_go(box: Box) -> None:
    for channel in ("acks", "commands", "something new"):
        box.heard(channel, b'{"v":"9.0"}')
        box.heard(channel, b"\xff")
