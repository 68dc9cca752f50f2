"""The box's one SQLite file: opened durable, statements by name, payloads sealed; no decisions."""

import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gateway.sealing import Plain, Seal

Row = tuple[Any, ...]
Value = str | bytes | int | float | None

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
_CANARY = b"tidings outbox"


def _load() -> Mapping[str, str]:
    """Return the named statements of queries.sql."""
    parts = _NAME.split(files("gateway").joinpath("queries.sql").read_text("utf-8"))
    return MappingProxyType(dict(zip(parts[1::2], parts[2::2], strict=True)))


QUERIES = _load()


class Store:
    """One connection, used by one thread; a commit has reached the disk when it returns."""

    def __init__(self, path: Path, seal: Seal | None = None) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.seal = seal or Plain()
        self._connection = sqlite3.connect(path, isolation_level=None)
        try:
            self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def run(self, name: str, *values: Value) -> list[Row]:
        """Execute the named statement and return its rows."""
        return self._connection.execute(QUERIES[name], values).fetchall()

    def insert(self, name: str, *values: Value) -> int:
        """Execute the named insert; return the new row's number, 0 if the row was there already."""
        cursor = self._connection.execute(QUERIES[name], values)
        return (cursor.lastrowid or 0) if cursor.rowcount > 0 else 0

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[None]:
        """All or nothing; `durable=False` where a power cut may undo it (it is then done again).

        SQLite keeps the order: whatever a later durable commit rests on is on disk with it.
        """
        if not durable:
            self._connection.execute("pragma synchronous = normal")
        try:
            self._connection.execute("begin immediate")
            try:
                yield
            except BaseException:
                self._connection.execute("rollback")
                raise
            self._connection.execute("commit")
        finally:
            if not durable:
                self._connection.execute("pragma synchronous = full")

    def close(self) -> None:
        """Close the file; what is committed stays."""
        self._connection.close()

    def watch(self, instructions: int, interrupt: object) -> None:
        """Call `interrupt` every so many SQLite instructions: for tests that pull the plug."""
        if callable(interrupt):
            self._connection.set_progress_handler(interrupt, instructions)

    def _prepare(self) -> None:
        self._connection.execute("pragma journal_mode = wal")
        self._connection.execute("pragma synchronous = full")
        self._connection.execute("pragma foreign_keys = on")
        self._connection.execute("pragma cache_size = -512")
        self._connection.executescript(QUERIES["schema"])
        self._check_key()

    def _check_key(self) -> None:
        """Fail at the start, in one sentence, rather than at the first reading."""
        stored = self.run("meta_get", "canary")
        if stored:
            self.seal.open(stored[0][0])
        self.run("meta_put", "canary", self.seal.close(_CANARY))
