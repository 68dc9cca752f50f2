"""A script of what goes wrong, and when: each entry fires once, in the order of writing."""

from dataclasses import dataclass

from gateway.simulated.bluez.calls import Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong at a method of one device (or adapter), or of any."""

    member: str
    address: str | None
    failure: Failure | None = None
    delay_s: float = 0.0


class Faults:
    """Faults waiting to fire, and a log of those that did."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []
        self.fired: list[Fault] = []
        self._half_resolved: list[str | None] = []

    def refuse(
        self, member: str, failure: Failure, *, address: str | None = None, times: int = 1
    ) -> None:
        """Let the next calls of `member` fail; for every device unless `address` is given."""
        self.waiting += [Fault(member=member, address=address, failure=failure)] * times

    def delay(
        self, member: str, seconds: float, *, address: str | None = None, times: int = 1
    ) -> None:
        """Let the next calls of `member` take so much longer."""
        self.waiting += [Fault(member=member, address=address, delay_s=seconds)] * times

    def half_resolve(self, *, address: str | None = None, times: int = 1) -> None:
        """Let the next discoveries stop after the first service, and the link break there."""
        self._half_resolved += [address] * times

    def take(self, member: str, address: str | None) -> Fault | None:
        """Take the first fault that is meant for this call."""
        for fault in self.waiting:
            if fault.member == member and fault.address in (None, address):
                self.waiting.remove(fault)
                self.fired.append(fault)
                return fault
        return None

    def take_half_resolved(self, address: str) -> bool:
        """Whether this discovery is to stop half way."""
        for meant in (address, None):
            if meant in self._half_resolved:
                self._half_resolved.remove(meant)
                return True
        return False
