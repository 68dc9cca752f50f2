"""How one patient's month stands: days and minutes, what is ready, what is one step away. Pure."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from billing import evaluate, ledger, missing, periods, windows
from billing import pack as packs
from billing.fields import CaseError
from billing.missing import Mend
from billing.outcome import Blocked, Evaluation, Line
from billing.pack import Pack
from billing.reasons import Reason
from billing.record import Case

MINUTES_AWAY = 10
DAYS_AWAY = 4
"""So close is one step away."""
CONSENT_REASONS = (Reason.NO_CONSENT,)
ORDER_REASONS = (Reason.NO_ORDER, Reason.RTM_SYSTEM_NOT_RECORDED)
ELIGIBILITY_REASONS = (
    Reason.NOT_ESTABLISHED_PATIENT,
    Reason.NO_PATIENT_TIMEZONE,
    Reason.NO_ORGANISATION_TIMEZONE,
    Reason.OTHER_PRACTITIONER_BILLED_PERIOD,
    Reason.PACE_ENROLLEE,
    Reason.NOT_COVERED_BY_PAYER,
    Reason.CHRONIC_CONDITIONS_BELOW_2,
    Reason.NO_COMPREHENSIVE_CARE_PLAN,
    Reason.NO_INITIATING_VISIT,
)
GATES: dict[str, str] = {
    **dict.fromkeys(CONSENT_REASONS, "consent"),
    **dict.fromkeys(ORDER_REASONS, "order"),
    **dict.fromkeys(ELIGIBILITY_REASONS, "eligibility"),
}


class Tone(StrEnum):
    """How a code stands."""

    READY = "ready"
    NEAR = "near"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One row of the month's page."""

    days: int | None
    days_need: int
    minutes: int | None
    minutes_need: int
    contact_on: date | None
    codes: tuple[tuple[str, Tone], ...]
    near: str
    blocked: str
    at_risk: bool
    missing: str
    mend: Mend

    @property
    def ready(self) -> int:
        """Return how many codes are ready."""
        return sum(tone is Tone.READY for _, tone in self.codes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """What a month of monitoring must reach; 0 where no rule pack says."""

    days: int
    minutes: int


def needed(on: date) -> Needed:
    """Return the device days and minutes that the rules in force on a date ask for."""
    try:
        rules = packs.in_force(on)
    except CaseError:
        return Needed(days=0, minutes=0)
    return _needed(rules)


def ahead(case: Case) -> Case:
    """Return the case as if its month were over and nothing more happened."""
    end = windows.month_of(periods.month_of(case)).last
    wait = end - case.as_of.date()
    if wait < timedelta():
        return case
    return replace(case, as_of=case.as_of + wait + 2 * windows.DAY)


def of(case: Case, judged: tuple[Evaluation, ...]) -> Standing:
    """Return how the month stands; `judged` is the case seen `ahead`."""
    rules = packs.in_force(periods.month_of(case))
    need = _needed(rules)
    lines = [line for each in judged for line in each.lines]
    rows = [row for each in judged for row in each.not_billable]
    near = _nearest([row for row in rows if _step(row)])
    gate = next((GATES[row.reason] for row in rows if row.reason in GATES), "")
    extra = {code.code for code in rules.codes if code.part == "addon"}
    first = _first([row for row in rows if row.code not in extra], near, gate)
    way = missing.shortest_way(first) if first else missing.Missing(text="", mend=Mend.NOTHING)
    days = _number(judged, "transmission_days")
    return Standing(
        days=days,
        days_need=need.days,
        minutes=_number(judged, "rpm_minutes", "rtm_minutes", "ccm_minutes"),
        minutes_need=need.minutes,
        contact_on=_contact(case, rules),
        codes=(*_chips(lines), *((row.code, Tone.NEAR) for row in near)),
        near=_step(near[0]) if near else "",
        blocked="" if lines else gate,
        at_risk=not gate and (days or 0) < (rules.parameters.low_tier or (2, 0))[0],
        missing=way.text,
        mend=way.mend,
    )


def _nearest(rows: list[Blocked]) -> list[Blocked]:
    """Return the rows without those that the same call would replace by a higher code."""
    calls = [row for row in rows if _step(row) == "contact"]
    highest = max((row.need or 0 for row in calls), default=0)
    return [row for row in rows if row not in calls or row.need == highest]


def _chips(lines: list[Line]) -> tuple[tuple[str, Tone], ...]:
    return tuple(
        (line.code if line.units == 1 else f"{line.code} x{line.units}", Tone.READY)
        for line in lines
    )


def _first(rows: list[Blocked], near: list[Blocked], gate: str) -> Blocked | None:
    """Return the one thing to tell: the gate, else the nearest step, else what is worth doing."""
    if gate:
        return next(row for row in rows if row.reason in GATES)
    if near:
        return near[0]
    doable = (Mend.TIME, Mend.CALL, Mend.EDUCATION, Mend.WAIT)
    return next((row for row in rows if _worth(row, doable)), None)


def _worth(row: Blocked, doable: tuple[Mend, ...]) -> bool:
    return missing.shortest_way(row).mend in doable and (row.have or 0) < (row.need or 1)


def _step(row: Blocked) -> str:
    """Return what the one missing step is about, or nothing when it is more than one."""
    have, need = row.have or 0, row.need or 0
    if row.reason == Reason.NO_INTERACTIVE_COMMUNICATION:
        return "contact" if have >= need > 0 else ""
    if row.reason.startswith(("MINUTES_BELOW_", "QHP_MINUTES_BELOW_")):
        return "minutes" if 0 < need - have <= MINUTES_AWAY else ""
    if row.reason.startswith("DAYS_BELOW_") or row.reason == Reason.SETUP_DAYS_BELOW_MIN:
        return "days" if have and 0 < need - have <= DAYS_AWAY else ""
    return ""


def _number(judged: tuple[Evaluation, ...], *names: str) -> int | None:
    found = [each.facts[name] for each in judged for name in names if name in each.facts]
    return next((value for value in found if isinstance(value, int)), None)


def _needed(rules: Pack) -> Needed:
    base = rules.one("rpm_mgmt", "base")
    minutes = 0 if base is None else base.minutes
    return Needed(days=rules.parameters.high_tier[0], minutes=minutes)


def _contact(case: Case, rules: Pack) -> date | None:
    """Return the last day of the month with a real-time contact."""
    zone, span = case.organisation_zone, windows.month_of(periods.month_of(case))
    if zone is None:
        return None
    days = [
        entry.start.astimezone(zone).date()
        for entry in ledger.own_entries(case)
        if ledger.counts_as_interactive(entry, rules.parameters)
    ]
    return max((day for day in days if day in span), default=None)


def judged(case: Case) -> tuple[Evaluation, ...]:
    """Return what the month would give if nothing more happened."""
    return evaluate.evaluate_in_force(ahead(case))
