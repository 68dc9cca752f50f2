"""What the synthetic patients measured: plausible values, and stories that raise alerts. Pure."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from deploy.demo.clinic import TIME_ZONE, Resident
from devices import blood_pressure, date_time, glucose, weight
from devices.reading import Capture, Kind, Reading, reading_id

ZONE = ZoneInfo(TIME_ZONE)
DAYS = 90
CHARACTERISTICS = {"blood_pressure": "2A35", "weight": "2A9D", "glucose": "2A18"}
ROUNDS = {"blood_pressure": (8, 19), "weight": (7,), "glucose": (7, 18)}
"""Hours of the day at which each kind is measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """One reading of the past with everything a row needs."""

    capture: Capture
    reading: Reading
    measured_at: datetime

    @property
    def row(self) -> tuple[object, ...]:
        """The columns that `seed` copies, in its order."""
        said = self.reading
        return (
            reading_id(self.capture, said),
            self.capture.device_id,
            said.kind.value,
            self.measured_at,
            said.value,
            said.diastolic,
            said.mean_arterial,
            said.pulse,
            list(said.flags),
            said.device_time,
            said.sequence,
            self.capture.characteristic,
            self.capture.frame,
        )


def past(resident: Resident, *, seed: int, now: datetime) -> Iterator[Past]:
    """Yield 90 days of readings, oldest first, ending before `now` (aware)."""
    chance = random.Random(f"{seed} {resident.mrn}")
    adherence = chance.uniform(0.8, 0.98)
    today = now.astimezone(ZONE).date()
    for days_ago in range(DAYS, -1, -1):
        day = today - timedelta(days=days_ago)
        for kind, at in _moments(resident, day, chance):
            if at < now - timedelta(hours=1) and chance.random() < adherence:
                yield measure(resident, kind, at, _values(resident, kind, days_ago, chance))


def story(resident: Resident, name: str, *, now: datetime) -> Iterator[Past]:
    """Yield the last readings of somebody who needs a nurse; `name` is one of STORIES."""
    for minutes_ago, kind, values in STORIES[name]:
        usual = resident.usual["weight"] if kind == "weight" else 0.0
        shown = {k: v + usual if k == "weight" else v for k, v in values.items()}
        yield measure(resident, kind, now - timedelta(minutes=minutes_ago), shown)


Values = dict[str, float]
STORIES: dict[str, list[tuple[int, str, Values]]] = {
    "severe pressure": [
        (22, "blood_pressure", {"systolic": 186, "diastolic": 112, "pulse": 88}),
        (9, "blood_pressure", {"systolic": 184, "diastolic": 111, "pulse": 86}),
    ],
    "gaining weight": [
        (2885, "weight", {"weight": 0.1}),
        (1450, "weight", {"weight": 0.6}),
        (12, "weight", {"weight": 2.2}),
    ],
    "very low sugar": [(6, "glucose", {"glucose": 48})],
    "low sugar": [(18, "glucose", {"glucose": 63})],
    "high sugar": [
        (430, "glucose", {"glucose": 312}),
        (14, "glucose", {"glucose": 318}),
    ],
    "severe in pregnancy": [
        (19, "blood_pressure", {"systolic": 164, "diastolic": 112, "pulse": 92}),
        (8, "blood_pressure", {"systolic": 166, "diastolic": 111, "pulse": 94}),
    ],
    "high in pregnancy": [
        (300, "blood_pressure", {"systolic": 148, "diastolic": 94, "pulse": 84}),
        (26, "blood_pressure", {"systolic": 146, "diastolic": 92, "pulse": 85}),
    ],
    "a little weight": [
        (1451, "weight", {"weight": 0.0}),
        (31, "weight", {"weight": 1.0}),
    ],
}


def measure(resident: Resident, kind: str, at: datetime, values: Values) -> Past:
    """Make one reading as that patient's own device would have sent it."""
    shown = date_time.of(at.astimezone(ZONE).replace(tzinfo=None))
    frame, reading = _FRAMES[kind](values, shown, at)
    capture = Capture(
        device_id=device_of(resident, kind),
        characteristic=CHARACTERISTICS[kind],
        frame=frame,
        captured_at=at.astimezone(UTC),
    )
    return Past(capture=capture, reading=reading, measured_at=at.astimezone(UTC))


def device_of(resident: Resident, kind: str) -> str:
    """Return the identity of a patient's device, which is also its serial number."""
    letters = {"blood_pressure": "BP", "weight": "WS", "glucose": "GL"}
    return f"{letters[kind]}-{resident.mrn[-4:]}"


def _moments(resident: Resident, day: date, chance: random.Random) -> list[tuple[str, datetime]]:
    moments = []
    for kind in resident.cohort.kinds:
        for hour in ROUNDS[kind]:
            local = datetime.combine(day, time(hour), ZONE)
            moments.append((kind, local + timedelta(seconds=chance.randint(0, 2700))))
    return sorted(moments, key=lambda moment: moment[1])


def _values(resident: Resident, kind: str, days_ago: int, chance: random.Random) -> Values:
    usual = resident.usual
    wave = 2.0 * ((days_ago % 29) / 14.5 - 1)  # a slow swing, so that a trend is not a flat line
    if kind == "weight":
        return {"weight": usual["weight"] + wave * 0.25 + chance.gauss(0, 0.22)}
    if kind == "glucose":
        return {"glucose": max(82.0, min(232.0, usual["glucose"] + chance.gauss(0, 22)))}
    systolic = usual["systolic"] + wave + chance.gauss(0, 6)
    return {
        "systolic": systolic,
        "diastolic": usual["diastolic"] + chance.gauss(0, 4),
        "pulse": usual["pulse"] + chance.gauss(0, 4),
    }


def _pressure_frame(
    values: Values, shown: date_time.DateTime, _: datetime
) -> tuple[bytes, Reading]:
    systolic, diastolic = round(values["systolic"]), round(values["diastolic"])
    said = blood_pressure.BloodPressure(
        systolic=systolic,
        diastolic=diastolic,
        mean_arterial=round(diastolic + (systolic - diastolic) / 3),
        timestamp=shown,
        pulse=round(values["pulse"]),
        user=1,
        status=0,
    )
    return blood_pressure.encode(said), _reading(blood_pressure.read(said))


def _weight_frame(values: Values, shown: date_time.DateTime, _: datetime) -> tuple[bytes, Reading]:
    said = weight.Weight(weight=round(values["weight"] * 20) / 20, timestamp=shown)
    return weight.encode(said), _reading(weight.read(said))


def _glucose_frame(
    values: Values, shown: date_time.DateTime, at: datetime
) -> tuple[bytes, Reading]:
    said = glucose.Glucose(
        sequence=int(at.timestamp() // 60) % 65536,
        base_time=shown,
        concentration=glucose.wire_concentration(round(values["glucose"]), moles=False),
        type=1,
        location=1,
    )
    return glucose.encode(said), _reading(glucose.read(said))


def _reading(decoded: object) -> Reading:
    if not isinstance(decoded, Reading) or decoded.kind not in Kind:
        raise TypeError(f"the synthetic device made {decoded!r}")
    return decoded


_FRAMES = {"blood_pressure": _pressure_frame, "weight": _weight_frame, "glucose": _glucose_frame}
