"""The shortest clinical way to a code that is not billable yet: one phrase and one place."""

from dataclasses import dataclass
from enum import StrEnum

from billing.outcome import Blocked
from billing.reasons import Reason


class Mend(StrEnum):
    """Where the missing thing is put right; the page turns it into a link."""

    CONSENT = "consent"
    ORDER = "order"
    VISIT = "visit"
    CALL = "call"
    TIME = "time"
    EDUCATION = "education"
    PATIENT = "patient"
    CARE_PLAN = "care plan"
    STATEMENT = "statement"
    COMPLIANCE = "compliance"
    WAIT = "wait"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """One phrase and one place."""

    text: str
    mend: Mend


FIXED: dict[str, tuple[str, Mend]] = {
    Reason.ALREADY_BILLED_THIS_PERIOD: ("Already billed for this period", Mend.NOTHING),
    Reason.APCM_BASE_NOT_BILLED: ("Needs an APCM level this month", Mend.STATEMENT),
    Reason.APCM_CAPABILITIES_NOT_ATTESTED: ("APCM capabilities not attested", Mend.STATEMENT),
    Reason.APCM_LEVEL_NOT_APPLICABLE: ("Another APCM level applies", Mend.NOTHING),
    Reason.APCM_NOT_CHOSEN: ("APCM is not billed for this patient", Mend.STATEMENT),
    Reason.APCM_SAME_MONTH: ("APCM is billed this month and includes it", Mend.NOTHING),
    Reason.ASSESSMENT_NOT_RECORDED: ("No assessment this month", Mend.STATEMENT),
    Reason.ASSESSMENT_WITHIN_6_MONTHS: ("Last assessment is too recent", Mend.WAIT),
    Reason.BASE_CODE_NOT_BILLED: ("Needs its base code first", Mend.NOTHING),
    Reason.BEHAVIOURAL_ADD_ON_NOT_CHOSEN: ("Another or no add-on was chosen", Mend.STATEMENT),
    Reason.BEHAVIOURAL_CARE_SAME_MONTH: ("Other behavioral care billed this month", Mend.NOTHING),
    Reason.BUNDLED_SERVICE_SAME_MONTH: (
        "A service that the level includes was billed this month",
        Mend.NOTHING,
    ),
    Reason.CCM_FAMILY_CONFLICT: ("Another CCM family is billed this month", Mend.NOTHING),
    Reason.CCM_SAME_MONTH: ("CCM is billed this month", Mend.NOTHING),
    Reason.CHI_SAME_MONTH: ("Community health integration is billed this month", Mend.NOTHING),
    Reason.CHRONIC_CONDITIONS_BELOW_2: ("Fewer than two chronic conditions on file", Mend.PATIENT),
    Reason.COCM_MONTH_NOT_APPLICABLE: (
        "The other month of collaborative care applies",
        Mend.NOTHING,
    ),
    Reason.COCM_TEAM_NOT_COMPLETE: (
        "Registry and psychiatric consultant not stated",
        Mend.STATEMENT,
    ),
    Reason.COMPLEX_CCM_CRITERIA_NOT_MET: ("Not complex: decision making or plan", Mend.CARE_PLAN),
    Reason.EXCLUSIVE_WITH_99091_SAME_PERIOD: (
        "The practitioner's review (99091) is billed in this period",
        Mend.NOTHING,
    ),
    Reason.EXCLUSIVE_WITH_RPM_MGMT_SAME_MONTH: (
        "RPM management is billed this month",
        Mend.NOTHING,
    ),
    Reason.HIGH_RISK_CONDITION_NOT_RECORDED: ("High-risk condition not on file", Mend.PATIENT),
    Reason.HOME_HEALTH_PLAN_OF_CARE: ("Patient is under a home-health plan of care", Mend.NOTHING),
    Reason.NOT_COVERED_BY_PAYER: ("The payer does not cover it", Mend.COMPLIANCE),
    Reason.NOT_ESTABLISHED_PATIENT: ("No prior visit with the practice", Mend.VISIT),
    Reason.NO_COMPREHENSIVE_CARE_PLAN: ("No comprehensive care plan", Mend.CARE_PLAN),
    Reason.NO_CONSENT: ("Consent not on file", Mend.CONSENT),
    Reason.NO_INITIATING_VISIT: ("No initiating visit on file", Mend.VISIT),
    Reason.NO_ORDER: ("No order on file", Mend.ORDER),
    Reason.NO_ORGANISATION_TIMEZONE: ("The practice has no time zone", Mend.COMPLIANCE),
    Reason.NO_PATIENT_TIMEZONE: ("The patient has no time zone", Mend.PATIENT),
    Reason.OTHER_PRACTITIONER_BILLED_PERIOD: (
        "Another practice billed this period",
        Mend.COMPLIANCE,
    ),
    Reason.PACE_ENROLLEE: ("PACE pays for this patient as a whole", Mend.NOTHING),
    Reason.PCM_FAMILY_CONFLICT: ("The practitioner's PCM is billed this month", Mend.NOTHING),
    Reason.PCM_SAME_MONTH: ("PCM is billed this month", Mend.NOTHING),
    Reason.PERIOD_NOT_COMPLETE: ("The period is not over", Mend.WAIT),
    Reason.PIN_SAME_MONTH: ("Navigation is billed this month", Mend.NOTHING),
    Reason.RPM_SAME_PERIOD: ("RPM is billed in this period", Mend.NOTHING),
    Reason.RTM_SAME_PERIOD: ("RTM is billed in this period", Mend.NOTHING),
    Reason.RTM_SYSTEM_NOT_RECORDED: ("Monitored body system not on file", Mend.ORDER),
    Reason.SELF_MEASURED_BP_SAME_PERIOD: (
        "Self-measured pressure is billed in this period",
        Mend.NOTHING,
    ),
    Reason.SETUP_ALREADY_BILLED_THIS_EPISODE: ("Set-up is billed once an episode", Mend.NOTHING),
    Reason.SETUP_NO_EDUCATION_RECORDED: ("Education of the patient not recorded", Mend.EDUCATION),
    Reason.TCM_DIED_WITHIN_30_DAYS: ("Patient died within thirty days", Mend.NOTHING),
    Reason.TCM_DISCHARGE_NOT_QUALIFYING: ("Discharge does not qualify", Mend.NOTHING),
    Reason.TCM_MDM_BELOW_MODERATE: ("Decision making below moderate", Mend.NOTHING),
    Reason.TCM_MDM_NOT_HIGH: ("Decision making not high", Mend.NOTHING),
    Reason.TCM_MED_REC_NOT_BY_VISIT: ("Medicines not reconciled by the visit", Mend.NOTHING),
    Reason.TCM_NO_CONTACT_WITHIN_2_BUSINESS_DAYS: ("No contact in two business days", Mend.CALL),
    Reason.TCM_NO_FACE_TO_FACE: ("No visit after discharge", Mend.VISIT),
    Reason.TCM_VISIT_AFTER_DAY_14: ("Visit later than day 14", Mend.NOTHING),
    Reason.TCM_VISIT_AFTER_DAY_7: ("Visit later than day 7", Mend.NOTHING),
    Reason.TIER_REPLACED_BY_HIGHER: ("The higher code is billed instead", Mend.NOTHING),
    Reason.UNITS_CAPPED_AT_ZERO: ("The payer allows no units", Mend.COMPLIANCE),
    Reason.WINDOW_NOT_GIVEN: ("No window ends in this month", Mend.WAIT),
    Reason.WINDOW_WRONG_LENGTH: ("The window has the wrong length", Mend.COMPLIANCE),
}


def shortest_way(row: Blocked) -> Missing:
    """Return what is missing; readings are never asked for beyond the ordered schedule."""
    have, need = row.have or 0, row.need or 0
    if row.reason == Reason.NO_INTERACTIVE_COMMUNICATION:
        return Missing(text=f"No real-time contact yet: {have} min logged", mend=Mend.CALL)
    if row.reason == Reason.SETUP_DAYS_BELOW_MIN or row.reason.startswith("DAYS_BELOW_"):
        return Missing(text=f"{have} of {need} days; measuring follows the order", mend=Mend.WAIT)
    if row.reason.startswith("QHP_MINUTES_BELOW_"):
        return Missing(text=f"{need - have} more min of the practitioner", mend=Mend.TIME)
    if row.reason.startswith("MINUTES_BELOW_"):
        return Missing(text=f"{need - have} more min for {row.code}", mend=Mend.TIME)
    text, mend = FIXED[row.reason]
    return Missing(text=text, mend=mend)
