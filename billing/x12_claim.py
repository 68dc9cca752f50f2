"""Bill lines as an X12 837P interchange; nothing is sent, the biller carries the file."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby

from x12sdk.io import write_transactions
from x12sdk.support import count_segments
from x12sdk.v5010.x12_837_005010X222A2.transaction_set import HealthCareClaimProfessional

from billing.claims import BillLine, missing_for_claim
from billing.fields import CaseError

Tree = dict[str, object]
IMPLEMENTATION = "005010X222A1"
WRITTEN_AS = "005010X222A2"
ST_CONTROL = "0001"
LINES_PER_CLAIM = 50
DIAGNOSES_PER_CLAIM = 12


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


def interchange(lines: Iterable[BillLine], submission: Submission) -> str:
    """Return the claim file; a line that a payer could not take is an error with its reasons."""
    ordered = sorted(lines, key=lambda line: (line.patient_id, line.date_of_service, line.code))
    for line in ordered:
        _check(line, submission)
    model = _transaction(ordered, submission)
    written = write_transactions(
        [model],
        sender_id=submission.practice.tax_id,
        receiver_id=submission.receiver_id,
        sender_qualifier="ZZ",
        receiver_qualifier="ZZ",
        interchange_control_number=f"{submission.control_number:09d}",
        group_control_number=str(submission.control_number),
        created=submission.created,
        usage_indicator="P" if submission.production else "T",
    )
    # the library names its own variant in GS08; payers take the adopted one, the same as in ST03
    return written.replace(f"*X*{WRITTEN_AS}~", f"*X*{IMPLEMENTATION}~")


def _check(line: BillLine, submission: Submission) -> None:
    lacking = [*missing_for_claim(line)]
    if line.patient_id not in submission.subscribers:
        lacking.append("coverage of the patient")
    if line.code not in submission.charges:
        lacking.append("charge in the fee schedule")
    if line.rendering_npi not in submission.professionals:
        lacking.append("name of the rendering professional")
    if lacking:
        raise CaseError(f"{line.patient_id} {line.code}: missing {', '.join(lacking)}")


def _transaction(lines: list[BillLine], submission: Submission) -> HealthCareClaimProfessional:
    body: Tree = {
        "header": _header(submission),
        "loop_1000a": _submitter(submission.practice),
        "loop_1000b": _receiver(submission),
        "loop_2000a": [_billing_provider(lines, submission)],
    }
    counted = count_segments({**body, "footer": {"se_segment": _trailer(1)}})
    return HealthCareClaimProfessional.model_validate(
        {**body, "footer": {"se_segment": _trailer(counted)}}
    )


def _trailer(segment_count: int) -> Tree:
    return {
        "transaction_segment_count": segment_count,
        "transaction_set_control_number": ST_CONTROL,
    }


def _header(submission: Submission) -> Tree:
    return {
        "st_segment": {
            "transaction_set_identifier_code": "837",
            "transaction_set_control_number": ST_CONTROL,
            "implementation_convention_reference": IMPLEMENTATION,
        },
        "bht_segment": {
            "hierarchical_structure_code": "0019",
            "transaction_set_purpose_code": "00",
            "submitter_transactional_identifier": f"{submission.control_number:09d}",
            "transaction_set_creation_date": f"{submission.created:%Y%m%d}",
            "transaction_set_creation_time": f"{submission.created:%H%M}",
            "transaction_type_code": "CH",
        },
    }


def _submitter(practice: Practice) -> Tree:
    return {
        "nm1_segment": {
            "entity_identifier_code": "41",
            "entity_type_qualifier": "2",
            "name_last_or_organization_name": practice.name,
            "identification_code_qualifier": "46",
            "identification_code": practice.tax_id,
        },
        "per_segment": [
            {
                "contact_function_code": "IC",
                "name": practice.contact,
                "communication_number_qualifier_1": "TE",
                "communication_number_1": practice.phone,
            }
        ],
    }


def _receiver(submission: Submission) -> Tree:
    return {
        "nm1_segment": {
            "entity_identifier_code": "40",
            "entity_type_qualifier": "2",
            "name_last_or_organization_name": submission.receiver_name,
            "identification_code_qualifier": "46",
            "identification_code": submission.receiver_id,
        }
    }


def _billing_provider(lines: list[BillLine], submission: Submission) -> Tree:
    practice = submission.practice
    patients = groupby(lines, key=lambda line: line.patient_id)
    return {
        "hl_segment": {
            "hierarchical_id_number": "1",
            "hierarchical_level_code": "20",
            "hierarchical_child_code": "1",
        },
        "loop_2010aa": {
            "nm1_segment": {
                "entity_identifier_code": "85",
                "entity_type_qualifier": "2",
                "name_last_or_organization_name": practice.name,
                "identification_code_qualifier": "XX",
                "identification_code": practice.npi,
            },
            "n3_segment": _street(practice.address),
            "n4_segment": _city(practice.address),
            "ref_segment": [
                {
                    "reference_identification_qualifier": "EI",
                    "reference_identification": practice.tax_id,
                }
            ],
        },
        "loop_2000b": [
            _patient(number, patient_id, list(rows), submission)
            for number, (patient_id, rows) in enumerate(patients, start=2)
        ],
    }


def _patient(number: int, patient_id: str, lines: list[BillLine], submission: Submission) -> Tree:
    subscriber = submission.subscribers[patient_id]
    return {
        "hl_segment": {
            "hierarchical_id_number": str(number),
            "hierarchical_parent_id_number": "1",
            "hierarchical_level_code": "22",
            "hierarchical_child_code": "0",
        },
        "sbr_segment": {
            "payer_responsibility_code": "P",
            "individual_relationship_code": "18",
            "claim_filing_indicator_code": subscriber.filing,
        },
        "loop_2010ba": _subscriber(subscriber),
        "loop_2010bb": {
            "nm1_segment": {
                "entity_identifier_code": "PR",
                "entity_type_qualifier": "2",
                "name_last_or_organization_name": subscriber.payer_name,
                "identification_code_qualifier": "PI",
                "identification_code": subscriber.payer_id,
            }
        },
        "loop_2300": [_claim(group, submission) for group in _claims_of(lines)],
    }


def _subscriber(subscriber: Subscriber) -> Tree:
    return {
        "nm1_segment": {
            "entity_identifier_code": "IL",
            "entity_type_qualifier": "1",
            "name_last_or_organization_name": subscriber.last_name,
            "name_first": subscriber.first_name,
            "identification_code_qualifier": "MI",
            "identification_code": subscriber.member_id,
        },
        "n3_segment": _street(subscriber.address),
        "n4_segment": _city(subscriber.address),
        "dmg_segment": {
            "date_time_period_format_qualifier": "D8",
            "date_time_period": f"{subscriber.born_on:%Y%m%d}",
            "gender_code": subscriber.gender,
        },
    }


def _claims_of(lines: list[BillLine]) -> list[list[BillLine]]:
    """Return the lines that fit on one claim: same professional, place and diagnoses."""
    groups: dict[tuple[str, str, tuple[str, ...]], list[BillLine]] = {}
    for line in lines:
        key = (line.rendering_npi, line.place_of_service, line.icd10)
        groups.setdefault(key, []).append(line)
    return [
        rows[start : start + LINES_PER_CLAIM]
        for rows in groups.values()
        for start in range(0, len(rows), LINES_PER_CLAIM)
    ]


def _claim(lines: list[BillLine], submission: Submission) -> Tree:
    first = lines[0]
    total = sum((_charge(line, submission) for line in lines), Decimal())
    return {
        "clm_segment": {
            "patient_control_number": first.id,
            "total_claim_charge_amount": total,
            "health_care_service_location_information": f"{first.place_of_service}:B:1",
            "provider_or_supplier_signature_indicator": "Y",
            "provider_accept_assignment_code": "A",
            "benefit_assignment_certification_indicator": "Y",
            "release_of_information_code": "Y",
        },
        "hi_segment": [_diagnoses(first.icd10)],
        "loop_2310b": _rendering(submission.professionals[first.rendering_npi]),
        "loop_2400": [
            _service(number, line, submission) for number, line in enumerate(lines, start=1)
        ],
    }


def _diagnoses(icd10: tuple[str, ...]) -> Tree:
    codes = [code.replace(".", "") for code in icd10[:DIAGNOSES_PER_CLAIM]]
    named: Tree = {
        f"health_care_code_{number}": ["ABK" if number == 1 else "ABF", code]
        for number, code in enumerate(codes, start=1)
    }
    return named


def _rendering(person: Professional) -> Tree:
    return {
        "nm1_segment": {
            "entity_identifier_code": "82",
            "entity_type_qualifier": "1",
            "name_last_or_organization_name": person.last_name,
            "name_first": person.first_name,
            "identification_code_qualifier": "XX",
            "identification_code": person.npi,
        }
    }


def _service(number: int, line: BillLine, submission: Submission) -> Tree:
    return {
        "lx_segment": {"assigned_number": str(number)},
        "sv1_segment": {
            "product_service_id_qualifier": f"HC:{line.code}",
            "line_item_charge_amount": _charge(line, submission),
            "unit_basis_measurement_code": "UN",
            "service_unit_count": Decimal(line.units),
            "composite_diagnosis_code_pointer": "1",
        },
        "dtp_segment": [
            {
                "date_time_qualifier": "472",
                "date_time_period_format_qualifier": "D8",
                "date_time_period": f"{line.date_of_service:%Y%m%d}",
            }
        ],
        "ref_segment": [
            {"reference_identification_qualifier": "6R", "reference_identification": line.id}
        ],
        "loop_2420e": _ordering(line, submission),
    }


def _ordering(line: BillLine, submission: Submission) -> Tree | None:
    person = submission.professionals.get(line.ordering_npi)
    if person is None:
        return None
    return {
        "nm1_segment": {
            "entity_identifier_code": "DK",
            "entity_type_qualifier": "1",
            "name_last_or_organization_name": person.last_name,
            "name_first": person.first_name,
            "identification_code_qualifier": "XX",
            "identification_code": person.npi,
        }
    }


def _charge(line: BillLine, submission: Submission) -> Decimal:
    return submission.charges[line.code] * line.units


def _street(address: Address) -> Tree:
    return {"address_information_1": address.street}


def _city(address: Address) -> Tree:
    return {
        "city_name": address.city,
        "state_province_code": address.state,
        "postal_code": address.postal_code,
    }
