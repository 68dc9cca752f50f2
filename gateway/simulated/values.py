"""What devices show of patients: plausible numbers, and now and then one that breaches. Pure."""

import random
from collections.abc import Mapping
from types import MappingProxyType

Profile = Mapping[str, tuple[float, float]]
"""Mean and standard deviation of each thing measured, by the argument names of `measure`."""

USUAL: Mapping[str, Profile] = MappingProxyType(
    {
        "cuff": {"systolic": (128, 7), "diastolic": (79, 5), "pulse": (70, 6)},
        "scale": {"kg": (82, 0.5)},
        "glucometer": {"mg_dl": (124, 18)},
        "oximeter": {"spo2": (96.5, 0.8), "pulse": (72, 6)},
        "thermometer": {"celsius": (36.7, 0.2)},
        "strap": {"rate": (74, 8)},
        "body_scale": {"kg": (78, 0.5), "fat_percent": (28, 0.6)},
    }
)
BREACHES: Mapping[str, tuple[Mapping[str, float], ...]] = MappingProxyType(
    {
        "cuff": (
            {"systolic": 186, "diastolic": 112, "pulse": 96},
            {"systolic": 84, "diastolic": 50, "pulse": 58},
        ),
        "scale": ({"kg": 2.6},),
        "glucometer": ({"mg_dl": 52}, {"mg_dl": 318}),
        "oximeter": ({"spo2": 86, "pulse": 108},),
        "thermometer": ({"celsius": 39.1},),
        "strap": ({"rate": 134},),
        "body_scale": ({"kg": 2.6},),
    }
)
"""What a bad day looks like; for a scale, kg on top of the usual weight."""
POSSIBLE: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "systolic": (70, 230),
        "diastolic": (40, 130),
        "pulse": (40, 160),
        "kg": (30, 250),
        "mg_dl": (40, 500),
        "spo2": (80, 100),
        "celsius": (34, 41),
        "rate": (40, 190),
        "fat_percent": (8, 55),
    }
)
PLACES: Mapping[str, int] = MappingProxyType({"kg": 1, "celsius": 1, "fat_percent": 1})
"""Decimals that the devices show; none for all else."""
LEAST_PULSE_PRESSURE = 15


def draw(
    kind: str, profile: Profile, *, breach_share: float, chance: random.Random
) -> dict[str, float]:
    """What this device shows next, for a patient with this profile."""
    usual = {**USUAL[kind], **profile}
    values = {name: chance.gauss(mean, spread) for name, (mean, spread) in usual.items()}
    if chance.random() < breach_share:
        values = _breach(kind, values, chance)
    shown = {name: _shown(name, value) for name, value in values.items()}
    if "systolic" in shown:
        shown["diastolic"] = min(shown["diastolic"], shown["systolic"] - LEAST_PULSE_PRESSURE)
    return shown


def _breach(kind: str, values: dict[str, float], chance: random.Random) -> dict[str, float]:
    """A bad day, a little different each time."""
    bad = chance.choice(BREACHES[kind])
    shaken = {name: value * chance.uniform(0.98, 1.02) for name, value in bad.items()}
    if "kg" in shaken:
        shaken["kg"] += values["kg"]
    return {**values, **shaken}


def _shown(name: str, value: float) -> float:
    low, high = POSSIBLE[name]
    return round(min(max(value, low), high), PLACES.get(name, 0))
