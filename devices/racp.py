"""Record Access Control Point 2A52: ask a meter for its stored records, understand its answers."""

from dataclasses import dataclass
from enum import IntEnum

from devices import date_time, packing, shown
from devices.cursor import Cursor
from devices.date_time import DateTime
from devices.reading import UnreadableError
from devices.shown import Fields


class Op(IntEnum):
    """What is asked, or answered."""

    REPORT = 1
    DELETE = 2
    ABORT = 3
    COUNT = 4
    COUNT_RESPONSE = 5
    RESPONSE = 6


class Operator(IntEnum):
    """Which records."""

    NULL = 0
    ALL = 1
    UP_TO = 2
    FROM = 3
    RANGE = 4
    FIRST = 5
    LAST = 6


class Filter(IntEnum):
    """By what the records are chosen."""

    SEQUENCE = 1
    USER_TIME = 2


class Code(IntEnum):
    """How a request ended; NO_RECORDS is normal."""

    SUCCESS = 1
    OP_NOT_SUPPORTED = 2
    INVALID_OPERATOR = 3
    OPERATOR_NOT_SUPPORTED = 4
    INVALID_OPERAND = 5
    NO_RECORDS = 6
    ABORT_UNSUCCESSFUL = 7
    NOT_COMPLETED = 8
    OPERAND_NOT_SUPPORTED = 9


