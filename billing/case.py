"""The door of billing: one JSON object becomes one Case; bad rows are kept with their reason."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from typing import TypeVar
from zoneinfo import ZoneInfo

from billing import fields, rows
from billing.fields import CaseError, Row
from billing.record import (
    BilledClaim,
    Case,
    Consent,
    ContactAttempt,
    Discharge,
    Episode,
    Order,
    Parties,
    Patient,
    Stay,
    ZoneChange,
)
from billing.statements import statements

REFUSED_METHODS = ("verbal", "verbal_undocumented", "implied", "none")
OWN_CLAIM_NAMES = ("prior_claims", "own_claims", "billed_claims")
DEATH_NAMES = ("died_on", "deceased_on", "death_on", "date_of_death")
Value = TypeVar("Value")


def parse(raw: object) -> Case:
    """Return the case, or raise CaseError when it cannot be judged at all."""
    row = fields.mapping(raw, "case")
    zone = fields.zone(row.get("org_timezone"))
    patient = _patient(fields.section(row, "patient"), zone)
    with_papers = _papers(_asked(row, patient, zone), row, zone)
    return _measured(with_papers, row)


def _asked(row: Row, patient: Patient, zone: ZoneInfo | None) -> Case:
    """Return who is judged, when and for what."""
    asked = fields.section(row, "evaluate")
    return Case(
        patient=patient,
        organisation_zone=zone,
        as_of=fields.instant(row.get("as_of"), "as_of"),
        families=_families(asked),
        window=_window(asked),
        month=fields.month(asked["month"], "evaluate.month") if asked.get("month") else None,
        parties=_parties(fields.section(row, "billing")),
        parameters=fields.overrides(fields.first_of(row, *fields.PARAMETER_NAMES)),
    )


def _papers(case: Case, row: Row, zone: ZoneInfo | None) -> Case:
    """Add what is on file; a paper that cannot be read becomes a remark."""
    remarks: list[str] = []
    return replace(
        case,
        consents=_kept(fields.rows(row, "consents"), "consents", _consent(zone), remarks),
        orders=_kept(fields.rows(row, "orders"), "orders", _order(zone), remarks),
        episodes=_episodes(row),
        visits=frozenset(_visit_days(fields.rows(row, "em_visits"), zone)),
        stays=tuple(_stay(item, zone) for item in fields.rows(row, "inpatient_stays")),
        claims=_claims(row),
        discharge=_discharge(fields.section(row, "tcm"), zone),
        statements=statements(row, zone),
        remarks=(*remarks, *_surgery(fields.rows(row, "surgical_globals"))),
    )


def _measured(case: Case, row: Row) -> Case:
    """Add readings and time, with the rows that cannot be used."""
    devices = _devices(fields.rows(row, "devices"))
    readings, bad_readings = rows.readings(fields.rows(row, "readings"), devices)
    entries, bad_entries = rows.entries(
        (*fields.rows(row, "time_entries"), *fields.rows(row, "other_patient_entries"))
    )
    rejected = (*bad_readings, *bad_entries)
    return replace(case, readings=readings, entries=entries, rejected=rejected)


def _kept(
    raw: Iterable[object], name: str, make: Callable[[Row, str], Value], remarks: list[str]
) -> tuple[Value, ...]:
    kept: list[Value] = []
    for index, item in enumerate(raw):
        where = f"{name}[{index}]"
        try:
            kept.append(make(fields.mapping(item, where), where))
        except CaseError as error:
            remarks.append(str(error))
    return tuple(kept)


def _families(asked: Row) -> tuple[str, ...]:
    families = tuple(fields.text(item) for item in fields.rows(asked, "families"))
    if not families:
        raise CaseError("evaluate.families: name at least one family of codes")
    return families


def _window(asked: Row) -> tuple[date, date] | None:
    edges = fields.rows(asked, "window")
    if not edges:
        return None
    if len(edges) != 2:  # noqa: PLR2004  a window is its first and its last date
        raise CaseError(f"evaluate.window: expected first and last date, found {list(edges)!r}")
    first, last = (fields.day(edge, "evaluate.window") for edge in edges)
    if last < first:
        raise CaseError(f"evaluate.window: ends {last} before it starts {first}")
    return first, last


def _devices(raw: Iterable[object]) -> dict[str, Row]:
    devices = [fields.mapping(item, "devices") for item in raw]
    return {fields.text(device.get("id")): device for device in devices}


def _patient(row: Row, zone: ZoneInfo | None) -> Patient:
    if not row:
        raise CaseError("patient: a case needs a patient")
    history = fields.first_of(row, "timezone_changes", "timezone_history")
    moves = fields.rows({"moves": history}, "moves")
    prior = fields.optional_day(row.get("prior_visit_on"), "patient.prior_visit_on", zone)
    established = fields.flag(
        row.get("established_patient"), "patient.established_patient", default=prior is not None
    )
    return Patient(
        id=fields.text(row.get("id")),
        zone=fields.zone(row.get("timezone")),
        moves=tuple(_move(fields.mapping(item, "timezone_changes")) for item in moves),
        established=established,
        prior_visit_on=prior,
        chronic_conditions=fields.count(
            row.get("chronic_conditions"), "patient.chronic_conditions"
        ),
        qmb=fields.flag(row.get("qmb"), "patient.qmb"),
        pace=fields.flag(fields.first_of(row, "pace", "pace_enrollee"), "patient.pace"),
        access_aligned=fields.flag(row.get("access_aligned"), "patient.access_aligned"),
        died_on=fields.optional_day(fields.first_of(row, *DEATH_NAMES), "patient.died_on"),
        payer=fields.text(row.get("payer")),
    )


def _move(row: Row) -> ZoneChange:
    on = fields.day(fields.first_of(row, "on", "from", "at"), "timezone_changes")
    zone = fields.zone(fields.first_of(row, "timezone", "to"))
    if zone is None:
        raise CaseError(f"timezone_changes: unknown zone {row.get('timezone')!r}")
    return ZoneChange(on=on, zone=zone)


def _consent(zone: ZoneInfo | None) -> Callable[[Row, str], Consent]:
    def make(row: Row, where: str) -> Consent:
        at = fields.moment(row.get("at"), f"{where}.at", zone)
        withdrawn = fields.first_of(row, "withdrawn_at", "withdrawn_on", "revoked_at", "revoked_on")
        told = (
            row.get("cost_share_told") is not False
            and row.get("one_practitioner_told") is not False
        )
        program = fields.text(row.get("program"))
        return Consent(
            id=fields.text(row.get("id")) or f"consent/{program}/{at.isoformat()}",
            program=program,
            at=at,
            withdrawn_at=None if withdrawn is None else fields.moment(withdrawn, where, zone),
            valid=told and fields.text(row.get("method")).lower() not in REFUSED_METHODS,
        )

    return make


def _order(zone: ZoneInfo | None) -> Callable[[Row, str], Order]:
    def make(row: Row, where: str) -> Order:
        at = fields.moment(row.get("at"), f"{where}.at", zone)
        ended = fields.first_of(row, "ended_at", "ended_on", "discontinued_at")
        program = fields.text(row.get("program"))
        return Order(
            id=fields.text(row.get("id")) or f"order/{program}/{at.isoformat()}",
            program=program,
            at=at,
            ended_at=None if ended is None else fields.moment(ended, where, zone),
            ordering_npi=fields.text(row.get("ordering_npi")),
            icd10=tuple(fields.text(code) for code in fields.rows(row, "icd10")),
        )

    return make


def _episodes(row: Row) -> tuple[Episode, ...]:
    single = row.get("episode")
    listed = fields.rows(row, "episodes")
    found = listed if single is None else (single, *listed)
    return tuple(_episode(fields.mapping(item, "episode")) for item in found)


def _episode(row: Row) -> Episode:
    name = fields.text(row.get("id"))
    start = fields.optional_day(row.get("monitoring_start"), "episode.monitoring_start")
    return Episode(
        id=name,
        program=fields.text(row.get("program"), rows.DEFAULT_PROGRAM),
        system=fields.text(row.get("rtm_system")).lower(),
        monitoring_start=start,
        education_on=fields.optional_day(
            row.get("setup_education_on"), "episode.setup_education_on"
        ),
        education_id=fields.text(row.get("setup_education_id")) or f"education/{name}",
        setup_already_billed=fields.flag(
            row.get("setup_code_already_billed"), "episode.setup_code_already_billed"
        ),
    )


def _visit_days(raw: Iterable[object], zone: ZoneInfo | None) -> Iterable[date]:
    for item in raw:
        value = item
        if isinstance(item, dict):
            value = fields.first_of(item, "on", "date", "at")
        yield fields.day(value, "em_visits", zone)


def _stay(item: object, zone: ZoneInfo | None) -> Stay:
    row = fields.mapping(item, "inpatient_stays")
    first = fields.day(fields.first_of(row, "from", "admitted_on"), "inpatient_stays.from", zone)
    last = fields.optional_day(
        fields.first_of(row, "to", "discharged_on"), "inpatient_stays.to", zone
    )
    return Stay(first=first, last=last)


def _claims(row: Row) -> tuple[BilledClaim, ...]:
    own_npi = fields.text(fields.section(row, "billing").get("billing_npi"))
    external = [_claim(item, own_npi, own=False) for item in fields.rows(row, "external_claims")]
    ours = (item for name in OWN_CLAIM_NAMES for item in fields.rows(row, name))
    own = [_claim(item, own_npi, own=True) for item in ours]
    return (*external, *own)


def _claim(item: object, own_npi: str, *, own: bool) -> BilledClaim:
    row = fields.mapping(item, "claims")
    first = fields.day(fields.first_of(row, "from", "service_from", "on"), "claims.from")
    last = fields.optional_day(fields.first_of(row, "to", "service_to", "on"), "claims.to")
    npi = fields.text(row.get("billing_npi"))
    return BilledClaim(
        code=fields.text(row.get("code")),
        first=first,
        last=last or first,
        billing_npi=npi,
        own=own or (bool(own_npi) and npi == own_npi),
    )


def _discharge(row: Row, zone: ZoneInfo | None) -> Discharge | None:
    if row.get("discharged_on") is None:
        return None
    died = fields.first_of(row, *DEATH_NAMES)
    return Discharge(
        on=fields.day(row["discharged_on"], "tcm.discharged_on", zone),
        qualifying_facility=fields.flag(row.get("qualifying_facility"), "tcm.qualifying_facility"),
        to_community=fields.flag(row.get("discharged_to_community"), "tcm.discharged_to_community"),
        attempts=tuple(_attempt(item, zone) for item in fields.rows(row, "contact_attempts")),
        visit_on=fields.optional_day(row.get("visit_on"), "tcm.visit_on", zone),
        mdm=fields.text(row.get("mdm")).lower(),
        med_rec_on=fields.optional_day(row.get("med_rec_on"), "tcm.med_rec_on", zone),
        died_on=fields.optional_day(died, "tcm.died_on", zone),
    )


def _attempt(item: object, zone: ZoneInfo | None) -> ContactAttempt:
    row = fields.mapping(item, "tcm.contact_attempts")
    return ContactAttempt(
        on=fields.day(fields.first_of(row, "on", "at"), "tcm.contact_attempts", zone),
        successful=fields.flag(row.get("successful"), "tcm.contact_attempts.successful"),
    )


def _surgery(raw: Iterable[object]) -> Iterable[str]:
    for item in raw:
        row = fields.mapping(item, "surgical_globals")
        span = f"{row.get('from')} to {row.get('to')}"
        yield f"surgical global period {span}: bill only what is unrelated to the surgery"


def _parties(row: Row) -> Parties:
    return Parties(
        billing_npi=fields.text(row.get("billing_npi")),
        rendering_npi=fields.text(row.get("rendering_npi")),
        place_of_service=fields.text(row.get("place_of_service")),
    )
