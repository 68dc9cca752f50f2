"""Bill lines as FHIR R4 Claim and ChargeItem: drafts, never submitted from here."""

import json
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from billing.claims import BillLine

CPT = "http://www.ama-assn.org/go/cpt"
HCPCS = "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
NPI = "http://hl7.org/fhir/sid/us-npi"
POS = "https://www.cms.gov/Medicare/Coding/place-of-service-codes/Place_of_Service_Code_Set"
CLAIM_TYPE = "http://terminology.hl7.org/CodeSystem/claim-type"
PRIORITY = "http://terminology.hl7.org/CodeSystem/processpriority"
LINE_ID = "urn:tidings:bill-line"

Json = dict[str, object]


def claim(
    lines: Iterable[BillLine],
    *,
    created: date,
    coverage: str,
    charges: Mapping[str, Decimal] | None = None,
) -> Json:
    """Return one patient's lines as a draft Claim."""
    ordered = sorted(lines, key=lambda line: (line.date_of_service, line.code))
    first = ordered[0]
    diagnoses = list(dict.fromkeys(code for line in ordered for code in line.icd10))
    prices = charges or {}
    resource: Json = {
        "resourceType": "Claim",
        "identifier": [{"system": LINE_ID, "value": first.id}],
        "status": "draft",
        "type": {"coding": [{"system": CLAIM_TYPE, "code": "professional"}]},
        "use": "claim",
        "patient": {"reference": f"Patient/{first.patient_id}"},
        "billablePeriod": {
            "start": min(line.service_from for line in ordered).isoformat(),
            "end": max(line.service_to for line in ordered).isoformat(),
        },
        "created": created.isoformat(),
        "provider": _practitioner(first.billing_npi),
        "priority": {"coding": [{"system": PRIORITY, "code": "normal"}]},
        "insurance": [{"sequence": 1, "focal": True, "coverage": {"display": coverage}}],
        "diagnosis": [_diagnosis(place, code) for place, code in enumerate(diagnoses, start=1)],
        "item": [_item(place, line, prices, diagnoses) for place, line in enumerate(ordered, 1)],
    }
    return {name: value for name, value in resource.items() if value not in ([], {})}


def charge_item(line: BillLine) -> Json:
    """Return one line as a ChargeItem that points at its evidence."""
    proof = [
        *(f"Observation/{name}" for name in line.evidence.readings),
        *(f"Encounter/{name}" for name in line.evidence.entries),
        *(f"Consent/{name}" for name in line.evidence.consents),
        *(f"ServiceRequest/{name}" for name in line.evidence.orders),
    ]
    rules = f"rule pack {line.pack} version {line.pack_version}, parameters {line.parameter_hash}"
    resource: Json = {
        "resourceType": "ChargeItem",
        "identifier": [{"system": LINE_ID, "value": line.id}],
        "status": "billable",
        "code": {"coding": [_code(line.code)]},
        "subject": {"reference": f"Patient/{line.patient_id}"},
        "occurrencePeriod": {
            "start": line.service_from.isoformat(),
            "end": line.service_to.isoformat(),
        },
        "performer": [{"actor": _practitioner(line.rendering_npi)}],
        "quantity": {"value": line.units},
        "reason": [{"coding": [{"system": ICD10, "code": code}]} for code in line.icd10],
        "supportingInformation": [{"display": name} for name in proof],
        "note": [{"text": rules}],
    }
    return {name: value for name, value in resource.items() if value not in ([], {})}


def as_text(resource: Json) -> str:
    """Return a resource as JSON text, the same for the same resource."""
    return json.dumps(resource, indent=1, ensure_ascii=False) + "\n"


def _practitioner(npi: str) -> Json:
    return {"identifier": {"system": NPI, "value": npi}} if npi else {"display": "not recorded"}


def _code(code: str) -> Json:
    return {"system": CPT if code.isdigit() else HCPCS, "code": code}


def _diagnosis(place: int, code: str) -> Json:
    concept = {"coding": [{"system": ICD10, "code": code}]}
    return {"sequence": place, "diagnosisCodeableConcept": concept}


def _item(place: int, line: BillLine, prices: Mapping[str, Decimal], diagnoses: list[str]) -> Json:
    item: Json = {
        "sequence": place,
        "diagnosisSequence": [diagnoses.index(code) + 1 for code in line.icd10],
        "productOrService": {"coding": [_code(line.code)]},
        "servicedDate": line.date_of_service.isoformat(),
        "quantity": {"value": line.units},
    }
    if line.place_of_service:
        coding = [{"system": POS, "code": line.place_of_service}]
        item["locationCodeableConcept"] = {"coding": coding}
    if line.code in prices:
        price = prices[line.code]
        item["unitPrice"] = {"value": float(price), "currency": "USD"}
        item["net"] = {"value": float(price * line.units), "currency": "USD"}
    return {name: value for name, value in item.items() if value != []}
