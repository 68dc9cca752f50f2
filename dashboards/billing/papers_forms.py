"""What the forms of the papers page may say: consent, order, visit, statement, ... Pure."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, model_validator

from billing.pack import shelf

LUHN_PREFIX = "80840"
"""An NPI's check digit is that of the number with the issuer's prefix (ISO 7812)."""
DIAGNOSIS = re.compile(r"[A-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?")


class Program(StrEnum):
    """What is billed under a consent or an order."""

    RPM = "RPM"
    RTM = "RTM"
    CCM = "CCM"
    PCM = "PCM"
    APCM = "APCM"
    BHI = "BHI"
    COCM = "COCM"
    CHI = "CHI"
    PIN = "PIN"


class Method(StrEnum):
    """How a consent was given."""

    WRITTEN = "written"
    VERBAL = "verbal_documented"


class Kind(StrEnum):
    """Which visit it was."""

    EM = "em"
    CCM = "initiating_ccm"
    APCM = "initiating_apcm"
    BHI = "initiating_bhi"
    CHI = "initiating_chi"
    PIN = "initiating_pin"
    TCM = "tcm_face_to_face"


class Listed(StrEnum):
    """Whether a device is listed with the FDA."""

    UNKNOWN = "unknown"
    YES = "yes"
    NO = "no"


class Fact(StrEnum):
    """What no reading or entry of time can tell: the names are those that billing gathers."""

    CARE_PLAN = "comprehensive_care_plan"
    CARE_PLAN_SUMMARY = "care_plan_summary"
    PLAN_REVISED = "plan_substantially_revised"
    COMPLEX_DECISIONS = "moderate_or_high_mdm"
    APCM_CHOSEN = "apcm_chosen"
    APCM_CAPABILITIES = "capabilities_attested"
    APCM_BEHAVIORAL = "apcm_behavioural"
    ASSESSMENT = "assessment"
    SURGERY = "surgical_global"
    QMB = "qmb"
    PACE = "pace"
    ACCESS = "access_aligned"
    HOME_HEALTH = "home_health_plan_of_care"
    PCM_HIGH_RISK = "pcm_high_risk"
    PIN_HIGH_RISK = "pin_high_risk"
    COCM_REGISTRY = "cocm_registry"
    COCM_CONSULTANT = "cocm_consultant"
    COCM_FIRST_MONTH = "cocm_first_month"
    MEDICINES_RECONCILED = "medication_reconciliation"


FACTS: Mapping[Fact, str] = MappingProxyType(
    {
        Fact.CARE_PLAN: "Comprehensive care plan is on file",
        Fact.PLAN_REVISED: "Care plan was established or substantially revised",
        Fact.COMPLEX_DECISIONS: "Medical decision making of moderate or high complexity",
        Fact.MEDICINES_RECONCILED: "Medicines were reconciled after the discharge",
        Fact.APCM_CHOSEN: "APCM is billed for this patient",
        Fact.APCM_CAPABILITIES: "The practice has the APCM capabilities",
        Fact.QMB: "Qualified Medicare Beneficiary",
        Fact.PACE: "Enrolled in PACE",
        Fact.ACCESS: "Aligned with an ACCESS participant",
        Fact.HOME_HEALTH: "Under a home-health plan of care",
        Fact.PCM_HIGH_RISK: "High-risk condition for principal care management",
        Fact.PIN_HIGH_RISK: "High-risk condition for principal illness navigation",
        Fact.COCM_REGISTRY: "In the registry of collaborative care",
        Fact.COCM_CONSULTANT: "A psychiatric consultant takes part",
        Fact.COCM_FIRST_MONTH: "First month of collaborative care",
    }
)
"""Those that hold or do not."""


def assessments() -> list[str]:
    """Return the kinds of assessment that any year's rules know."""
    return sorted({kind for pack in shelf() for kind in pack.parameters.assessment_kinds})


