"""An evidence pack that somebody holds, against what is stored and the audit chain. Pure."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from billing import fields
from billing.fields import CaseError


class Fault(StrEnum):
    """Why an evidence pack is not to be trusted."""

    CHANGED = "its facts are not those that are stored"
    DIGEST = "its digest is not that of the stored facts"
    NOT_IN_CHAIN = "an edit that it names is not in the audit trail"
    CHAIN_BROKEN = "an edit that it names was changed in the audit trail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What an evidence pack in JSON says of itself."""

    line_id: str
    digest: str
    sections: object
    edits: Mapping[str, str]
    """Audit id -> audit hash."""


def read(content: str) -> Held:
    """Return what a pack says, or CaseError when it is none."""
    try:
        document = fields.mapping(json.loads(content), "evidence")
    except json.JSONDecodeError as error:
        raise CaseError(f"evidence: not JSON: {error}") from error
    sections = [fields.mapping(row, "sections") for row in fields.rows(document, "sections")]
    found = [row for each in sections for row in fields.rows(each, "rows")]
    edits = [fields.mapping(row, "rows") for row in found]
    return Held(
        line_id=fields.text(document.get("line_id")),
        digest=fields.text(document.get("digest")),
        sections=document.get("sections"),
        edits={str(row["audit id"]): str(row["audit hash"]) for row in edits if "audit id" in row},
    )


def faults(held: Held, stored: Held, trail: Iterable[tuple[str, str, bool]]) -> tuple[Fault, ...]:
    """Return what is wrong with a pack; `trail` holds id, hash and whether the hash still fits."""
    known = {name: (digest, fits) for name, digest, fits in trail}
    chained = [known.get(name) for name in held.edits]
    told = (
        (Fault.CHANGED, held.sections != stored.sections),
        (Fault.DIGEST, held.digest != stored.digest),
        (Fault.NOT_IN_CHAIN, any(row is None for row in chained)),
        (Fault.CHAIN_BROKEN, not all(_fits(known, *edit) for edit in held.edits.items())),
    )
    return tuple(fault for fault, holds in told if holds)


def _fits(known: Mapping[str, tuple[str, bool]], name: str, digest: str) -> bool:
    return name not in known or known[name] == (digest, True)
