"""What the forms of the papers page may say: consent, order, education, visit, device. Pure."""

import re
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field

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
