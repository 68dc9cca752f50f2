"""Bill lines: a code that may be billed together with everything a reviewer will ask for."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime

from billing import evaluate
from billing.fields import CaseError
from billing.outcome import Evaluation, Evidence, Line
from billing.pack import Pack
from billing.record import Case


@dataclass(frozen=True, slots=True, kw_only=True)
class BillLine:
    """One line of a claim with its evidence and the exact rules it was judged by."""

    id: str
    patient_id: str
    code: str
    units: int
    family: str
    service_from: date
    service_to: date
    date_of_service: date
    threshold_met_at: datetime | None
    billing_npi: str
    rendering_npi: str
    ordering_npi: str
    place_of_service: str
    icd10: tuple[str, ...]
    evidence: Evidence
    pack: str
    pack_version: str
    parameter_hash: str

    @property
    def key(self) -> tuple[str, str, date, date]:
        """Return what stays the same when the line is evaluated again."""
        return self.patient_id, self.code, self.service_from, self.service_to


def bill_lines(case: Case, evaluation: Evaluation) -> tuple[BillLine, ...]:
    """Return the lines of an evaluation, ready to be reviewed."""
    return tuple(_bill_line(case, evaluation, line) for line in evaluation.lines)


def missing_for_claim(line: BillLine) -> tuple[str, ...]:
    """Return what a payer needs and the record does not have yet."""
    asked = (
        ("billing NPI", line.billing_npi),
        ("rendering NPI", line.rendering_npi),
        ("place of service", line.place_of_service),
        ("diagnosis (ICD-10)", line.icd10),
    )
    return tuple(name for name, value in asked if not value)


def alone(case: Case, line: Line | BillLine) -> Case:
    """Return the case reduced to what a line rests on: judged again, it gives the same line."""
    evidence = line.evidence
    entries = {*evidence.entries, *evidence.limiting}
    kept = {line.family} | ({"99091"} if line.family == "rpm_mgmt" else set())
    return replace(
        case,
        families=tuple(name for name in case.families if name in kept),
        readings=tuple(row for row in case.readings if row.id in evidence.readings),
        entries=tuple(row for row in case.entries if row.id in entries),
        consents=tuple(row for row in case.consents if row.id in evidence.consents),
        orders=tuple(row for row in case.orders if row.id in evidence.orders),
        rejected=(),
        remarks=(),
    )


def judged_again(case: Case, line: Line, pack: Pack) -> Line | None:
    """Return the line as its evidence alone gives it."""
    return evaluate.evaluate(alone(case, line), pack).line(line.code)


def proven(case: Case, line: Line, pack: Pack) -> Line:
    """Return the line if its evidence alone gives it again; otherwise it must not leave."""
    again = judged_again(case, line, pack)
    if again != line:
        raise CaseError(f"{line.code}: the evidence alone gives {again} instead of {line}")
    return line


def _bill_line(case: Case, evaluation: Evaluation, line: Line) -> BillLine:
    used = [order for order in case.orders if order.id in line.evidence.orders]
    diagnoses = _once(code for order in used for code in order.icd10)
    found = BillLine(
        id="",
        patient_id=case.patient.id,
        code=line.code,
        units=line.units,
        family=line.family,
        service_from=line.service_from,
        service_to=line.service_to,
        date_of_service=line.date_of_service,
        threshold_met_at=line.threshold_met_at,
        billing_npi=case.parties.billing_npi,
        rendering_npi=case.parties.rendering_npi or case.parties.billing_npi,
        ordering_npi=max(used, key=lambda order: order.at).ordering_npi if used else "",
        place_of_service=case.parties.place_of_service,
        icd10=diagnoses,
        evidence=line.evidence,
        pack=evaluation.pack,
        pack_version=evaluation.version,
        parameter_hash=evaluation.digest,
    )
    return replace(found, id=_identity(found))


def _identity(line: BillLine) -> str:
    return hashlib.sha256(repr(line).encode()).hexdigest()[:20]


def _once(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
