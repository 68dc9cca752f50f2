"""Stored records through the Record Access Control Point: ask, wait, understand, ask otherwise."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bleak.exc import BleakError, BleakGATTProtocolError

from devices import glucose, racp
from devices.racp import Code, ControlPoint, Op
from devices.reading import UnreadableError
from gateway.sequences import Ask, Counter, counter

_BUSY = (0x80, 0xFE)
_BUSY_TRIES = 5
_BUSY_WAIT_S = 1.0
_NOT_OURS = (
    Code.OP_NOT_SUPPORTED,
    Code.INVALID_OPERATOR,
    Code.OPERATOR_NOT_SUPPORTED,
    Code.INVALID_OPERAND,
    Code.OPERAND_NOT_SUPPORTED,
)


class FetchError(Exception):
    """The device did not give its stored records; what it gave is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What came of it."""

    everything: bool
    """All that the device has was asked for, not only what is new."""
    reset: bool = False
    """The device's counter had started again."""
    newest: int | None = None
    """The sequence number of the last record that came."""


class Fetching:
    """The dialogue with one device's control point, over one connection."""

    def __init__(
        self, write: Callable[[bytes], Awaitable[None]], gone: asyncio.Event, patience_s: float
    ) -> None:
        self._write = write
        self._gone = gone
        self._patience_s = patience_s
        self._answers: asyncio.Queue[ControlPoint] = asyncio.Queue()
        self._stir = asyncio.Event()
        self._newest: int | None = None

    def answered(self, frame: bytes) -> None:
        """Take an indication of the control point."""
        try:
            self._answers.put_nowait(racp.parse(frame))
        except UnreadableError:
            return
        self._stir.set()

    def came(self, characteristic: str, frame: bytes) -> None:
        """Note that a record came: the device is at work."""
        self._stir.set()
        if characteristic == "2A18":
            try:
                self._newest = glucose.parse(frame).sequence
            except UnreadableError:
                return

    async def run(self, ask: Ask, last: int | None) -> Fetched:
        """Fetch what is new, or everything; find out if the counter started again."""
        if ask is not Ask.NEW or last is None:
            return await self._everything(last)
        code = await self._request(racp.report(racp.since(last + 1)))
        if code == Code.SUCCESS:
            return Fetched(everything=False, newest=self._newest)
        if code == Code.NO_RECORDS:
            return await self._look_at_newest(last)
        if code in _NOT_OURS:
            return await self._everything(last)
        raise FetchError(f"records since {last + 1}: response code {code}")

    async def _everything(self, last: int | None) -> Fetched:
        self._start_over()
        code = await self._request(racp.report(racp.ALL))
        if code not in (Code.SUCCESS, Code.NO_RECORDS):
            raise FetchError(f"all records: response code {code}")
        newest = self._newest
        reset = last is not None and newest is not None and counter(last, newest) is Counter.RESET
        return Fetched(everything=True, reset=reset, newest=newest)

    async def _look_at_newest(self, last: int) -> Fetched:
        """Nothing new: because nobody measured, or because the numbers started again below."""
        self._start_over()
        code = await self._request(racp.report(racp.LAST))
        newest = self._newest
        if code != Code.SUCCESS or newest is None or counter(last, newest) is Counter.GOES_ON:
            return Fetched(everything=False)
        return await self._everything(last)

    def _start_over(self) -> None:
        self._newest = None

    async def _request(self, point: ControlPoint) -> int:
        """Write a request and return its response code; silence for too long aborts it."""
        while not self._answers.empty():
            self._answers.get_nowait()
        await self._write_when_free(racp.encode(point))
        while True:
            answer = await self._next_answer(point.op)
            if answer is not None and answer.code is not None and answer.request == point.op:
                return answer.code

    async def _write_when_free(self, body: bytes) -> None:
        for tried in range(1, _BUSY_TRIES + 1):
            try:
                await self._write(body)
            except BleakError as error:
                if tried == _BUSY_TRIES or not is_busy(error):
                    raise
                await asyncio.sleep(tried * _BUSY_WAIT_S)
            else:
                return

    async def _next_answer(self, op: int) -> ControlPoint | None:
        """Wait for an answer as long as records keep coming."""
        if not self._answers.empty():
            return self._answers.get_nowait()
        self._stir.clear()
        gone = asyncio.ensure_future(self._gone.wait())
        stir = asyncio.ensure_future(self._stir.wait())
        try:
            done, _ = await asyncio.wait(
                (gone, stir), timeout=self._patience_s, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            gone.cancel()
            stir.cancel()
        if self._gone.is_set() and self._answers.empty():
            raise FetchError("hung up before it had told everything")
        if not done and op != Op.ABORT:
            await self._write(racp.encode(racp.abort()))
            raise FetchError(f"nothing came for {self._patience_s:g} s")
        return None


def is_busy(error: BleakError) -> bool:
    """Whether the device is still at an earlier request."""
    if isinstance(error, BleakGATTProtocolError):
        return int(error.code) in _BUSY
    return any(f"0x{code:02x}" in str(error).lower() for code in _BUSY)
