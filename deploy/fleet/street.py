"""Which homes a fleet has, and what its devices, its boxes and the database are told. Pure."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from devices import blood_pressure, date_time, glucose, weight
from gateway.simulated.values import draw

SITE = "fleet"
SLACK_S = 600.0
"""Real seconds that boxes may take after the last measurement before simulated time is now."""
CHARACTERISTICS = {"cuff": "2A35", "scale": "2A9D", "glucometer": "2A18"}
KINDS = {"cuff": "blood_pressure", "scale": "weight", "glucometer": "glucose"}
NAMES = {"cuff": "UA-651BLE", "scale": "UC-352BLE", "glucometer": "NiproBGM"}
ADVERTISE_EVERY_MS = 500
"""Slower than a demo's: a home's radio must leave room for its neighbours'."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """What whoever starts a simulation chose."""

    homes: int
    days: float
    per_day: float
    speed: float
    kinds: tuple[str, ...]
    seed: int
    started_at: datetime
    """When simulated time began to run."""

    @property
    def times(self) -> int:
        """How often each device is used."""
        return max(1, round(self.days * self.per_day))

    @property
    def lasts_s(self) -> float:
        """Real seconds from the first to the last measurement."""
        return self.days * 86_400 / self.speed

    @property
    def every_s(self) -> float:
        """Simulated seconds between two measurements of one device."""
        return self.days * 86_400 / self.times

    @property
    def shows(self) -> datetime:
        """The simulated time at the start: chosen so that nothing is ever in the future."""
        run = timedelta(seconds=self.lasts_s + SLACK_S)
        return self.started_at + run - run * self.speed

    @property
    def expected(self) -> int:
        """How many measurements there will be."""
        return self.homes * len(self.kinds) * self.times


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One device of one home."""

    home: int
    kind: str
    number: int

    @property
    def gateway(self) -> str:
        """The home's box."""
        return f"gw-{self.home:04d}"

    @property
    def identity(self) -> str:
        """Its serial number."""
        return f"{self.kind}-{self.home:04d}"

    @property
    def address(self) -> str:
        """A static random Bluetooth address."""
        return ":".join(f"{byte:02X}" for byte in (0xF15E0053 << 16 | self.number).to_bytes(6))


def devices(fleet: Fleet) -> list[Device]:
    """Return every device of the fleet."""
    per_home = len(fleet.kinds)
    return [
        Device(home=home, kind=kind, number=home * per_home + at)
        for home in range(fleet.homes)
        for at, kind in enumerate(fleet.kinds)
    ]


def radio_plan(fleet: Fleet, of: list[Device]) -> dict[str, object]:
    """Return the plan of `python -m gateway.simulated` for these devices."""
    gateways = sorted({device.gateway for device in of})
    homes = [
        {"gateway": name, "devices": [_virtual(one) for one in of if one.gateway == name]}
        for name in gateways
    ]
    return {
        "homes": homes,
        "every_s": fleet.every_s,
        "seed": fleet.seed,
        "speed": fleet.speed,
        "times": fleet.times,
        "started_at": fleet.started_at,
        "shows": fleet.shows,
    }


def _virtual(device: Device) -> dict[str, object]:
    model = {"model": "true_metrix_air"} if device.kind == "glucometer" else {"kind": device.kind}
    return {
        **model,
        "address": device.address,
        "name": NAMES[device.kind],
        "serial": device.identity,
        "behaviour": {"advertising_interval_ms": ADVERTISE_EVERY_MS},
    }


def box(device: Device, fleet: Fleet, outbox: str, broker: tuple[str, int]) -> dict[str, object]:
    """Return the settings of the home's box, in whose clock a wait is `speed` times as long."""
    return {
        "site": SITE,
        "gateway": device.gateway,
        "outbox": outbox,
        "resend_s": 30 * fleet.speed,
        "broker": {"host": broker[0], "port": broker[1]},
        "radio": {
            "simulated": True,
            "accept_unknown": True,
            "idle_s": 1.0,
            "cool_down_s": 5 * fleet.speed,
        },
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A measurement as the device made it."""

    device: Device
    frame: bytes
    at: datetime


def measured(fleet: Fleet, device: Device) -> Iterator[Made]:
    """Yield what a device without a radio measures, oldest first."""
    chance = random.Random(f"{fleet.seed} {device.identity}")
    first = chance.uniform(0, fleet.every_s)
    for number in range(fleet.times):
        at = fleet.shows + timedelta(seconds=first + number * fleet.every_s)
        values = draw(device.kind, {}, breach_share=0.05, chance=chance)
        yield Made(device=device, frame=_frame(device.kind, values, at, number), at=at)


def recorded_line(fleet: Fleet, device: Device, made: list[Made]) -> dict[str, object]:
    """Return the line by which a box plays a device's frames, at the fleet's speed."""
    first = (made[0].at - fleet.shows).total_seconds()
    return {
        "device": device.identity,
        "char": CHARACTERISTICS[device.kind],
        "every_s": fleet.every_s / fleet.speed,
        "after_s": first / fleet.speed,
        "times": len(made),
        "hex": [one.frame.hex() for one in made],
    }


def _frame(kind: str, values: dict[str, float], at: datetime, number: int) -> bytes:
    """A device's clock shows UTC here."""
    moment = date_time.of(at.replace(tzinfo=None, microsecond=0))
    if kind == "cuff":
        return blood_pressure.encode(
            blood_pressure.BloodPressure(
                systolic=values["systolic"],
                diastolic=values["diastolic"],
                mean_arterial=round((values["systolic"] + 2 * values["diastolic"]) / 3),
                timestamp=moment,
                pulse=values["pulse"],
            )
        )
    if kind == "scale":
        return weight.encode(weight.Weight(weight=values["kg"], timestamp=moment))
    return glucose.encode(
        glucose.Glucose(
            sequence=number % 65_536,
            base_time=moment,
            concentration=glucose.wire_concentration(round(values["mg_dl"]), moles=False),
            type=1,
            location=1,
        )
    )
