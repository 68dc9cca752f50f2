"""Which patients measure live, with what, and what the simulated devices are told. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deploy.demo import history
from deploy.demo.clinic import Resident

MODELS = {
    "blood_pressure": "A&D UA-651BLE",
    "weight": "A&D UC-352BLE",
    "glucose": "TRUE METRIX AIR",
}
NAMES = {"blood_pressure": "UA-651BLE", "weight": "UC-352BLE", "glucose": "NiproBGM"}
KINDS = {"blood_pressure": "cuff", "weight": "scale", "glucose": "glucometer"}
LIVING_AT = {"gw-demo-1": 1, "gw-demo-2": 16, "gw-demo-3": 33}
"""Gateway to the number of the patient who lives there."""
UNPLUGGED = frozenset({"gw-home-07", "gw-home-28"})
"""Boxes that nobody hears."""
LOW_BATTERY = "BP-0012"
COUPLE = (4, 6)
"""Numbers of two patients who step on one scale: the first one's."""


def gateway_of(person: Resident) -> str:
    """Return the box in whose home a patient lives."""
    live = {number: gateway for gateway, number in LIVING_AT.items()}
    return live.get(person.number, f"gw-home-{person.number:02d}")


def battery_of(person: Resident, kind: str) -> int:
    """Return what a device's battery says, in percent."""
    if history.device_of(person, kind) == LOW_BATTERY:
        return 9
    return 40 + (person.number * 13 + len(kind)) % 60


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveDevice:
    """One device that is read while the demo runs."""

    gateway: str
    resident: Resident
    kind: str
    number: int

    @property
    def identity(self) -> str:
        """Serial number: the same device that the patient's history came from."""
        return history.device_of(self.resident, self.kind)

    @property
    def address(self) -> str:
        """A Bluetooth address from the range for documentation (RFC 7042)."""
        return f"F1:00:5E:00:53:{0x10 + self.number:02X}"


def live_devices(people: Sequence[Resident]) -> list[LiveDevice]:
    """Return every device of every live home."""
    pairs = [
        (gateway, people[number - 1], kind)
        for gateway, number in LIVING_AT.items()
        for kind in people[number - 1].cohort.kinds
    ]
    return [
        LiveDevice(gateway=gateway, resident=resident, kind=kind, number=number)
        for number, (gateway, resident, kind) in enumerate(pairs)
    ]


def radio_plan(devices: Sequence[LiveDevice], *, every_s: float, seed: int) -> str:
    """Return the plan file of `python -m gateway.simulated`: homes with their devices."""
    homes = [
        {
            "gateway": gateway,
            "devices": [_virtual(device) for device in devices if device.gateway == gateway],
        }
        for gateway in LIVING_AT
    ]
    return json.dumps({"homes": homes, "every_s": every_s, "seed": seed}, indent=1)


def _virtual(device: LiveDevice) -> dict[str, object]:
    habits = {"model": "true_metrix_air"} if device.kind == "glucose" else {}
    return {
        **habits,
        "kind": KINDS[device.kind],
        "address": device.address,
        "name": NAMES[device.kind],
        "serial": device.identity,
        "patient_profile": _spread(device),
    }


def _spread(device: LiveDevice) -> dict[str, list[float]]:
    """Middle and deviation of what the device will show; the meters breach now and then."""
    usual = device.resident.usual
    if device.kind == "weight":
        return {"kg": [round(usual["weight"], 1), 0.2]}
    if device.kind == "glucose":
        return {"mg_dl": [74, 26]}
    return {
        "systolic": [round(usual["systolic"]), 7],
        "diastolic": [round(usual["diastolic"]), 4],
        "pulse": [round(usual["pulse"]), 4],
    }


def recorded_plan(devices: Sequence[LiveDevice], gateway: str, *, every_s: float) -> str:
    """Return the plan of frames that one gateway plays when there is no radio."""
    lines = [
        {
            "device": device.identity,
            "char": history.CHARACTERISTICS[device.kind],
            "model": MODELS[device.kind],
            "every_s": every_s,
            "after_s": 1.0 + 2.0 * device.number,
            "values": _ranges(device),
        }
        for device in devices
        if device.gateway == gateway
    ]
    return "\n".join(json.dumps(line) for line in lines)


def _ranges(device: LiveDevice) -> Mapping[str, list[float]]:
    return {
        name: [round(middle - deviation, 1), round(middle + deviation, 1)]
        for name, (middle, deviation) in _spread(device).items()
    }
