"""Parsing what the practice states for the month: plans, visits, attestations, conditions."""

from datetime import date
from zoneinfo import ZoneInfo

from billing import fields
from billing.fields import Row
from billing.record import Statements

HOME_HEALTH_NAMES = (
    "home_health_plan_of_care",
    "home_health_plan",
    "under_home_health_plan_of_care",
    "home_health",
)
SECTIONS = ("ccm", "pcm", "apcm", "bhi", "cocm", "chi", "pin")


def statements(row: Row, zone: ZoneInfo | None) -> Statements:
    """Return the month's statements; what is not stated is not assumed."""
    ccm, apcm = fields.section(row, "ccm"), fields.section(row, "apcm")
    cocm, g0136 = fields.section(row, "cocm"), fields.section(row, "assessment")
    patient = fields.section(row, "patient")
    return Statements(
        care_plan=_yes(ccm, "comprehensive_care_plan"),
        complex_mdm=_yes(ccm, "moderate_or_high_mdm"),
        plan_revised=_yes(ccm, "plan_established_or_substantially_revised"),
        apcm_chosen=_yes(apcm, "bill"),
        apcm_attested=_yes(apcm, "capabilities_attested"),
        apcm_qmb=_yes(apcm, "qmb"),
        apcm_behavioural=fields.text(apcm.get("behavioural")),
        initiating_visits=_initiating_visits(row, zone),
        home_health=frozenset(name for name in ("chi", "pin") if _home_health(row, name, patient)),
        high_risk=frozenset(name for name in ("pcm", "pin") if _high_risk(row, name)),
        cocm_registry=_yes(cocm, "registry"),
        cocm_consultant=_yes(cocm, "psychiatric_consultant"),
        cocm_first_month=_yes(cocm, "first_month"),
        assessment_on=fields.optional_day(g0136.get("on"), "assessment.on", zone),
        assessment_kind=fields.text(g0136.get("kind")),
        last_assessment_on=fields.optional_day(g0136.get("previous_on"), "assessment", zone),
    )


def _yes(row: Row, name: str) -> bool:
    return fields.flag(row.get(name), name)


def _initiating_visits(row: Row, zone: ZoneInfo | None) -> dict[str, date | None]:
    found: dict[str, date | None] = {}
    for name in SECTIONS:
        part = fields.section(row, name)
        if "initiating_visit_on" in part:
            where = f"{name}.initiating_visit_on"
            found[name] = fields.optional_day(part["initiating_visit_on"], where, zone)
    return found


def _home_health(row: Row, name: str, patient: Row) -> bool:
    stated = fields.first_of(fields.section(row, name), *HOME_HEALTH_NAMES)
    return fields.flag(stated, name) or fields.flag(
        fields.first_of(patient, *HOME_HEALTH_NAMES), name
    )


def _high_risk(row: Row, name: str) -> bool:
    return _yes(fields.section(row, name), "high_risk_condition")
