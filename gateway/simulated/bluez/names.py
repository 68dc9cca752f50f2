"""The names that BlueZ gives to things on D-Bus."""

SERVICE = "org.bluez"
ROOT = "/org/bluez"
ADAPTER = "org.bluez.Adapter1"
AGENT = "org.bluez.Agent1"
AGENTS = "org.bluez.AgentManager1"
DEVICE = "org.bluez.Device1"
GATT_SERVICE = "org.bluez.GattService1"
CHARACTERISTIC = "org.bluez.GattCharacteristic1"
DESCRIPTOR = "org.bluez.GattDescriptor1"

DAEMON = "org.freedesktop.DBus"
DAEMON_PATH = "/org/freedesktop/DBus"
INTROSPECTABLE = "org.freedesktop.DBus.Introspectable"
OBJECTS = "org.freedesktop.DBus.ObjectManager"
PEER = "org.freedesktop.DBus.Peer"
PROPERTIES = "org.freedesktop.DBus.Properties"


def adapter_path(adapter: str) -> str:
    """The object path of an adapter such as hci0."""
    return f"{ROOT}/{adapter}"


def device_path(adapter: str, address: str) -> str:
    """The object path of a device as one adapter sees it."""
    return f"{ROOT}/{adapter}/dev_{address.replace(':', '_')}"


def address_in(path: str) -> str | None:
    """The device address that an object path contains, if it is a device's or below one."""
    for part in path.split("/"):
        if part.startswith("dev_"):
            return part.removeprefix("dev_").replace("_", ":")
    return None
