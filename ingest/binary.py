"""PostgreSQL's binary format: elements, and what arrays and COPY make of them.

An element is its length and its bytes, the same in both.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import chain
from struct import Struct
from uuid import UUID

NULL = b"\xff\xff\xff\xff"
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
NAIVE_EPOCH = datetime(2000, 1, 1)  # noqa: DTZ001 - a column of device clocks, which have no zone
COPY_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
COPY_TRAILER = b"\xff\xff"
UUID_OID, TEXT_OID, BYTEA_OID, INT2_OID, TIMESTAMPTZ_OID = 2950, 25, 17, 21, 1184
_HEADER, _EMPTY = Struct(">iiIii"), Struct(">iiI")
_LENGTH = Struct(">i")
_INT2, _INT4, _INT8 = Struct(">ih"), Struct(">ii"), Struct(">iq")
_FLOAT4, _FLOAT8 = Struct(">if"), Struct(">id")
UUID_LENGTH = _LENGTH.pack(16)
MICROSECOND = timedelta(microseconds=1)
Elements = list[bytes]


class Array(bytes):
    """An array in binary; its placeholder is cast (`%(ids)s::uuid[]`), which gives it its type."""

    __slots__ = ()


class _Texts(dict[str | None, bytes]):
    """Elements of a column that repeats itself."""

    def __missing__(self, text: str | None) -> bytes:
        raw = (text or "").encode()
        self[text] = made = NULL if text is None else _LENGTH.pack(len(raw)) + raw
        return made


def uuids(values: Sequence[UUID | None]) -> Elements:
    """Return elements of a uuid column."""
    return [
        NULL if value is None else UUID_LENGTH + value.int.to_bytes(16, "big") for value in values
    ]


def texts(values: Sequence[str | None]) -> Elements:
    """Return elements of a text column."""
    return list(map(_Texts().__getitem__, values))


def blobs(values: Sequence[bytes | None]) -> Elements:
    """Return elements of a bytea column."""
    return [NULL if value is None else _LENGTH.pack(len(value)) + value for value in values]


def int2s(values: Sequence[int | None]) -> Elements:
    """Return elements of a smallint column."""
    return [short(value) for value in values]


def timestamptzs(values: Sequence[datetime | None]) -> Elements:
    """Return elements of a timestamptz column."""
    return [NULL if value is None else _INT8.pack(8, microseconds(value)) for value in values]


def array(element_oid: int, elements: Elements) -> Array:
    """Return one array of these elements."""
    if not elements:
        return Array(_EMPTY.pack(0, 0, element_oid))
    return Array(_HEADER.pack(1, 1, element_oid, len(elements), 1) + b"".join(elements))


def copy(rows: Iterable[bytes]) -> bytes:
    """Return what COPY .. FROM STDIN (format binary) takes; a row begins with its field count."""
    return b"".join(chain((COPY_HEADER,), rows, (COPY_TRAILER,)))


def text(value: str | None) -> bytes:
    """Return the element of one text."""
    if value is None:
        return NULL
    raw = value.encode()
    return _LENGTH.pack(len(raw)) + raw


@lru_cache(maxsize=1024)
def text_array(values: tuple[str, ...]) -> bytes:
    """Return the element of one text[]: a few combinations of words."""
    return blob(array(TEXT_OID, texts(values)))


def blob(value: bytes) -> bytes:
    """Return the element of one bytea, or of anything that is bytes already."""
    return _LENGTH.pack(len(value)) + value


def jsonb(value: bytes | None) -> bytes:
    """Return the element of one jsonb, from JSON text."""
    return NULL if value is None else _LENGTH.pack(len(value) + 1) + b"\1" + value


def number(value: float | None) -> bytes:
    """Return the element of one double precision."""
    return NULL if value is None else _FLOAT8.pack(8, value)


def small(value: float | None) -> bytes:
    """Return the element of one real; OverflowError if it does not fit."""
    return NULL if value is None else _FLOAT4.pack(4, value)


def integer(value: int | None) -> bytes:
    """Return the element of one integer."""
    return NULL if value is None else _INT4.pack(4, value)


def short(value: int | None) -> bytes:
    """Return the element of one smallint."""
    return NULL if value is None else _INT2.pack(2, value)


def microseconds(value: datetime) -> int:
    """Return how PostgreSQL counts a moment."""
    return (value - EPOCH) // MICROSECOND


def clock_microseconds(value: datetime) -> int:
    """Return how PostgreSQL counts what a clock without a zone shows."""
    return (value - NAIVE_EPOCH) // MICROSECOND


def clock_face(value: datetime | None) -> bytes:
    """Return the element of one timestamp, from a naive time."""
    return NULL if value is None else _INT8.pack(8, clock_microseconds(value))
