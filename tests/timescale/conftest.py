"""Real TimescaleDB: compiled to WebAssembly (bridge/), and on a server where one is named.

TIDINGS_TEST_TIMESCALE_DSN names a server on which the tests may make a database of their own.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from database.migrate import migrate
from database.pool import connect

BRIDGE = Path(__file__).parent / "bridge"
NATIVE = os.environ.get("TIDINGS_TEST_TIMESCALE_DSN")
NO_NODE = "Node.js 18+ and npm are missing: apt install nodejs npm (brew install node)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timescale:
    """A migrated database with TimescaleDB in it, shared by the tests of a session."""

    dsn: str
    worker_dsn: str

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """Open an autocommitting connection as the owner."""
        return connect(self.dsn, autocommit=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clinic:
    """One test's own organisation."""

    organisation_id: UUID

    @contextmanager
    def seen_by_web(self, timescale: Timescale) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        """Open a connection that has the web role's rights and this organisation."""
        with timescale.connect() as connection:
            connection.execute("set role tidings_web")
            query = "select set_config('tidings.organisation', %s, false)"
            connection.execute(query, (str(self.organisation_id),))
            yield connection


@pytest.fixture(scope="session", params=["wasm", *(["native"] if NATIVE else [])])
def timescale(
    request: pytest.FixtureRequest, server_directories: Iterator[Path]
) -> Iterator[Timescale]:
    """TimescaleDB with the whole schema in it; tests bring organisations of their own."""
    where = _in_wasm(next(server_directories)) if request.param == "wasm" else _on_the_server()
    with where as dsn:
        migrate(dsn, timescale="require")
        # on a server of somebody's, roles have passwords that we do not know
        worker = {"user": "tidings_worker"} if request.param == "wasm" else {}
        yield Timescale(dsn=dsn, worker_dsn=make_conninfo(dsn, **worker))


@pytest.fixture
def clinic() -> Clinic:
    """An organisation that no other test has."""
    return Clinic(organisation_id=uuid4())


@contextmanager
def _in_wasm(directory: Path) -> Iterator[str]:
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        pytest.fail(NO_NODE)
    directory.mkdir()
    command = [node, str(_installed()), str(directory / ".s.PGSQL.5432")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as bridge:
        assert bridge.stdin is not None
        assert bridge.stdout is not None
        assert bridge.stdout.readline() == b"ready\n"
        yield make_conninfo(host=str(directory), user="postgres", dbname="postgres")
        bridge.stdin.close()  # the bridge ends with it, also when this process is killed


def _installed() -> Path:
    """Return the bridge, beside its npm package, in the user's cache; install that once."""
    wanted = (BRIDGE / "package.json").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "tidings" / f"timescale-{hashlib.sha256(wanted).hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    text = (BRIDGE / "bridge.mjs").read_bytes()
    script = folder / f"bridge-{hashlib.sha256(text).hexdigest()[:12]}.mjs"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "installed").exists():
            (folder / "package.json").write_bytes(wanted)
            _npm_install(folder)
            (folder / "installed").touch()
        script.write_bytes(text)
    return script


def _npm_install(folder: Path) -> None:
    options = ("--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts")
    done = subprocess.run(
        ["npm", "install", *options], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        pytest.fail(f"npm install failed: {done.stderr.strip()[-400:]}")


@contextmanager
def _on_the_server() -> Iterator[str]:
    name = f"tidings_test_{uuid4().hex[:12]}"
    with connect(str(NATIVE), autocommit=True) as owner:
        owner.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        try:
            yield make_conninfo(str(NATIVE), dbname=name)
        finally:
            owner.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
