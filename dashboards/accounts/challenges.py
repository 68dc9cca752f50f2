"""What a sign-in under way must come back with: kept for minutes, usable once."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg.types.json import Jsonb

from dashboards.accounts.sessions import QUERIES
from dashboards.fetch import Connection, first, run

PATIENCE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    kept: dict[str, str] | None


async def keep(
    connection: Connection, secret: bytes, what: Mapping[str, str], now: datetime
) -> None:
    """Remember what belongs to a secret; only its hash is stored."""
    fields = {
        "hash": hashlib.sha256(secret).digest(),
        "what": Jsonb(dict(what)),
        "until": now + PATIENCE,
        "now": now,
    }
    await run(connection, QUERIES["keep_challenge"], fields)


async def take(connection: Connection, secret: bytes, now: datetime) -> dict[str, str]:
    """Return what belongs to a secret and forget it; empty for one that is unknown or too old."""
    fields = {"hash": hashlib.sha256(secret).digest(), "now": now}
    found = await first(connection, _Taken, QUERIES["take_challenge"], fields)
    return (found.kept if found else None) or {}
