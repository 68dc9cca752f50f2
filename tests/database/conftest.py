from collections.abc import Iterator
from itertools import count

import pytest
from psycopg import sql

from database.pool import connect
from deploy.embedded.postgres import EmbeddedPostgres

_numbers = count()


@pytest.fixture
def empty(postgres: EmbeddedPostgres) -> Iterator[str]:
    """The connection string of a new database without any table."""
    name = f"empty_{next(_numbers)}"
    with connect(postgres.dsn(), autocommit=True) as owner:
        owner.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    yield postgres.dsn(database=name)
    with connect(postgres.dsn(), autocommit=True) as owner:
        owner.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
