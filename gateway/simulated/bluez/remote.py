"""One device as one adapter sees it: `org.bluez.Device1`, its link, and what hangs below it."""

import asyncio
import contextlib

from bumble import core, hci
from bumble.device import Connection
from bumble.pairing import PairingConfig
from dbus_fast import Variant

from gateway.simulated.adverts import Advert
from gateway.simulated.bluez import names, pairing
from gateway.simulated.bluez.calls import (
    ABORTED_BY_LOCAL,
    ALREADY_EXISTS,
    AUTHENTICATION_FAILED,
    IN_PROGRESS,
    NOTHING,
    BluezError,
    Call,
    Properties,
    Reply,
    unknown_method,
)
from gateway.simulated.bluez.resolved import Resolved
from gateway.simulated.bluez.shared import Radio, Shared

CANCEL_AGAIN_S = 0.05
"""An attempt can be cancelled only when the controller has begun it."""

LINK_ERRORS = (core.BaseBumbleError, core.InvalidStateError, hci.HCI_Error, TimeoutError)


class Remote:
    """A device that was seen; it outlives its links."""

    def __init__(self, radio: Radio, shared: Shared, address: hci.Address) -> None:
        self._radio = radio
        self._shared = shared
        self.hci_address = address
        self.address = address.to_string(with_type_qualifier=False)
        self.path = names.device_path(radio.adapter, self.address)
        self.bonded = False
        self.connection: Connection | None = None
        self.resolved = Resolved(self.path, shared.tree, secure=self.secure)
        self._choosing = False
        self._given_up = asyncio.Event()
        self._connecting: asyncio.Task[Connection] | None = None
        self._resolving: asyncio.Task[None] | None = None

    @property
    def is_temporary(self) -> bool:
        """Nothing but a recent advert speaks for keeping it."""
        return not self.bonded and self.connection is None and self._connecting is None

    def appear(self, advert: Advert, rssi: int) -> None:
        """Show the device on the bus."""
        shown = _identity(self, names.adapter_path(self._radio.adapter))
        shown |= advertised(self.address, advert, rssi)
        self._shared.tree.add(self.path, {names.DEVICE: shown}, self.answer)

    async def answer(self, call: Call) -> Reply:
        """Answer a call to this device."""
        match call.member:
            case "Connect":
                await self.connect()
            case "Disconnect":
                await self.disconnect()
            case "Pair":
                await self.pair()
            case "CancelPairing":
                await self.disconnect()
            case _:
                raise unknown_method(call)
        return NOTHING

    async def connect(self) -> None:
        """Set up the link and start looking at what the device offers; ready or not, return."""
        if self.connection is not None:
            return
        if self._connecting is not None:
            raise BluezError(IN_PROGRESS)
        self._given_up.clear()
        self._connecting = asyncio.create_task(self._dial())
        try:
            self._linked(await self._connecting)
        except (*LINK_ERRORS, asyncio.CancelledError) as error:
            self.fail_to_connect()
            raise BluezError(ABORTED_BY_LOCAL) from error
        finally:
            self._connecting = None

    async def disconnect(self) -> None:
        """End the link, or the attempt at one."""
        if self._connecting is not None:
            self._given_up.set()
            await asyncio.wait([self._connecting])
        if self.connection is not None:
            with contextlib.suppress(*LINK_ERRORS):
                await self.connection.disconnect()

    async def pair(self) -> None:
        """Pair and bond, with the agent's help; connect first if need be."""
        if self.bonded:
            raise BluezError(ALREADY_EXISTS)
        if self._choosing:
            raise BluezError(IN_PROGRESS)
        await self.connect()
        if not await self._bond(chosen=True):
            raise BluezError(AUTHENTICATION_FAILED)

    async def secure(self) -> bool:
        """Bond because an attribute asks for it, if there is an agent to allow it."""
        if self.bonded or self._shared.agents.current is None:
            return False
        return await self._bond(chosen=False)

    async def forget(self) -> None:
        """Drop link, bond and object, as RemoveDevice does."""
        await self.disconnect()
        self.bonded = False
        keys = self._radio.central.keystore
        if keys is not None:
            await keys.delete(str(self.hci_address))
        self._shared.tree.remove(self.path)

    def fail_to_connect(self) -> None:
        """Show a link that came and went: bleak waits for that after a failed Connect."""
        for connected in (True, False):
            self._show({"Connected": Variant("b", connected)})

    def pairing_config(self) -> PairingConfig:
        """How bumble is to pair with this device now."""
        return pairing.pairing_config(self._shared.agents, self.path, chosen=self._choosing)

    async def _dial(self) -> Connection:
        """Wait for our turn, then for the device to advertise, unless somebody gives up."""
        central, timeout = self._radio.central, self._shared.tempo.connect_timeout_s
        async with self._radio.dialling:
            dialled = asyncio.create_task(central.connect_le(self.hci_address, timeout=timeout))
            given_up = asyncio.create_task(self._given_up.wait())
            await asyncio.wait([dialled, given_up], return_when=asyncio.FIRST_COMPLETED)
            given_up.cancel()
            while not dialled.done():
                with contextlib.suppress(hci.HCI_Error):
                    await central.cancel_connection()  # type: ignore[no-untyped-call]  # bumble
                await asyncio.wait([dialled], timeout=CANCEL_AGAIN_S)
            return dialled.result()

    def _linked(self, connection: Connection) -> None:
        self.connection = connection
        connection.on(connection.EVENT_DISCONNECTION, self._unlinked)
        self._show({"Connected": Variant("b", True)})  # noqa: FBT003  a D-Bus boolean
        self._resolving = asyncio.create_task(self._resolve(connection))

    async def _resolve(self, connection: Connection) -> None:
        """Encrypt with the bond we have, then show what the device offers."""
        half = self._shared.faults.take_half_resolved(self.address)
        try:
            async with asyncio.timeout(self._shared.tempo.resolve_timeout_s):
                if self.bonded:
                    await connection.encrypt()
                await self.resolved.discover(connection, only_first=half)
        except (*LINK_ERRORS, asyncio.CancelledError):
            half = True
        if half:
            await self.disconnect()
        elif self.connection is connection:
            self._show({"ServicesResolved": Variant("b", True)})  # noqa: FBT003  as above

    def _unlinked(self, _reason: int) -> None:
        if self._resolving is not None and self.connection is not None:
            self._resolving.cancel()
        self.connection = None
        self._show({name: Variant("b", False) for name in ("ServicesResolved", "Connected")})  # noqa: FBT003  as above
        self.resolved.close()
        self._shared.tree.remove_below(self.path)

    async def _bond(self, *, chosen: bool) -> bool:
        """Run the pairing protocol; whether there is a bond now."""
        connection = self.connection
        if connection is None:
            return False
        self._choosing = chosen
        try:
            await connection.cancel_on_disconnection(connection.pair())
        except (*LINK_ERRORS, asyncio.CancelledError):
            return False
        finally:
            self._choosing = False
        self.bonded = True
        self._show({name: Variant("b", True) for name in ("Paired", "Bonded")})  # noqa: FBT003  as above
        return True

    def _show(self, changed: Properties) -> None:
        self._shared.tree.change(self.path, names.DEVICE, changed)


def advertised(address: str, advert: Advert, rssi: int) -> Properties:
    """The properties that come from advertising."""
    shown = {
        "Alias": Variant("s", advert.name or address.replace(":", "-")),
        "UUIDs": Variant("as", list(advert.services)),
        "RSSI": Variant("n", rssi),
    }
    if advert.name:
        shown["Name"] = Variant("s", advert.name)
    if advert.flags is not None:
        shown["AdvertisingFlags"] = Variant("ay", bytes([advert.flags]))
    if advert.manufacturer is not None:
        company, body = advert.manufacturer
        shown["ManufacturerData"] = Variant("a{qv}", {company: Variant("ay", body)})
    return shown


def _identity(remote: Remote, adapter: str) -> Properties:
    """The properties that do not come from advertising."""
    states = dict.fromkeys(("Connected", "ServicesResolved", "Trusted", "Blocked"), False)
    states |= {"Paired": remote.bonded, "Bonded": remote.bonded, "LegacyPairing": False}
    shown = {name: Variant("b", state) for name, state in states.items()}
    kind = "public" if remote.hci_address.is_public else "random"
    return shown | {
        "Address": Variant("s", remote.address),
        "AddressType": Variant("s", kind),
        "Adapter": Variant("o", adapter),
    }
