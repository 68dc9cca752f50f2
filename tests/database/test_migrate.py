import subprocess
import sys
import threading
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from database import migrate as migrations
from database.migrate import LOCK, MigrationError, Status, migrate, names, status
from database.pool import connect

MIGRATE = "import sys; from database.migrate import migrate; print(*migrate(sys.argv[1]))"


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name.lstrip('m')}.sql").write_text(text)
    return folder


def tables(dsn: str) -> set[str]:
    query = "select tablename from pg_tables where schemaname = 'public'"
    with connect(dsn) as connection:
        return {row[0] for row in connection.execute(query)} - {"schema_version"}


def test_migrations_are_numbered_without_gaps() -> None:
    numbers = [int(name[:4]) for name in names()]
    assert numbers == list(range(1, len(numbers) + 1))


def test_applies_everything_once(empty: str) -> None:
    assert status(empty) == Status(current=None, pending=tuple(names()), known=True)
    assert migrate(empty, target="0001") == ["0001_base"]
    assert status(empty).pending == tuple(names()[1:])
    assert migrate(empty) == names()[1:]
    assert migrate(empty) == []
    assert migrate(empty, target="0001") == []  # never back
    assert status(empty) == Status(current=names()[-1][:4], pending=(), known=True)


def test_two_processes_at_once_apply_each_migration_once(empty: str) -> None:
    command = [sys.executable, "-c", MIGRATE, empty]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    applied = [process.communicate(timeout=60)[0].split() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sorted(applied, key=len) == [[], names()]


def test_waits_for_whoever_is_migrating(empty: str, tmp_path: Path) -> None:
    write(tmp_path, m0001_one="create table one ()")
    with connect(empty) as other:
        other.execute("select pg_advisory_lock(%s)", (LOCK,))
        other.commit()
        waiting = threading.Thread(target=migrate, args=(empty,), kwargs={"folder": tmp_path})
        waiting.start()
        waiting.join(0.3)
        assert (waiting.is_alive(), tables(empty)) == (True, set())
    waiting.join(20)
    assert tables(empty) == {"one"}


def test_a_failing_file_leaves_nothing_of_itself(empty: str, tmp_path: Path) -> None:
    write(tmp_path, m0001_good="create table good ()")
    write(tmp_path, m0002_bad="create table half (); select 1/0")
    with pytest.raises(MigrationError, match=r"0002_bad\.sql: division by zero"):
        migrate(empty, folder=tmp_path)
    assert tables(empty) == {"good"}
    assert status(empty, tmp_path).pending == ("0002_bad",)
    write(tmp_path, m0002_bad="create table whole ()")
    assert migrate(empty, folder=tmp_path) == ["0002_bad"]


def test_text_reaches_the_server_as_it_is_written(empty: str, tmp_path: Path) -> None:
    text = "create table t as select '100% :bind %s %(x)s é' as said, 7 % 4 as rest"
    write(tmp_path, m0001_odd=text)
    migrate(empty, folder=tmp_path)
    with connect(empty) as connection:
        row = connection.execute("select said, rest from t").fetchone()
    assert row == ("100% :bind %s %(x)s é", 3)


def test_a_statement_may_ask_to_run_outside_a_transaction(empty: str, tmp_path: Path) -> None:
    write(tmp_path, m0001_table="create table t (i int)")
    index = "create index concurrently if not exists t_i on t (i)"
    write(tmp_path, m0002_index=f"-- no transaction: the table is large\n{index}")
    write(tmp_path, m0003_after="create table after ()")
    migrate(empty, folder=tmp_path)
    with connect(empty) as connection:
        assert connection.execute("select to_regclass('t_i') is not null").fetchone() == (True,)
    assert tables(empty) == {"t", "after"}


@pytest.mark.parametrize("wanted", ["auto", "require", "off"])
def test_files_can_read_whether_timescale_is_wanted(
    empty: str, tmp_path: Path, wanted: migrations.Timescale
) -> None:
    write(tmp_path, m0001_ask="create table t as select current_setting('tidings.timescale') as w")
    migrate(empty, timescale=wanted, folder=tmp_path)
    with connect(empty) as connection:
        assert connection.execute("select w from t").fetchone() == (wanted,)


def test_does_not_touch_the_database_of_a_newer_version(empty: str, tmp_path: Path) -> None:
    write(tmp_path, m0001_one="create table one ()", m0002_two="create table two ()")
    migrate(empty, folder=tmp_path)
    (tmp_path / "0002_two.sql").unlink()
    assert status(empty, tmp_path) == Status(current="0002", pending=(), known=False)
    with pytest.raises(MigrationError, match="install the newer version"):
        migrate(empty, folder=tmp_path)


def test_says_which_right_is_missing(empty: str, tmp_path: Path) -> None:
    write(tmp_path, m0001_one="create table one ()")
    with connect(empty, autocommit=True) as owner:
        owner.execute("create role weak login")
    try:
        with pytest.raises(MigrationError, match=r"role weak .*CREATE on schema public"):
            migrate(make_conninfo(empty, user="weak"), folder=tmp_path)
    finally:
        with connect(empty, autocommit=True) as owner:
            owner.execute("drop role weak")


def test_an_unknown_target_is_refused(empty: str) -> None:
    with pytest.raises(MigrationError, match="there is no migration 9999"):
        migrate(empty, target="9999")


def test_gives_up_rather_than_block_writers(
    empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "LOCK_TIMEOUT", "100ms")
    write(tmp_path, m0001_one="create table one ()")
    migrate(empty, folder=tmp_path)
    write(tmp_path, m0002_two="alter table one add column i int")
    with connect(empty) as writer:
        writer.execute("insert into one default values")
        with pytest.raises(MigrationError, match="lock timeout"):
            migrate(empty, folder=tmp_path)
    assert migrate(empty, folder=tmp_path) == ["0002_two"]


def test_the_server_s_own_error_is_the_cause(empty: str, tmp_path: Path) -> None:
    write(tmp_path, m0001_bad="selekt 1")
    with pytest.raises(MigrationError) as raised:
        migrate(empty, folder=tmp_path)
    assert isinstance(raised.value.__cause__, psycopg.errors.SyntaxError)
