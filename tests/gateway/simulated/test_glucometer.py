"""The glucose meter's Record Access Control Point, over real bleak."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from bleak.exc import BleakGATTProtocolError

from devices import glucose, glucose_context, racp
from devices.racp import Code, ControlPoint, Op, Operator
from devices.reading import FailedMeasurement, Reading
from gateway.simulated.home import SimulatedHome
from gateway.simulated.peripherals.behaviour import Behaviour, Memory
from gateway.simulated.peripherals.glucometer import Glucometer

pytestmark = pytest.mark.radio

Listener = Any
"""Conftest's class; a conftest cannot be imported."""
Meet = Callable[..., AbstractAsyncContextManager[Listener]]

ADDRESS, NAME = "F1:00:5E:00:53:12", "meter+40111222"


@pytest.fixture
async def meter(home: SimulatedHome) -> Glucometer:
    return await home.add(Glucometer, address=ADDRESS, name=NAME)


@pytest.fixture
async def listener(meter: Glucometer, meet: Meet) -> AsyncIterator[Listener]:
    """A client subscribed to everything, of a meter with ten records."""
    for number in range(10):
        await meter.measure(mg_dl=100 + number)
    async with meet(meter) as listener:
        for short in (0x2A18, 0x2A34, 0x2A52):
            await listener.listen(short)
        yield listener


async def ask(listener: Listener, request: ControlPoint) -> tuple[list[int], ControlPoint]:
    """Ask, and return the sequence numbers that came and the outcome."""
    await listener.write(0x2A52, racp.encode(request))
    came: list[int] = []
    while True:
        frame = await listener.next()
        if frame[0] in (Op.COUNT_RESPONSE, Op.RESPONSE) and frame[1] == Operator.NULL:
            return came, racp.parse(frame)
        came.append(glucose.parse(frame).sequence)


@pytest.mark.parametrize(
    ("request_", "numbers"),
    [
        (racp.report(racp.ALL), list(range(1, 11))),
        (racp.report(racp.since(8)), [8, 9, 10]),
        (racp.report(racp.until(2)), [1, 2]),
        (racp.report(racp.between(4, 6)), [4, 5, 6]),
        (racp.report(racp.FIRST), [1]),
        (racp.report(racp.LAST), [10]),
    ],
    ids=["all", "since 8", "until 2", "4 to 6", "first", "last"],
)
async def test_reports_what_is_asked_for(
    listener: Listener, request_: ControlPoint, numbers: list[int]
) -> None:
    came, outcome = await ask(listener, request_)
    assert came == numbers
    assert outcome == racp.response(Op.REPORT, Code.SUCCESS)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (racp.report(racp.since(11)), Code.NO_RECORDS),
        (racp.report(racp.between(6, 4)), Code.INVALID_OPERAND),
        (ControlPoint(op=9), Code.OP_NOT_SUPPORTED),
        (ControlPoint(op=Op.REPORT), Code.INVALID_OPERATOR),
        (ControlPoint(op=Op.REPORT, operator=77), Code.OPERATOR_NOT_SUPPORTED),
        (
            ControlPoint(op=Op.REPORT, operator=Operator.FROM, operand=b"\1\5"),
            Code.INVALID_OPERAND,
        ),
        (
            ControlPoint(op=Op.REPORT, operator=Operator.FROM, operand=b"\2\5\0"),
            Code.OPERAND_NOT_SUPPORTED,
        ),
    ],
    ids=[
        "nothing there",
        "upside down",
        "unknown op",
        "no operator",
        "unknown operator",
        "cut short",
        "by time",
    ],
)
async def test_answers_with_every_response_code(
    listener: Listener, request_: ControlPoint, code: Code
) -> None:
    assert await ask(listener, request_) == ([], racp.response(request_.op, code))


async def test_counts(listener: Listener) -> None:
    assert (await ask(listener, racp.count(racp.since(4))))[1].count == 7


async def test_deletes(listener: Listener, meter: Glucometer) -> None:
    _, outcome = await ask(listener, racp.delete(racp.until(9)))
    assert outcome == racp.response(Op.DELETE, Code.SUCCESS)
    assert [record.sequence for record in meter.stored] == [10]


async def test_abort_ends_a_report(listener: Listener, meter: Glucometer) -> None:
    for number in range(500):
        await meter.measure(mg_dl=100 + number % 50)
    await listener.write(0x2A52, racp.encode(racp.report(racp.ALL)))
    came, outcome = await ask(listener, racp.abort())
    assert outcome == racp.response(Op.ABORT, Code.SUCCESS)
    assert len(came) < 510
    assert meter.has_news


