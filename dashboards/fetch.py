"""Rows as dataclasses: the few lines between a named query and a page."""

from collections.abc import Mapping
from typing import Any, TypeVar

from psycopg import AsyncConnection
from psycopg.rows import class_row

Connection = AsyncConnection[tuple[Any, ...]]
Parameters = Mapping[str, object]
Row = TypeVar("Row")


async def every(
    connection: Connection, row: type[Row], query: str, parameters: Parameters
) -> list[Row]:
    """Return all rows, each as a `row`, whose fields are the query's columns."""
    async with connection.cursor(row_factory=class_row(row)) as cursor:
        await cursor.execute(query.encode(), parameters)
        return await cursor.fetchall()


async def first(
    connection: Connection, row: type[Row], query: str, parameters: Parameters
) -> Row | None:
    """Return the first row as a `row`, or None."""
    async with connection.cursor(row_factory=class_row(row)) as cursor:
        await cursor.execute(query.encode(), parameters)
        return await cursor.fetchone()


async def run(connection: Connection, query: str, parameters: Parameters) -> int:
    """Execute a statement; return how many rows it touched."""
    cursor = await connection.execute(query.encode(), parameters)
    return cursor.rowcount
