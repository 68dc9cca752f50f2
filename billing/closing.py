"""Closing a month: judge everybody, sign, lock, read the payer's answers; each step is audited."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from billing import claims, evaluate, gather, month, patterns, standing, store
from billing.claims import BillLine
from billing.crew import Crew, deal
from billing.fields import zone
from billing.gather import QUERIES, Connection, Gathered, Share
from billing.month import Action, Month, RefusedError, State
from billing.outcome import Line
from billing.payer import PayerAnswer, matched
from billing.record import Case
from billing.standing import Standing
from billing.store import Key

Progress = Callable[[int, int], None]
FROZEN = (State.LOCKED, State.EXPORTED, State.ANSWERED)


def evaluate_month(  # noqa: PLR0913  whose month, by whom, as of when, told to whom, by how many
    connection: Connection,
    key: Key,
    *,
    by: str,
    now: datetime,
    progress: Progress | None = None,
    crew: Crew | None = None,
) -> int:
    """Judge every patient of a month; a locked one keeps its lines and marks what fails now.

    Each share is a transaction of its own, so `connection` has to be outside of one.
    """
    total, done = gather.how_many(connection, key.organisation, key.first), 0
    with connection.transaction():
        frozen = store.opened(connection, key).state in FROZEN
    shares = gather.shares(connection, key.organisation, key.first, now=now)
    for judged in deal(shares, recheck if frozen else rejudge, connection, crew):
        done += judged
        if progress is not None:
            progress(done, max(total, done))
    with connection.transaction():
        _wind_up(connection, key, done, by=by, now=now, frozen=frozen)
    return done


def _wind_up(  # noqa: PLR0913  what was done, by whom and when
    connection: Connection, key: Key, done: int, *, by: str, now: datetime, frozen: bool
) -> None:
    """Forget whoever left the month, look for patterns, and note that it was judged."""
    if not frozen:
        connection.execute(QUERIES["forget_patients"], key.fields | {"now": now})
        connection.execute(QUERIES["drop_other_lines"], key.fields)
    found = store.keep_findings(connection, key, patterns.of(connection, key))
    connection.execute(QUERIES["evaluated"], key.fields | {"now": now})
    told: dict[str, object] = {"patients": done, "findings": found}
    store.audit(connection, key, "evaluate", by=by, now=now, detail=told)


def rejudge(connection: Connection, share: Share) -> int:
    """Judge a share's patients and keep how they stand and their lines; return how many."""
    key = Key(organisation=share.organisation, first=share.first)
    with connection.transaction():
        judged = [judge(found) for found in gather.people(connection, share)]
        lines = [line for _, _, made in judged for line in made]
        standings = [(found, how) for found, how, _ in judged]
        store.keep_standings(connection, key, standings, share.now)
        store.keep_lines(connection, key, share.ids, lines, share.now)
    return len(judged)


def recheck(connection: Connection, share: Share) -> int:
    """Mark a share's locked lines that today's data no longer gives as they were."""
    key = Key(organisation=share.organisation, first=share.first)
    with connection.transaction():
        judged = [judge(found) for found in gather.people(connection, share)]
        lines = (line for _, _, made in judged for line in made)
        rows = connection.execute(QUERIES["lines_of"], key.fields | {"ids": share.ids})
        locked = [store.as_line(content) for (content,) in rows]
        for line in month.needs_review(locked, lines):
            _mark(connection, key, line, "the data of today gives another line", share.now)
    return len(judged)


def judge_again(connection: Connection, key: Key, patient_id: UUID, *, now: datetime) -> None:
    """Judge one patient of a month that was judged before, because a paper of theirs changed."""
    if store.count(connection, key, "how_many_judged"):
        frozen = store.month(connection, key).state in FROZEN
        asked = gather.shares(connection, key.organisation, key.first, now=now, one=patient_id)
        for share in asked:
            (recheck if frozen else rejudge)(connection, share)


def judge(found: Gathered) -> tuple[Gathered, Standing, list[BillLine]]:
    """Return how a patient stands, and the lines that can be billed as of the case's moment."""
    seen = standing.ahead(found.case)
    expected = evaluate.evaluate_in_force(seen)
    how = standing.of(seen, expected)
    now = expected if seen is found.case else evaluate.evaluate_in_force(found.case)
    return found, how, [line for each in now for line in claims.bill_lines(found.case, each)]


def _mark(connection: Connection, key: Key, line: BillLine, why: str, now: datetime) -> None:
    marked = {"line": line.id, "why": why}
    for patient, code in connection.execute(QUERIES["mark_review"], key.fields | marked).fetchall():
        store.audit(
            connection,
            key,
            "needs review",
            by="process:billing",
            now=now,
            kind="bill_line",
            object_id=line.id,
            patient=patient,
            detail={"code": code, "reason": why},
        )


