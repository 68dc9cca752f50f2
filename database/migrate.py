"""Migrations: the numbered SQL files of migrations/, each applied once, in order, by Alembic.

A file is one transaction. One whose first line is `-- no transaction` holds a single repeatable
statement that PostgreSQL refuses inside a transaction (create index concurrently, a refresh).
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import resources
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import psycopg
from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script import Script
from alembic.script.revision import RevisionMap
from sqlalchemy import Connection, NullPool, create_engine
from sqlalchemy.exc import DBAPIError

from database.pool import connect

FOLDER = Path(str(resources.files("database"))) / "migrations"
VERSION_TABLE = "schema_version"
LOCK = 7440
"""Advisory lock of whoever migrates this database."""
LOCK_TIMEOUT = "20s"
"""How long one statement may queue for a table before it gives up, rather than block ingest."""

Timescale = Literal["auto", "require", "off"]


class MigrationError(RuntimeError):
    """The schema could not be brought to the version asked for; the text says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Where a database stands: its last migration, and what this version would still apply."""

    current: str | None
    pending: tuple[str, ...]
    known: bool
    """False when the database was migrated by a newer version than this one."""


def names(folder: Path = FOLDER) -> list[str]:
    """Return the migrations, oldest first, as 0001_base, 0002_timescale, ..."""
    return sorted(path.stem for path in folder.glob("[0-9]*.sql"))


def migrate(
    dsn: str, *, timescale: Timescale = "auto", target: str = "head", folder: Path = FOLDER
) -> list[str]:
    """Bring the database up to `target` (a number or "head"); return the names now applied.

    Safe to run from several processes at once: one works, the others wait and find it done.
    """
    steps = names(folder)
    last = _last(steps, target)
    with _locked(dsn, timescale) as connection:
        current = _current(connection)
        _refuse_newer(current, steps)
        wanted = [name for name in steps if (current or "") < name[:4] <= last]
        _run(connection, steps, wanted, folder)
    return wanted


def status(dsn: str, folder: Path = FOLDER) -> Status:
    """Return the database's version and what is pending; changes nothing."""
    steps = names(folder)
    with connect(dsn) as connection:
        current = _recorded(connection)
    pending = tuple(name for name in steps if name[:4] > (current or ""))
    return Status(current=current, pending=pending, known=current in _numbers(steps))


def _numbers(steps: list[str]) -> set[str | None]:
    return {None, *(name[:4] for name in steps)}


def _recorded(connection: psycopg.Connection[tuple[Any, ...]]) -> str | None:
    table = connection.execute("select to_regclass(%s)", (VERSION_TABLE,)).fetchone()
    if table is None or table[0] is None:
        return None
    row = connection.execute(f"select version_num from {VERSION_TABLE}").fetchone()  # noqa: S608 - our own constant
    return None if row is None else str(row[0])


def _last(steps: list[str], target: str) -> str:
    if target == "head":
        return steps[-1][:4]
    if target not in _numbers(steps):
        raise MigrationError(f"there is no migration {target}; the last is {steps[-1]}")
    return target


def _refuse_newer(current: str | None, steps: list[str]) -> None:
    if current not in _numbers(steps):
        raise MigrationError(
            f"the database is at {current}, this version of Tidings knows {steps[-1]} at most: "
            "install the newer version"
        )


@contextmanager
def _locked(dsn: str, timescale: Timescale) -> Iterator[Connection]:
    engine = create_engine(
        "postgresql+psycopg://", creator=partial(connect, dsn), poolclass=NullPool
    )
    with engine.connect() as connection:
        driver = _driver(connection)
        _wait_for_lock(driver)
        driver.execute("select set_config('tidings.timescale', %s, false)", (timescale,))
        driver.execute("select set_config('lock_timeout', %s, false)", (LOCK_TIMEOUT,))
        driver.commit()
        yield connection  # closing the session gives the lock back


def _wait_for_lock(driver: psycopg.Connection[tuple[Any, ...]]) -> None:
    # polled: a session waiting inside pg_advisory_lock would hold up `create index concurrently`
    while driver.execute("select pg_try_advisory_lock(%s)", (LOCK,)).fetchone() != (True,):
        driver.rollback()
        time.sleep(0.1)


def _driver(connection: Connection) -> psycopg.Connection[tuple[Any, ...]]:
    driver: object = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError(f"expected a psycopg connection, got {type(driver)}")
    return driver


def _context(
    connection: Connection, steps: Callable[..., Iterator[RevisionStep]] | None = None
) -> MigrationContext:
    options = {"transaction_per_migration": True, "version_table": VERSION_TABLE, "fn": steps}
    return MigrationContext.configure(connection=connection, opts=options)


def _current(connection: Connection) -> str | None:
    current = _context(connection).get_current_revision()
    connection.rollback()
    return current


def _run(connection: Connection, steps: list[str], wanted: list[str], folder: Path) -> None:
    def revision_steps(_: object, context: MigrationContext) -> Iterator[RevisionStep]:
        scripts = _scripts(steps, folder, context)
        known = RevisionMap(scripts.values)
        known.get_current_head()  # links the revisions to one another
        return (RevisionStep(known, scripts[name], is_upgrade=True) for name in wanted)

    if wanted:
        try:
            _context(connection, revision_steps).run_migrations()
        except psycopg.Error as error:
            raise _explained(error, connection) from error
        except DBAPIError as error:  # Alembic's own statements come through SQLAlchemy
            raise _explained(error.orig, connection) from error


def _scripts(steps: list[str], folder: Path, context: MigrationContext) -> dict[str, Script]:
    before: list[str | None] = [None, *(name[:4] for name in steps)]
    return {
        name: _script(folder / f"{name}.sql", previous, context)
        for name, previous in zip(steps, before, strict=False)
    }


def _script(path: Path, previous: str | None, context: MigrationContext) -> Script:
    module = ModuleType(path.stem, path.stem)
    vars(module).update(down_revision=previous, upgrade=partial(_apply, path, context))
    return Script(module, path.stem[:4], str(path))


def _apply(path: Path, context: MigrationContext) -> None:
    text = path.read_text(encoding="utf-8")
    if text.startswith("-- no transaction"):
        with context.autocommit_block():
            _execute(path, context, text)
    else:
        _execute(path, context, text)


def _execute(path: Path, context: MigrationContext, text: str) -> None:
    if context.connection is None:
        raise TypeError("migrations run on a connection")
    try:
        _driver(context.connection).execute(text.encode())  # bytes: the file as it is
    except psycopg.Error as error:
        error.add_note(path.name)
        raise


def _explained(error: BaseException | None, connection: Connection) -> MigrationError:
    notes = getattr(error, "__notes__", [VERSION_TABLE])
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        role = _driver(connection).info.user
        return MigrationError(
            f"{notes[0]}: role {role} may not do this: {error.diag.message_primary}. Migrate as "
            "the database's owner; it needs CREATE on schema public, and CREATEROLE unless the "
            "roles tidings_web and tidings_worker exist already"
        )
    return MigrationError(f"{notes[0]}: {error}")
