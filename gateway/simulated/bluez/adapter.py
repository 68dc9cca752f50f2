"""One Bluetooth adapter: `org.bluez.Adapter1`, who scans, and which devices were seen."""

import asyncio
import random

from bumble.device import Advertisement, Connection, Device
from bumble.pairing import PairingConfig
from dbus_fast import Variant

from gateway.simulated import adverts
from gateway.simulated.bluez import names
from gateway.simulated.bluez.calls import (
    DOES_NOT_EXIST,
    IN_PROGRESS,
    NOT_READY,
    NOTHING,
    BluezError,
    Call,
    Failure,
    Properties,
    Reply,
    unknown_method,
)
from gateway.simulated.bluez.remote import Remote, advertised
from gateway.simulated.bluez.shared import Radio, Shared

NO_DISCOVERY = Failure("Failed", "No discovery started")


class Adapter:
    """A central on the air, seen as hci0, hci1, ...; it can be switched off, lost and come back."""

    def __init__(self, name: str, central: Device, shared: Shared) -> None:
        self.name = name
        self.path = names.adapter_path(name)
        self.central = central
        self.remotes: dict[str, Remote] = {}
        self.scanners: set[str] = set()
        self.powered = True
        self._shared = shared
        self._tree = shared.tree
        self._radio = Radio(adapter=name, central=central)
        self._told_at: dict[str, float] = {}
        self._forgetting: dict[str, asyncio.TimerHandle] = {}
        self._random = random.Random(name)
        central.pairing_config_factory = self._pairing_config
        central.on(central.EVENT_ADVERTISEMENT, self._heard)

    @property
    def present(self) -> bool:
        """Whether the adapter is plugged in."""
        return self.path in self._tree

    def appear(self) -> None:
        """Plug the adapter in: it shows itself and the devices that are bonded."""
        self.powered = True
        shown = _properties(self.name, str(self.central.random_address).split("/")[0])
        self._tree.add(self.path, {names.ADAPTER: shown}, self.answer)
        self.remotes = {key: each for key, each in self.remotes.items() if each.bonded}
        for remote in self.remotes.values():
            remote.appear(adverts.Advert(), rssi=-127)

    async def lose(self) -> None:
        """Pull the adapter out: links break, and it is gone with every device below it."""
        await self._go_quiet()
        self._tree.remove(self.path)

    async def power(self, *, on: bool) -> None:
        """Switch the adapter on or off; off breaks its links."""
        if not on:
            await self._go_quiet()
        self.powered = on
        self._tree.change(self.path, names.ADAPTER, {"Powered": Variant("b", on)})

    async def answer(self, call: Call) -> Reply:
        """Answer a call to this adapter."""
        match call.member:
            case "SetDiscoveryFilter":
                pass
            case "StartDiscovery":
                await self._start_scanning(call.sender)
            case "StopDiscovery":
                await self._stop_scanning(call.sender)
            case "RemoveDevice":
                await self.remove_device(names.address_in(str(call.body[0])) or "")
            case _:
                raise unknown_method(call)
        return NOTHING

    async def remove_device(self, address: str) -> None:
        """Forget a device and its bond, in the middle of a session too."""
        remote = self.remotes.pop(address, None)
        if remote is None:
            raise BluezError(DOES_NOT_EXIST)
        await remote.forget()

    async def forget(self, sender: str) -> None:
        """End what a client that left the bus had started; links stay, as with bluetoothd."""
        if sender in self.scanners:
            await self._stop_scanning(sender)
        for remote in list(self.remotes.values()):
            await remote.resolved.forget(sender)

    def forget_nothing_more(self) -> None:
        """Stop the clocks after which silent devices are forgotten."""
        for timer in self._forgetting.values():
            timer.cancel()
        self._forgetting.clear()

    async def _start_scanning(self, sender: str) -> None:
        if not self.powered:
            raise BluezError(NOT_READY)
        if sender in self.scanners:
            raise BluezError(IN_PROGRESS)
        self.scanners.add(sender)
        if not self.central.is_scanning:
            await self.central.start_scanning(filter_duplicates=False)
        self._show_discovering()

    async def _stop_scanning(self, sender: str) -> None:
        if sender not in self.scanners:
            raise BluezError(NO_DISCOVERY)
        self.scanners.discard(sender)
        if not self.scanners:
            await self.central.stop_scanning()
            for remote in self.remotes.values():
                self._tree.change(remote.path, names.DEVICE, {}, dropped=["RSSI"])
        self._show_discovering()

    async def _go_quiet(self) -> None:
        for remote in list(self.remotes.values()):
            await remote.disconnect()
        if self.central.is_scanning:
            await self.central.stop_scanning()
        self.scanners.clear()
        self.forget_nothing_more()
        self._show_discovering()

    def _show_discovering(self) -> None:
        discovering = {"Discovering": Variant("b", bool(self.scanners))}
        self._tree.change(self.path, names.ADAPTER, discovering)

    def _heard(self, heard: Advertisement) -> None:
        """An advert came: show a new device at once, a known one not too often."""
        if not self.scanners:
            return
        key = heard.address.to_string(with_type_qualifier=False)
        remote = self.remotes.get(key)
        if remote is None:
            remote = self.remotes[key] = Remote(self._radio, self._shared, heard.address)
        now = asyncio.get_running_loop().time()
        soon = self._told_at.get(key, 0) + self._shared.tempo.advert_every_s
        if remote.path in self._tree and now < soon:
            return
        self._told_at[key] = now
        self._remember(key)
        self._tell(remote, adverts.load(heard.data_bytes))

    def _remember(self, key: str) -> None:
        """Put off the moment when this device is forgotten."""
        if key in self._forgetting:
            self._forgetting[key].cancel()
        loop, after = asyncio.get_running_loop(), self._shared.tempo.forget_after_s
        self._forgetting[key] = loop.call_later(after, self._forget_silent, key)

    def _forget_silent(self, key: str) -> None:
        """As bluetoothd does with devices that nobody paired or connected."""
        self._forgetting.pop(key)
        remote = self.remotes.get(key)
        if remote is not None and remote.is_temporary:
            del self.remotes[key]
            self._tree.remove(remote.path)

    def _tell(self, remote: Remote, advert: adverts.Advert) -> None:
        rssi = self._random.randint(-70, -50)
        if remote.path not in self._tree:
            remote.appear(advert, rssi)
            return
        shown = self._tree.interfaces(remote.path)[names.DEVICE]
        now = advertised(remote.address, advert, rssi)
        changed = {name: value for name, value in now.items() if shown.get(name) != value}
        if changed:
            self._tree.change(remote.path, names.DEVICE, changed)

    def _pairing_config(self, connection: Connection) -> PairingConfig:
        key = connection.peer_address.to_string(with_type_qualifier=False)
        return self.remotes[key].pairing_config()


def _properties(name: str, address: str) -> Properties:
    return {
        "Address": Variant("s", address),
        "AddressType": Variant("s", "public"),
        "Name": Variant("s", f"virtual {name}"),
        "Alias": Variant("s", f"virtual {name}"),
        "Powered": Variant("b", True),  # noqa: FBT003  a D-Bus boolean
        "Discovering": Variant("b", False),  # noqa: FBT003  as above
        "Pairable": Variant("b", True),  # noqa: FBT003  as above
        "Roles": Variant("as", ["central", "peripheral"]),
    }
