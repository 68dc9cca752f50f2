"""How a billing month looks in words and shares. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from billing import windows
from billing.fields import CaseError
from billing.gather_case import month_named
from billing.month import Refusal
from billing.reasons import EntryReason

STATUSES: Mapping[str, str] = MappingProxyType(
    {
        "all": "All",
        "ready": "Ready",
        "near": "One step away",
        "blocked": "Blocked",
        "risk": "At risk",
        "review": "Needs review",
        "exported": "Exported",
    }
)
STATES: Mapping[str, str] = MappingProxyType(
    {
        "collecting": "Collecting",
        "ready": "Ready to sign",
        "locked": "Locked",
        "exported": "Exported",
        "answered": "Answered",
    }
)
MEND_TITLES: Mapping[str, str] = MappingProxyType(
    {
        "consent": "obtain and record the patient's consent",
        "order": "ask the provider for an order",
        "visit": "arrange a visit with the practice",
        "call": "call the patient: one live contact is due",
        "time": "record the time that was spent",
        "education": "record set-up and education of the patient",
        "patient": "complete the patient's record",
        "care plan": "complete the care plan",
        "statement": "complete the month's statement",
    }
)
"""What the care team is asked for when billing presses Request."""
PROBLEMS: Mapping[str, str] = MappingProxyType(
    {each.name: f"Not possible: {each.value}." for each in Refusal}
    | {
        "BUSY": "Other work on this month is under way. Wait until it ends.",
        "NO_WORKER": "This web process has no worker connection; use the command line.",
        "UNREADABLE": "The remittance file could not be read.",
        "FUTURE": "That lies in the future. Nothing was recorded.",
        "NOT_KEPT": "There is nothing that it could belong to. Nothing was recorded.",
        "STRAY": "The answer fits no line of the last export. Nothing was recorded.",
        "AMOUNT": "An amount could not be read. Nothing was recorded.",
    }
)
KINDS: Mapping[str, str] = MappingProxyType(
    {"evaluate": "Judging patients", "lock": "Proving every line", "export": "Writing the file"}
)
LEFT_OUT: Mapping[str, str] = MappingProxyType(
    {
        EntryReason.UNREADABLE: "cannot be read",
        EntryReason.WITHOUT_ZONE: "time without a zone",
        EntryReason.ENDS_BEFORE_START: "ends before it starts",
        EntryReason.IN_FUTURE: "lies in the future",
        EntryReason.ROLE_NOT_ALLOWED: "role does not count",
        EntryReason.ACTIVITY_NOT_ALLOWED: "activity does not count",
        EntryReason.OVERLAPS_OTHER_PATIENT: "same time as another patient",
        EntryReason.COUNTED_FOR_OTHER_PROGRAM: "counted for another program",
        EntryReason.BEFORE_CONSENT: "before consent",
        EntryReason.AFTER_WITHDRAWAL: "after consent was withdrawn",
        EntryReason.BEFORE_INITIATING_VISIT: "before the initiating visit",
        EntryReason.SAME_DAY_EM: "day of a reported visit",
    }
)
PAPERS: Mapping[str, str] = MappingProxyType(
    {"consent": "consent", "order": "order", "education": "education", "visit": "visit"}
    | {"care plan": "statement", "statement": "statement"}
)
"""What is missing -> the form of the papers page that mends it."""
DAYS_SHOWN, MINUTES_SHOWN = 30, 40
"""Full length of the two bars."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """A bar in a box of 100 by 6, with the mark where the threshold lies."""

    fill: float
    mark: float
    reached: bool


def gauge(have: int | None, need: int, whole: int) -> Gauge:
    """Return the bar of a count."""
    whole = max(whole, need, 1)
    return Gauge(
        fill=round(min((have or 0) / whole, 1) * 100, 1),
        mark=round(need / whole * 100, 1),
        reached=(have or 0) >= need,
    )


def months(shown: date, today: date) -> list[date]:
    """Return the months to choose from: the shown one, its neighbours, the running one."""
    running = today.replace(day=1)
    around = {before(shown), shown, after(shown), before(running), running}
    return sorted(each for each in around if each <= running)


def month_or_running(text: str, today: date) -> date:
    """Return the month that an address names; the running one for anything else."""
    running = today.replace(day=1)
    try:
        return min(month_named(text), running) if text else running
    except CaseError:
        return running


def before(month: date) -> date:
    """Return the month before."""
    return (month - windows.DAY).replace(day=1)


def after(month: date) -> date:
    """Return the month after."""
    return windows.month_of(month).last + windows.DAY


def how_long(month: date, today: date) -> str:
    """Return `Month to date. 8 days left.` or how long the month is over."""
    left = (windows.month_of(month).last - today).days
    if left > 1:
        return f"Month to date, {left} days left."
    if left in (0, 1):
        return "Month to date, last day." if left == 0 else "Month to date, 1 day left."
    return f"Over since {after(month):%-d %b}."
