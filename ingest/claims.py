"""Which readings are new: an id is claimed once, in the transaction that stores its reading."""

from psycopg.errors import UniqueViolation

from database import sql
from ingest import packing, parameters
from ingest.copying import Row
from ingest.directory import Connection

CAREFUL_BATCHES = 100
"""Once a reading came again, others will: a broker or a gateway is sending what it sent before."""
Again = UniqueViolation
"""Some id was not new: nothing of the transaction counts."""
_UUID_SIZE = 16


class Claimed:
    """Which of the ids were new."""

    def __init__(self, ids: list[bytes], fresh: frozenset[bytes] | None = None) -> None:
        """Prepare; without `fresh` all were."""
        self._ids = ids
        self._fresh = fresh

    def has(self, one: bytes) -> bool:
        """Whether this id was new."""
        return self._fresh is None or one in self._fresh

    def of(self, placed: list[Row]) -> list[Row]:
        """Those whose ids were new."""
        return placed if self._fresh is None else [row for row in placed if self.has(row.id)]

    @property
    def again(self) -> list[bytes]:
        """Those that were not."""
        return [] if self._fresh is None else [one for one in self._ids if not self.has(one)]


async def claim_new(connection: Connection, ids: list[bytes]) -> Claimed:
    """Claim ids of which none was seen before; raises Again if one was."""
    if ids:
        query = sql.load("ingest")["claim_new_identities"]
        await parameters.copy(connection, query, packing.identity_copy(ids))
    return Claimed(ids)


async def claim(connection: Connection, ids: list[bytes]) -> Claimed:
    """Claim ids of which some may have been seen before."""
    cursor = connection.cursor(binary=True)
    told = {"ids": packing.identity_array(ids)}
    await cursor.execute(sql.load("ingest")["claim_identities"], told)
    row = await cursor.fetchone()
    fresh = (row and row[0]) or b""
    starts = range(0, len(fresh), _UUID_SIZE)
    return Claimed(ids, frozenset(fresh[at : at + _UUID_SIZE] for at in starts))
