"""The evidence of one bill line as sections of rows, in the order a reviewer asks for it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from billing import claims, evaluate, ledger
from billing.claims import BillLine
from billing.pack import Pack
from billing.papers import ABSENT, DevicePaper, Papers
from billing.record import Case, TimeEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading and rows under column names."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """The whole evidence of one line, ready to be rendered."""

    line_id: str
    title: str
    created_for: str
    sections: tuple[Section, ...]


def dossier(case: Case, line: BillLine, pack: Pack, papers: Papers | None = None) -> Dossier:
    """Return the evidence of a line; the same stored facts always give the same dossier."""
    known = papers or Papers()
    label = next((code.label for code in pack.codes if code.code == line.code), "")
    return Dossier(
        line_id=line.id,
        title=f"Evidence for {line.code} x {line.units}: {label}",
        created_for=known.organisation,
        sections=(
            _claim(line, known),
            _count(case, line, pack),
            _eligibility(case, known),
            _orders(case, line, known),
            _consents(case, line, known),
            _devices(case, line, known),
            _setup(case, line, known),
            _days(case, line, known),
            _time(case, line, known),
            _contacts(case, line, pack, known),
            _pairs("What changed because of the data", known.changes_from_data),
            _pairs("Care plan", (known.care_plan,)),
            _pairs("What the practice stated", line.evidence.statements),
            _other_practices(case, known),
            _rules(line, pack),
            _edits(known),
        ),
    )


def _pairs(title: str, texts: Iterable[str]) -> Section:
    return Section(title=title, columns=("text",), rows=tuple((text,) for text in texts))


def _facts(title: str, facts: Iterable[tuple[str, object]]) -> Section:
    rows = tuple((name, _shown(value)) for name, value in facts)
    return Section(title=title, columns=("item", "value"), rows=rows)


def _shown(value: object, zone: tzinfo = UTC) -> str:
    if isinstance(value, datetime):
        return value.astimezone(zone).isoformat(sep=" ", timespec="seconds")
    if isinstance(value, tuple):
        return ", ".join(_shown(item) for item in value) or ABSENT
    return ABSENT if value in (None, "") else str(value)


def _claim(line: BillLine, papers: Papers) -> Section:
    return _facts(
        "Claim line",
        (
            ("organization", papers.organisation),
            ("patient", papers.patient_label),
            ("patient id", line.patient_id),
            ("code", line.code),
            ("units", line.units),
            ("service from", line.service_from),
            ("service to", line.service_to),
            ("date of service", line.date_of_service),
            ("threshold met at", line.threshold_met_at),
            ("billing NPI", line.billing_npi),
            ("rendering NPI", line.rendering_npi),
            ("ordering NPI", line.ordering_npi),
            ("place of service", line.place_of_service),
            ("ICD-10", line.icd10),
        ),
    )


def _count(case: Case, line: BillLine, pack: Pack) -> Section:
    again = evaluate.evaluate(claims.alone(case, line), pack)
    found = again.line(line.code)
    units = 0 if found is None else found.units
    return _facts(
        "Counted again from this evidence alone",
        ((line.code, f"{units} units"), *sorted(again.facts.items())),
    )


def _eligibility(case: Case, papers: Papers) -> Section:
    patient = case.patient
    return _facts(
        "Eligibility",
        (
            ("established patient", "yes" if patient.established else "no"),
            ("prior visit", patient.prior_visit_on),
            ("time zone of the patient", patient.zone),
            ("time zone of the organization", case.organisation_zone),
            ("one practitioner attested", papers.attestation),
        ),
    )


def _orders(case: Case, line: BillLine, papers: Papers) -> Section:
    zone = case.organisation_zone or UTC
    rows = tuple(
        (
            order.id,
            _shown(order.at, zone),
            _shown(order.ordering_npi),
            _shown(order.icd10),
            papers.order_texts.get(order.id, ABSENT),
        )
        for order in case.orders
        if order.id in line.evidence.orders
    )
    columns = ("id", "ordered at", "ordering NPI", "ICD-10", "goal, frequency, thresholds")
    return Section(title="Order", columns=columns, rows=tuple(sorted(rows)))


def _consents(case: Case, line: BillLine, papers: Papers) -> Section:
    zone = case.organisation_zone or UTC
    rows = tuple(
        (
            consent.id,
            consent.program,
            _shown(consent.at, zone),
            "no" if consent.withdrawn_at is None else _shown(consent.withdrawn_at, zone),
            papers.consent_texts.get(consent.id, ABSENT),
        )
        for consent in case.consents
        if consent.id in line.evidence.consents
    )
    columns = ("id", "program", "given at", "withdrawn", "text")
    return Section(title="Consent", columns=columns, rows=tuple(sorted(rows)))


def _devices(case: Case, line: BillLine, papers: Papers) -> Section:
    used = {row.device for row in case.readings if row.id in line.evidence.readings}
    known = {paper.id: paper for paper in papers.devices}
    rows = tuple(
        (paper.id, paper.make, paper.model, paper.serial, paper.udi, paper.listing)
        for paper in (known.get(name, DevicePaper(id=name)) for name in sorted(used))
    )
    columns = ("id", "make", "model", "serial", "UDI", "listing")
    return Section(title="Devices", columns=columns, rows=rows)


def _setup(case: Case, line: BillLine, papers: Papers) -> Section:
    rows = tuple(
        (
            episode.id,
            _shown(episode.monitoring_start),
            _shown(episode.education_on),
            papers.education_note,
        )
        for episode in case.episodes
        if episode.education_id == line.evidence.education
    )
    columns = ("episode", "monitoring from", "education on", "teach-back note")
    return Section(title="Set-up and education", columns=columns, rows=rows)


def _days(case: Case, line: BillLine, papers: Papers) -> Section:
    zone = case.zone_on(line.service_from) or UTC
    counted = [row for row in case.readings if row.id in line.evidence.readings]
    rows = tuple(
        (
            row.at.astimezone(zone).date().isoformat(),
            row.id,
            row.device,
            _shown(row.at, zone),
            _shown(papers.gateway_times.get(row.id), zone),
            _shown(row.received_at, zone),
        )
        for row in sorted(counted, key=lambda row: (row.at, row.id))
    )
    columns = ("local day", "reading", "device", "measured at", "gateway at", "received at")
    return Section(title="Counted days", columns=columns, rows=rows)


def _time(case: Case, line: BillLine, papers: Papers) -> Section:
    zone = case.organisation_zone or UTC
    rows = tuple(
        (
            entry.id,
            papers.staff.get(entry.staff_id, entry.staff_id),
            entry.role,
            _shown(entry.start, zone),
            _shown(entry.end, zone),
            entry.activity,
            _shown(entry.note),
            "cuts minutes" if entry.id in line.evidence.limiting else "counts",
        )
        for entry in _entries(case, (*line.evidence.entries, *line.evidence.limiting))
    )
    columns = ("entry", "who", "credential", "start", "end", "activity", "note", "use")
    return Section(title="Time log", columns=columns, rows=rows)


def _contacts(case: Case, line: BillLine, pack: Pack, papers: Papers) -> Section:
    zone = case.organisation_zone or UTC
    rows = tuple(
        (
            entry.id,
            _shown(entry.start, zone),
            entry.mode,
            entry.spoke_with,
            papers.staff.get(entry.staff_id, entry.staff_id),
            _shown(entry.note),
        )
        for entry in _entries(case, line.evidence.entries)
        if ledger.counts_as_interactive(entry, pack.parameters)
    )
    columns = ("entry", "at", "mode", "with", "who", "what was said")
    return Section(title="Real-time contacts", columns=columns, rows=rows)


def _entries(case: Case, names: Iterable[str]) -> list[TimeEntry]:
    wanted = set(names)
    chosen = [entry for entry in case.entries if entry.id in wanted]
    return sorted(chosen, key=lambda entry: (entry.start, entry.id))


def _other_practices(case: Case, papers: Papers) -> Section:
    rows = tuple(
        (claim.code, claim.first.isoformat(), claim.last.isoformat(), _shown(claim.billing_npi))
        for claim in sorted(case.claims, key=lambda claim: (claim.first, claim.code))
    )
    title = f"Claims already known (attested by: {papers.attestation})"
    return Section(title=title, columns=("code", "from", "to", "billing NPI"), rows=rows)


def _rules(line: BillLine, pack: Pack) -> Section:
    code = next((code for code in pack.codes if code.code == line.code), None)
    source = next((row for row in pack.sources if code and row.id == code.source), None)
    return _facts(
        "Rules",
        (
            ("rule pack", line.pack),
            ("version", line.pack_version),
            ("parameter hash", line.parameter_hash),
            ("payer overlays", tuple(pack.overlays)),
            ("approved by", pack.approved.by or "not signed yet"),
            ("approved at", pack.approved.at),
            ("source", "" if source is None else source.text),
            ("confidence", "" if code is None else code.confidence),
            *sorted((name, repr(value)) for name, value in _parameters(pack)),
        ),
    )


def _parameters(pack: Pack) -> Iterable[tuple[str, object]]:
    for name in pack.parameters.__struct_fields__:
        value = getattr(pack.parameters, name)
        plain = sorted(str(item) for item in value) if isinstance(value, frozenset) else value
        yield name, plain


def _edits(papers: Papers) -> Section:
    ordered = sorted(papers.edits, key=lambda edit: (edit.at, edit.audit_id))
    rows = tuple(
        (
            _shown(edit.at),
            edit.by,
            edit.what,
            edit.before,
            edit.after,
            edit.reason,
            edit.audit_id,
            edit.audit_hash,
        )
        for edit in ordered
    )
    columns = ("at", "by", "what", "before", "after", "reason", "audit id", "audit hash")
    title = f"Edits (audit chain head: {papers.chain_head})"
    return Section(title=title, columns=columns, rows=rows)
