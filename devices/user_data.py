"""User Data: control point 2A9F (consent) and database change increment 2A99."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType

from devices import packing
from devices.cursor import Cursor
from devices.reading import UnreadableError
from devices.shown import Fields

HIGHEST_CODE = 9999


class Op(IntEnum):
    """What is asked, or answered."""

    REGISTER = 1
    CONSENT = 2
    DELETE = 3
    LIST = 4
    DELETE_USER = 5
    RESPONSE = 0x20


class Result(IntEnum):
    """How a request ended."""

    SUCCESS = 1
    NOT_SUPPORTED = 2
    INVALID_PARAMETER = 3
    FAILED = 4
    NOT_AUTHORIZED = 5


_ANSWER = 2
_NEEDS: Mapping[int, int] = MappingProxyType(
    {Op.REGISTER: 2, Op.CONSENT: 3, Op.DELETE: 0, Op.DELETE_USER: 1, Op.RESPONSE: _ANSWER}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlPoint:
    """2A9F as on the wire; codes we do not know are kept as they came."""

    op: int
    parameter: bytes = b""

    @property
    def request(self) -> int | None:
        """What a response answers."""
        return self.parameter[0] if self.op == Op.RESPONSE else None

    @property
    def result(self) -> int | None:
        """How the request ended, see Result."""
        return self.parameter[1] if self.op == Op.RESPONSE else None

    @property
    def user(self) -> int | None:
        """The slot that a register response gives, or that a request is about."""
        if self.op == Op.RESPONSE:
            return self.parameter[2] if len(self.parameter) > _ANSWER else None
        return self.parameter[0] if self.op in (Op.CONSENT, Op.DELETE_USER) else None

    @property
    def trailing(self) -> bytes:
        """What follows the parameter that the operation has."""
        if self.op == Op.RESPONSE:
            return self.parameter[_ANSWER + 1 :]
        return self.parameter[_NEEDS[self.op] :] if self.op in _NEEDS else b""

    @property
    def code(self) -> int | None:
        """The consent code that a request carries."""
        if self.op == Op.REGISTER:
            return int.from_bytes(self.parameter[:2], "little")
        return int.from_bytes(self.parameter[1:3], "little") if self.op == Op.CONSENT else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Increment:
    """2A99: grows when the user's data change, on either side."""

    count: int
    trailing: bytes = b""


def register(code: int) -> ControlPoint:
    """Ask for a new user slot under a consent code (0 to 9999)."""
    return ControlPoint(op=Op.REGISTER, parameter=_code(code))


def consent(user: int, code: int) -> ControlPoint:
    """Ask for the data of a user slot."""
    return ControlPoint(op=Op.CONSENT, parameter=bytes((user,)) + _code(code))


def delete() -> ControlPoint:
    """Ask to delete the data of the consented user."""
    return ControlPoint(op=Op.DELETE)


def response(request: int, result: Result, user: int | None = None) -> ControlPoint:
    """Answer a request; a register answer carries the new slot."""
    parameter = bytes((request, result)) + packing.u8(user)
    return ControlPoint(op=Op.RESPONSE, parameter=parameter)


def parse(frame: bytes) -> ControlPoint:
    """Read 2A9F; UnreadableError if a parameter that the operation needs is missing."""
    cursor = Cursor(frame)
    point = ControlPoint(op=cursor.u8(), parameter=cursor.rest())
    needs = _NEEDS.get(point.op, 0)
    if len(point.parameter) < needs:
        have = len(point.parameter)
        raise UnreadableError(f"truncated: operation {point.op} needs {needs} bytes, not {have}")
    return point


def encode(point: ControlPoint) -> bytes:
    """Return 2A9F."""
    return bytes((point.op,)) + point.parameter


def parse_increment(frame: bytes) -> Increment:
    """Read 2A99."""
    cursor = Cursor(frame)
    return Increment(count=cursor.u32(), trailing=cursor.rest())


def encode_increment(increment: Increment) -> bytes:
    """Return 2A99."""
    return packing.u32(increment.count) + increment.trailing


def fields(point: ControlPoint) -> Fields:
    """Return the decoded fields of 2A9F."""
    if point.op == Op.RESPONSE:
        found: Fields = {"op": point.op, "request": point.request, "result": point.result}
        return found if point.user is None else {**found, "user_id": point.user}
    return {"op": point.op, "user_id": point.user, "code": point.code}


def increment_fields(increment: Increment) -> Fields:
    """Return the decoded field of 2A99."""
    return {"increment": increment.count}


def _code(code: int) -> bytes:
    if not 0 <= code <= HIGHEST_CODE:
        raise ValueError(f"a consent code is 0 to {HIGHEST_CODE}, not {code}")
    return packing.u16(code)
