"""A device's books: what it measured, what it still holds, what left it. The truth of a test."""

from gateway.simulated.peripherals.record import Record, Sent


class Books:
    """Kept by the device itself, whatever a gateway makes of it."""

    def __init__(self) -> None:
        self.measured: list[Record] = []
        self.stored: list[Record] = []
        """Its memory, oldest first."""
        self.sent: list[Sent] = []
        """Every frame that left, copies and repeats included."""
        self.transferred: list[Record] = []
        """Records that were sent whole, each once, in the order of sending."""
        self._news: dict[int, Record] = {}

    @property
    def has_news(self) -> bool:
        """Whether there is anything that was not sent yet."""
        return bool(self._news)

    def unsent(self) -> list[Record]:
        """What was not sent yet, oldest first."""
        return list(self._news.values())

    def enter(self, record: Record) -> None:
        """Note a new record."""
        self.measured.append(record)
        self.stored.append(record)
        self._news[record.number] = record

    def close(self, record: Record) -> None:
        """Note that a record was sent whole."""
        if self._news.pop(record.number, None) is not None:
            self.transferred.append(record)

    def erase(self, record: Record) -> None:
        """Take a record out of the memory, sent or not."""
        self.stored.remove(record)
        self._news.pop(record.number, None)
