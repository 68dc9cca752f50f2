"""Messages on their way to the bus, in order and no faster than its socket takes them."""

import asyncio
import os
from typing import NoReturn

from dbus_fast import Message
from dbus_fast.aio import MessageBus

from gateway.simulated.bluez import names

FLUSH_EVERY = 32
"""dbus-fast drops its connection when the socket is full (about 280 queued signals), so after so
many messages a question to the daemon makes sure that all before it have left."""


class Outlet:
    """A queue of messages; `run` empties it into one bus connection."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Message | asyncio.Future[None]] = asyncio.Queue()

    def put(self, message: Message) -> None:
        """Queue a message behind all others."""
        self._queue.put_nowait(message)

    async def flushed(self) -> None:
        """Return when everything queued so far has reached the daemon."""
        done = asyncio.get_running_loop().create_future()
        self._queue.put_nowait(done)
        await done

    def clear(self) -> None:
        """Forget what was not sent: nobody is there to hear it."""
        while not self._queue.empty():
            forgotten = self._queue.get_nowait()
            if isinstance(forgotten, asyncio.Future):
                forgotten.cancel()

    async def run(self, bus: MessageBus) -> NoReturn:
        """Send until cancelled."""
        unflushed = 0
        while True:
            queued = await self._queue.get()
            if isinstance(queued, Message):
                await _send(bus, queued)
                unflushed += 1
            if unflushed >= FLUSH_EVERY or isinstance(queued, asyncio.Future):
                await bus.call(_question())
                unflushed = 0
            if isinstance(queued, asyncio.Future) and not queued.done():
                queued.set_result(None)


async def _send(bus: MessageBus, message: Message) -> None:
    """Hand a message to the socket, then close the descriptors that went with it."""
    await bus.send(message)
    for fd in message.unix_fds:
        os.close(fd)


def _question() -> Message:
    return Message(
        destination=names.DAEMON,
        path=names.DAEMON_PATH,
        interface=names.DAEMON,
        member="GetId",
    )