def add_ons() -> list[str]:
    """Return the behavioral add-ons that any year's rules know."""
    return sorted({code.part for pack in shelf() for code in pack.of("apcm_behavioural")})


def npi_of(text: str) -> str:
    """Return the number if its check digit is right; a typing error is refused."""
    digits = LUHN_PREFIX + text
    if not re.fullmatch(r"\d{10}", text) or _luhn(digits):
        raise ValueError(f"{text!r} is no NPI: ten digits, the last one a check digit")
    return text


def diagnoses_of(text: str) -> tuple[str, ...]:
    """Return the ICD-10 codes of a text."""
    codes = tuple(code for code in re.split(r"[\s,;]+", text.upper()) if code)
    wrong = [code for code in codes if not DIAGNOSIS.fullmatch(code)]
    if wrong or not codes:
        raise ValueError(f"no ICD-10 code: {', '.join(wrong) or 'nothing given'}")
    return codes


def _luhn(digits: str) -> int:
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(number - 9 if number > 9 else number for number in doubled) % 10  # noqa: PLR2004  cast out nines


def _checked(text: str) -> str:
    diagnoses_of(text)
    return text


Npi = Annotated[str, AfterValidator(npi_of)]
Diagnoses = Annotated[str, Field(max_length=200), AfterValidator(_checked)]
Note = Annotated[str, Field(max_length=1000)]


class Consent(BaseModel):
    """A consent that somebody obtained."""

    program: Program
    at: datetime
    method: Method
    text_version: Annotated[str, Field(max_length=40)] = ""
    cost_share_told: bool = False
    one_practitioner_told: bool = False


class Withdrawal(BaseModel):
    """The end of a consent."""

    consent_id: UUID
    at: datetime


class Order(BaseModel):
    """A practitioner's order."""

    program: Program
    at: datetime
    ordering_npi: Npi
    icd10: Diagnoses
    goal: Note = ""


class Education(BaseModel):
    """Set-up of the equipment and education of the patient."""

    program: Program = Program.RPM
    started_on: date
    education_on: date
    note: Annotated[str, Field(min_length=10, max_length=1000)]


class Seen(BaseModel):
    """A visit with the practice."""

    kind: Kind
    on: date
    npi: Npi | None = None


class Statement(BaseModel):
    """What the practice states of a patient from a day on; the newest holds."""

    name: Fact
    on: date
    value: Annotated[str, Field(min_length=1, max_length=1000)] = "yes"

    @model_validator(mode="after")
    def _fits(self) -> Self:
        choices = {Fact.ASSESSMENT: assessments, Fact.APCM_BEHAVIORAL: add_ons}.get(self.name)
        known = ["yes", "no"] if self.name in FACTS else choices() if choices else []
        if known and self.value not in known:
            raise ValueError(f"{self.name} is one of {', '.join(known)}")
        if self.name is Fact.SURGERY and date.fromisoformat(self.value) < self.on:
            raise ValueError("the period ends before it begins")
        return self

    @property
    def stated(self) -> bool | str:
        """What is kept: whether it holds, or which."""
        return self.value == "yes" if self.name in FACTS else self.value


class Device(BaseModel):
    """What stands on a device's label."""

    device_id: Annotated[str, Field(max_length=100)]
    make: Annotated[str, Field(max_length=100)] = ""
    udi: Annotated[str, Field(max_length=200)] = ""
    listing: Annotated[str, Field(max_length=60)] = ""
    listed: Listed = Listed.UNKNOWN
    more_specific_code: Annotated[str, Field(max_length=5)] = ""


class Answer(BaseModel):
    """A payer's answer to one line, typed in from paper or a portal."""

    code: Annotated[str, Field(max_length=5)]
    patient: UUID
    charged: Annotated[str, Field(max_length=12)]
    paid: Annotated[str, Field(max_length=12)]
    reasons: Annotated[str, Field(max_length=100)] = ""
    claim_id: Annotated[str, Field(max_length=40)] = ""
    answered_on: date
