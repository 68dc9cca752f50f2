"""bleak keeps one D-Bus connection per event loop for ever; a home that closes must end it."""

import asyncio

from bleak.backends.bluezdbus import manager


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
