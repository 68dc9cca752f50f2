"""The device at the other end of a connection: what it offers, by standard codes; no decisions."""

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog
from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.exc import BleakError

from devices import battery, information, profiles
from devices import clock as device_clock
from devices.model import Model
from devices.reading import UnreadableError
from gateway import clock

log = structlog.get_logger()

Hear = Callable[[str, bytes], None]

CLOCKS = ("2A2B", "2A08")
BESIDE_READINGS = frozenset({"2A34", "2A52", "2A9F", *CLOCKS})
"""Not readings, but needed: glucose context, the control points, clocks that tell themselves."""
_STREAM, _SPOT_CHECK = "2A5F", "2A5E"
_LONGEST_TEXT = 40


class Peer:
    """One connected device; its own names for standard characteristics are seen through."""

    def __init__(self, client: BleakClient, model: Model | None, gone: asyncio.Event) -> None:
        self._client = client
        self._gone = gone
        self._offered = _codes(client, model)

    def offers(self, code: str) -> bool:
        """Whether the device has this characteristic."""
        return code in self._offered

    async def listen(self, hear: Hear) -> None:
        """Subscribe: measurements before control points, so that no answer comes too early."""
        wanted = [code for code in self._offered if self._speaks(code)]
        for code in sorted(wanted, key=lambda code: (code in BESIDE_READINGS, code)):
            await self._client.start_notify(self._offered[code], _heard_as(code, hear))

    async def read(self, code: str) -> bytes | None:
        """Return a value, or None where the device has it not or keeps it to itself."""
        found = self._offered.get(code)
        if found is None or "read" not in found.properties:
            return None
        try:
            return bytes(await self._client.read_gatt_char(found))
        except BleakError as error:
            if self._gone.is_set() or not self._client.is_connected:
                raise
            log.info("not_readable", char=code, error=str(error))
            return None

    async def write(self, code: str, body: bytes) -> None:
        """Write and wait for the device to confirm it."""
        await self._client.write_gatt_char(self._offered[code], body, response=True)

    async def identity(self, address: str) -> str:
        """Return the device's stable identity: serial number, else System ID, else address."""
        serial, system = await self.read("2A25"), await self.read("2A23")
        return information.identity(
            serial=information.parse_text(serial).text if serial else None,
            system=_system_id(system),
            address=address,
        )

    async def clock_offset(self, now: Callable[[], datetime]) -> float | None:
        """Return our clock minus the device's, in seconds; None if it tells no time."""
        for code in CLOCKS:
            raw = await self.read(code)
            shown = _shown(code, raw) if raw is not None else None
            if shown is not None:
                return round(clock.offset_s(shown, now()), 3)
        return None

    async def set_clock(self, code: str, local: datetime) -> bool:
        """Let the device show this time; False if it has no such clock."""
        if code not in self._offered:
            return False
        setting = device_clock.setting if code == "2A2B" else device_clock.setting_date_time
        await self.write(code, setting(local))
        return True

    async def battery(self) -> int | None:
        """Return the charge in per cent."""
        raw = await self.read("2A19")
        return battery.percent(battery.parse(raw)) if raw else None

    async def firmware(self) -> str | None:
        """Return the firmware revision."""
        raw = await self.read("2A26")
        return information.parse_text(raw).text[:_LONGEST_TEXT] if raw else None

    def _speaks(self, code: str) -> bool:
        """Whether it can tell this by itself, and we want to hear it."""
        if not set(self._offered[code].properties) & {"notify", "indicate"}:
            return False
        if code == _STREAM and _SPOT_CHECK in self._offered:
            return False  # the spot-check is the measurement, the stream only leads up to it
        supported = profiles.SUPPORTED.get(code)
        return code in BESIDE_READINGS or (supported is not None and supported.is_reading)


def _codes(client: BleakClient, model: Model | None) -> dict[str, BleakGATTCharacteristic]:
    aliases = model.aliases if model is not None else {}
    found: dict[str, BleakGATTCharacteristic] = {}
    for characteristic in client.services.characteristics.values():
        code = profiles.short(characteristic.uuid)
        found.setdefault(aliases.get(code, code), characteristic)
    return found


def _heard_as(code: str, hear: Hear) -> Callable[[BleakGATTCharacteristic, bytearray], None]:
    return lambda _, value: hear(code, bytes(value))


def _shown(code: str, raw: bytes) -> datetime | None:
    """What a clock shows, None if it is not set or makes no sense."""
    try:
        if code == "2A2B":
            return device_clock.naive(device_clock.parse(raw))
        return device_clock.naive(device_clock.parse_date_time(raw))
    except UnreadableError:
        return None


def _system_id(raw: bytes | None) -> information.SystemId | None:
    try:
        return information.parse(raw) if raw else None
    except UnreadableError:
        return None
