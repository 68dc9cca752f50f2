import pytest
from psycopg.errors import UniqueViolation

from dashboards.accounts import passwords
from deploy import probes
from deploy.clinic import Clinic, found
from tests.conftest import Database

CLINIC = Clinic(
    name="Riverside",
    time_zone="America/New_York",
    email="Ada@clinic.example",
    person="Ada Example",
    last_resort="mailto://duty@clinic.example",
)


async def test_a_clinic_begins_with_somebody_who_can_sign_in(db: Database) -> None:
    with db.connect() as connection:
        connection.execute("set role tidings_worker")
        organisation = found(connection, CLINIC, "a first password")
        row = connection.execute(
            "select role, password_hash from staff_signing_in('ada@clinic.example')"
        ).fetchone()
        assert row is not None
        assert row[0] == "administrator"
        assert await passwords.matches(row[1], "a first password")
        trail = connection.execute("select organisation_id, actor, action from audit").fetchall()
        assert trail == [(organisation, "operator", "change")]
        resort = connection.execute("select channel, staff_id from contact_channel").fetchall()
        assert resort == [("email", None)]
    assert list(probes.look_at_pipeline(db.dsn, None, 0).nobody_to_page) == []


def test_a_clinic_is_founded_whole_or_not_at_all(db: Database) -> None:
    with db.connect() as connection:
        found(connection, CLINIC, "x")
        with pytest.raises(ValueError, match="already"):
            found(connection, CLINIC, "x")
        other = Clinic(name="Hillside", time_zone="UTC", email="ada@clinic.example", person="Ada")
        with pytest.raises(UniqueViolation):
            found(connection, other, "x")
        with pytest.raises(ValueError, match="no time zone"):
            found(connection, Clinic(name="C", time_zone="EDT5", email="b@c.d", person="B"), "x")
        assert connection.execute("select name from organisation").fetchall() == [("Riverside",)]
