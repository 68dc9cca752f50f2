"""The air of one home: every radio on it hears every other. No radio waves, no other home."""

import random

from bumble.controller import Controller
from bumble.device import Device, DeviceConfiguration
from bumble.hci import Address
from bumble.keys import MemoryKeyStore
from bumble.link import LocalLink
from bumble.transport.common import AsyncPipeSink

from gateway.simulated.controller import GivingUpController


class Air:
    """A link between virtual controllers; `seed` makes every radio's keys repeatable."""

    def __init__(self, *, seed: int = 0) -> None:
        self._link = LocalLink()  # type: ignore[no-untyped-call]  # bumble left it unannotated
        self._random = random.Random(seed)
        self._radios: dict[Device, Controller] = {}

    def radio(self, name: str, address: str) -> Device:
        """Put one more radio on the air; it is silent until it is powered on."""
        controller = GivingUpController(name, link=self._link, public_address=address)
        configuration = DeviceConfiguration(
            name=name, address=Address(address), irk=self._random.randbytes(16)
        )
        device = Device.from_config_with_hci(configuration, controller, AsyncPipeSink(controller))
        device.keystore = MemoryKeyStore()
        self._radios[device] = controller
        return device

    async def remove(self, radio: Device) -> None:
        """Take one radio off the air; its links break."""
        controller = self._radios.pop(radio)
        if radio.powered_on:
            await radio.stop_advertising()
            await radio.power_off()
        self._link.remove_controller(controller)

    async def close(self) -> None:
        """Take every radio off the air."""
        for radio in list(self._radios):
            await self.remove(radio)
