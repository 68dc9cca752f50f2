"""What a connected device offers: its services, discovered over the air, as objects on the bus."""

from bumble.device import Connection, Peer
from bumble.gatt_client import CharacteristicProxy, ServiceProxy

from gateway.simulated.bluez import names
from gateway.simulated.bluez.attribute import (
    Attribute,
    RemoteCharacteristic,
    Secure,
    characteristic_properties,
    descriptor_properties,
    long_form,
    service_properties,
)
from gateway.simulated.bluez.calls import Call, Reply, unknown_method
from gateway.simulated.bluez.tree import ObjectTree

MTU = 247
HIDDEN = frozenset({"00001800-0000-1000-8000-00805f9b34fb"})
"""bluetoothd keeps the generic access service to itself."""


class Resolved:
    """The attributes of one device while its link lasts."""

    def __init__(self, device: str, tree: ObjectTree, *, secure: Secure) -> None:
        self._device = device
        self._tree = tree
        self._secure = secure
        self._characteristics: list[RemoteCharacteristic] = []

    async def discover(self, connection: Connection, *, only_first: bool) -> None:
        """Ask the device what it has and show it; `only_first` stops half way."""
        peer = Peer(connection)
        await peer.request_mtu(MTU)
        await peer.discover_all()  # type: ignore[no-untyped-call]  # bumble left it unannotated
        shown = [each for each in peer.services if long_form(each.uuid) not in HIDDEN]
        for service in shown[:1] if only_first else shown:
            self._show_service(service)

    async def forget(self, sender: str) -> None:
        """End the subscriptions of a client that left the bus."""
        for characteristic in self._characteristics:
            await characteristic.forget(sender)

    def close(self) -> None:
        """The link is gone."""
        for characteristic in self._characteristics:
            characteristic.close()
        self._characteristics.clear()

    def _show_service(self, service: ServiceProxy) -> None:
        path = f"{self._device}/service{service.handle:04x}"
        properties = service_properties(service.uuid, self._device)
        self._tree.add(path, {names.GATT_SERVICE: properties}, _silent)
        for characteristic in service.characteristics:
            self._show_characteristic(characteristic, path)

    def _show_characteristic(self, proxy: CharacteristicProxy[bytes], service: str) -> None:
        path = f"{service}/char{proxy.handle - 1:04x}"  # bluetoothd counts from the declaration
        characteristic = RemoteCharacteristic(
            proxy, path=path, tree=self._tree, secure=self._secure
        )
        self._characteristics.append(characteristic)
        properties = characteristic_properties(proxy, service)
        self._tree.add(path, {names.CHARACTERISTIC: properties}, characteristic.answer)
        for descriptor in proxy.descriptors:
            below = f"{path}/desc{descriptor.handle:04x}"
            shown = descriptor_properties(descriptor, path)
            attribute = Attribute(descriptor, secure=self._secure)
            self._tree.add(below, {names.DESCRIPTOR: shown}, attribute.answer)


async def _silent(call: Call) -> Reply:
    """A service has no methods."""
    raise unknown_method(call)
