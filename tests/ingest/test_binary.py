from collections.abc import Callable, Sequence
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from database.pool import connect
from deploy.embedded.postgres import EmbeddedPostgres
from ingest import binary, parameters


def each(element: Callable[[Any], bytes]) -> Callable[[Sequence[Any]], list[bytes]]:
    return lambda values: [element(value) for value in values]


TEXT = st.text(st.characters(exclude_characters="\0", codec="utf-8"))
TABLE: dict[str, tuple[Callable[[Sequence[Any]], list[bytes]], int, st.SearchStrategy[Any]]] = {
    "uuid": (binary.uuids, binary.UUID_OID, st.uuids()),
    "text": (binary.texts, binary.TEXT_OID, TEXT),
    "bytea": (binary.blobs, binary.BYTEA_OID, st.binary()),
    "float8": (each(binary.number), 701, st.floats(allow_nan=False)),
    "float4": (each(binary.small), 700, st.floats(width=32, allow_nan=False)),
    "int2": (binary.int2s, binary.INT2_OID, st.integers(-(2**15), 2**15 - 1)),
    "int4": (each(binary.integer), 23, st.integers(-(2**31), 2**31 - 1)),
    "timestamptz": (
        binary.timestamptzs,
        binary.TIMESTAMPTZ_OID,
        st.datetimes(timezones=st.just(UTC)),
    ),
    "timestamp": (each(binary.clock_face), 1114, st.datetimes()),
}


@pytest.mark.parametrize("kind", TABLE)
def test_postgres_reads_back_what_was_written(postgres: EmbeddedPostgres, kind: str) -> None:
    encode, oid, values = TABLE[kind]
    with connect(postgres.dsn(), autocommit=True) as connection:
        parameters.register(connection)

        @settings(max_examples=25, deadline=None)
        @given(told=st.lists(values | st.none(), max_size=6))
        def check(told: list[Any]) -> None:
            array = binary.array(oid, encode(told))
            exactly = "::float8[]" if kind == "float4" else ""
            row = connection.execute(f"select %s::{kind}[]{exactly}", (array,)).fetchone()
            assert row == (told,)

        check()


def test_rows_are_copied_whole(postgres: EmbeddedPostgres) -> None:
    first = [binary.text_array(("a", "b\x1f")), binary.jsonb(b'{"a": 1}'), binary.text("x")]
    second = [binary.text_array(()), binary.jsonb(None), binary.text(None)]
    rows = [b"\0\3" + b"".join(each) for each in (first, second)]
    with connect(postgres.dsn()) as connection:
        connection.execute("create temp table t (f text[], j jsonb, t text)")
        with connection.cursor().copy("copy t from stdin (format binary)") as copy:
            copy.write(binary.copy(rows))
        found = connection.execute("select * from t").fetchall()
    assert found == [(["a", "b\x1f"], {"a": 1}, "x"), ([], None, None)]


def test_a_number_that_does_not_fit_is_an_error() -> None:
    with pytest.raises(OverflowError):
        binary.small(1e300)
