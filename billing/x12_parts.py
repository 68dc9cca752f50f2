"""Segments of an 837P that do not depend on bill lines: envelope, submitter, addresses."""

from billing.submission import Address, Practice, Submission

Tree = dict[str, object]
IMPLEMENTATION = "005010X222A1"


def trailer(segment_count: int, control: str) -> Tree:
    """Return the SE segment."""
    return {
        "transaction_segment_count": segment_count,
        "transaction_set_control_number": control,
    }


def header(control: str, submission: Submission) -> Tree:
    """Return ST and BHT."""
    return {
        "st_segment": {
            "transaction_set_identifier_code": "837",
            "transaction_set_control_number": control,
            "implementation_convention_reference": IMPLEMENTATION,
        },
        "bht_segment": {
            "hierarchical_structure_code": "0019",
            "transaction_set_purpose_code": "00",
            "submitter_transactional_identifier": f"{submission.control_number:09d}{control}",
            "transaction_set_creation_date": f"{submission.created:%Y%m%d}",
            "transaction_set_creation_time": f"{submission.created:%H%M}",
            "transaction_type_code": "CH",
        },
    }


def submitter(practice: Practice) -> Tree:
    """Return the submitter, who is the practice itself."""
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


def receiver(submission: Submission) -> Tree:
    """Return the receiver, a payer or a clearing house."""
    return {
        "nm1_segment": {
            "entity_identifier_code": "40",
            "entity_type_qualifier": "2",
            "name_last_or_organization_name": submission.receiver_name,
            "identification_code_qualifier": "46",
            "identification_code": submission.receiver_id,
        }
    }


def street(address: Address) -> Tree:
    """Return N3."""
    return {"address_information_1": address.street}


def city(address: Address) -> Tree:
    """Return N4."""
    return {
        "city_name": address.city,
        "state_province_code": address.state,
        "postal_code": address.postal_code,
    }
