"""Who is in the synthetic clinic: the same people for the same seed; nobody here is real."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

ORGANISATION = uuid5(NAMESPACE_URL, "urn:tidings:demo:organisation")
ORGANISATION_NAME = "Harborview Sample Clinic"
TIME_ZONE = "America/New_York"
SITE = "demo"

# Invented so that nobody takes them for real: each says in itself that it is a sample.
FAMILIES = (
    "Sampleton", "Testerby", "Mockridge", "Demoworth", "Placeholm", "Fictwell", "Specimann",
    "Dummond", "Exempley", "Fauxley", "Prototti", "Synthia", "Standinsky", "Pretendez", "Madeupova",
)  # fmt: skip
GIVEN_FEMALE = ("Ada", "Beatriz", "Celia", "Dolores", "Edith", "Flora", "Grace", "Hazel", "Ines")
GIVEN_MALE = ("Abel", "Bruno", "Cyrus", "Desmond", "Elias", "Felix", "Gustav", "Harold", "Ivan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """People of one care programme: what they have, what they measure at home."""

    programme: str
    profiles: tuple[str, ...]
    conditions: tuple[str, ...]
    kinds: tuple[str, ...]
    size: int
    ages: tuple[int, int] = (58, 91)
    female_only: bool = False


COHORTS = (
    Cohort(
        programme="chronic-care-model",
        profiles=("adult_htn", "hf"),
        conditions=("heart_failure", "hypertension"),
        kinds=("blood_pressure", "weight"),
        size=14,
    ),
    Cohort(
        programme="pcmh",
        profiles=("adult_htn", "adult_dm"),
        conditions=("hypertension", "diabetes"),
        kinds=("blood_pressure", "glucose"),
        size=12,
    ),
    Cohort(
        programme="cti",
        profiles=("post_discharge_30d", "hf"),
        conditions=("heart_failure",),
        kinds=("blood_pressure", "weight"),
        size=6,
    ),
    Cohort(
        programme="pace",
        profiles=("hf", "adult_htn", "adult_dm"),
        conditions=("heart_failure", "hypertension", "diabetes"),
        kinds=("blood_pressure", "weight", "glucose"),
        size=8,
        ages=(71, 95),
    ),
    Cohort(
        programme="nfp",
        profiles=("pregnancy_bp",),
        conditions=("pregnant",),
        kinds=("blood_pressure",),
        size=4,
        ages=(19, 33),
        female_only=True,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resident:
    """One synthetic patient with the middle of what they usually measure."""

    id: UUID
    mrn: str
    family: str
    given: str
    sex: str
    born: date
    language: str
    phone: str
    allergies: tuple[str, ...]
    traits: tuple[str, ...]
    cohort: Cohort
    usual: Mapping[str, float]

    @property
    def number(self) -> int:
        """The place in the list of patients, from 1; the record number says the same."""
        return int(self.mrn[-4:])

    """systolic, diastolic, pulse, weight, glucose."""


def residents(*, seed: int, today: date) -> list[Resident]:
    """Return the patients of the clinic, the same ones for the same seed."""
    chance = random.Random(seed)
    cohorts = [cohort for cohort in COHORTS for _ in range(cohort.size)]
    return [_resident(n, cohort, chance, today) for n, cohort in enumerate(cohorts, start=1)]


def _resident(number: int, cohort: Cohort, chance: random.Random, today: date) -> Resident:
    female = cohort.female_only or chance.random() < 0.55
    age_days = chance.randint(*cohort.ages) * 365 + chance.randint(10, 340)
    return Resident(
        id=uuid5(ORGANISATION, f"patient {number}"),
        mrn=f"DEMO {number:04d}",
        family=FAMILIES[(number * 7) % len(FAMILIES)],
        given=chance.choice(GIVEN_FEMALE if female else GIVEN_MALE),
        sex="female" if female else "male",
        born=today - timedelta(days=age_days),
        language="es" if chance.random() < 0.2 else "en",
        phone=f"(555) 555-01{number % 100:02d}",
        allergies=("Penicillin",) if chance.random() < 0.15 else (),
        traits=("high_risk",) if chance.random() < 0.2 else (),
        cohort=cohort,
        usual=_usual(cohort, chance),
    )


def _usual(cohort: Cohort, chance: random.Random) -> dict[str, float]:
    """Give the middle of a person's own values: mostly in range, some a little above."""
    young = cohort.female_only
    systolic = chance.gauss(112 if young else 129, 6)
    return {
        "systolic": systolic,
        "diastolic": systolic * 0.6 + chance.gauss(0, 3),
        "pulse": chance.gauss(72, 6),
        "weight": chance.gauss(82, 12),
        "glucose": chance.gauss(138, 14),
    }
