"""Characteristics and descriptors of a connected device, as objects on the bus."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bumble.att import ATT_Error
from bumble.core import UUID
from bumble.gatt_client import CharacteristicProxy, DescriptorProxy
from dbus_fast import Variant

from gateway.simulated.bluez import names
from gateway.simulated.bluez.calls import (
    IN_PROGRESS,
    NOT_CONNECTED,
    NOT_PAIRED,
    NOT_SUPPORTED,
    NOTHING,
    BluezError,
    Call,
    Failure,
    Properties,
    Reply,
    unknown_method,
)
from gateway.simulated.bluez.tree import ObjectTree

T = TypeVar("T")

FLAGS = {
    "broadcast": 0x01,
    "read": 0x02,
    "write-without-response": 0x04,
    "write": 0x08,
    "notify": 0x10,
    "indicate": 0x20,
}
WRITABLE = 0x0C
NOTIFY = 0x10
SUBSCRIBABLE = 0x30
INSUFFICIENT_SECURITY = frozenset({0x05, 0x0C, 0x0F})
"""ATT errors: authentication, key size, encryption."""

Secure = Callable[[], Awaitable[bool]]


class Attribute:
    """One characteristic or descriptor; `secure` raises the link's security, if that is allowed."""

    def __init__(
        self, proxy: CharacteristicProxy[bytes] | DescriptorProxy, *, secure: Secure
    ) -> None:
        self._proxy = proxy
        self._secure = secure

    async def answer(self, call: Call) -> Reply:
        """Answer a call to this attribute."""
        match call.member:
            case "ReadValue":
                return Reply("ay", [bytes(await self.attempt(self._proxy.read_value))])
            case "WriteValue":
                await self._write(bytes(call.body[0]), call.body[1])
                return NOTHING
        raise unknown_method(call)

    async def attempt(self, request: Callable[[], Awaitable[T]]) -> T:
        """Make an ATT request; if the device wants more security, give it and ask once more."""
        try:
            return await request()
        except ATT_Error as error:
            if error.error_code not in INSUFFICIENT_SECURITY or not await self._secure():
                raise BluezError(_failure(error)) from error
        except asyncio.CancelledError as error:
            raise BluezError(NOT_CONNECTED) from error  # bumble cancels what a lost link leaves
        try:
            return await request()
        except ATT_Error as error:
            raise BluezError(_failure(error)) from error

    async def _write(self, value: bytes, options: Properties) -> None:
        kind = options["type"].value if "type" in options else "request"
        acknowledged = kind != "command"
        await self.attempt(lambda: self._proxy.write_value(value, with_response=acknowledged))


