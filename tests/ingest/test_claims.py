"""An id is claimed once: quickly where none came again, with care where some did."""

import pytest
from psycopg import AsyncConnection

from ingest import claims, parameters
from tests.ingest.builders import Clinic

OLD, NEW, NEWER = (bytes([n]) * 16 for n in (1, 2, 3))


async def test_claims_none_of_them_when_one_came_before(clinic: Clinic) -> None:
    async with await AsyncConnection.connect(clinic.db.worker_dsn, autocommit=True) as connection:
        assert (await claims.claim_new(connection, [OLD])).again == []
        with pytest.raises(claims.Again):
            await claims.claim_new(connection, [OLD, NEW])
    assert clinic.one("select count(*) from reading_identity") == 1


async def test_tells_the_new_from_those_that_came_before(clinic: Clinic) -> None:
    async with await AsyncConnection.connect(clinic.db.worker_dsn, autocommit=True) as connection:
        parameters.register(connection)
        await claims.claim_new(connection, [OLD])
        claimed = await claims.claim(connection, [OLD, NEW, NEWER])
        nothing_new = await claims.claim(connection, [OLD, NEW])
    assert claimed.again == [OLD]
    assert [claimed.has(each) for each in (OLD, NEW, NEWER)] == [False, True, True]
    assert nothing_new.again == [OLD, NEW]