async def test_abort_of_nothing_fails(listener: Listener) -> None:
    assert await ask(listener, racp.abort()) == (
        [],
        racp.response(Op.ABORT, Code.ABORT_UNSUCCESSFUL),
    )


async def test_a_second_request_is_refused_while_one_is_under_way(
    listener: Listener, meter: Glucometer
) -> None:
    for number in range(500):
        await meter.measure(mg_dl=100 + number % 50)
    await listener.write(0x2A52, racp.encode(racp.report(racp.ALL)))
    with pytest.raises(BleakGATTProtocolError) as refused:
        await listener.write(0x2A52, racp.encode(racp.count(racp.ALL)))
    assert refused.value.args[0] == 0xFE


async def test_a_request_before_subscribing_is_refused(meter: Glucometer, meet: Meet) -> None:
    await meter.measure(mg_dl=100)
    async with meet(meter) as listener:
        with pytest.raises(BleakGATTProtocolError) as refused:
            await listener.write(0x2A52, racp.encode(racp.report(racp.ALL)))
    assert refused.value.args[0] == 0xFD


async def test_a_meal_comes_as_context_of_its_record(meter: Glucometer, meet: Meet) -> None:
    await meter.measure(mg_dl=142, meal=2)
    async with meet(meter) as listener:
        for short in (0x2A18, 0x2A34, 0x2A52):
            await listener.listen(short)
        await listener.write(0x2A52, racp.encode(racp.report(racp.ALL)))
        measured, context, _ = await listener.take(3)
    joined = glucose_context.joined(
        glucose.read(glucose.parse(measured)), glucose_context.parse(context)
    )
    assert isinstance(joined, Reading)
    assert (joined.value, joined.extra["meal"]) == (142, "after_meal")


async def test_a_sequence_reset_starts_at_one(meter: Glucometer, listener: Listener) -> None:
    meter.reset_sequence()
    await meter.measure(mg_dl=99)
    assert (await ask(listener, racp.report(racp.ALL)))[0] == [1]
    assert (await ask(listener, racp.report(racp.since(11))))[1].code == Code.NO_RECORDS


async def test_hangs_up_in_the_middle_of_a_report(meter: Glucometer, listener: Listener) -> None:
    meter.hang_up_after(4)
    await listener.write(0x2A52, racp.encode(racp.report(racp.ALL)))
    await listener.until_gone()
    assert [glucose.parse(frame).sequence for frame in listener.rest()] == [1, 2, 3, 4]
    assert len(meter.transferred) == 4


async def test_some_meters_stream_without_being_asked(home: SimulatedHome, meet: Meet) -> None:
    meter = await home.add(
        Glucometer, address=ADDRESS, name=NAME, behaviour=Behaviour(streams_on_subscribe=True)
    )
    records = [await meter.measure(mg_dl=100 + number) for number in range(3)]
    async with meet(meter) as listener:
        await listener.listen(0x2A18)
        assert await listener.take(3) == [record.frame for record in records]


async def test_one_that_streams_everything_makes_good_what_a_lost_link_took(
    home: SimulatedHome, meet: Meet
) -> None:
    behaviour = Behaviour(streams_on_subscribe=True, memory=Memory.RESEND)
    meter = await home.add(Glucometer, address=ADDRESS, name=NAME, behaviour=behaviour)
    records = [await meter.measure(mg_dl=100 + number) for number in range(3)]
    async with meet(meter) as listener:
        await listener.listen(0x2A18)
        await listener.take(3)
    records.append(await meter.measure(mg_dl=180))
    async with meet(meter) as listener:
        await listener.listen(0x2A18)
        assert await listener.take(4) == [record.frame for record in records]


async def test_units_failures_control_solution_and_offset(home: SimulatedHome) -> None:
    meter = await home.add(
        Glucometer, address=ADDRESS, name=NAME, behaviour=Behaviour(imperial=True)
    )
    meter.offset_minutes = 90
    in_moles = glucose.read(glucose.parse((await meter.measure(mg_dl=101)).frame))
    control = glucose.read(glucose.parse((await meter.measure(mg_dl=110, control=True)).frame))
    failed = glucose.read(glucose.parse((await meter.fail()).frame))
    assert isinstance(in_moles, Reading)
    assert (in_moles.original_value, in_moles.original_unit) == (5.6, "mmol/L")
    assert "control_solution" in control.flags
    assert isinstance(failed, FailedMeasurement)
    assert failed.reason == "sample_insufficient"
