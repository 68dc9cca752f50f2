"""What bleak does not do with BlueZ: list adapters, forget a device, register our pairing agent."""

import structlog
from dbus_fast import BusType, Message, MessageType
from dbus_fast.aio import MessageBus

from gateway.agent import CAPABILITY, PATH, PairingAgent

log = structlog.get_logger()

_SERVICE = "org.bluez"
_ROOT = "/org/bluez"
_AGENTS = "org.bluez.AgentManager1"
_ADAPTER = "org.bluez.Adapter1"


class BluezError(OSError):
    """BlueZ, or the bus on which it should be, did not do what was asked."""


class Bluez:
    """Our own connection to the system bus, opened again when it broke."""

    def __init__(self, agent: PairingAgent) -> None:
        self._agent = agent
        self._bus: MessageBus | None = None

    async def prepare(self) -> None:
        """Be connected, with our agent registered as the default one."""
        if self._bus is not None and self._bus.connected:
            return
        try:
            bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
        except Exception as error:
            raise BluezError(f"no system bus: {error}") from error
        bus.export(PATH, self._agent)
        self._bus = bus
        try:
            await self._call(_ROOT, _AGENTS, "RegisterAgent", "os", PATH, CAPABILITY)
            await self._call(_ROOT, _AGENTS, "RequestDefaultAgent", "o", PATH)
        except BluezError:
            self.close()
            raise

    async def adapters(self) -> dict[str, str]:
        """Return the names (hci0) and addresses of the adapters that are there and on."""
        reply = await self._call("/", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
        found = {}
        for path, interfaces in reply.body[0].items():
            adapter = interfaces.get(_ADAPTER)
            if adapter is not None and adapter["Powered"].value:
                found[path.rsplit("/", 1)[-1]] = str(adapter["Address"].value)
        return found

    async def remove_device(self, adapter: str, address: str) -> None:
        """Forget a device and its bond; one that is not there is fine."""
        path = f"{_ROOT}/{adapter}/dev_{address.upper().replace(':', '_')}"
        try:
            await self._call(f"{_ROOT}/{adapter}", _ADAPTER, "RemoveDevice", "o", path)
        except BluezError as error:
            log.info("device_not_removed", address=address, error=str(error))

    def close(self) -> None:
        """Leave the bus; BlueZ drops our agent."""
        if self._bus is not None:
            self._bus.disconnect()
            self._bus = None

    async def _call(
        self, path: str, interface: str, member: str, signature: str = "", *body: str
    ) -> Message:
        if self._bus is None:
            raise BluezError("not connected to the system bus")
        message = Message(
            destination=_SERVICE,
            path=path,
            interface=interface,
            member=member,
            signature=signature,
            body=list(body),
        )
        try:
            reply = await self._bus.call(message)
        except (OSError, EOFError) as error:
            raise BluezError(f"{member}: {error}") from error
        if reply.message_type is MessageType.ERROR:
            raise BluezError(f"{member}: {reply.error_name}")
        return reply
