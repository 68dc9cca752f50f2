from uuid import uuid4

from database.pool import as_organisation, connect, open_pool
from tests.conftest import Database

SEEN = "select current_setting('tidings.organisation', true)"


async def test_the_organisation_lasts_for_one_transaction(db: Database) -> None:
    one, other = uuid4(), uuid4()
    async with open_pool(db.web_dsn, most=1) as pool:
        for wanted in (one, other):
            async with as_organisation(pool, wanted) as connection:
                seen = await (await connection.execute(SEEN)).fetchone()
            assert seen == (str(wanted),)
        async with pool.connection() as connection:
            assert await (await connection.execute(SEEN)).fetchone() == ("",)


async def test_the_web_role_sees_its_organisation_only(db: Database) -> None:
    ours, theirs = uuid4(), uuid4()
    with db.connect() as owner:
        for organisation in (ours, theirs):
            owner.execute(
                "insert into organisation (id, name, time_zone) values (%s, 'Test', 'UTC')",
                (organisation,),
            )
            owner.execute(
                "insert into care_team (organisation_id, name) values (%s, 'Team')",
                (organisation,),
            )
    async with open_pool(db.web_dsn) as pool:
        async with as_organisation(pool, ours) as connection:
            rows = await (
                await connection.execute("select organisation_id from care_team")
            ).fetchall()
        async with pool.connection() as connection:
            nobody = await (await connection.execute("select from care_team")).fetchall()
    assert rows == [(ours,)]
    assert nobody == []


def test_sessions_are_in_utc(db: Database) -> None:
    with connect(db.worker_dsn) as connection:
        assert connection.execute("show timezone").fetchone() == ("UTC",)
