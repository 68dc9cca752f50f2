"""The link that a device has now: who subscribed, what was set, and when it last heard anything."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from bumble.device import Connection, Device


class Link:
    """State that lasts as long as one connection."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.subscribed: set[int] = set()
        """Short UUIDs of characteristics that the client listens to."""
        self.clock_set = False
        self.consented = False
        self._changed = asyncio.Event()
        self.touched_at = asyncio.get_running_loop().time()

    @property
    def encrypted(self) -> bool:
        """Whether the link is encrypted, so both sides share a bond."""
        return bool(self.connection.is_encrypted)

    def touch(self) -> None:
        """Something happened."""
        self.touched_at = asyncio.get_running_loop().time()
        self._changed.set()

    def note(self, short: int, *, listens: bool) -> None:
        """Note that the client listens to a characteristic, or does no more."""
        self.subscribed.discard(short)
        if listens:
            self.subscribed.add(short)
        self.touch()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until a condition holds; it is looked at again whenever something happens."""
        while not holds():
            self._changed.clear()
            await self._changed.wait()

    async def clock_set_within(self, seconds: float) -> bool:
        """Wait for somebody to set the clock; whether somebody did in time."""
        try:
            async with asyncio.timeout(seconds):
                await self.until(lambda: self.clock_set)
        except TimeoutError:
            return False
        return True

    async def drained(self, radio: Device) -> bool:
        """Wait until the other side has all that was sent; False: the link took it along."""
        handle = self.connection.handle
        queue = radio.host.get_data_packet_queue(handle)
        with suppress(ValueError):  # nothing was ever sent
            if queue is not None:
                await queue.drain(handle)
        return radio.lookup_connection(handle) is self.connection

    async def idle(self, seconds: float) -> None:
        """Wait until nothing has happened for so long."""
        loop = asyncio.get_running_loop()
        while (left := self.touched_at + seconds - loop.time()) > 0:  # noqa: ASYNC110  no event says "nothing happened"
            await asyncio.sleep(left)
