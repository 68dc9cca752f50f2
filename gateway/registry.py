"""What the box remembers of each device over a restart: identity, address, last sequence, facts."""

from collections.abc import Sequence
from datetime import datetime

from gateway import clock
from gateway.known import Device, Facts
from gateway.settings import KnownDevice
from gateway.store import Row, Store

_ENROLMENT = "enrolment"


class Registry:
    """The devices table; the small set is kept in memory and written through."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._devices: dict[str, Device] = {}
        self._forgotten: frozenset[str] = frozenset()
        self.refresh()

    def enrolled_as(self, fingerprint: str) -> None:
        """Note under which enrolment the box runs: a new one knows best which devices it has."""
        found = self._store.run("meta_get", _ENROLMENT)
        if not found or found[0][0] != fingerprint.encode():
            with self._store.transaction():
                self._store.run("forgotten_clear")
                self._store.run("meta_put", _ENROLMENT, fingerprint.encode())
            self.refresh()

    def still_listed(self, listed: Sequence[KnownDevice]) -> tuple[KnownDevice, ...]:
        """Return the devices of the configuration that nobody ordered to forget since."""
        gone = self._forgotten
        return tuple(d for d in listed if not {d.identity, d.address.upper()} & gone)

    def all(self) -> list[Device]:
        """Every device known."""
        return list(self._devices.values())

    def get(self, identity: str) -> Device | None:
        """Return the device of this identity."""
        return self._devices.get(identity)

    def at_address(self, address: str) -> Device | None:
        """Return the device that answers at this address."""
        return next((d for d in self._devices.values() if d.address == address.upper()), None)

    def find(self, identity: str, address: str) -> Device | None:
        """Return the device of this identity, or at this address."""
        return self._devices.get(identity) or self.at_address(address)

    def remember(self, device: Device) -> Device:
        """Add a device, or complete what is known of it; an address has one owner, the latest."""
        address = device.address.upper() if device.address else None
        with self._store.transaction():
            if address:
                self._store.run("device_free_address", address, device.identity)
            values = (device.identity, address, device.model, device.name, device.enrolled)
            self._store.run("device_put", *values)
            if device.enrolled:
                self._store.run("forgotten_drop", device.identity)
        self.refresh()
        return self._devices[device.identity]

    def forget(self, identity: str) -> None:
        """Drop the device: it is not visited until it is paired, or the box enrolled, anew."""
        known = self._devices.get(identity)
        address = known.address if known is not None else None
        with self._store.transaction():
            self._store.run("forgotten_put", identity, address or "")
            self._store.run("device_forget", identity)
        self.refresh()

    def saw(self, identity: str, *, at: datetime, rssi: int | None) -> None:
        """Note an advertisement; not durable, it comes again."""
        with self._store.transaction(durable=False):
            self._store.run("device_seen", clock.to_text(at), rssi, identity)
        self.refresh()

    def learn(self, identity: str, facts: Facts) -> None:
        """Note what a visit taught."""
        values = (facts.battery, facts.firmware, facts.bonded, facts.offset_s)
        self._store.run("device_facts", *values, identity)
        self.refresh()

    def fetched_all(self, identity: str, at: datetime) -> None:
        """Note that the meter has told all its records."""
        self._store.run("device_fetched_all", clock.to_text(at), identity)
        self.refresh()

    def restart_sequence(self, identity: str, newest: int | None) -> None:
        """The meter's counter has started again and is now at `newest`."""
        self._store.run("device_sequence", newest, identity)
        self.refresh()

    def want_clock(self, identity: str, *, wanted: bool) -> None:
        """Note whether the clock is to be set at the next visit, whatever its offset."""
        self._store.run("device_clock_wanted", wanted, identity)
        self.refresh()

    def set_passkey(self, identity: str, passkey: str | None) -> None:
        """Keep the passkey that belongs to the device, sealed like a payload."""
        sealed = self._store.seal.close(passkey.encode()) if passkey else None
        self._store.run("device_passkey", sealed, identity)

    def passkeys(self) -> dict[str, str]:
        """Return the passkeys by address."""
        rows = self._store.run("device_passkeys")
        return {row[0]: self._store.seal.open(row[1]).decode() for row in rows}

    def refresh(self) -> None:
        """Read the table again: settling frames moves sequences and times."""
        self._devices = {d.identity: d for d in map(_device, self._store.run("devices"))}
        gone = {name for row in self._store.run("forgotten") for name in row}
        self._forgotten = frozenset(gone - {""})


def _moment(text: str | None) -> datetime | None:
    return clock.from_text(text) if text else None


def _device(row: Row) -> Device:
    return Device(
        identity=row[0],
        address=row[1],
        model=row[2],
        name=row[3],
        enrolled=bool(row[4]),
        last_sequence=row[5],
        fetched_all_at=_moment(row[6]),
        last_seen=_moment(row[7]),
        last_read=_moment(row[8]),
        rssi=row[9],
        battery=row[10],
        firmware=row[11],
        bonded=None if row[12] is None else bool(row[12]),
        offset_s=row[13],
        clock_wanted=bool(row[14]),
    )
