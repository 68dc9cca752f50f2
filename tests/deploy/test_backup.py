"""Backup, restore drill and upkeep on a real PostgreSQL, with its own programs."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from database.maintenance import Maintained
from database.pool import connect, open_pool
from deploy import maintain, probes
from deploy.embedded.postgres import EmbeddedPostgres
from tests.conftest import Database

DEPLOY = Path(__file__).parents[2] / "deploy"


async def test_upkeep_maintains_and_says_when(db: Database) -> None:
    async with open_pool(db.worker_dsn, most=1) as pool:
        now, done = await maintain.upkeep(pool)
    assert done == Maintained(summed=0, removed=0)
    with db.connect() as owner:
        found = owner.execute("select beat_at from heartbeat where name = 'maintenance'").fetchone()
    assert found == (now,)


def _programs(postgres: EmbeddedPostgres) -> str:
    """PostgreSQL's own programs from the wheel: older or newer ones might refuse the server."""
    return str(postgres._programs)


def _script(
    postgres: EmbeddedPostgres, name: str, argument: Path, **told: str
) -> subprocess.CompletedProcess[str]:
    path = f"{_programs(postgres)}:{os.environ['PATH']}"
    return subprocess.run(
        ["sh", DEPLOY / name, argument],
        env={"PATH": path, **told}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def _live(owner: psycopg.Connection[tuple[Any, ...]]) -> None:
    owner.execute(
        "insert into organisation (name, time_zone) select 'Clinic ' || n, 'UTC'"
        " from generate_series(1, 2) as n"
    )
    owner.execute(
        "insert into audit (organisation_id, actor, action, object_kind, object_id)"
        " select id, 'process:test', 'look', 'patient', n::text"
        " from organisation, generate_series(1, 40) as n"
    )
    owner.execute(
        "insert into reading (reading_id, organisation_id, patient_id, device_id, gateway_id, kind,"
        " measured_at, value, status, time_quality, gateway_time, received_at, characteristic,"
        " frame) select gen_random_uuid(), id, gen_random_uuid(), 'd', 'g', 'weight',"
        " now() - n * interval '1 hour', 80, 'accepted', 'corrected', now(), now(), '2A9D',"
        " '\\x01' from organisation, generate_series(1, 300) as n"
    )


@pytest.fixture
def empty(postgres: EmbeddedPostgres) -> Iterator[str]:
    with connect(postgres.dsn(), autocommit=True) as owner:
        owner.execute("create database restored")
        yield postgres.dsn(database="restored")
        owner.execute("drop database restored with (force)")


@pytest.mark.parametrize("sealed", [False, True], ids=["plain", "sealed"])
def test_a_drill_brings_back_every_row_and_the_whole_audit_chain(
    db: Database, postgres: EmbeddedPostgres, empty: str, tmp_path: Path, sealed: bool
) -> None:
    (tmp_path / "key").write_text("a long pass phrase of nobody")
    key = {"TIDINGS_BACKUP_KEY": f"{tmp_path}/key"} if sealed else {}
    with db.connect() as owner:
        _live(owner)
    made = _script(postgres, "backup.sh", tmp_path, TIDINGS_MIGRATE_DSN=db.dsn, **key)
    assert made.returncode == 0, made.stderr
    dump = Path(made.stdout.strip())
    told = {"TIDINGS_RESTORE_DSN": empty, "TIDINGS_MIGRATE_DSN": db.dsn, **key}
    done = _script(postgres, "restore.sh", dump, **told)
    assert done.returncode == 0, done.stderr
    assert "audit chain whole" in done.stdout
    with connect(empty) as restored:
        assert restored.execute("select count(*) from reading").fetchone() == (600,)
        assert restored.execute("select count(*) from audit").fetchone() == (80,)
    beats = dict(probes.look_at_pipeline(db.dsn, None, 0).beats)
    assert {"backup", "restore_drill"} <= beats.keys()
    assert sealed != dump.read_bytes().startswith(b"PGDMP")
    assert list(tmp_path.glob(".backup.*")) == []
    again = _script(postgres, "restore.sh", dump, **told)
    assert "not empty" in again.stderr


def test_a_backup_that_was_changed_or_a_chain_that_was_is_not_accepted(
    db: Database, postgres: EmbeddedPostgres, empty: str, tmp_path: Path
) -> None:
    with db.connect() as owner:
        _live(owner)
        owner.execute("alter table audit disable trigger all")
        owner.execute("update audit set actor = 'nobody' where id = (select min(id) from audit)")
        owner.execute("alter table audit enable trigger all")
    made = _script(postgres, "backup.sh", tmp_path, TIDINGS_MIGRATE_DSN=db.dsn)
    dump = Path(made.stdout.strip())
    done = _script(postgres, "restore.sh", dump, TIDINGS_RESTORE_DSN=empty)
    assert "the audit chain is broken in 1 places" in done.stderr
    assert done.returncode == 1
    with dump.open("ab") as out:
        out.write(b"x")
    assert "checksum" in _script(postgres, "restore.sh", dump, TIDINGS_RESTORE_DSN=empty).stderr


def test_a_database_that_is_away_leaves_no_half_backup(
    postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    gone = postgres.dsn(database="gone")
    made = _script(postgres, "backup.sh", tmp_path, TIDINGS_MIGRATE_DSN=gone)
    assert made.returncode != 0
    assert list(tmp_path.iterdir()) == []
