"""What tests share: a fixed moment, a database of one's own, a real broker."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from psycopg import sql

from database.migrate import migrate
from database.pool import connect
from deploy.embedded.broker import EmbeddedBroker, Kind, find_mosquitto
from deploy.embedded.postgres import EmbeddedPostgres

# no test is timed: a busy machine is not a failure; CI repeats examples, others look for new ones
settings.register_profile(
    "untimed",
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("untimed")

NO_MOSQUITTO = (
    "mosquitto is missing: apt install mosquitto (brew install mosquitto), or `make test`"
)
FAST = {
    "fsync": "off",  # nothing here outlives the machine; killed processes lose nothing even so
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "file_copy_method": "clone",  # a third of the time that copying the template takes
    "max_wal_size": "256MB",
}
ROOM = 4 << 30
"""Bytes that must be free in memory before test databases are kept there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A migrated, empty database of one test, and the ways in: owner, web role, worker role."""

    dsn: str
    web_dsn: str
    worker_dsn: str

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """Open a connection as the owner, autocommitting; close it with `with`."""
        return connect(self.dsn, autocommit=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the database, so that `-m "not postgres"` is the quick run."""
    for item in items:
        if {"postgres", "template", "db"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.postgres)


@pytest.fixture
def noon() -> datetime:
    """A fixed moment: Tuesday 15 September 2026, 12:00 UTC."""
    return datetime(2026, 9, 15, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def server_directories() -> Iterator[Iterator[Path]]:
    """Short-lived directories that a server run as another user can reach (tmp_path is 0700)."""
    with tempfile.TemporaryDirectory(prefix="tidings-test-") as top:
        Path(top).chmod(0o711)
        yield (Path(top) / str(number) for number in count())


@pytest.fixture
def server_directory(server_directories: Iterator[Path]) -> Path:
    """A fresh directory for an embedded server."""
    return next(server_directories)


def _in_memory() -> Path | None:
    """Return a directory in memory if there is one with room: databases are copied often."""
    ram = Path("/dev/shm")  # noqa: S108 -- a fresh directory is made in it
    return ram if ram.is_dir() and shutil.disk_usage(ram).free > ROOM else None


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """One PostgreSQL for the session (for each worker of xdist)."""
    with tempfile.TemporaryDirectory(prefix="tidings-test-", dir=_in_memory()) as top:
        Path(top).chmod(0o711)
        with EmbeddedPostgres(Path(top) / "server", settings=FAST) as server:
            yield server


@pytest.fixture(scope="session")
def template(postgres: EmbeddedPostgres) -> str:
    """Name of a migrated, empty database to clone."""
    with connect(postgres.dsn(), autocommit=True) as connection:
        connection.execute("create database template_tidings")
    migrate(postgres.dsn(database="template_tidings"))
    return "template_tidings"


@contextmanager
def cloned(server: EmbeddedPostgres, name: str) -> Iterator[Database]:
    """Copy a database, and drop the copy at the end."""
    copy = f"copy_{uuid4().hex[:12]}"
    clone = sql.SQL("create database {} template {} strategy file_copy")
    with connect(server.dsn(), autocommit=True) as owner:
        owner.execute(clone.format(sql.Identifier(copy), sql.Identifier(name)))
    yield Database(
        dsn=server.dsn(database=copy),
        web_dsn=server.dsn(user="tidings_web", database=copy),
        worker_dsn=server.dsn(user="tidings_worker", database=copy),
    )
    with connect(server.dsn(), autocommit=True) as owner:
        owner.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(copy)))


@pytest.fixture
def db(postgres: EmbeddedPostgres, template: str) -> Iterator[Database]:
    """A migrated, empty database of this test's own."""
    with cloned(postgres, template) as made:
        yield made


@pytest.fixture
def broker(server_directory: Path) -> Iterator[EmbeddedBroker]:
    """A real mosquitto on a free port, this test's own: no session or topic is left over."""
    if find_mosquitto() is None:
        pytest.fail(NO_MOSQUITTO)
    with EmbeddedBroker(server_directory, kind=Kind.MOSQUITTO) as running:
        yield running


@pytest.fixture
def iotcore_broker(server_directories: Iterator[Path]) -> Iterator[EmbeddedBroker]:
    """The broker of last resort, on a free port."""
    with EmbeddedBroker(next(server_directories), kind=Kind.IOTCORE) as running:
        yield running
