"""Pairing agents: who registered, and the questions that bluetoothd would ask them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from dbus_fast import Message, MessageType

from gateway.simulated.bluez import names
from gateway.simulated.bluez.calls import (
    ALREADY_EXISTS,
    DOES_NOT_EXIST,
    NOTHING,
    BluezError,
    Call,
    Reply,
    unknown_method,
)

DEFAULT_CAPABILITY = "KeyboardDisplay"
"""What bluetoothd takes an empty capability for."""

Ask = Callable[[Message], Awaitable[Message | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """One registered agent."""

    sender: str
    path: str
    capability: str


class Agents:
    """`org.bluez.AgentManager1`: the newest default agent, else the oldest, is asked."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._registered: list[Agent] = []
        self.asked: list[tuple[str, str]] = []
        """Every question: the method of Agent1 and the device's path."""

    @property
    def current(self) -> Agent | None:
        """The agent that would be asked now."""
        return self._registered[0] if self._registered else None

    async def answer(self, call: Call) -> Reply:
        """Answer a call to the agent manager."""
        match call.member:
            case "RegisterAgent":
                self._register(call.sender, str(call.body[0]), str(call.body[1]))
            case "UnregisterAgent":
                self._registered.remove(self._find(call.sender, str(call.body[0])))
            case "RequestDefaultAgent":
                agent = self._find(call.sender, str(call.body[0]))
                self._registered.remove(agent)
                self._registered.insert(0, agent)
            case _:
                raise unknown_method(call)
        return NOTHING

    def forget(self, sender: str) -> None:
        """Drop the agents of a client that left the bus."""
        self._registered = [agent for agent in self._registered if agent.sender != sender]

    async def passkey(self, device: str) -> int | None:
        """Ask for the six digits on the device's display or label; None if refused."""
        reply = await self._question("RequestPasskey", "o", device)
        return None if reply is None else int(reply.body[0])

    async def confirmed(self, device: str, number: int) -> bool:
        """Ask whether both sides show the same number."""
        return await self._question("RequestConfirmation", "ou", device, number) is not None

    async def authorized(self, device: str) -> bool:
        """Ask whether a device that nobody chose to pair may pair."""
        return await self._question("RequestAuthorization", "o", device) is not None

    def _register(self, sender: str, path: str, capability: str) -> None:
        if any(agent.sender == sender for agent in self._registered):
            raise BluezError(ALREADY_EXISTS)
        agent = Agent(sender=sender, path=path, capability=capability or DEFAULT_CAPABILITY)
        self._registered.append(agent)

    def _find(self, sender: str, path: str) -> Agent:
        for agent in self._registered:
            if (agent.sender, agent.path) == (sender, path):
                return agent
        raise BluezError(DOES_NOT_EXIST)

    async def _question(self, member: str, signature: str, *body: object) -> Message | None:
        """Call one method of the current agent; None if there is none or it refused."""
        agent = self.current
        if agent is None:
            return None
        self.asked.append((member, str(body[0])))
        question = Message(
            destination=agent.sender,
            path=agent.path,
            interface=names.AGENT,
            member=member,
            signature=signature,
            body=list(body),
        )
        reply = await self._ask(question)
        return None if reply is None or reply.message_type is MessageType.ERROR else reply
