"""Who lives near the clinic, what they measure and when, and how long people take. Pure."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from types import MappingProxyType
from uuid import UUID
from zoneinfo import ZoneInfo

from alerts.severity import Severity

ZONE = ZoneInfo("America/Denver")
START = datetime(2026, 9, 15, tzinfo=ZONE).astimezone(UTC)
"""Midnight of a Tuesday."""
DAY = timedelta(days=1)
HISTORY_DAYS = 10
ADHERENCE = 0.9
TROUBLED = 0.03
"""Share of the day's measurements that go wrong."""
MEASURES_AGAIN = 0.85
CALM_AGAIN = 0.5
HANDLING_MINUTES = MappingProxyType(
    {Severity.CRITICAL: 12.0, Severity.HIGH: 7.0, Severity.MEDIUM: 4.0, Severity.LOW: 1.5}
)
LONGEST_MINUTES = 19.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """One measurement of a profile: its hours of the day, the usual value, and a troubled one."""

    kind: str
    hours: tuple[int, ...]
    low: float
    high: float
    spread: float
    troubled: tuple[float, ...]
    """Absolute values, or for weight the change."""
    dia: float = 0.0
    """Diastolic as a share of systolic; 0: none."""


HABITS: Mapping[str, tuple[Habit, ...]] = MappingProxyType(
    {
        "adult_htn": (
            Habit(kind="blood_pressure", hours=(7, 19), low=116, high=136, spread=6,
                  troubled=(186, 192, 84), dia=0.62),
        ),
        "adult_dm": (
            Habit(kind="glucose", hours=(3, 7, 12, 18), low=105, high=165, spread=18,
                  troubled=(48, 64, 66, 310, 415)),
        ),
        "hf": (
            Habit(kind="weight", hours=(6,), low=68, high=96, spread=0.15,
                  troubled=(1.0, 1.6, 2.3)),
            Habit(kind="blood_pressure", hours=(8,), low=108, high=128, spread=6,
                  troubled=(84, 86), dia=0.62),
        ),
        "resp_general": (
            Habit(kind="spo2", hours=(9, 20), low=95.5, high=97.5, spread=0.5, troubled=(92, 90)),
        ),
    }
)  # fmt: skip
SHARES = MappingProxyType({"adult_htn": 45, "adult_dm": 30, "hf": 15, "resp_general": 10})


@dataclass(frozen=True, slots=True, kw_only=True)
class Resident:
    """One synthetic patient and the usual value of each measurement."""

    id: UUID
    profile: str
    usual: Mapping[str, float]

    @property
    def condition(self) -> str:
        """What the profile asks for."""
        return "heart_failure" if self.profile == "hf" else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One reading."""

    id: UUID
    patient: UUID
    kind: str
    value: float
    dia: float
    at: datetime


def residents(chance: random.Random, count: int) -> list[Resident]:
    """Return so many patients, in the shares of a clinic."""
    profiles = chance.choices(list(SHARES), weights=list(SHARES.values()), k=count)
    return [
        Resident(
            id=UUID(int=chance.getrandbits(128)),
            profile=profile,
            usual={h.kind: round(chance.uniform(h.low, h.high), 1) for h in HABITS[profile]},
        )
        for profile in profiles
    ]


def readings(
    chance: random.Random, who: Resident, midnight: datetime, *, troubled: float = 0.0
) -> Iterator[Measured]:
    """Yield one local day of a patient; at night only a few measure."""
    local = midnight.astimezone(ZONE).date()
    for habit in HABITS[who.profile]:
        for hour in habit.hours:
            likely = ADHERENCE if hour >= time(6).hour else 0.05
            if chance.random() < likely:
                base = datetime.combine(local, time(hour), ZONE)
                at = base + timedelta(seconds=chance.randrange(7200))
                wrong = chance.random() < troubled
                yield measured(chance, who, habit, at.astimezone(UTC), wrong=wrong)


def measured(
    chance: random.Random, who: Resident, habit: Habit, at: datetime, *, wrong: bool
) -> Measured:
    """One reading: usual with its spread, or one of the troubled values."""
    usual = who.usual[habit.kind]
    value = chance.gauss(usual, habit.spread)
    if wrong:
        told = chance.choice(habit.troubled)
        value = usual + told if habit.kind == "weight" else told
    return Measured(
        id=UUID(int=chance.getrandbits(128)),
        patient=who.id,
        kind=habit.kind,
        value=round(value, 1),
        dia=round(value * habit.dia),
        at=at,
    )


def handling(chance: random.Random, severity: Severity) -> timedelta:
    """How long a person takes for one line: mostly about the usual, sometimes much longer."""
    minutes = HANDLING_MINUTES[severity] * chance.lognormvariate(0.0, 0.4)
    return timedelta(minutes=min(LONGEST_MINUTES, minutes))
