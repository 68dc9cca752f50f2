"""Where a month's files are kept: in the database, in pieces, so that nobody holds a whole one."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from psycopg.types.json import Jsonb

from billing.gather import QUERIES, Connection
from billing.store import Key

PIECE = 2**18
"""Bytes: what a process holds of a file at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """What is known of a file beside its bytes; `number` is None for a draft."""

    number: int | None
    format: str
    name: str
    sha256: str
    lines: int
    differences: list[dict[str, object]]


def sha256_of(path: Path) -> str:
    """Return the digest of a file on disk."""
    with path.open("rb") as written:
        return hashlib.file_digest(written, "sha256").hexdigest()


def keep(  # noqa: PLR0913  which file, of which month, by whom and when
    connection: Connection, key: Key, file: File, path: Path, *, by: str, now: datetime
) -> UUID:
    """Store a file; one that leaves marks the current lines as exported."""
    made = _entered(connection, key, file, by=by, now=now)
    with path.open("rb") as written:
        _keep_pieces(connection, key, made, written)
    then = "forget_drafts" if file.number is None else "mark_exported"
    connection.execute(QUERIES[then], key.fields | {"export": made, "now": now})
    return made


def pieces(connection: Connection, key: Key, file_id: UUID) -> Iterator[bytes]:
    """Yield the bytes of a kept file, a piece at a time."""
    with connection.cursor(binary=True) as cursor:
        for place in count():
            wanted = key.fields | {"id": file_id, "place": place}
            found = cursor.execute(QUERIES["piece"], wanted).fetchone()
            if found is None:
                return
            yield found[0]


def _entered(connection: Connection, key: Key, file: File, *, by: str, now: datetime) -> UUID:
    row = {
        "number": file.number,
        "format": file.format,
        "name": file.name,
        "sha256": file.sha256,
        "lines": file.lines,
        "differences": Jsonb(file.differences),
        "by": by,
        "now": now,
    }
    made = connection.execute(QUERIES["keep_export"], key.fields | row).fetchone()
    if made is None:
        raise RuntimeError("the file was not stored")
    return UUID(str(made[0]))


def _keep_pieces(connection: Connection, key: Key, made: UUID, written: BinaryIO) -> None:
    for place in count():
        piece = written.read(PIECE)
        if not piece:
            return
        row = {"export": made, "place": place, "content": piece}
        connection.execute(QUERIES["keep_piece"], key.fields | row)