class RemoteCharacteristic(Attribute):
    """A characteristic: besides reads and writes, who is subscribed and how they are told."""

    def __init__(
        self,
        proxy: CharacteristicProxy[bytes],
        *,
        path: str,
        tree: ObjectTree,
        secure: Secure,
    ) -> None:
        super().__init__(proxy, secure=secure)
        self._characteristic = proxy
        self._path = path
        self._tree = tree
        self._subscribers: set[str] = set()
        self._acquired: dict[str, socket.socket] = {}

    async def answer(self, call: Call) -> Reply:
        """Answer a call to this characteristic."""
        match call.member:
            case "WriteValue" if not self._characteristic.properties & WRITABLE:
                raise BluezError(NOT_SUPPORTED)
            case "StartNotify":
                await self._start(call.sender)
                return NOTHING
            case "StopNotify":
                await self._stop(call.sender)
                return NOTHING
            case "AcquireNotify":
                return await self._acquire(call.sender)
        return await super().answer(call)

    async def forget(self, sender: str) -> None:
        """End the subscription of a client that left the bus."""
        if sender in self._subscribers:
            await self._stop(sender)

    def close(self) -> None:
        """The link is gone: close what clients read from."""
        for end in self._acquired.values():
            end.close()
        self._acquired.clear()
        self._subscribers.clear()

    async def _start(self, sender: str) -> None:
        if not self._characteristic.properties & SUBSCRIBABLE:
            raise BluezError(NOT_SUPPORTED)
        if sender in self._subscribers:
            raise BluezError(IN_PROGRESS)
        first = not self._subscribers
        self._subscribers.add(sender)
        if first:
            await self._subscribe(sender)
        self._show_notifying()

    async def _subscribe(self, sender: str) -> None:
        prefer_notify = bool(self._characteristic.properties & NOTIFY)
        try:
            await self.attempt(lambda: self._characteristic.subscribe(self._tell, prefer_notify))
        except BluezError:
            self._subscribers.discard(sender)
            raise

    async def _stop(self, sender: str) -> None:
        self._subscribers.discard(sender)
        end = self._acquired.pop(sender, None)
        if end is not None:
            end.close()
        if not self._subscribers:
            await self.attempt(lambda: self._characteristic.unsubscribe(self._tell))
        self._show_notifying()

    async def _acquire(self, sender: str) -> Reply:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)  # noqa: FBT003  the socket module has no name for it
        self._acquired[sender] = ours
        with theirs:
            await self._start(sender)
            mtu = self._characteristic.client.mtu
            return Reply("hq", [0, mtu], fds=(os.dup(theirs.fileno()),))

    def _tell(self, value: bytes) -> None:
        """A notification came: to those who acquired as packets, to all others as a signal."""
        for end in self._acquired.values():
            end.send(value)
        if self._subscribers - self._acquired.keys():
            self._tree.change(self._path, names.CHARACTERISTIC, {"Value": Variant("ay", value)})

    def _show_notifying(self) -> None:
        notifying = {"Notifying": Variant("b", bool(self._subscribers))}
        self._tree.change(self._path, names.CHARACTERISTIC, notifying)


def service_properties(uuid: UUID, device: str) -> Properties:
    """What GattService1 shows."""
    return {
        "UUID": Variant("s", long_form(uuid)),
        "Device": Variant("o", device),
        "Primary": Variant("b", True),  # noqa: FBT003  a D-Bus boolean
        "Includes": Variant("ao", []),
    }


def characteristic_properties(proxy: CharacteristicProxy[bytes], service: str) -> Properties:
    """What GattCharacteristic1 shows."""
    shown = {
        "UUID": Variant("s", long_form(proxy.uuid)),
        "Service": Variant("o", service),
        "Value": Variant("ay", b""),
        "Flags": Variant("as", [name for name, bit in FLAGS.items() if proxy.properties & bit]),
        "MTU": Variant("q", proxy.client.mtu),
    }
    if proxy.properties & SUBSCRIBABLE:
        shown["Notifying"] = Variant("b", False)  # noqa: FBT003  a D-Bus boolean
        shown["NotifyAcquired"] = Variant("b", False)  # noqa: FBT003  as above
    return shown


def descriptor_properties(proxy: DescriptorProxy, characteristic: str) -> Properties:
    """What GattDescriptor1 shows."""
    return {
        "UUID": Variant("s", long_form(proxy.type)),
        "Characteristic": Variant("o", characteristic),
        "Value": Variant("ay", b""),
        "Flags": Variant("as", []),
    }


def long_form(uuid: UUID) -> str:
    """A UUID as BlueZ writes it."""
    text = uuid.to_bytes(force_128=True)[::-1].hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def _failure(error: ATT_Error) -> Failure:
    """The reply that bluetoothd gives for an ATT error."""
    if error.error_code in INSUFFICIENT_SECURITY:
        return NOT_PAIRED
    code = f"{error.error_code:02x}"
    return {
        "02": Failure("NotPermitted", "Read not permitted"),
        "03": Failure("NotPermitted", "Write not permitted"),
        "06": NOT_SUPPORTED,
        "07": Failure("InvalidArguments", "Invalid offset"),
        "08": Failure("NotAuthorized", "Operation Not Authorized"),
        "0d": Failure("InvalidArguments", "Invalid Length"),
        "fd": Failure("ImproperlyConfigured", "Improperly Configured"),
    }.get(code, Failure("Failed", f"Operation failed with ATT error: 0x{code}"))
