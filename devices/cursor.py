"""Reads a frame from left to right, and never past its end."""

from devices.reading import UnreadableError


class Cursor:
    """A place in a frame; every read moves it on or raises UnreadableError."""

    __slots__ = ("_at", "_frame")

    def __init__(self, frame: bytes) -> None:
        self._frame = bytes(frame)
        self._at = 0

    def take(self, count: int) -> bytes:
        """Return the next `count` bytes."""
        end = self._at + count
        if end > len(self._frame):
            have = len(self._frame)
            raise UnreadableError(f"truncated: byte {end} is needed, the frame has {have}")
        taken = self._frame[self._at : end]
        self._at = end
        return taken

    def rest(self) -> bytes:
        """Return everything that is left, possibly nothing."""
        return self.take(len(self._frame) - self._at)

    @property
    def left(self) -> int:
        """How many bytes have not been read."""
        return len(self._frame) - self._at

    def u8(self) -> int:
        """Return an unsigned byte."""
        return self._number(1)

    def u16(self) -> int:
        """Return an unsigned 16-bit number, little-endian."""
        return self._number(2)

    def u24(self) -> int:
        """Return an unsigned 24-bit number, little-endian."""
        return self._number(3)

    def u32(self) -> int:
        """Return an unsigned 32-bit number, little-endian."""
        return self._number(4)

    def s16(self) -> int:
        """Return a signed 16-bit number, little-endian."""
        return int.from_bytes(self.take(2), "little", signed=True)

    def steps(self, present: int, per_unit: int) -> float | None:
        """Return a 16-bit number of fractions of a unit; None where its flag is not set."""
        return self.u16() / per_unit if present else None

    def _number(self, width: int) -> int:
        return int.from_bytes(self.take(width), "little")
