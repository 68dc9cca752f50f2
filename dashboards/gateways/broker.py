"""Keeps mosquitto's accounts as the database has them: writes its files, makes it look again."""

import os
import signal
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from pathlib import Path

from psycopg import AsyncConnection

from dashboards.fetch import Connection
from dashboards.gateways import mosquitto, store

CHANNEL = "listen tidings_gateways"
LOOK_EVERY_S = 60.0
"""Also without being told: a notification that was missed costs no more than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Where mosquitto reads its accounts, and which process it is."""

    passwords: Path
    access: Path
    server: str
    """The user of ingest and of `tidings gateways command`."""
    pid: Callable[[], int | None]


async def write(connection: Connection, files: Files) -> bool:
    """Bring both files up to date; True if mosquitto had to look again."""
    accounts = await store.accounts(connection)
    before = _text(files.passwords)
    changed = _replace(files.passwords, mosquitto.passwords(accounts, before))
    changed |= _replace(files.access, mosquitto.access(accounts, files.server))
    pid = files.pid() if changed else None
    if pid is not None:
        os.kill(pid, signal.SIGHUP)
    return changed


async def follow(dsn: str, files: Files) -> AsyncGenerator[bool, None]:
    """Write at once, then whenever a box was admitted or shut out; yield whether it changed."""
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        await connection.execute(CHANNEL)
        while True:
            yield await write(connection, files)
            async for _ in connection.notifies(timeout=LOOK_EVERY_S, stop_after=1):
                pass


def _text(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""


def _replace(path: Path, text: str) -> bool:
    """Put a file in place in one piece, owned as the one before, or as its folder."""
    if path.exists() and _text(path) == text:
        return False
    owner = (path if path.exists() else path.parent).stat()
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    if os.geteuid() == 0:
        os.chown(fresh, owner.st_uid, owner.st_gid)
    fresh.replace(path)
    return True
