"""The objects on the bus: what exists, who answers for it, and a signal for every change."""

from collections.abc import Callable, Iterable

from dbus_fast import Message

from gateway.simulated.bluez import names
from gateway.simulated.bluez.calls import Answer, Interfaces, Properties, unknown_object


class ObjectTree:
    """Objects by path, as ObjectManager shows them; `send` carries the signals, in order."""

    def __init__(self, send: Callable[[Message], None]) -> None:
        self._send = send
        self._objects: dict[str, Interfaces] = {}
        self._answers: dict[str, Answer] = {}

    def __contains__(self, path: str) -> bool:
        return path in self._objects

    def everything(self) -> dict[str, Interfaces]:
        """A copy of every object."""
        return {path: _copy(interfaces) for path, interfaces in self._objects.items()}

    def interfaces(self, path: str) -> Interfaces:
        """The interfaces of one object; raise UnknownObject if there is none."""
        try:
            return self._objects[path]
        except KeyError:
            raise unknown_object(path) from None

    def answer(self, path: str) -> Answer:
        """Whoever answers calls to this object."""
        self.interfaces(path)
        return self._answers[path]

    def add(self, path: str, interfaces: Interfaces, answer: Answer) -> None:
        """Make an object appear."""
        self._objects[path], self._answers[path] = interfaces, answer
        self._signal("/", names.OBJECTS, "InterfacesAdded", "oa{sa{sv}}", path, _copy(interfaces))

    def remove(self, path: str) -> None:
        """Make an object and all below it disappear, the lowest first; absent ones are ignored."""
        gone = [each for each in self._objects if each == path or each.startswith(f"{path}/")]
        for each in reversed(gone):
            interfaces = self._objects.pop(each)
            del self._answers[each]
            self._signal("/", names.OBJECTS, "InterfacesRemoved", "oas", each, list(interfaces))

    def remove_below(self, path: str) -> None:
        """Make all below an object disappear, and leave the object."""
        for each in [each for each in self._objects if each.startswith(f"{path}/")]:
            self.remove(each)

    def change(
        self, path: str, interface: str, changed: Properties, *, dropped: Iterable[str] = ()
    ) -> None:
        """Set properties and say so; an object that is gone is left alone."""
        if path not in self._objects:
            return
        properties = self._objects[path][interface]
        properties.update(changed)
        absent = [name for name in dropped if properties.pop(name, None) is not None]
        body = (interface, dict(changed), absent)
        self._signal(path, names.PROPERTIES, "PropertiesChanged", "sa{sv}as", *body)

    def _signal(
        self, path: str, interface: str, member: str, signature: str, *body: object
    ) -> None:
        self._send(Message.new_signal(path, interface, member, signature, list(body)))


def _copy(interfaces: Interfaces) -> Interfaces:
    """Values as they are now: a queued signal must not show what changed after it."""
    return {name: dict(properties) for name, properties in interfaces.items()}
