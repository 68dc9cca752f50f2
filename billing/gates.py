"""Eligibility: what must hold before anything is counted; the pack names the gates in order."""

from collections.abc import Callable

from billing.reasons import Reason
from billing.scope import Refusal, Scope


def refusal(scope: Scope) -> Refusal | None:
    """Return the first gate of the family that stays shut."""
    if scope.case.patient.pace:
        return Refusal(reason=Reason.PACE_ENROLLEE)
    for need in scope.family.needs:
        found = GATES[need](scope)
        if found is not None:
            return found
    return None


def _patient_zone(scope: Scope) -> Refusal | None:
    return None if scope.zone else Refusal(reason=Reason.NO_PATIENT_TIMEZONE)


def _organisation_zone(scope: Scope) -> Refusal | None:
    return None if scope.zone else Refusal(reason=Reason.NO_ORGANISATION_TIMEZONE)


def _established(scope: Scope) -> Refusal | None:
    established = scope.case.patient.established
    return None if established else Refusal(reason=Reason.NOT_ESTABLISHED_PATIENT)


def _window(scope: Scope) -> Refusal | None:
    if scope.span is None:
        return Refusal(reason=Reason.WINDOW_NOT_GIVEN)
    if scope.parameters.window_anchor == "calendar_month":
        whole = scope.span.first.day == 1 and scope.span.last.month == scope.span.first.month
        return None if whole else Refusal(reason=Reason.WINDOW_WRONG_LENGTH)
    need = scope.parameters.device_window_days
    if scope.span.length == need:
        return None
    return Refusal(reason=Reason.WINDOW_WRONG_LENGTH, have=scope.span.length, need=need)


def _consent(scope: Scope) -> Refusal | None:
    return None if scope.consents else Refusal(reason=Reason.NO_CONSENT)


def _order(scope: Scope) -> Refusal | None:
    return None if scope.orders else Refusal(reason=Reason.NO_ORDER)


def _diagnosis(scope: Scope) -> Refusal | None:
    covered = scope.parameters.covered_diagnoses
    if covered is None:
        return None
    coded = [icd10 for order in scope.orders for icd10 in order.icd10]
    if any(icd10.startswith(covered) for icd10 in coded):
        return None
    return Refusal(reason=Reason.NOT_COVERED_BY_PAYER)


def _rtm_system(scope: Scope) -> Refusal | None:
    episode = scope.case.episode_of(scope.family.program, scope.period.last)
    system = scope.case.rtm_system(episode)
    if system and scope.code("high", system):
        return None
    return Refusal(reason=Reason.RTM_SYSTEM_NOT_RECORDED)


def _conditions(scope: Scope) -> Refusal | None:
    have, need = scope.case.patient.chronic_conditions, scope.parameters.min_chronic_conditions
    if have >= need:
        return None
    return Refusal(reason=Reason.CHRONIC_CONDITIONS_BELOW_2, have=have, need=need)


def _high_risk(scope: Scope) -> Refusal | None:
    stated = scope.family.name in scope.case.statements.high_risk
    return None if stated else Refusal(reason=Reason.HIGH_RISK_CONDITION_NOT_RECORDED)


def _care_plan(scope: Scope) -> Refusal | None:
    if scope.case.statements.care_plan:
        return None
    return Refusal(reason=Reason.NO_COMPREHENSIVE_CARE_PLAN)


def _initiating_visit(scope: Scope) -> Refusal | None:
    visit = scope.case.statements.initiating_visits.get(scope.family.visit)
    if visit is not None and visit <= scope.period.last:
        return None
    return Refusal(reason=Reason.NO_INITIATING_VISIT)


def _visit_or_established(scope: Scope) -> Refusal | None:
    visits = scope.case.statements.initiating_visits
    if scope.family.visit in visits:
        return _initiating_visit(scope)
    return _established(scope)


def _cocm_team(scope: Scope) -> Refusal | None:
    stated = scope.case.statements
    if stated.cocm_registry and stated.cocm_consultant:
        return None
    return Refusal(reason=Reason.COCM_TEAM_NOT_COMPLETE)


GATES: dict[str, Callable[[Scope], Refusal | None]] = {
    "patient_zone": _patient_zone,
    "organisation_zone": _organisation_zone,
    "established": _established,
    "window": _window,
    "consent": _consent,
    "order": _order,
    "diagnosis": _diagnosis,
    "rtm_system": _rtm_system,
    "conditions": _conditions,
    "high_risk": _high_risk,
    "care_plan": _care_plan,
    "initiating_visit": _initiating_visit,
    "visit_or_established": _visit_or_established,
    "cocm_team": _cocm_team,
}
