"""What tests of the API share: a token for a role, made as the page makes it."""

import asyncio
from datetime import UTC, datetime, timedelta

from psycopg_pool import AsyncConnectionPool

from dashboards.api import tokens
from dashboards.permissions import Verb
from database.pool import as_organisation, open_pool
from tests.dashboards.conftest import Clinic, Db


def token_for(db: Db, at: Clinic, role: str, verbs: frozenset[Verb]) -> str:
    """Make a token of a clinic."""
    scopes = tuple(name for name, verb in tokens.SCOPES.items() if verb in verbs)
    now = datetime.now(UTC)
    wanted = tokens.Wanted(
        name=f"The {role}'s program", role=role, scopes=scopes, expires_at=now + timedelta(days=1)
    )

    async def made() -> str:
        async with open_pool(db.web_dsn, most=1) as pool:
            return await _minted(pool, at, wanted, now)

    return asyncio.run(made())


async def _minted(
    pool: AsyncConnectionPool, at: Clinic, wanted: tokens.Wanted, now: datetime
) -> str:
    async with as_organisation(pool, at.id) as connection:
        return (await tokens.mint(connection, wanted, now))[1]
