"""Transitional care: contact in two business days, visit in time, medicines reconciled by then."""

from datetime import date

from billing.outcome import Evidence, Fact, Verdict
from billing.pack import Code, Parameters
from billing.reasons import Reason
from billing.record import Discharge
from billing.rules.ladder import joined, present
from billing.scope import Refusal, Scope
from billing.windows import DAY

SATURDAY = 5
COMPLEX_ENOUGH = ("moderate", "high")


def judge(scope: Scope) -> Verdict:
    """Judge both codes of one discharge."""
    codes = scope.pack.of(scope.family.name)
    discharge = scope.case.discharge
    if discharge is None:
        without = scope.refusal or Refusal(reason=Reason.TCM_DISCHARGE_NOT_QUALIFYING)
        return Verdict(blocked=scope.all_blocked(codes, without))
    facts = _facts(discharge, scope.parameters)
    refusal = _unfit(scope, discharge) or scope.refusal or _not_done(scope, discharge)
    if refusal is not None:
        return Verdict(blocked=scope.all_blocked(codes, refusal), facts=facts)
    return joined(_by_complexity(scope, discharge), Verdict(facts=facts))


def contact_deadline(discharged_on: date, parameters: Parameters) -> date:
    """Return the last business day on which the first contact is in time."""
    day, left = discharged_on, parameters.tcm_business_days
    while left:
        day += DAY
        if day.weekday() < SATURDAY and day not in parameters.holidays:
            left -= 1
    return day


def _facts(discharge: Discharge, parameters: Parameters) -> dict[str, Fact]:
    deadline = contact_deadline(discharge.on, parameters)
    facts: dict[str, Fact] = {"tcm_contact_deadline": deadline.isoformat()}
    if discharge.visit_on is not None:
        facts["tcm_visit_day"] = _visit_day(discharge, discharge.visit_on)
    return facts


def _visit_day(discharge: Discharge, visit_on: date) -> int:
    return (visit_on - discharge.on).days


def _unfit(scope: Scope, discharge: Discharge) -> Refusal | None:
    if not (discharge.qualifying_facility and discharge.to_community):
        return Refusal(reason=Reason.TCM_DISCHARGE_NOT_QUALIFYING)
    died = discharge.died_on or scope.case.patient.died_on
    last = discharge.on + (scope.parameters.tcm_period_days - 1) * DAY
    if died is not None and died <= last:
        return Refusal(reason=Reason.TCM_DIED_WITHIN_30_DAYS)
    return None


def _not_done(scope: Scope, discharge: Discharge) -> Refusal | None:
    parameters, visit = scope.parameters, discharge.visit_on
    today = scope.case.as_of.astimezone(scope.clock).date()
    if not _contacted(discharge, parameters):
        waiting = today <= contact_deadline(discharge.on, parameters)
        return Refusal(
            reason=_or_wait(Reason.TCM_NO_CONTACT_WITHIN_2_BUSINESS_DAYS, waiting=waiting)
        )
    latest = parameters.tcm_moderate_visit_day
    if visit is None or visit < discharge.on or visit > today:
        waiting = today <= discharge.on + latest * DAY
        return Refusal(reason=_or_wait(Reason.TCM_NO_FACE_TO_FACE, waiting=waiting))
    if _visit_day(discharge, visit) > latest:
        return Refusal(reason=Reason.TCM_VISIT_AFTER_DAY_14)
    if discharge.med_rec_on is None or discharge.med_rec_on > visit:
        return Refusal(reason=Reason.TCM_MED_REC_NOT_BY_VISIT)
    if discharge.mdm not in COMPLEX_ENOUGH:
        return Refusal(reason=Reason.TCM_MDM_BELOW_MODERATE)
    return None


def _or_wait(reason: Reason, *, waiting: bool) -> Reason:
    return Reason.PERIOD_NOT_COMPLETE if waiting else reason


def _contacted(discharge: Discharge, parameters: Parameters) -> bool:
    deadline = contact_deadline(discharge.on, parameters)
    timely = [attempt for attempt in discharge.attempts if discharge.on <= attempt.on <= deadline]
    reached = any(attempt.successful for attempt in timely)
    return reached or len(timely) >= parameters.tcm_attempts_without_contact


def _by_complexity(scope: Scope, discharge: Discharge) -> Verdict:
    moderate, high = scope.code("moderate"), scope.code("high")
    reason = _against_high(scope, discharge)
    if reason is None:
        return _pair(scope, discharge, high, moderate, Reason.TIER_REPLACED_BY_HIGHER)
    return _pair(scope, discharge, moderate, high, reason)


def _against_high(scope: Scope, discharge: Discharge) -> Reason | None:
    visit_on = discharge.visit_on or discharge.on
    if _visit_day(discharge, visit_on) > scope.parameters.tcm_high_visit_day:
        return Reason.TCM_VISIT_AFTER_DAY_7
    return None if discharge.mdm == "high" else Reason.TCM_MDM_NOT_HIGH


def _pair(
    scope: Scope, discharge: Discharge, billed: Code | None, other: Code | None, reason: Reason
) -> Verdict:
    stated = ("tcm.discharged_on", "tcm.contact_attempts", "tcm.visit_on", "tcm.med_rec_on")
    lines = tuple(
        scope.line(code, on=discharge.visit_on, evidence=Evidence(statements=stated))
        for code in present(billed)
    )
    return Verdict(
        lines=lines, blocked=tuple(scope.blocked(code, reason) for code in present(other))
    )
