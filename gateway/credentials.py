"""The box's passwords for the broker: the configured one and those that the server sent since.

A rotation cannot lock the box out: whichever the broker refuses, the next one is tried.
"""

import msgspec

from gateway.settings import Broker
from gateway.store import Store

_NAME = "credentials"
_KEPT = 2


class _Rotated(msgspec.Struct, frozen=True):
    """Passwords sent by the server, newest first, and the configured one that they replace."""

    replaces: str
    passwords: list[str]


class Credentials:
    """Whom we say we are, in the order in which to try."""

    def __init__(self, store: Store, broker: Broker) -> None:
        self._store = store
        self._broker = broker
        self._turn = 0
        self._good: str | None = None

    def current(self) -> tuple[str | None, str | None]:
        """Return user name and password to use now."""
        candidates = self._candidates()
        return self._broker.username, candidates[self._turn % len(candidates)]

    def accepted(self) -> None:
        """The broker took the current one: it is not let go before another one was taken."""
        self._good = self.current()[1]

    def refused(self) -> tuple[str | None, str | None]:
        """The broker did not take the current one: return the next to try."""
        self._turn += 1
        return self.current()

    def rotate(self, password: str) -> None:
        """Keep a password from the server before anything depends on it; it is tried first."""
        kept_anyway = (password, self._broker.password)
        before = [one for one in (self._good, *self._rotated()) if one and one not in kept_anyway]
        passwords = [password, *before][:_KEPT]
        rotated = _Rotated(replaces=self._broker.fingerprint, passwords=passwords)
        self._store.run("meta_put", _NAME, self._store.seal.close(msgspec.json.encode(rotated)))
        self._turn = 0

    def _candidates(self) -> list[str | None]:
        return [*self._rotated(), self._broker.password]

    def _rotated(self) -> list[str]:
        """Only those that replace the password configured now: a new enrolment starts afresh."""
        found = self._store.run("meta_get", _NAME)
        if not found:
            return []
        rotated = msgspec.json.decode(self._store.seal.open(found[0][0]), type=_Rotated)
        return rotated.passwords if rotated.replaces == self._broker.fingerprint else []
