"""The dialogue with a control point that answers as the test wants, over every code there is."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from bleak.exc import BleakDBusError, BleakGATTProtocolError

from devices import racp
from devices.racp import Code, Op
from gateway.fetching import Fetched, FetchError, Fetching, is_busy
from gateway.sequences import Ask

ALL, SINCE_6, LAST, ABORT = "0101", "0103010600", "0106", "0300"
Frame = Callable[..., bytes]
Script = dict[str, tuple[list[int], int | None]]
"""What a meter sends for each request: sequence numbers, then a response code."""


class Meter:
    """Answers each request with the records and the code that the script has for it."""

    def __init__(self, script: Script, frame: Callable[[int], bytes]) -> None:
        self.script, self.frame = script, frame
        self.asked: list[str] = []
        self.refusals: list[BleakGATTProtocolError] = []
        self.gone = asyncio.Event()
        self.fetching = Fetching(self.write, self.gone, patience_s=0.05)

    async def write(self, body: bytes) -> None:
        self.asked.append(body.hex())
        if self.refusals:
            raise self.refusals.pop(0)
        records, code = self.script.get(body.hex(), ([], None))
        for sequence in records:
            self.fetching.came("2A18", self.frame(sequence))
        if code is not None:
            self.fetching.answered(b"")  # cut off: says nothing
            self.fetching.answered(racp.encode(racp.number(len(records))))  # of another request
            answer = racp.response(Op.REPORT, Code(code))
            self.fetching.answered(racp.encode(answer))


@pytest.fixture
def meter(noon: object, meter_frame: Frame) -> Callable[..., Meter]:
    def make(script: Script) -> Meter:
        return Meter(script, lambda sequence: meter_frame(noon, sequence))

    return make


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A dialogue: what is asked for, how the meter answers, what comes of it."""

    ask: Ask = Ask.NEW
    last: int | None = 5
    script: Script
    found: Fetched
    asked: list[str]


NOTHING_NEW: Script = {SINCE_6: ([], 6)}
CASES = {
    "everything": Case(
        ask=Ask.ALL_FIRST_TIME,
        last=None,
        script={ALL: ([1, 2], 1)},
        found=Fetched(everything=True, newest=2),
        asked=[ALL],
    ),
    "nothing at all": Case(
        ask=Ask.ALL_FIRST_TIME,
        last=None,
        script={ALL: ([], 6)},
        found=Fetched(everything=True),
        asked=[ALL],
    ),
    "what is new": Case(
        script={SINCE_6: ([6, 7], 1)},
        found=Fetched(everything=False, newest=7),
        asked=[SINCE_6],
    ),
    "nothing new": Case(
        script={**NOTHING_NEW, LAST: ([5], 1)},
        found=Fetched(everything=False),
        asked=[SINCE_6, LAST],
    ),
    "emptied": Case(
        script={**NOTHING_NEW, LAST: ([], 6)},
        found=Fetched(everything=False),
        asked=[SINCE_6, LAST],
    ),
    "cannot tell the newest": Case(
        script={**NOTHING_NEW, LAST: ([], 4)},
        found=Fetched(everything=False),
        asked=[SINCE_6, LAST],
    ),
    "started again": Case(
        script={**NOTHING_NEW, LAST: ([2], 1), ALL: ([1, 2], 1)},
        found=Fetched(everything=True, reset=True, newest=2),
        asked=[SINCE_6, LAST, ALL],
    ),
    "weekly look": Case(
        ask=Ask.ALL_AGAIN,
        script={ALL: ([4, 5, 6], 1)},
        found=Fetched(everything=True, newest=6),
        asked=[ALL],
    ),
    "weekly look finds a reset": Case(
        ask=Ask.ALL_AGAIN,
        script={ALL: ([1, 2], 1)},
        found=Fetched(everything=True, reset=True, newest=2),
        asked=[ALL],
    ),
    **{
        f"does not know the request: {code.name}": Case(
            script={SINCE_6: ([], code), ALL: ([6], 1)},
            found=Fetched(everything=True, newest=6),
            asked=[SINCE_6, ALL],
        )
        for code in Code
        if code in (2, 3, 4, 5, 9)
    },
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_asks_until_it_knows(meter: Callable[..., Meter], case: Case) -> None:
    device = meter(case.script)
    assert await device.fetching.run(case.ask, case.last) == case.found
    assert device.asked == case.asked


@pytest.mark.parametrize("code", [7, 8])
async def test_a_request_that_failed_is_an_error(meter: Callable[..., Meter], code: int) -> None:
    with pytest.raises(FetchError, match=f"response code {code}"):
        await meter({SINCE_6: ([6], code)}).fetching.run(Ask.NEW, 5)
    with pytest.raises(FetchError, match=f"response code {code}"):
        await meter({ALL: ([6], code)}).fetching.run(Ask.ALL_FIRST_TIME, None)


async def test_silence_ends_the_request(meter: Callable[..., Meter]) -> None:
    device = meter({})
    with pytest.raises(FetchError, match="nothing came"):
        await device.fetching.run(Ask.ALL_FIRST_TIME, None)
    assert device.asked == [ALL, ABORT]


async def test_hanging_up_before_the_answer_is_an_error(meter: Callable[..., Meter]) -> None:
    device = meter({ALL: ([1, 2], None)})
    device.gone.set()
    with pytest.raises(FetchError, match="hung up"):
        await device.fetching.run(Ask.ALL_FIRST_TIME, None)


async def test_a_busy_meter_is_asked_again(
    meter: Callable[..., Meter], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.fetching._BUSY_WAIT_S", 0)
    device = meter({ALL: ([1], 1)})
    device.refusals = [BleakGATTProtocolError(0xFE), BleakGATTProtocolError(0x80)]
    assert (await device.fetching.run(Ask.ALL_FIRST_TIME, None)).newest == 1
    assert device.asked == [ALL] * 3


def test_knows_busy_however_bleak_says_it() -> None:
    assert is_busy(BleakGATTProtocolError(0xFE))
    assert not is_busy(BleakGATTProtocolError(0xFD))
    failed = "org.bluez.Error.Failed"
    assert is_busy(BleakDBusError(failed, ["Operation failed with ATT error: 0x80"]))
    assert not is_busy(BleakDBusError(failed, ["Operation failed with ATT error: 0x0e"]))
