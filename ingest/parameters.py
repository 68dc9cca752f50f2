"""How a connection takes binary arrays as parameters."""

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
