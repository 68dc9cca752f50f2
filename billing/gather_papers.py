"""Reads what surrounds a line: texts, names, serial numbers, edits; and makes its evidence."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from billing import dossier, gather_case, overlay, store, windows
from billing import pack as packs
from billing.claims import BillLine
from billing.dossier import Dossier
from billing.fields import CaseError
from billing.gather import QUERIES, Connection
from billing.pack import Pack
from billing.papers import ABSENT, DevicePaper, Edit, Papers
from billing.record import Case


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A stored line with the case and the rules that gave it."""

    line: BillLine
    case: Case
    rules: Pack
    first: date


def proof(connection: Connection, organisation: UUID, line_id: str) -> Proof:
    """Return a stored line with its facts; the rules have to be those it was judged by."""
    wanted = {"organisation": organisation, "line": line_id}
    found = connection.execute(QUERIES["line"], wanted).fetchone()
    if found is None:
        raise CaseError(f"no line {line_id!r}")
    content, facts, first, _ = found
    line, case = store.as_line(content), gather_case.parsed(facts)
    return Proof(line=line, case=case, rules=rules_of(line, case), first=first)


def rules_of(line: BillLine, case: Case) -> Pack:
    """Return the pack that a line names, with its overlays; another hash is an error."""
    known = overlay.for_payer(packs.named(line.pack), case.patient.payer, line.service_to)
    rules = packs.adjusted(known, case.parameters)
    if rules.digest != line.parameter_hash:
        raise CaseError(f"{line.id}: rules {line.pack} are not those it was judged by")
    return rules


def evidence(connection: Connection, organisation: UUID, line_id: str) -> Dossier:
    """Return the evidence of a line, made from what is stored and nothing else."""
    found = proof(connection, organisation, line_id)
    around = papers(connection, organisation, found)
    return dossier.dossier(found.case, found.line, found.rules, around)


def _asked(organisation: UUID, found: Proof) -> dict[str, object]:
    line, case = found.line, found.case
    entries = {*line.evidence.entries, *line.evidence.limiting}
    return {
        "organisation": organisation,
        "first": found.first,
        "absent": ABSENT,
        "patient": UUID(line.patient_id),
        "readings": [UUID(name) for name in line.evidence.readings],
        "devices": sorted({r.device for r in case.readings if r.id in line.evidence.readings}),
        "staff": [UUID(e.staff_id) for e in case.entries if e.id in entries],
        "from": line.service_from,
        "until": line.service_to + windows.DAY,
        "named": [line.id, *line.evidence.readings, *sorted(entries)],
    }


def papers(connection: Connection, organisation: UUID, found: Proof) -> Papers:
    """Return everything around a line that a reviewer reads."""
    asked = _asked(organisation, found)
    label, care_plan = _first(connection, "paper_patient", asked) or (ABSENT, None)
    name = _first(connection, "clinic", asked)
    education = _first(connection, "paper_education", asked)
    head = _first(connection, "chain_head", asked)
    attested = _first(connection, "paper_attestation", asked)
    return Papers(
        organisation=str(name[1]) if name else ABSENT,
        patient_label=str(label),
        order_texts=_texts(connection, "paper_orders", asked),
        consent_texts=_texts(connection, "paper_consents", asked),
        education_note=str(education[0]) if education else ABSENT,
        staff=_texts(connection, "paper_staff", asked),
        devices=_devices(connection, asked),
        gateway_times=dict(
            connection.execute(QUERIES["paper_gateway_times"], asked).fetchall(),
        ),
        changes_from_data=tuple(
            text for (text,) in connection.execute(QUERIES["paper_changes"], asked)
        ),
        care_plan=str(care_plan) if care_plan else ABSENT,
        attestation=str(attested[0]) if attested else ABSENT,
        edits=tuple(_edit(row) for row in connection.execute(QUERIES["paper_edits"], asked)),
        chain_head=str(head[0]) if head else ABSENT,
    )


def _first(
    connection: Connection, query: str, asked: dict[str, object]
) -> tuple[object, ...] | None:
    return connection.execute(QUERIES[query], asked).fetchone()


def _texts(connection: Connection, query: str, asked: dict[str, object]) -> dict[str, str]:
    return {str(name): str(text) for name, text in connection.execute(QUERIES[query], asked)}


def _devices(connection: Connection, asked: dict[str, object]) -> tuple[DevicePaper, ...]:
    names = ("id", "make", "model", "serial", "udi", "listing")
    rows = connection.execute(QUERIES["paper_devices"], asked)
    return tuple(DevicePaper(**dict(zip(names, row, strict=True))) for row in rows)


def _edit(row: tuple[object, ...]) -> Edit:
    at, by, what, named, detail, reason, audit_id, audit_hash = row
    if not isinstance(at, datetime):
        raise TypeError(f"{at!r} is no time")
    return Edit(
        at=at,
        by=str(by),
        what=f"{what} {named}",
        before=ABSENT,
        after=str(detail),
        reason=str(reason),
        audit_id=str(audit_id),
        audit_hash=str(audit_hash),
    )
