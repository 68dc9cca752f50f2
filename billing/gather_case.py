"""What the database holds of one patient becomes a case as `billing.case` reads it. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

from billing import fields, periods, windows
from billing import pack as packs
from billing.case import parse
from billing.fields import CaseError
from billing.record import Case

Raw = dict[str, object]

FAMILIES = {
    "RPM": ("rpm_device", "rpm_mgmt"),
    "RTM": ("rtm_device", "rtm_mgmt"),
    "CCM": ("ccm",),
    "PCM": ("pcm",),
    "APCM": ("apcm",),
    "BHI": ("bhi", "bhi_independent"),
    "COCM": ("cocm",),
    "CHI": ("chi",),
    "PIN": ("pin",),
}
ROLES = {
    "RN": "rn", "LPN": "lpn", "LVN": "lpn", "MA": "ma", "CMA": "ma", "MD": "physician",
    "DO": "physician", "NP": "np", "APRN": "np", "PA": "pa", "PA-C": "pa", "CNS": "cns",
    "CNM": "cnm", "PHARMD": "pharmacist", "RPH": "pharmacist", "RT": "rt", "RRT": "rt",
    "RD": "dietitian", "RDN": "dietitian", "LCSW": "lcsw", "LMFT": "lmft", "LMHC": "mhc",
    "PT": "pt", "OT": "ot", "SLP": "slp", "CHW": "chw",
}  # fmt: skip
"""Credential of a member of staff -> role of the rule packs; any other is refused with a reason."""
ACTIVITIES = {"live_contact": "patient_contact"}
SECTIONS = {
    "comprehensive_care_plan": ("ccm", "comprehensive_care_plan"),
    "moderate_or_high_mdm": ("ccm", "moderate_or_high_mdm"),
    "plan_substantially_revised": ("ccm", "plan_established_or_substantially_revised"),
    "apcm_chosen": ("apcm", "bill"),
    "capabilities_attested": ("apcm", "capabilities_attested"),
    "apcm_behavioural": ("apcm", "behavioural"),
    "qmb": ("patient", "qmb"),
    "pace": ("patient", "pace"),
    "access_aligned": ("patient", "access_aligned"),
    "home_health_plan_of_care": ("patient", "home_health_plan_of_care"),
    "pcm_high_risk": ("pcm", "high_risk_condition"),
    "pin_high_risk": ("pin", "high_risk_condition"),
    "cocm_registry": ("cocm", "registry"),
    "cocm_consultant": ("cocm", "psychiatric_consultant"),
    "cocm_first_month": ("cocm", "first_month"),
    "medication_reconciliation": ("tcm", "med_rec_on"),
}
"""Name of a care fact -> where the case holds it."""
ASSESSMENT = "assessment"
"""A care fact whose value is the kind of the assessment (G0136)."""
SURGERY = "surgical_global"
"""A care fact whose value is the last day of the global period."""


AS_THEY_ARE = (
    *("consents", "orders", "episodes", "em_visits", "inpatient_stays"),
    *("external_claims", "prior_claims", "other_patient_entries", "devices"),
)


def raw_case(
    patient: Raw, parts: Mapping[str, object], clinic: Raw, *, first: date, as_of: datetime
) -> Raw:
    """Return the case of one patient and month in the format of the worked cases."""
    made: Raw = {
        "org_timezone": clinic["time_zone"],
        "as_of": as_of.isoformat(),
        "patient": {name: value for name, value in patient.items() if name != "programmes"},
        "billing": {
            "billing_npi": clinic["npi"],
            "rendering_npi": clinic["rendering_npi"],
            "place_of_service": clinic["place_of_service"],
        },
    }
    made |= {name: parts.get(name, []) for name in AS_THEY_ARE}
    made["time_entries"] = [_entry(row) for row in fields.rows(parts, "time_entries")]
    made["readings"] = _readings(parts)
    _state(made, fields.rows(parts, "care_facts"), fields.rows(parts, "other_visits"))
    discharged = _discharge(made, parts, first)
    assessed = _assessment(made, fields.rows(parts, "care_facts"), first)
    made["surgical_globals"] = _globals(fields.rows(parts, "care_facts"), first)
    families = _families(made, fields.rows(patient, "programmes"), first) + discharged + assessed
    made["evaluate"] = {"month": f"{first:%Y-%m}", "families": families}
    return made


def parsed(raw: Raw) -> Case:
    """Return the case; what the database holds is never without one."""
    return parse(raw)


def needs_older_readings(case: Case, first: date) -> bool:
    """Tell whether monitoring began long ago and none of its first days counted."""
    zone = case.zone_on(first) or case.organisation_zone
    if zone is None:
        return False
    rules = packs.in_force(first)
    for program in ("RPM", "RTM"):
        episode = case.episode_of(program, windows.month_of(first).last)
        start = None if episode is None else episode.monitoring_start
        if start is None or (first - start).days <= 2 * rules.parameters.device_window_days:
            continue
        anchor = periods.anchor_of(case, rules.parameters, program, zone)
        if anchor is None or anchor > start + timedelta(days=60):
            return True
    return False


def with_window(case: Case, raw: Raw) -> Case:
    """Fix the device window in the case and in what is kept of it: evidence alone has no anchor."""
    rules = packs.in_force(windows.month_of(periods.month_of(case)).last)
    for family in case.families:
        known = rules.family(family)
        if known.period != "window":
            continue
        span = periods.span_of(case, rules, known)
        if span is not None:
            _section(raw, "evaluate")["window"] = [span.first.isoformat(), span.last.isoformat()]
            return replace(case, window=(span.first, span.last))
    return case


def month_named(text: str) -> date:
    """Return the first day of a month written as 2026-10."""
    try:
        return datetime.strptime(text, "%Y-%m").date()  # noqa: DTZ007  a month has no zone
    except ValueError:
        raise CaseError(f"month {text!r}: write it as 2026-10") from None


def _entry(item: object) -> Raw:
    row = fields.mapping(item, "time_entries")
    credential = fields.text(row.get("credential")).upper()
    activity = fields.text(row.get("activity"))
    kept = {name: value for name, value in row.items() if name != "credential"}
    role = ROLES.get(credential, fields.text(row.get("role")))
    return kept | {"role": role, "activity": ACTIVITIES.get(activity, activity)}


def _readings(parts: Mapping[str, object]) -> list[Raw]:
    """Return the readings; they belong to RTM only where nothing else is monitored."""
    episodes = [fields.mapping(row, "episodes") for row in fields.rows(parts, "episodes")]
    programs = {fields.text(row.get("program")) for row in episodes}
    program = "RTM" if programs == {"RTM"} else "RPM"
    rows = [fields.mapping(row, "readings") for row in fields.rows(parts, "readings")]
    return [dict(row) | {"program": program} for row in rows]


def _state(made: Raw, facts: Iterable[object], visits: Iterable[object]) -> None:
    """Put care facts and initiating visits where the case looks for them; the newest holds."""
    for item in facts:
        row = fields.mapping(item, "care_facts")
        section, key = SECTIONS.get(fields.text(row.get("name")), ("", ""))
        if section:
            _section(made, section)[key] = row["on"] if key.endswith("_on") else row.get("value")
    for item in visits:
        row = fields.mapping(item, "visits")
        kind = fields.text(row.get("kind"))
        if kind.startswith("initiating_"):
            _section(made, kind.removeprefix("initiating_"))["initiating_visit_on"] = row["on"]


def _assessment(made: Raw, facts: Iterable[object], first: date) -> list[str]:
    """State the month's first assessment and the last before it; then its family is judged too."""
    span = windows.month_of(first)
    rows = [fields.mapping(item, "care_facts") for item in facts]
    known = [(fields.day(row["on"], "on"), row) for row in rows if row.get("name") == ASSESSMENT]
    inside = [row for day, row in known if day in span]
    if not inside:
        return []
    made["assessment"] = {
        "on": inside[0]["on"],
        "kind": inside[0]["value"],
        "previous_on": next((row["on"] for day, row in reversed(known) if day < span.first), None),
    }
    return ["assessment"]


