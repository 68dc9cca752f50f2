"""bleak keeps one D-Bus connection per event loop for ever; a home that closes must end it."""

import asyncio

from bleak.backends.bluezdbus import manager
from dbus_fast import Message

from gateway.simulated.bluez import names


async def catch_up() -> None:
    """Return when bleak has heard all that was on the bus before: a question goes round."""
    kept = manager._global_instances.get(asyncio.get_running_loop())  # noqa: SLF001  bleak has no public way
    if kept is None or kept._bus is None:  # noqa: SLF001  as above
        return
    question = Message(
        destination=names.DAEMON,
        path=names.DAEMON_PATH,
        interface=names.DAEMON,
        member="GetId",
    )
    await kept._bus.call(question)  # noqa: SLF001  as above


async def disconnect() -> None:
    """Let bleak forget the bus that it uses in this event loop; it opens a new one when asked."""
    kept = manager._global_instances.pop(asyncio.get_running_loop(), None)  # noqa: SLF001  bleak has no public way
    if kept is None or kept._bus is None:  # noqa: SLF001  as above
        return
    watcher = kept._bus_watcher_task  # noqa: SLF001  as above
    if watcher is not None:
        watcher.cancel()
        await asyncio.gather(watcher, return_exceptions=True)
    kept._bus.disconnect()  # noqa: SLF001  as above
    await asyncio.sleep(0)