def review(connection: Connection, key: Key, *, by: str, now: datetime) -> Month:
    """Close collecting."""
    clinic_zone = zone(gather.clinic(connection, key.organisation)["time_zone"])
    today = now.astimezone(clinic_zone).date()
    with connection.transaction():
        after = month.review(store.opened(connection, key), by=by, at=now, today=today)
        store.keep(connection, key, after)
    return after


def sign_off(connection: Connection, key: Key, *, by: str, now: datetime, note: str = "") -> Month:
    """Sign the month, as a second person."""
    with connection.transaction():
        after = month.sign_off(store.opened(connection, key), by=by, at=now, note=note)
        store.keep(connection, key, after)
    return after


def lock(  # noqa: PLR0913  whose month, by whom, as of when, told to whom, by how many
    connection: Connection,
    key: Key,
    *,
    by: str,
    now: datetime,
    progress: Progress | None = None,
    crew: Crew | None = None,
) -> Month:
    """Freeze lines with their facts, if each is proven by its own evidence."""
    with connection.transaction():
        before = store.opened(connection, key)
        month.lock(before, by=by, at=now, unproven=0)
        wrong = unproven(connection, key, now=now, progress=progress, crew=crew)
        after = month.lock(before, by=by, at=now, unproven=wrong)
        connection.execute(QUERIES["lock_lines"], key.fields | {"now": now})
        store.keep(connection, key, after)
    return after


def unproven(
    connection: Connection,
    key: Key,
    *,
    now: datetime,
    progress: Progress | None = None,
    crew: Crew | None = None,
) -> int:
    """Return how many lines their stored facts, or their evidence alone, do not give again."""
    total, seen = store.count(connection, key, "how_many_judged"), 0
    standing_for = store.count(connection, key, "how_many_lines")
    shares = store.shares(connection, key, now=now)
    for people, proven_lines in deal(shares, prove, connection, crew):
        seen += people
        standing_for -= proven_lines
        if progress is not None:
            progress(seen, total)
    return standing_for


def prove(connection: Connection, share: Share) -> tuple[int, int]:
    """Return a share's patients, and how many of its lines follow again from what is stored."""
    key = Key(organisation=share.organisation, first=share.first)
    wanted = key.fields | {"ids": share.ids}
    known = {row[0]["id"] for row in connection.execute(QUERIES["lines_of"], wanted)}
    right = 0
    for case in store.cases_of(connection, key, share.ids):
        for judged in evaluate.evaluate_in_force(case):
            for line, made in zip(judged.lines, claims.bill_lines(case, judged), strict=True):
                right += made.id in known and _proven(case, line)
    return len(share.ids), right


def _proven(case: Case, line: Line) -> bool:
    again = evaluate.evaluate_in_force(claims.alone(case, line))
    return line in (each.line(line.code) for each in again)


def reopen(connection: Connection, key: Key, *, by: str, now: datetime, reason: str) -> Month:
    """Go back to collecting; what left in a file stays, and the next one is compared with it."""
    with connection.transaction():
        after = month.reopen(store.opened(connection, key), by=by, at=now, reason=reason)
        connection.execute(QUERIES["unlock_lines"], key.fields)
        store.keep(connection, key, after)
    return after


def confirm(  # noqa: PLR0913  which line, who, when and why
    connection: Connection, key: Key, line_id: str, *, by: str, now: datetime, reason: str
) -> None:
    """State that a line that waited for review still stands, and why."""
    if not reason.strip():
        before = store.month(connection, key)
        raise RefusedError(month.Refusal.NO_REASON, before, Action.REVIEW)
    with connection.transaction():
        wanted = key.fields | {"line": line_id}
        for patient, code in connection.execute(QUERIES["confirm_line"], wanted).fetchall():
            store.audit(
                connection,
                key,
                "confirm",
                by=by,
                now=now,
                kind="bill_line",
                object_id=line_id,
                patient=patient,
                detail={"code": code, "reason": reason},
            )


def answers(
    connection: Connection, key: Key, given: tuple[PayerAnswer, ...], *, by: str, now: datetime
) -> tuple[int, tuple[PayerAnswer, ...]]:
    """Store the payer's answers; return how many fit a line, and those that fit none."""
    with connection.transaction():
        before = store.opened(connection, key)
        found, strays = matched(given, store.last_exported(connection, key))
        note = f"{len(found)} lines answered, {len(strays)} fit no line"
        after = month.answer(before, by=by, at=now, note=note)
        for line_id, each in found.items():
            row = {"line": line_id, "answer": Jsonb(msgspec.to_builtins(each))}
            connection.execute(QUERIES["keep_answer"], key.fields | row)
        connection.execute(QUERIES["setup_billed"], key.fields)
        store.keep(connection, key, after)
    return len(found), strays