def _globals(facts: Iterable[object], first: date) -> list[Raw]:
    """Return the global periods of surgery that reach into the month."""
    rows = [fields.mapping(item, "care_facts") for item in facts]
    spans = [{"from": row["on"], "to": row["value"]} for row in rows if row.get("name") == SURGERY]
    return [span for span in spans if fields.text(span["to"]) >= first.isoformat()]


def _families(made: Raw, programmes: Iterable[object], first: date) -> list[str]:
    families = [family for name in programmes for family in FAMILIES.get(str(name), ())]
    families = families or list(FAMILIES["RPM"])
    reviewed = "rpm_mgmt" in families and _reviewed(made, first)
    return [*families, "99091"] if reviewed else families


def _reviewed(made: Raw, first: date) -> bool:
    """Tell whether somebody whose own review is a family of its own (99091) logged any time."""
    qualified = packs.in_force(windows.month_of(first).last).parameters.qhp_roles
    entries = [fields.mapping(row, "time_entries") for row in fields.rows(made, "time_entries")]
    return any(row.get("program") == "RPM" and row.get("role") in qualified for row in entries)


def _section(made: Raw, name: str) -> Raw:
    found = made.setdefault(name, {})
    if not isinstance(found, dict):
        raise TypeError(f"{name} is no section")
    return found


def _discharge(made: Raw, parts: Mapping[str, object], first: date) -> list[str]:
    """State the last discharge whose thirty days end in the month; then TCM is judged too."""
    span = windows.month_of(first)
    for item in reversed(fields.rows(parts, "inpatient_stays")):
        stay = fields.mapping(item, "inpatient_stays")
        if stay.get("to") is None:
            continue
        on = fields.day(stay["to"], "inpatient_stays.to")
        if not span.first <= on + timedelta(days=29) <= span.last:
            continue
        section = _section(made, "tcm")
        section |= {
            "discharged_on": on.isoformat(),
            "qualifying_facility": stay.get("qualifying"),
            "discharged_to_community": bool(stay.get("to_community")),
            "mdm": stay.get("mdm"),
            "contact_attempts": _attempts(parts, on),
        }
        visits = [fields.mapping(row, "visits") for row in fields.rows(parts, "other_visits")]
        seen = [row["on"] for row in visits if row.get("kind") == "tcm_face_to_face"]
        after = [day for day in seen if fields.day(day, "visits.on") >= on]
        if after:
            section["visit_on"] = after[0]
        return ["tcm"]
    return []


def _attempts(parts: Mapping[str, object], discharged: date) -> list[Raw]:
    rows = [fields.mapping(row, "time_entries") for row in fields.rows(parts, "time_entries")]
    return [
        {"on": fields.text(row.get("start"))[:10], "successful": True}
        for row in rows
        if row.get("interactive") and fields.text(row.get("start"))[:10] >= discharged.isoformat()
    ]
