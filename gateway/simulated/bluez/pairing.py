"""The gateway's side of pairing: what bluetoothd would answer, with the agent's help."""

from bumble.pairing import PairingConfig, PairingDelegate

from gateway.simulated.bluez.agents import Agents

_ABILITIES = {
    "DisplayOnly": PairingDelegate.DISPLAY_OUTPUT_ONLY,
    "DisplayYesNo": PairingDelegate.DISPLAY_OUTPUT_AND_YES_NO_INPUT,
    "KeyboardOnly": PairingDelegate.KEYBOARD_INPUT_ONLY,
    "KeyboardDisplay": PairingDelegate.DISPLAY_OUTPUT_AND_KEYBOARD_INPUT,
    "NoInputNoOutput": PairingDelegate.NO_OUTPUT_NO_INPUT,
}


class AgentDelegate(PairingDelegate):
    """Turns the questions of the pairing protocol into calls to the agent."""

    def __init__(self, agents: Agents, device: str, *, chosen: bool) -> None:
        agent = agents.current
        ability = "NoInputNoOutput" if agent is None else agent.capability
        super().__init__(io_capability=_ABILITIES[ability])
        self._agents = agents
        self._device = device
        self._chosen = chosen

    async def confirm(self, auto: bool = False) -> bool:  # noqa: ARG002, FBT001, FBT002  bumble's signature
        """Pair without a number: of course if a client asked for it, else the agent decides."""
        return self._chosen or await self._agents.authorized(self._device)

    async def compare_numbers(self, number: int, digits: int) -> bool:  # noqa: ARG002  as above
        """Let the agent compare."""
        return await self._agents.confirmed(self._device, number)

    async def get_number(self) -> int | None:
        """Let the agent tell the passkey."""
        return await self._agents.passkey(self._device)


def pairing_config(agents: Agents, device: str, *, chosen: bool) -> PairingConfig:
    """How to pair with a device; `chosen` if a client called Pair for it."""
    delegate = AgentDelegate(agents, device, chosen=chosen)
    return PairingConfig(
        sc=True,
        mitm=delegate.io_capability != PairingDelegate.NO_OUTPUT_NO_INPUT,
        bonding=True,
        identity_address_type=PairingConfig.AddressType.RANDOM,
        delegate=delegate,
    )
