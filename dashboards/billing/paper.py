"""One paper as it is kept: its columns, what the trail says of it, when it is from. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from dashboards.billing.papers_forms import (
    Consent,
    Device,
    Education,
    Listed,
    Order,
    Seen,
    Statement,
    Withdrawal,
    diagnoses_of,
)

Fields = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """One paper of a patient."""

    kind: str
    filled: Fields
    told: Fields
    at: datetime | None = None
    on: date | None = None


def consent(form: Consent, at: datetime) -> Paper:
    """Return a consent that somebody obtained."""
    told = {"program": form.program.value, "at": at.isoformat(), "method": form.method.value}
    return Paper(kind="consent", filled=form.model_dump() | {"at": at}, told=told, at=at)


def withdrawal(form: Withdrawal, at: datetime) -> Paper:
    """Return the end of a consent."""
    told = {"withdrawn_at": at.isoformat(), "consent": str(form.consent_id)}
    return Paper(kind="withdrawal", filled={"at": at, "id": form.consent_id}, told=told, at=at)


def order(form: Order, at: datetime) -> Paper:
    """Return a practitioner's order."""
    codes = list(diagnoses_of(form.icd10))
    told = {"program": form.program.value, "at": at.isoformat(), "icd10": codes}
    filled = form.model_dump() | {"at": at, "icd10": codes}
    return Paper(kind="order", filled=filled, told=told, at=at)


def education(form: Education) -> Paper:
    """Return set-up of the equipment and education of the patient."""
    told = {"program": form.program.value, "education_on": form.education_on.isoformat()}
    last = max(form.education_on, form.started_on)
    return Paper(kind="education", filled=form.model_dump(), told=told, on=last)


def visit(form: Seen) -> Paper:
    """Return a visit with the practice."""
    told = {"kind": form.kind.value, "on": form.on.isoformat()}
    return Paper(kind="visit", filled=form.model_dump(), told=told, on=form.on)


def statement(form: Statement) -> Paper:
    """Return what the practice states of a patient."""
    told = {"name": form.name.value, "value": form.stated, "on": form.on.isoformat()}
    filled = {"name": form.name.value, "value": json.dumps(form.stated), "on": form.on}
    return Paper(kind="statement", filled=filled, told=told, on=form.on)


def device(form: Device) -> Paper:
    """Return what stands on a device's label."""
    listed = {Listed.YES: True, Listed.NO: False}.get(form.listed)
    told = {"device": form.device_id, "udi": form.udi, "listed": form.listed.value}
    return Paper(kind="device", filled=form.model_dump() | {"listed": listed}, told=told)
