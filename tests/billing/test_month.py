"""A month moves only forward, by two people, and back only with a reason."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from billing import case, claims, evaluate, month, pack
from billing.claims import BillLine
from billing.month import Action, Change, Month, Refusal, RefusedError, State

Raw = dict[str, Any]
RULES = pack.named("us-medicare-cy2026")
AT = datetime(2026, 2, 5, 12, tzinfo=UTC)
JANUARY = Month(organisation="O1", first=date(2026, 1, 1))


def ready() -> Month:
    return month.review(JANUARY, by="ann", at=AT, today=date(2026, 2, 1))


def locked() -> Month:
    return month.lock(month.sign_off(ready(), by="bea", at=AT), by="ann", at=AT, unproven=0)


def exported() -> Month:
    return month.export(locked(), by="ann", at=AT)


def answered() -> Month:
    return month.answer(exported(), by="ann", at=AT, note="835 of 1 March")


def test_the_way_of_a_month() -> None:
    done = answered()
    assert done.state is State.ANSWERED
    assert [step.action for step in done.steps] == [
        Action.REVIEW,
        Action.SIGN_OFF,
        Action.LOCK,
        Action.EXPORT,
        Action.ANSWER,
    ]
    assert [step.by for step in done.steps] == ["ann", "bea", "ann", "ann", "ann"]


@pytest.mark.parametrize(
    ("act", "refusal"),
    [
        (
            lambda: month.review(JANUARY, by="ann", at=AT, today=date(2026, 1, 31)),
            Refusal.MONTH_RUNS,
        ),
        (lambda: month.review(JANUARY, by=" ", at=AT, today=date(2026, 2, 1)), Refusal.NO_NAME),
        (lambda: month.sign_off(ready(), by="ann", at=AT), Refusal.SAME_PERSON),
        (lambda: month.sign_off(JANUARY, by="bea", at=AT), Refusal.WRONG_STATE),
        (lambda: month.lock(ready(), by="ann", at=AT, unproven=0), Refusal.NOT_SIGNED),
        (
            lambda: month.lock(month.sign_off(ready(), by="bea", at=AT), by="a", at=AT, unproven=1),
            Refusal.UNPROVEN,
        ),
        (lambda: month.export(ready(), by="ann", at=AT), Refusal.WRONG_STATE),
        (lambda: month.export(locked(), by="ann", at=AT, needing_review=2), Refusal.NEEDS_REVIEW),
        (lambda: month.answer(locked(), by="ann", at=AT, note=""), Refusal.WRONG_STATE),
        (lambda: month.reopen(exported(), by="ann", at=AT, reason="  "), Refusal.NO_REASON),
        (lambda: month.reopen(JANUARY, by="ann", at=AT, reason="x"), Refusal.WRONG_STATE),
        (lambda: month.export(answered(), by="ann", at=AT), Refusal.WRONG_STATE),
    ],
    ids=[
        "while the month runs",
        "without a name",
        "signed by who reviewed",
        "signed before review",
        "locked unsigned",
        "locked unproven",
        "exported unlocked",
        "exported with doubts",
        "answered unexported",
        "reopened without reason",
        "reopened while collecting",
        "exported after the answer",
    ],
)
def test_what_is_not_allowed_says_why(act: Callable[[], Month], refusal: Refusal) -> None:
    with pytest.raises(RefusedError) as raised:
        act()
    assert raised.value.refusal is refusal
    assert refusal.value in str(raised.value)


@pytest.mark.parametrize(
    "closed", [ready, locked, exported, answered], ids=lambda made: made.__name__
)
def test_reopening_needs_a_new_signature(closed: Callable[[], Month]) -> None:
    again = month.reopen(closed(), by="ann", at=AT, reason="late discharge letter")
    assert (again.state, again.signed_by) == (State.COLLECTING, "")
    assert again.steps[-1].note == "late discharge letter"


def test_december_ends_with_the_year() -> None:
    december = Month(organisation="O1", first=date(2026, 12, 1))
    with pytest.raises(RefusedError):
        month.review(december, by="ann", at=AT, today=date(2026, 12, 31))
    assert month.review(december, by="ann", at=AT, today=date(2027, 1, 1)).state is State.READY


def test_a_second_export_is_counted() -> None:
    assert month.export(exported(), by="ann", at=AT).exports == 2


def lines_of(raw: Raw) -> tuple[BillLine, ...]:
    parsed = case.parse(raw)
    return claims.bill_lines(parsed, evaluate.evaluate(parsed, RULES))


def test_the_same_lines_have_no_differences(cases: dict[str, Raw]) -> None:
    lines = lines_of(cases["MGT-21"]["input"])
    assert month.differences(lines, lines[::-1]) == ()
    assert month.needs_review(lines, lines) == ()


def test_a_re_export_shows_what_changed(cases: dict[str, Raw]) -> None:
    before = lines_of(cases["DEV-01"]["input"])
    after = lines_of(cases["DEV-02"]["input"])
    found = {
        (difference.after or difference.before).code: difference.change  # type: ignore[union-attr]  # one of both is there
        for difference in month.differences(before, after)
    }
    assert found == {"99445": Change.ADDED, "99453": Change.CHANGED, "99454": Change.REMOVED}


def test_a_change_names_its_fields(cases: dict[str, Raw]) -> None:
    (line, *_) = lines_of(cases["MGT-04"]["input"])
    (difference,) = month.differences([line], [replace(line, units=2)])
    assert difference.fields == ("units",)


def test_an_exported_claim_whose_reading_was_withdrawn_needs_review(
    cases: dict[str, Raw],
) -> None:
    exported_lines = lines_of(cases["DEV-01"]["input"])
    current = lines_of(cases["DEV-02"]["input"])
    assert [line.code for line in month.needs_review(exported_lines, current)] == ["99453", "99454"]
