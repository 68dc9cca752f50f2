"""Who bills, for whom and to whom: everything of a claim file that is not a bill line."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A postal address in the United States."""

    street: str
    city: str
    state: str
    postal_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Practice:
    """The billing provider, who also submits."""

    name: str
    npi: str
    tax_id: str
    address: Address
    contact: str
    phone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Professional:
    """A person named on a claim by NPI."""

    last_name: str
    first_name: str
    npi: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """The patient as the payer knows them; with Medicare patient and subscriber are one."""

    last_name: str
    first_name: str
    born_on: date
    gender: str
    member_id: str
    address: Address
    payer_name: str
    payer_id: str
    filing: str = "MB"


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """Everything of a claim file that is not a bill line."""

    practice: Practice
    receiver_name: str
    receiver_id: str
    subscribers: Mapping[str, Subscriber]
    professionals: Mapping[str, Professional]
    charges: Mapping[str, Decimal]
    created: datetime
    control_number: int
    production: bool = False
