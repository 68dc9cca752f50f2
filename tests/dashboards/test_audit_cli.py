"""`tidings audit verify` finds what the database could not prevent: an owner who changes rows."""

from typer.testing import CliRunner

from dashboards.audit_cli import app
from tests.dashboards.conftest import Clinic, Db

run = CliRunner()


def _fill(db: Db, clinic: Clinic) -> None:
    with db.connect() as connection:
        for number in range(5):
            connection.execute(
                "insert into audit (organisation_id, actor, action, object_kind, object_id) "
                "values (%s, 'process:test', 'look', 'patient', %s)",
                (clinic.id, str(number)),
            )


def test_a_whole_chain_is_whole(db: Db, clinic: Clinic) -> None:
    _fill(db, clinic)
    for dsn in (db.dsn, db.worker_dsn):
        assert run.invoke(app, ["verify", "--dsn", dsn]).exit_code == 0


def test_a_changed_a_removed_and_a_slipped_in_row_are_found(db: Db, clinic: Clinic) -> None:
    for fault in (
        "update audit set object_id = 'x' where object_id = '2'",
        "delete from audit where object_id = '3'",
        (
            "insert into audit (id, organisation_id, actor, action, object_kind, object_id) "
            "overriding system value select max(id) + 1, organisation_id, 'x', 'x', 'x', 'x' "
            "from audit group by organisation_id"
        ),
    ):
        with db.connect() as connection:
            connection.execute("alter table audit disable trigger all")
            connection.execute("truncate audit")
            connection.execute("alter table audit enable trigger all")
        _fill(db, clinic)
        with db.connect() as connection:
            connection.execute("alter table audit disable trigger all")
            connection.execute(fault.encode())
        assert run.invoke(app, ["verify", "--dsn", db.dsn]).exit_code == 1, fault
