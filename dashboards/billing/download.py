"""A month's file on its way to a browser, a piece at a time."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import count
from uuid import UUID

from psycopg_pool import AsyncConnectionPool

from dashboards.fetch import first
from database import sql
from database.pool import as_organisation

PIECE = sql.load("billing")["piece"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    content: bytes


async def pieces(
    pool: AsyncConnectionPool, organisation: UUID, file_id: UUID
) -> AsyncIterator[bytes]:
    """Yield a file's bytes; however slow the browser is, no connection waits for it."""
    for place in count():
        wanted = {"organisation": organisation, "id": file_id, "place": place}
        async with as_organisation(pool, organisation) as connection:
            found = await first(connection, _Piece, PIECE, wanted)
        if found is None:
            return
        yield found.content
