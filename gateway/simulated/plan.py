"""Which homes there are, with which devices, and how often those are used: a JSON file."""

from datetime import datetime
from pathlib import Path

import msgspec

from gateway.simulated.models import KINDS, MODELS
from gateway.simulated.peripherals.behaviour import Behaviour
from gateway.simulated.values import USUAL

UNHURRIED = {"advertising_interval_ms": 100}
"""Rooms are slower than tests, and a demo runs for hours."""


class PlanError(ValueError):
    """A plan that cannot be carried out; the text says where and why."""


class PlannedDevice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One device; `model` gives it the habits of a known model, `behaviour` changes single ones."""

    kind: str = ""
    """cuff, scale, glucometer, ... Follows from `model` if that is given."""
    model: str = ""
    address: str
    name: str
    serial: str = ""
    """What Device Information says; empty: what the model's says."""
    patient_profile: dict[str, tuple[float, float]] = {}
    """Mean and spread of what it shows, where the usual ones do not fit."""
    behaviour: dict[str, bool | int | float | str] = {}


class PlannedHome(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One gateway's surroundings."""

    gateway: str
    devices: tuple[PlannedDevice, ...]


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that one process of simulated homes does."""

    homes: tuple[PlannedHome, ...]
    every_s: float = 10.0
    """Simulated seconds between two measurements of one device."""
    seed: int = 1
    breach_share: float = 0.05
    speed: float = 1.0
    """Simulated seconds in a real one."""
    backlog: int = 0
    """Records that every device has stored before anything begins."""
    times: int | None = None
    """How often every device is used; None: for ever."""
    started_at: datetime | None = None
    """The real moment from which simulated time is counted; None: the start of the process."""
    shows: datetime | None = None
    """The simulated time at that moment; None: the real one."""


def load(path: Path) -> Plan:
    """Read a plan; raise PlanError if it makes no sense."""
    try:
        plan = msgspec.json.decode(path.read_bytes(), type=Plan)
    except (OSError, msgspec.DecodeError) as error:
        raise PlanError(f"{path}: {error}") from error
    _check(plan)
    return plan


def kind_of(device: PlannedDevice) -> str:
    """The kind of a planned device."""
    if device.model and device.model not in MODELS:
        raise PlanError(f"{device.name}: model {device.model} is none of {', '.join(MODELS)}")
    kind = MODELS[device.model].kind.kind if device.model else device.kind
    if kind not in KINDS:
        raise PlanError(f"{device.name}: kind {kind!r} is none of {', '.join(KINDS)}")
    return kind


def behaviour_of(device: PlannedDevice) -> Behaviour:
    """How a planned device behaves."""
    usual = MODELS[device.model].behaviour if device.model else Behaviour()
    changed = msgspec.to_builtins(usual) | UNHURRIED | device.behaviour
    if device.serial:
        changed["labels"] = (changed["labels"] or {}) | {"serial": device.serial}
    try:
        return msgspec.convert(changed, type=Behaviour)
    except (msgspec.ValidationError, TypeError) as error:
        raise PlanError(f"{device.name}: {error}") from error


def _check(plan: Plan) -> None:
    """Raise PlanError at the first device that cannot be, or is there twice."""
    seen: set[str] = set()
    for device in (device for home in plan.homes for device in home.devices):
        strange = device.patient_profile.keys() - USUAL[kind_of(device)].keys()
        behaviour_of(device)
        if strange:
            raise PlanError(f"{device.name}: its patients have no {', '.join(sorted(strange))}")
        if device.address in seen:
            raise PlanError(f"{device.name}: address {device.address} is there twice")
        seen.add(device.address)
