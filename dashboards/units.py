"""Stored units into the units the clinic reads, and the names of what is measured. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from devices.reading import Kind

POUNDS_PER_KG = 2.2046226218


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """How one kind of reading is named and shown."""

    name: str
    short: str
    unit: str
    digits: int = 0
    shown: Callable[[float], float] = float
    least_span: float = 10
    """A chart shows at least this much, so that noise does not look like change."""


def pounds(kilograms: float) -> float:
    """Return pounds."""
    return kilograms * POUNDS_PER_KG


def fahrenheit(celsius: float) -> float:
    """Return degrees Fahrenheit."""
    return celsius * 9 / 5 + 32


MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        Kind.BLOOD_PRESSURE: Measure(name="Blood pressure", short="BP", unit="mmHg", least_span=60),
        Kind.WEIGHT: Measure(
            name="Weight", short="Weight", unit="lb", digits=1, shown=pounds, least_span=10
        ),
        Kind.GLUCOSE: Measure(name="Glucose", short="Glucose", unit="mg/dL", least_span=80),
        Kind.SPO2: Measure(name="Oxygen (SpO₂)", short="SpO₂", unit="%", least_span=12),
        Kind.TEMPERATURE: Measure(
            name="Temperature", short="Temp", unit="°F", digits=1, shown=fahrenheit, least_span=4
        ),
        Kind.HEART_RATE: Measure(name="Heart rate", short="HR", unit="bpm", least_span=40),
        Kind.BODY_COMPOSITION: Measure(name="Body fat", short="Body fat", unit="%", digits=1),
    }
)

ORDER = tuple(MEASURES)


def measure(kind: str) -> Measure:
    """Return how a kind is shown; an unknown kind shows itself as it is."""
    return MEASURES.get(kind) or Measure(
        name=kind.replace("_", " ").capitalize(), short=kind, unit="", digits=1
    )


def value(kind: str, stored: float, diastolic: float | None = None) -> str:
    """Return a reading as text, without its unit."""
    how = measure(kind)
    text = f"{how.shown(stored):.{how.digits}f}"
    return text if diastolic is None else f"{text}/{diastolic:.0f}"


FILTERS: Mapping[str, Callable[..., object]] = MappingProxyType(
    {"measure": measure, "reading_value": value}
)
