"""Device Information and Battery: what every device says of itself."""

from bumble.gatt import Characteristic, Service

from devices import information
from gateway.simulated.peripherals import gatt
from gateway.simulated.peripherals.behaviour import Behaviour

BATTERY, BATTERY_LEVEL = 0x180F, 0x2A19
INFORMATION = 0x180A
MODEL, SERIAL, FIRMWARE, MANUFACTURER, SYSTEM_ID = 0x2A24, 0x2A25, 0x2A26, 0x2A29, 0x2A23


def services(behaviour: Behaviour, address: str, battery: gatt.Read) -> list[Service]:
    """The services that this device has besides its own."""
    made = []
    if behaviour.labels is not None:
        made.append(gatt.service(INFORMATION, _labels(behaviour, address)))
    if behaviour.battery_percent is not None:
        made.append(gatt.service(BATTERY, [gatt.readable(BATTERY_LEVEL, battery)]))
    return made


def _labels(behaviour: Behaviour, address: str) -> list[Characteristic[bytes]]:
    labels = behaviour.labels
    if labels is None:
        return []
    texts = {
        MANUFACTURER: labels.manufacturer,
        MODEL: labels.model,
        SERIAL: labels.serial,
        FIRMWARE: labels.firmware,
    }
    told = [gatt.readable(short, text.encode()) for short, text in texts.items() if text]
    return [*told, gatt.readable(SYSTEM_ID, information.encode(information.system_id(address)))]
