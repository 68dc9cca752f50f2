"""The billing month: collecting, ready, locked, exported, answered. Pure; nothing is sent."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from enum import StrEnum
from heapq import merge
from itertools import groupby

from billing.claims import BillLine


class State(StrEnum):
    """Where a month stands."""

    COLLECTING = "collecting"
    READY = "ready"
    LOCKED = "locked"
    EXPORTED = "exported"
    ANSWERED = "answered"


class Action(StrEnum):
    """What a person may do with a month."""

    REVIEW = "review"
    SIGN_OFF = "sign off"
    LOCK = "lock"
    EXPORT = "export"
    ANSWER = "answer"
    REOPEN = "reopen"


class Refusal(StrEnum):
    """Why an action is not possible."""

    WRONG_STATE = "the month is not in a state for this"
    MONTH_RUNS = "the month is not over"
    NOT_SIGNED = "nobody has signed the month off"
    SAME_PERSON = "whoever made the month ready may not sign it off"
    UNPROVEN = "lines are not proven by their own evidence"
    NO_REASON = "a reason is needed"
    NO_NAME = "a person is needed"
    NEEDS_REVIEW = "lines changed after export and wait for review"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that happened to a month."""

    action: Action
    by: str
    at: datetime
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """One organisation's billing month with its history; `exports` counts the files that left."""

    organisation: str
    first: date
    state: State = State.COLLECTING
    signed_by: str = ""
    exports: int = 0
    steps: tuple[Step, ...] = ()


class RefusedError(ValueError):
    """An action that the month's state does not allow."""

    def __init__(self, refusal: Refusal, month: Month, action: Action) -> None:
        super().__init__(
            f"{action.value} {month.first:%Y-%m} ({month.state.value}): {refusal.value}"
        )
        self.refusal = refusal


FROM: Mapping[Action, tuple[State, ...]] = {
    Action.REVIEW: (State.COLLECTING,),
    Action.SIGN_OFF: (State.READY,),
    Action.LOCK: (State.READY,),
    Action.EXPORT: (State.LOCKED, State.EXPORTED),
    Action.ANSWER: (State.EXPORTED, State.ANSWERED),
    Action.REOPEN: (State.READY, State.LOCKED, State.EXPORTED, State.ANSWERED),
}


def review(month: Month, *, by: str, at: datetime, today: date) -> Month:
    """Close collecting: the month is over and its lines can be looked through."""
    following = date(month.first.year + month.first.month // 12, month.first.month % 12 + 1, 1)
    _allow(month, Action.REVIEW, by)
    if today < following:
        raise RefusedError(Refusal.MONTH_RUNS, month, Action.REVIEW)
    return _moved(month, State.READY, Action.REVIEW, by=by, at=at)


def sign_off(month: Month, *, by: str, at: datetime, note: str = "") -> Month:
    """Sign the month; whoever made it ready asks a second person."""
    _allow(month, Action.SIGN_OFF, by)
    if by == _last(month, Action.REVIEW):
        raise RefusedError(Refusal.SAME_PERSON, month, Action.SIGN_OFF)
    signed = replace(month, signed_by=by)
    return _moved(signed, State.READY, Action.SIGN_OFF, by=by, at=at, note=note)


def lock(month: Month, *, by: str, at: datetime, unproven: int) -> Month:
    """Freeze the lines; a line that its evidence alone does not give again stops the lock."""
    _allow(month, Action.LOCK, by)
    if not month.signed_by:
        raise RefusedError(Refusal.NOT_SIGNED, month, Action.LOCK)
    if unproven:
        raise RefusedError(Refusal.UNPROVEN, month, Action.LOCK)
    return _moved(month, State.LOCKED, Action.LOCK, by=by, at=at)


def export(month: Month, *, by: str, at: datetime, needing_review: int = 0) -> Month:
    """Note that a file was written; the biller carries it to the payer."""
    _allow(month, Action.EXPORT, by)
    if needing_review:
        raise RefusedError(Refusal.NEEDS_REVIEW, month, Action.EXPORT)
    counted = replace(month, exports=month.exports + 1)
    note = f"export {counted.exports}"
    return _moved(counted, State.EXPORTED, Action.EXPORT, by=by, at=at, note=note)


def answer(month: Month, *, by: str, at: datetime, note: str) -> Month:
    """Note that the payer answered."""
    _allow(month, Action.ANSWER, by)
    return _moved(month, State.ANSWERED, Action.ANSWER, by=by, at=at, note=note)


def reopen(month: Month, *, by: str, at: datetime, reason: str) -> Month:
    """Go back to collecting, never without a reason; the sign-off is void."""
    _allow(month, Action.REOPEN, by)
    if not reason.strip():
        raise RefusedError(Refusal.NO_REASON, month, Action.REOPEN)
    unsigned = replace(month, signed_by="")
    return _moved(unsigned, State.COLLECTING, Action.REOPEN, by=by, at=at, note=reason)


class Change(StrEnum):
    """How a line differs from what was exported before."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One line that is not as it was exported, and in which fields."""

    change: Change
    before: BillLine | None
    after: BillLine | None
    fields: tuple[str, ...] = ()


def differences(before: Iterable[BillLine], after: Iterable[BillLine]) -> tuple[Difference, ...]:
    """Return what a new export says differently, in a fixed order."""
    old = {line.key: line for line in before}
    new = {line.key: line for line in after}
    found = []
    for key in sorted({*old, *new}):
        was, now = old.get(key), new.get(key)
        if was is None or now is None:
            change = Change.ADDED if was is None else Change.REMOVED
            found.append(Difference(change=change, before=was, after=now))
        elif changed := _changed(was, now):
            found.append(Difference(change=Change.CHANGED, before=was, after=now, fields=changed))
    return tuple(found)


def differences_by_patient(
    before: Iterable[BillLine], after: Iterable[BillLine]
) -> Iterator[Difference]:
    """Yield the differences of lines that come in the order of patients, one patient in memory."""
    both = merge(((line, True) for line in before), ((line, False) for line in after), key=_patient)
    for _, found in groupby(both, key=_patient):
        lines = list(found)
        was = [line for line, old in lines if old]
        yield from differences(was, (line for line, old in lines if not old))


def _patient(told: tuple[BillLine, bool]) -> str:
    return told[0].patient_id


def needs_review(exported: Iterable[BillLine], current: Iterable[BillLine]) -> tuple[BillLine, ...]:
    """Return the exported lines that today's data no longer supports as they were claimed."""
    return tuple(
        difference.before
        for difference in differences(exported, current)
        if difference.before is not None
    )


def _changed(was: BillLine, now: BillLine) -> tuple[str, ...]:
    names = (field.name for field in fields(BillLine) if field.name != "id")
    return tuple(name for name in names if getattr(was, name) != getattr(now, name))


def _allow(month: Month, action: Action, by: str) -> None:
    if month.state not in FROM[action]:
        raise RefusedError(Refusal.WRONG_STATE, month, action)
    if not by.strip():
        raise RefusedError(Refusal.NO_NAME, month, action)


def _moved(  # noqa: PLR0913  a step says who, when and why
    month: Month, state: State, action: Action, *, by: str, at: datetime, note: str = ""
) -> Month:
    step = Step(action=action, by=by, at=at, note=note)
    return replace(month, state=state, steps=(*month.steps, step))


def _last(month: Month, action: Action) -> str:
    return next((step.by for step in reversed(month.steps) if step.action is action), "")
