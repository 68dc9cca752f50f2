"""Promise 10: two schema versions in a row, expand and contract, while readings keep coming in."""

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

from database.migrate import FOLDER, migrate, names, status
from database.pool import connect
from tests.conftest import Database

EXPAND = """
alter table reading add column heard_at timestamptz;
create function carry_heard_at() returns trigger language plpgsql as $$ begin
  new.heard_at := coalesce(new.heard_at, new.gateway_time);
  new.gateway_time := coalesce(new.gateway_time, new.heard_at);
  return new;
end $$;
create trigger carry_heard_at before insert or update on reading
  for each row execute function carry_heard_at();
"""
MIGRATE = """-- no transaction: one statement, many rows
update reading set heard_at = gateway_time where heard_at is null
"""
CONTRACT = """
drop trigger carry_heard_at on reading;
drop function carry_heard_at;
alter table reading alter column heard_at set not null;
drop view visible_reading;
alter table reading drop column gateway_time;
create view visible_reading with (security_barrier) as
  select * from reading where organisation_id = current_organisation();
grant select on visible_reading to tidings_web;
"""
INSERT = """
with fresh as (
  insert into reading_identity (reading_id) values (%(id)s)
  on conflict do nothing returning reading_id
)
insert into reading (
  reading_id, organisation_id, patient_id, device_id, gateway_id, kind, measured_at, value, status,
  time_quality, {column}, received_at, characteristic, frame
)
select reading_id, gen_random_uuid(), gen_random_uuid(), 'd', 'g', 'weight', %(at)s, 80, 'accepted',
  'corrected', %(at)s, %(at)s, '2a9d', '' from fresh
"""
OLD, NEW = INSERT.format(column="gateway_time"), INSERT.format(column="heard_at")
SOME = 40


class Home:
    """Sends reading after reading and each again until it is acknowledged, as a gateway does."""

    def __init__(self, dsn: str, statement: str, at: datetime) -> None:
        self._dsn, self._statement, self._at = dsn, statement, at
        self.acknowledged: list[UUID] = []
        self._arrived = threading.Condition()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._send_all, daemon=True)
        self._thread.start()

    def wait_for_more(self) -> None:
        with self._arrived:
            wanted = len(self.acknowledged) + SOME
            assert self._arrived.wait_for(lambda: len(self.acknowledged) >= wanted, timeout=60)

    def stop(self) -> None:
        self._over.set()
        self._thread.join(60)
        assert not self._thread.is_alive()

    def _send_all(self) -> None:
        while not self._over.is_set():
            reading_id = uuid4()
            while not self._stored(reading_id):
                if self._over.wait(0.01):
                    return
            with self._arrived:
                self.acknowledged.append(reading_id)
                self._arrived.notify_all()

    def _stored(self, reading_id: UUID) -> bool:
        try:
            with connect(self._dsn) as connection:
                connection.execute(self._statement, {"id": reading_id, "at": self._at})
        except psycopg.Error:
            return False
        return True


@contextmanager
def sending(dsn: str, statement: str, at: datetime) -> Iterator[Home]:
    home = Home(dsn, statement, at)
    try:
        yield home
    finally:
        home.stop()


@pytest.fixture
def upgrade(tmp_path: Path) -> Callable[[str], Path]:
    """Adds the next migration to a copy of ours."""
    for name in names():
        shutil.copy(FOLDER / f"{name}.sql", tmp_path)

    def add(text: str) -> Path:
        number = len(names(tmp_path)) + 1
        (tmp_path / f"{number:04}_next.sql").write_text(text)
        return tmp_path

    return add


def test_an_upgrade_loses_no_reading(
    db: Database, noon: datetime, upgrade: Callable[[str], Path]
) -> None:
    with sending(db.worker_dsn, OLD, noon) as old:
        old.wait_for_more()
        assert len(migrate(db.dsn, folder=upgrade(EXPAND))) == 1
        old.wait_for_more()
        with sending(db.worker_dsn, NEW, noon) as new:
            new.wait_for_more()
            old.wait_for_more()
            folder = upgrade(MIGRATE)
            migrate(db.dsn, folder=folder)
            old.stop()
            migrate(db.dsn, folder=upgrade(CONTRACT))
            new.wait_for_more()
    sent = old.acknowledged + new.acknowledged
    with db.connect() as owner:
        stored = owner.execute("select reading_id, heard_at from reading").fetchall()
    assert sorted(stored) == sorted((reading_id, noon) for reading_id in sent)
    assert len(sent) >= 5 * SOME
    assert status(db.dsn, folder).pending == ()


def test_the_old_version_would_be_refused_after_the_contract(
    db: Database, noon: datetime, upgrade: Callable[[str], Path]
) -> None:
    """The check above can fail: a program one version too old stores nothing."""
    for text in (EXPAND, MIGRATE, CONTRACT):
        migrate(db.dsn, folder=upgrade(text))
    with (
        connect(db.worker_dsn) as connection,
        pytest.raises(psycopg.errors.UndefinedColumn),
    ):
        connection.execute(OLD, {"id": uuid4(), "at": noon})
