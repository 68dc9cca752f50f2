"""The device's side of pairing: no number, or a passkey on its display or label."""

from collections.abc import Callable

from bumble.pairing import PairingConfig, PairingDelegate

from gateway.simulated.peripherals.behaviour import Behaviour, Bonding


class DeviceDelegate(PairingDelegate):
    """Answers for a device with (at most) a display; `willing` says whether it pairs now."""

    def __init__(self, behaviour: Behaviour, willing: Callable[[], bool]) -> None:
        shows = behaviour.bonding is Bonding.PASSKEY
        super().__init__(
            io_capability=self.DISPLAY_OUTPUT_ONLY if shows else self.NO_OUTPUT_NO_INPUT
        )
        self._passkey = behaviour.passkey
        self._willing = willing

    async def accept(self) -> bool:
        """Pair only when the device is in the mood."""
        return self._willing()

    async def generate_passkey(self) -> int:
        """The number on the label: the same every time."""
        return self._passkey


def pairing_config(behaviour: Behaviour, willing: Callable[[], bool]) -> PairingConfig:
    """How bumble is to answer a pairing request."""
    return PairingConfig(
        sc=True,
        mitm=behaviour.bonding is Bonding.PASSKEY,
        bonding=True,
        identity_address_type=PairingConfig.AddressType.RANDOM,
        delegate=DeviceDelegate(behaviour, willing),
    )
