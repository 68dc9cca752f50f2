from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from database.pool import connect
from deploy.embedded.postgres import EmbeddedPostgres
from ingest import binary

TABLE = {
    "uuid": (binary.uuids, binary.UUID_OID, st.uuids()),
    "text": (
        binary.texts,
        binary.TEXT_OID,
        st.text(st.characters(exclude_characters="\0", codec="utf-8")),
    ),
    "bytea": (binary.blobs, binary.BYTEA_OID, st.binary()),
    "float8": (binary.float8s, 701, st.floats(allow_nan=False)),
    "float4": (binary.float4s, 700, st.floats(width=32, allow_nan=False)),
    "int2": (binary.int2s, binary.INT2_OID, st.integers(-(2**15), 2**15 - 1)),
    "int4": (binary.int4s, 23, st.integers(-(2**31), 2**31 - 1)),
    "timestamptz": (
        binary.timestamptzs,
        binary.TIMESTAMPTZ_OID,
        st.datetimes(timezones=st.just(UTC)),
    ),
    "timestamp": (binary.timestamps, 1114, st.datetimes()),
}


@pytest.mark.parametrize("kind", TABLE)
def test_postgres_reads_back_what_was_written(postgres: EmbeddedPostgres, kind: str) -> None:
    encode, oid, values = TABLE[kind]
    with connect(postgres.dsn(), autocommit=True) as connection:
        binary.register(connection)

        @settings(max_examples=25, deadline=None)
        @given(told=st.lists(values | st.none(), max_size=6))
        def check(told: list[Any]) -> None:
            array = binary.array(oid, encode(told))
            exactly = "::float8[]" if kind == "float4" else ""
            row = connection.execute(f"select %s::{kind}[]{exactly}", (array,)).fetchone()
            assert row[0] == told

        check()


def test_rows_are_copied_whole(postgres: EmbeddedPostgres) -> None:
    columns = [
        binary.bools([True, False]),
        binary.text_arrays([("a", "b\x1f"), ()]),
        binary.jsonbs([b'{"a": 1}', None]),
        binary.texts(["x", None]),
        binary.timestamptzs([datetime(1999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), None]),
        binary.uuids([UUID(int=2**128 - 1), UUID(int=0)]),
    ]
    with connect(postgres.dsn()) as connection:
        connection.execute(
            "create temp table t (b bool, f text[], j jsonb, t text, at timestamptz, u uuid)"
        )
        with connection.cursor().copy("copy t from stdin (format binary)") as copy:
            copy.write(binary.copy(columns))
        rows = connection.execute("select * from t").fetchall()
    assert rows == [
        (
            True,
            ["a", "b\x1f"],
            {"a": 1},
            "x",
            datetime(1999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
            UUID(int=2**128 - 1),
        ),
        (False, [], None, None, None, UUID(int=0)),
    ]


def test_a_number_that_does_not_fit_is_an_error() -> None:
    with pytest.raises(OverflowError):
        binary.float4s([1e300])
