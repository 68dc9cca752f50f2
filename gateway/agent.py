"""Our pairing agent: `org.bluez.Agent1`, which knows the passkeys of this home's devices."""

from collections.abc import Callable

import structlog
from dbus_fast import DBusError
from dbus_fast.annotations import DBusObjectPath, DBusStr, DBusUInt16, DBusUInt32
from dbus_fast.service import ServiceInterface, dbus_method

log = structlog.get_logger()

PATH = "/org/tidings/agent"
CAPABILITY = "KeyboardDisplay"
"""We can tell a passkey, and say yes: Just Works devices and those with a number both pair."""
_REJECTED = "org.bluez.Error.Rejected"


class PairingAgent(ServiceInterface):
    """Answers BlueZ: only for devices that `allowed` lets pair, only with a number we know."""

    def __init__(
        self, *, allowed: Callable[[str], bool], passkey: Callable[[str], str | None]
    ) -> None:
        super().__init__("org.bluez.Agent1")
        self._allowed = allowed
        self._passkey = passkey

    @dbus_method(name="Release")
    def release(self) -> None:
        """BlueZ goes away."""

    @dbus_method(name="RequestPasskey")
    def request_passkey(self, device: DBusObjectPath) -> DBusUInt32:
        """Tell the six digits that are on the device's display or label."""
        return int(self._number(device))

    @dbus_method(name="RequestPinCode")
    def request_pin_code(self, device: DBusObjectPath) -> DBusStr:
        """Tell the digits to a device of the older kind."""
        return self._number(device)

    @dbus_method(name="DisplayPasskey")
    def display_passkey(
        self, device: DBusObjectPath, passkey: DBusUInt32, entered: DBusUInt16
    ) -> None:
        """Nobody sees a display here: such a pairing fails by itself."""

    @dbus_method(name="DisplayPinCode")
    def display_pin_code(self, device: DBusObjectPath, pincode: DBusStr) -> None:
        """As above."""

    @dbus_method(name="RequestConfirmation")
    def request_confirmation(self, device: DBusObjectPath, _passkey: DBusUInt32) -> None:
        """Say yes to a number that both sides show, for a device that may pair."""
        self._check(device)

    @dbus_method(name="RequestAuthorization")
    def request_authorization(self, device: DBusObjectPath) -> None:
        """Say yes to a pairing without a number, for a device that may pair."""
        self._check(device)

    @dbus_method(name="AuthorizeService")
    def authorize_service(self, device: DBusObjectPath, _uuid: DBusStr) -> None:
        """Let a device that may pair use a profile."""
        self._check(device)

    @dbus_method(name="Cancel")
    def cancel(self) -> None:
        """BlueZ no longer wants an answer."""

    def _number(self, device: str) -> str:
        self._check(device)
        passkey = self._passkey(address_in(device))
        if passkey is None or not passkey.isdecimal():
            log.warning("no_passkey", address=address_in(device))
            raise DBusError(_REJECTED, "no passkey is known for this device")
        return passkey

    def _check(self, device: str) -> None:
        if not self._allowed(address_in(device)):
            log.warning("pairing_refused", address=address_in(device))
            raise DBusError(_REJECTED, "this device may not pair now")


def address_in(path: str) -> str:
    """Return the address in a BlueZ device path."""
    return path.rsplit("/dev_", 1)[-1].replace("_", ":")
