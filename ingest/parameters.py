"""How a connection takes what is binary already: arrays as parameters, rows by COPY."""

from typing import Any

from psycopg import AsyncConnection
from psycopg.abc import AdaptContext
from psycopg.adapt import Dumper
from psycopg.pq import Format

from ingest.binary import Array


class _ArrayDumper(Dumper):
    """Hand the bytes over as they are."""

    format = Format.BINARY

    def dump(self, obj: Array) -> bytes:
        return obj


def register(context: AdaptContext) -> None:
    """Teach a connection to take arrays."""
    context.adapters.register_dumper(Array, _ArrayDumper)


async def copy(connection: AsyncConnection[Any], query: str, raw: bytes) -> None:
    """Send the data of a `copy .. from stdin`."""
    async with connection.cursor() as cursor, cursor.copy(query) as sending:
        await sending.write(raw)
