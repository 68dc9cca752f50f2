"""`org.bluez` on one bus: takes every call, finds who answers it, and sends what they say."""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Coroutine, Mapping

from bumble.device import Device
from dbus_fast import Message, MessageType, RequestNameReply, Variant
from dbus_fast.aio import MessageBus

from gateway.simulated.bluez import names
from gateway.simulated.bluez.adapter import Adapter
from gateway.simulated.bluez.agents import Agents
from gateway.simulated.bluez.calls import (
    NOTHING,
    BluezError,
    Call,
    Failure,
    Reply,
    unknown_method,
)
from gateway.simulated.bluez.faults import Faults
from gateway.simulated.bluez.outlet import Outlet
from gateway.simulated.bluez.shared import Shared, Tempo
from gateway.simulated.bluez.tree import ObjectTree

CALLS_KEPT = 1000

log = logging.getLogger(__name__)

LEFT_THE_BUS = "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged'"
LEFT_ALONE = frozenset({names.PEER, names.INTROSPECTABLE})
"""Interfaces that dbus-fast answers itself."""


class BluezFront:
    """The virtual bluetoothd of one home."""

    def __init__(self, centrals: Mapping[str, Device], *, tempo: Tempo) -> None:
        self.faults = Faults()
        self.calls: deque[tuple[str, str]] = deque(maxlen=CALLS_KEPT)
        """The calls that came lately: member and path."""
        self._bus: MessageBus | None = None
        self._outlet = Outlet()
        self._sending: asyncio.Task[None] | None = None
        self._answering: set[asyncio.Task[None]] = set()
        self._tree = ObjectTree(self._outlet.put)
        self.agents = Agents(self._ask)
        self._tree.add(names.ROOT, {names.AGENTS: {}}, self.agents.answer)
        shared = Shared(tree=self._tree, agents=self.agents, faults=self.faults, tempo=tempo)
        self.adapters = {name: Adapter(name, central, shared) for name, central in centrals.items()}
        for adapter in self.adapters.values():
            adapter.appear()

    async def start(self, address: str) -> None:
        """Own `org.bluez` on the bus at `address`."""
        self._outlet.clear()
        bus = await MessageBus(bus_address=address, negotiate_unix_fd=True).connect()
        self._bus = bus
        bus.add_message_handler(self._take)
        await bus.call(_match(LEFT_THE_BUS))
        reply = await bus.request_name(names.SERVICE)
        if reply is not RequestNameReply.PRIMARY_OWNER:
            raise RuntimeError(f"{names.SERVICE} is already owned on {address}: {reply}")
        self._sending = asyncio.create_task(self._outlet.run(bus))

    async def stop(self) -> None:
        """Leave the bus; calls under way are dropped."""
        for adapter in self.adapters.values():
            adapter.forget_nothing_more()
        running = [*self._answering, *([self._sending] if self._sending is not None else [])]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        if self._bus is not None:
            self._bus.disconnect()
            with contextlib.suppress(EOFError, OSError):  # the bus may have died before
                await self._bus.wait_for_disconnect()  # type: ignore[no-untyped-call]  # dbus-fast
        self._bus = self._sending = None

    async def die(self) -> None:
        """End as bluetoothd does when its bus is gone: links and unbonded devices with it."""
        for adapter in self.adapters.values():
            await adapter.lose()
        await self.stop()

    async def revive(self, address: str) -> None:
        """Come back on a new bus with the adapters, and what was bonded."""
        await self.start(address)
        for adapter in self.adapters.values():
            adapter.appear()

    async def told(self) -> None:
        """Return when everything that happened so far has reached the bus."""
        await self._outlet.flushed()

    async def remove_device(self, address: str) -> None:
        """Let a device disappear from every adapter that saw it."""
        for adapter in self.adapters.values():
            if address in adapter.remotes:
                await adapter.remove_device(address)

    def _take(self, message: Message) -> bool:
        """Take a message off the bus; true if it is ours to answer."""
        if message.message_type is MessageType.SIGNAL:
            self._watch(message)
            return False
        if message.message_type is not MessageType.METHOD_CALL or message.interface in LEFT_ALONE:
            return False
        self._spawn(self._serve(message))
        return True

    def _watch(self, message: Message) -> None:
        """A client that left the bus leaves nothing behind but links."""
        if message.member == "NameOwnerChanged" and not message.body[2]:
            self._spawn(self._forget(message.body[0]))

    async def _forget(self, sender: str) -> None:
        self.agents.forget(sender)
        for adapter in self.adapters.values():
            await adapter.forget(sender)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _serve(self, message: Message) -> None:
        """Answer one call, whatever happens."""
        call = Call(
            path=message.path or "",
            interface=message.interface or "",
            member=message.member or "",
            sender=message.sender or "",
            body=message.body,
        )
        self.calls.append((call.member, call.path))
        try:
            reply = await self._answer(call)
        except BluezError as error:
            failure = error.failure
            self._outlet.put(Message.new_error(message, failure.full_name, failure.text))
        except Exception as error:  # a client must never wait for a reply that nobody sends
            log.exception("virtual bluetoothd failed at %s", call.member)
            failed = Failure("Failed", repr(error))
            self._outlet.put(Message.new_error(message, failed.full_name, failed.text))
        else:
            self._outlet.put(
                Message.new_method_return(message, reply.signature, reply.body, list(reply.fds))
            )

    async def _answer(self, call: Call) -> Reply:
        if call.interface == names.OBJECTS and call.member == "GetManagedObjects":
            return Reply("a{oa{sa{sv}}}", [self._tree.everything()])
        if call.interface == names.PROPERTIES:
            return await self._property(call)
        await self._go_wrong(call)
        answer = self._tree.answer(call.path)
        if call.interface not in self._tree.interfaces(call.path):
            raise unknown_method(call)
        return await answer(call)

    async def _go_wrong(self, call: Call) -> None:
        """Let the script have its way."""
        fault = self.faults.take(call.member, names.address_in(call.path))
        if fault is None:
            return
        await asyncio.sleep(fault.delay_s)
        if fault.failure is not None:
            if call.member == "Connect":
                self._fail_to_connect(call.path)
            raise BluezError(fault.failure)

    def _fail_to_connect(self, path: str) -> None:
        for adapter in self.adapters.values():
            for remote in adapter.remotes.values():
                if remote.path == path:
                    remote.fail_to_connect()

    async def _property(self, call: Call) -> Reply:
        properties = self._tree.interfaces(call.path)[str(call.body[0])]
        match call.member:
            case "Get":
                return Reply("v", [properties[str(call.body[1])]])
            case "GetAll":
                return Reply("a{sv}", [dict(properties)])
            case "Set":
                await self._set(call, str(call.body[1]), call.body[2])
                return NOTHING
        raise unknown_method(call)

    async def _set(self, call: Call, name: str, value: Variant) -> None:
        adapter = self.adapters.get(call.path.rsplit("/", 1)[-1])
        if adapter is not None and name == "Powered":
            await adapter.power(on=bool(value.value))
        else:
            self._tree.change(call.path, str(call.body[0]), {name: value})

    async def _ask(self, question: Message) -> Message | None:
        return None if self._bus is None else await self._bus.call(question)


def _match(rule: str) -> Message:
    return Message(
        destination=names.DAEMON,
        path=names.DAEMON_PATH,
        interface=names.DAEMON,
        member="AddMatch",
        signature="s",
        body=[rule],
    )
