"""Bill lines as an X12 837P interchange; nothing is sent, the biller carries the file."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import groupby

from x12sdk.io import write_transactions
from x12sdk.support import count_segments
from x12sdk.v5010.x12_837_005010X222A2.transaction_set import HealthCareClaimProfessional

from billing import x12_parts
from billing.claims import BillLine, missing_for_claim
from billing.fields import CaseError
from billing.submission import Professional, Submission, Subscriber
from billing.x12_parts import Tree

WRITTEN_AS = "005010X222A2"
PATIENTS_PER_TRANSACTION = 1_000
LINES_PER_CLAIM = 50
DIAGNOSES_PER_CLAIM = 12


def interchange(lines: Iterable[BillLine], submission: Submission) -> str:
    """Return the claim file; a line that a payer could not take is an error with its reasons."""
    ordered = sorted(lines, key=lambda line: (line.patient_id, line.date_of_service, line.code))
    for line in ordered:
        _check(line, submission)
    models = [
        _transaction(number, batch, submission)
        for number, batch in enumerate(_batches(ordered), start=1)
    ]
    written = write_transactions(
        models,
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
    return written.replace(f"*X*{WRITTEN_AS}~", f"*X*{x12_parts.IMPLEMENTATION}~")


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


def _batches(lines: list[BillLine]) -> Iterator[list[BillLine]]:
    patients = [list(rows) for _, rows in groupby(lines, key=lambda line: line.patient_id)]
    for start in range(0, len(patients), PATIENTS_PER_TRANSACTION):
        batch = patients[start : start + PATIENTS_PER_TRANSACTION]
        yield [line for rows in batch for line in rows]


def _transaction(
    number: int, lines: list[BillLine], submission: Submission
) -> HealthCareClaimProfessional:
    control = f"{number:04d}"
    body: Tree = {
        "header": x12_parts.header(control, submission),
        "loop_1000a": x12_parts.submitter(submission.practice),
        "loop_1000b": x12_parts.receiver(submission),
        "loop_2000a": [_billing_provider(lines, submission)],
    }
    counted = count_segments({**body, "footer": {"se_segment": x12_parts.trailer(1, control)}})
    return HealthCareClaimProfessional.model_validate(
        {**body, "footer": {"se_segment": x12_parts.trailer(counted, control)}}
    )


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
            "n3_segment": x12_parts.street(practice.address),
            "n4_segment": x12_parts.city(practice.address),
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
        "n3_segment": x12_parts.street(subscriber.address),
        "n4_segment": x12_parts.city(subscriber.address),
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
