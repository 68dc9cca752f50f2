"""One method call on D-Bus and its answer, apart from the connection that carries them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from dbus_fast import Variant

Properties = dict[str, Variant]
Interfaces = dict[str, Properties]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What a client asks of one object."""

    path: str
    interface: str
    member: str
    sender: str
    body: list[Any] = field(default_factory=list)  # D-Bus values: typed by the member's signature


@dataclass(frozen=True, slots=True)
class Reply:
    """What a method returns: a D-Bus signature and its values."""

    signature: str = ""
    body: list[Any] = field(default_factory=list)  # D-Bus values: typed by `signature`
    fds: tuple[int, ...] = ()
    """File descriptors that travel with the reply; closed here once they are sent."""


NOTHING = Reply()

Answer = Callable[[Call], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Failure:
    """The name and text of an error reply; the words are bluetoothd's, because bleak reads them."""

    name: str
    text: str = ""

    @property
    def full_name(self) -> str:
        """The D-Bus error name."""
        return self.name if "." in self.name else f"org.bluez.Error.{self.name}"


class BluezError(Exception):
    """A call fails with this reply."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.full_name}: {failure.text}")
        self.failure = failure


def unknown_object(path: str) -> BluezError:
    """The reply to a call on an object that is not there, or no more."""
    name = "org.freedesktop.DBus.Error.UnknownObject"
    return BluezError(Failure(name, f"no object at {path}"))


def unknown_method(call: Call) -> BluezError:
    """The reply to a call that the object does not know."""
    text = f"{call.interface}.{call.member} is not known at {call.path}"
    return BluezError(Failure("org.freedesktop.DBus.Error.UnknownMethod", text))


IN_PROGRESS = Failure("InProgress", "Operation already in progress")
NOT_READY = Failure("NotReady", "Resource Not Ready")
NOT_CONNECTED = Failure("NotConnected", "Not Connected")
ALREADY_EXISTS = Failure("AlreadyExists", "Already Exists")
DOES_NOT_EXIST = Failure("DoesNotExist", "Does Not Exist")
AUTHENTICATION_FAILED = Failure("AuthenticationFailed", "Authentication Failed")
ABORTED_BY_LOCAL = Failure("Failed", "le-connection-abort-by-local")
NOT_PAIRED = Failure("NotPermitted", "Not paired")
NOT_SUPPORTED = Failure("NotSupported", "Operation is not supported")
