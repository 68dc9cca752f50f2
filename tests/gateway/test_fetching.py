"""The dialogue with a control point that answers as the test wants, over every code there is."""

import asyncio
from collections.abc import Callable

import pytest
from bleak.exc import BleakDBusError, BleakGATTProtocolError

from devices import racp
from devices.racp import Code, Op
from gateway.fetching import Fetched, FetchError, Fetching, is_busy
from gateway.sequences import Ask

ALL, SINCE_6, LAST, ABORT = "0101", "0103010600", "0106", "0300"
Frame = Callable[..., bytes]


class Meter:
    """Answers each request with the records and the code that the script has for it."""

    def __init__(
        self, script: dict[str, tuple[list[int], int | None]], frame: Callable[[int], bytes]
    ) -> None:
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
    def make(script: dict[str, tuple[list[int], int | None]]) -> Meter:
        return Meter(script, lambda sequence: meter_frame(noon, sequence))

    return make


@pytest.mark.parametrize(
    ("ask", "last", "script", "expected", "asked"),
    [
        (Ask.ALL_FIRST_TIME, None, {ALL: ([1, 2], 1)}, Fetched(everything=True, newest=2), [ALL]),
        (Ask.ALL_FIRST_TIME, None, {ALL: ([], 6)}, Fetched(everything=True), [ALL]),
        (Ask.NEW, 5, {SINCE_6: ([6, 7], 1)}, Fetched(everything=False, newest=7), [SINCE_6]),
        (
            Ask.NEW,
            5,
            {SINCE_6: ([], 6), LAST: ([5], 1)},
            Fetched(everything=False),
            [SINCE_6, LAST],
        ),
        (Ask.NEW, 5, {SINCE_6: ([], 6), LAST: ([], 6)}, Fetched(everything=False), [SINCE_6, LAST]),
        (Ask.NEW, 5, {SINCE_6: ([], 6), LAST: ([], 4)}, Fetched(everything=False), [SINCE_6, LAST]),
        (
            Ask.NEW,
            5,
            {SINCE_6: ([], 6), LAST: ([2], 1), ALL: ([1, 2], 1)},
            Fetched(everything=True, reset=True, newest=2),
            [SINCE_6, LAST, ALL],
        ),
        *(
            (
                Ask.NEW,
                5,
                {SINCE_6: ([], code), ALL: ([6], 1)},
                Fetched(everything=True, newest=6),
                [SINCE_6, ALL],
            )
            for code in (2, 3, 4, 5, 9)
        ),
        (
            Ask.ALL_AGAIN,
            5,
            {ALL: ([1, 2], 1)},
            Fetched(everything=True, reset=True, newest=2),
            [ALL],
        ),
        (Ask.ALL_AGAIN, 5, {ALL: ([4, 5, 6], 1)}, Fetched(everything=True, newest=6), [ALL]),
    ],
    ids=[
        "everything",
        "nothing at all",
        "what is new",
        "nothing new",
        "emptied",
        "cannot tell the newest",
        "started again",
        "no report",
        "bad operator",
        "unknown operator",
        "bad operand",
        "unknown operand",
        "weekly look finds a reset",
        "weekly look",
    ],
)
async def test_asks_until_it_knows(
    meter: Callable[..., Meter],
    ask: Ask,
    last: int | None,
    script: dict[str, tuple[list[int], int | None]],
    expected: Fetched,
    asked: list[str],
) -> None:
    device = meter(script)
    assert await device.fetching.run(ask, last) == expected
    assert device.asked == asked


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
