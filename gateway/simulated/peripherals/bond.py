"""The device's side of pairing: no number, or a passkey on its display or label."""

from collections.abc import Callable

from bumble.pairing import PairingConfig, PairingDelegate

from gateway.simulated.peripherals.behaviour import Behaviour, Bonding

ABILITIES = {
    Bonding.NONE: PairingDelegate.NO_OUTPUT_NO_INPUT,
    Bonding.JUST_WORKS: PairingDelegate.NO_OUTPUT_NO_INPUT,
    Bonding.PASSKEY: PairingDelegate.DISPLAY_OUTPUT_ONLY,
    Bonding.COMPARISON: PairingDelegate.DISPLAY_OUTPUT_AND_YES_NO_INPUT,
}


class DeviceDelegate(PairingDelegate):
    """Answers for a device with (at most) a display; `willing` says whether it pairs now."""

    def __init__(self, behaviour: Behaviour, willing: Callable[[], bool]) -> None:
        super().__init__(io_capability=ABILITIES[behaviour.bonding])
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
        mitm=behaviour.bonding in (Bonding.PASSKEY, Bonding.COMPARISON),
        bonding=True,
        identity_address_type=PairingConfig.AddressType.RANDOM,
        delegate=DeviceDelegate(behaviour, willing),
    )
