"""What a meter answers to a request at its Record Access Control Point. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from devices import racp
from devices.racp import Choice, Code, ControlPoint, Filter, Op, Operator
from devices.reading import UnreadableError
from gateway.simulated.peripherals.record import Record

BOUNDED = frozenset({Operator.UP_TO, Operator.FROM, Operator.RANGE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The records to send or to delete, then what to indicate."""

    last: ControlPoint
    send: tuple[Record, ...] = ()
    delete: tuple[Record, ...] = ()


def answer(request: ControlPoint, stored: Sequence[Record]) -> Answer:
    """Decide what a request other than an abort gets."""
    if request.op not in (Op.REPORT, Op.COUNT, Op.DELETE):
        return _refused(request, Code.OP_NOT_SUPPORTED)
    if request.operator == Operator.NULL:
        return _refused(request, Code.INVALID_OPERATOR)
    if request.operator not in set(Operator):
        return _refused(request, Code.OPERATOR_NOT_SUPPORTED)
    if request.operator in BOUNDED and request.operand[:1] != bytes([Filter.SEQUENCE]):
        return _refused(request, Code.OPERAND_NOT_SUPPORTED)
    try:
        choice = racp.choice(request)
    except UnreadableError:
        return _refused(request, Code.INVALID_OPERAND)
    return _chosen(request, choice, stored)


def _chosen(request: ControlPoint, choice: Choice, stored: Sequence[Record]) -> Answer:
    """Carry out a request that makes sense."""
    if choice.operator is Operator.RANGE and _upside_down(choice):
        return _refused(request, Code.INVALID_OPERAND)
    found = tuple(pick(choice, stored))
    if request.op == Op.COUNT:
        return Answer(last=racp.number(len(found)))
    if not found:
        return _refused(request, Code.NO_RECORDS)
    success = racp.response(request.op, Code.SUCCESS)
    if request.op == Op.DELETE:
        return Answer(last=success, delete=found)
    return Answer(last=success, send=found)


def pick(choice: Choice, stored: Sequence[Record]) -> Sequence[Record]:
    """The stored records that are chosen, oldest first."""
    match choice.operator:
        case Operator.FIRST:
            return stored[:1]
        case Operator.LAST:
            return stored[-1:]
    return [record for record in stored if choice.takes(record.sequence or 0)]


def _upside_down(choice: Choice) -> bool:
    low, high = choice.low, choice.high
    return isinstance(low, int) and isinstance(high, int) and low > high


def _refused(request: ControlPoint, code: Code) -> Answer:
    return Answer(last=racp.response(request.op, code))