_NAMES = {
    Op.REPORT: "report",
    Op.DELETE: "delete",
    Op.ABORT: "abort",
    Op.COUNT: "number",
    Op.COUNT_RESPONSE: "count",
    Op.RESPONSE: "response",
}
_ANSWERS = (Op.COUNT_RESPONSE, Op.RESPONSE)
_BOUNDED = (Operator.UP_TO, Operator.FROM, Operator.RANGE)
_SHORT_COUNT, _LONG_COUNT = 2, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlPoint:
    """One request or answer as on the wire; codes we do not know are kept as they came."""

    op: int
    operator: int = Operator.NULL
    operand: bytes = b""

    @property
    def request(self) -> int | None:
        """What a response answers."""
        return self.operand[0] if self.op == Op.RESPONSE else None

    @property
    def code(self) -> int | None:
        """How the request ended, see Code."""
        return self.operand[1] if self.op == Op.RESPONSE else None

    @property
    def count(self) -> int | None:
        """How many records a number response tells of: 16 bits by the standard, 32 in the wild."""
        if self.op != Op.COUNT_RESPONSE:
            return None
        return int.from_bytes(self.operand[: self._answer], "little")

    @property
    def trailing(self) -> bytes:
        """What follows an answer; the length of a request is its own affair."""
        return self.operand[self._answer :] if self.op in _ANSWERS else b""

    @property
    def _answer(self) -> int:
        """How long an answer is."""
        is_long = self.op == Op.COUNT_RESPONSE and len(self.operand) >= _LONG_COUNT
        return _LONG_COUNT if is_long else _SHORT_COUNT

    @property
    def is_success(self) -> bool:
        """A request ended well, be it with no records at all."""
        return self.code in (Code.SUCCESS, Code.NO_RECORDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which records a request is about."""

    operator: Operator
    filter: Filter | None = None
    low: int | DateTime | None = None
    high: int | DateTime | None = None

    def operand(self) -> bytes:
        """Return the bytes that follow the operator."""
        return packing.u8(self.filter) + _bound(self.low) + _bound(self.high)

    def takes(self, sequence: int) -> bool:
        """Whether a record is chosen by its sequence; first and last need the whole list."""
        at_least = not isinstance(self.low, int) or sequence >= self.low
        return at_least and (not isinstance(self.high, int) or sequence <= self.high)


ALL = Choice(operator=Operator.ALL)
FIRST = Choice(operator=Operator.FIRST)
LAST = Choice(operator=Operator.LAST)


def since(sequence: int) -> Choice:
    """Choose the records with this sequence number and later ones."""
    return Choice(operator=Operator.FROM, filter=Filter.SEQUENCE, low=sequence)


def until(sequence: int) -> Choice:
    """Choose the records with this sequence number and earlier ones."""
    return Choice(operator=Operator.UP_TO, filter=Filter.SEQUENCE, high=sequence)


def between(low: int, high: int) -> Choice:
    """Choose the records within two sequence numbers, both included."""
    return Choice(operator=Operator.RANGE, filter=Filter.SEQUENCE, low=low, high=high)


def since_time(moment: DateTime) -> Choice:
    """Choose the records from a user-facing time on."""
    return Choice(operator=Operator.FROM, filter=Filter.USER_TIME, low=moment)


def report(choice: Choice) -> ControlPoint:
    """Ask for records."""
    return _request(Op.REPORT, choice)


def count(choice: Choice) -> ControlPoint:
    """Ask how many records there are."""
    return _request(Op.COUNT, choice)


def delete(choice: Choice) -> ControlPoint:
    """Ask to delete records."""
    return _request(Op.DELETE, choice)


def abort() -> ControlPoint:
    """Ask to stop what is under way."""
    return ControlPoint(op=Op.ABORT)


def response(request: int, code: Code) -> ControlPoint:
    """Answer a request."""
    return ControlPoint(op=Op.RESPONSE, operand=bytes((request, code)))


def number(records: int) -> ControlPoint:
    """Answer how many records there are."""
    return ControlPoint(op=Op.COUNT_RESPONSE, operand=packing.u16(records))


def parse(frame: bytes) -> ControlPoint:
    """Read a request or an answer; UnreadableError if an answer is cut short."""
    cursor = Cursor(frame)
    point = ControlPoint(op=cursor.u8(), operator=cursor.u8(), operand=cursor.rest())
    if point.op in _ANSWERS and len(point.operand) < _SHORT_COUNT:
        raise UnreadableError(f"truncated: an answer needs 2 bytes, not {len(point.operand)}")
    return point


def encode(point: ControlPoint) -> bytes:
    """Return the bytes to write, or to indicate."""
    return bytes((point.op, point.operator)) + point.operand


def choice(point: ControlPoint) -> Choice:
    """Return which records a request chooses; UnreadableError if its operand makes no sense."""
    try:
        operator = Operator(point.operator)
    except ValueError as error:
        raise UnreadableError(f"operator {point.operator} is not known") from error
    if operator not in _BOUNDED:
        return Choice(operator=operator)
    return _bounded(operator, Cursor(point.operand))


def fields(point: ControlPoint) -> Fields:
    """Return the decoded fields; UnreadableError if the bound of a request is cut short."""
    if point.op == Op.COUNT_RESPONSE:
        return {"op": "count", "count": point.count}
    if point.op == Op.RESPONSE:
        return {"op": "response", "request": point.request, "code": point.code}
    known = {int(op): name for op, name in _NAMES.items()}
    return {
        "op": known.get(point.op, point.op),
        "operator": point.operator,
        **_operand(point),
    }


def _operand(point: ControlPoint) -> Fields:
    """The bounds of a request; whatever the standard does not know is shown as it came."""
    raw: Fields = {"operand": point.operand.hex()}
    if point.op not in (Op.REPORT, Op.DELETE, Op.COUNT) or point.operator not in _BOUNDED:
        return raw
    if point.operand and point.operand[0] not in tuple(Filter):
        return raw
    chosen = choice(point)
    return {"filter": chosen.filter, **shown.given(low=_told(chosen.low), high=_told(chosen.high))}


def _told(bound: int | DateTime | None) -> int | str | None:
    return str(bound) if isinstance(bound, DateTime) else bound


def _request(op: Op, chosen: Choice) -> ControlPoint:
    return ControlPoint(op=op, operator=chosen.operator, operand=chosen.operand())


def _bounded(operator: Operator, cursor: Cursor) -> Choice:
    raw = cursor.u8()
    try:
        by = Filter(raw)
    except ValueError as error:
        raise UnreadableError(f"filter {raw} is not known") from error
    first = _read_bound(by, cursor)
    if operator is Operator.RANGE:
        return Choice(operator=operator, filter=by, low=first, high=_read_bound(by, cursor))
    if operator is Operator.UP_TO:
        return Choice(operator=operator, filter=by, high=first)
    return Choice(operator=operator, filter=by, low=first)


def _read_bound(by: Filter, cursor: Cursor) -> int | DateTime:
    return cursor.u16() if by is Filter.SEQUENCE else date_time.read_from(cursor)


def _bound(bound: int | DateTime | None) -> bytes:
    return packing.moment(bound) if isinstance(bound, DateTime) else packing.u16(bound)
