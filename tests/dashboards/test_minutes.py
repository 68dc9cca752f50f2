"""Time counting: one patient at a time, pauses, lost browsers, kept originals."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from httpx2 import Response
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from dashboards.minutes import timer
from dashboards.minutes.timer import Beat, Event, Raw, Reason, Running
from tests.dashboards.conftest import Clinic, Clock, Db, SignIn

NOON = datetime(2026, 9, 15, 12, tzinfo=UTC)
GRACE, HAROLD = uuid4(), uuid4()


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def play(*said: Any) -> tuple[Running | None, list[Raw]]:  # noqa: ANN401 -- rows of a table
    """Play (second, patient, timer, event, reason); return the timer and the raw record."""
    running: Running | None = None
    raw: list[Raw] = []
    for second, patient, which, event, *reason in said:
        beat = Beat(
            patient_id=patient, timer_id=which, event=event,
            reason=reason[0] if reason else Reason.NONE,
        )  # fmt: skip
        running, more = timer.heard(running, beat, at(second))
        raw += more
    return running, raw


T1, T2 = UUID(int=1), UUID(int=2)


def seconds(raw: list[Raw]) -> list[int]:
    return [each.seconds for each in timer.intervals(raw)]


def test_a_plain_stretch() -> None:
    _, raw = play(
        (0, GRACE, T1, Event.START), (10, GRACE, T1, Event.BEAT), (15, GRACE, T1, Event.STOP)
    )
    assert seconds(raw) == [15]


def test_a_pause_is_not_counted() -> None:
    running, raw = play(
        (0, GRACE, T1, Event.START),
        (10, GRACE, T1, Event.PAUSE, Reason.IDLE),
        (300, GRACE, T1, Event.RESUME),
        (305, GRACE, T1, Event.STOP),
    )
    assert running is None
    assert seconds(raw) == [10, 5]
    assert [each.reason for each in raw] == ["", "idle", "", ""]


def test_nobody_works_on_two_patients_at_once() -> None:
    running, raw = play(
        (0, GRACE, T1, Event.START), (8, HAROLD, T2, Event.START), (12, GRACE, T1, Event.BEAT)
    )
    assert running is not None
    assert running.patient_id == HAROLD
    assert raw[1].reason is Reason.OTHER_PATIENT
    assert seconds(raw) == [8]


def test_a_browser_that_died_counts_until_its_last_beat() -> None:
    _, raw = play(
        (0, GRACE, T1, Event.START), (5, GRACE, T1, Event.BEAT), (600, GRACE, T1, Event.RESUME)
    )
    assert raw[1].reason is Reason.LOST
    assert seconds(raw) == [5]


steps = st.lists(
    st.tuples(
        st.integers(0, 40),
        st.sampled_from([(GRACE, T1), (HAROLD, T2), (GRACE, UUID(int=3))]),
        st.sampled_from(list(Event)),
        st.sampled_from(list(Reason)),
    ),
    max_size=40,
)


@given(steps)
def test_intervals_never_overlap_and_never_exceed_the_time_that_passed(said: list[Any]) -> None:
    now, moments = 0, []
    for wait, (patient, which), event, reason in said:
        now += wait
        moments.append((now, patient, which, event, reason))
    running, raw = play(*moments)
    if running is not None:
        raw += timer.ended(running, max(at(now), running.last_beat_at), Reason.CLOSED)[1]
    stretches = sorted((each.started_at, each.ended_at) for each in timer.intervals(raw))
    assert all(a[1] <= b[0] for a, b in pairwise(stretches))
    assert timer.union_seconds(stretches) <= now


@pytest.mark.parametrize(
    ("stretches", "whole"),
    [([], 0), ([(0, 60)], 60), ([(0, 60), (30, 90)], 90), ([(0, 60), (10, 20)], 60),
     ([(60, 90), (0, 30)], 60)],
)  # fmt: skip
def test_two_people_on_one_call_count_once(stretches: list[Any], whole: int) -> None:
    assert timer.union_seconds((at(a), at(b)) for a, b in stretches) == whole


def beat(  # noqa: PLR0917 -- what a browser says
    client: TestClient, token: str, patient: UUID, which: UUID, event: str, reason: str = ""
) -> dict[str, Any]:
    form = {"timer_id": str(which), "event": event, "reason": reason}
    headers = {"x-csrf-token": token}
    told: dict[str, Any] = client.post(
        f"/patients/{patient}/beat", data=form, headers=headers
    ).json()
    return told


def entries(db: Db) -> list[tuple[Any, ...]]:
    with db.connect() as connection:
        return connection.execute(
            "select patient_id, activity, interactive, seconds, note, source, replaced_at is null, "
            "correction_reason from time_entry order by created_at, started_at"
        ).fetchall()


def test_resolving_with_a_call_saves_the_time_as_live_contact(
    client: TestClient, sign_in: SignIn, clinic: Clinic, clock: Clock, db: Db
) -> None:
    token, patient, which = sign_in("maya"), clinic.patients[1], uuid4()
    assert beat(client, token, patient, which, "start")["running"]
    clock.ahead += timedelta(seconds=15)
    assert beat(client, token, patient, which, "beat")["seconds"] in {15, 16}
    form = {"contact": "reached", "judged": "true", "action": "education", "note": "Called."}
    headers = {"x-csrf-token": token}
    client.post(f"/episodes/{clinic.episodes[1]}/claim", headers=headers)
    answer = client.post(f"/episodes/{clinic.episodes[1]}/resolve", data=form, headers=headers)
    assert answer.status_code == 200
    (entry,) = entries(db)
    assert entry[:3] == (patient, "live_contact", True)
    assert 15 <= entry[3] <= 20
    assert entry[4:6] == ("Called.", "timer")


def test_the_second_tab_stops_the_first(
    client: TestClient, sign_in: SignIn, clinic: Clinic
) -> None:
    token = sign_in("maya")
    one, two = uuid4(), uuid4()
    beat(client, token, clinic.patients[0], one, "start")
    beat(client, token, clinic.patients[1], two, "start")
    told = beat(client, token, clinic.patients[0], one, "beat")
    assert (told["running"], told["elsewhere"]) == (False, True)


def post(client: TestClient, token: str, path: str, **form: str) -> Response:
    return client.post(path, data=form | {"csrf_token": token})


def test_a_correction_keeps_the_original_and_needs_a_reason(
    client: TestClient, sign_in: SignIn, clinic: Clinic, clock: Clock, db: Db
) -> None:
    token, patient = sign_in("maya"), clinic.patients[0]
    started = (clock() - timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M")
    added = {"activity": "review", "note": "Weekly review", "started": started, "minutes": "12"}
    assert post(client, token, f"/patients/{patient}/time/add", **added).status_code == 303
    with db.connect() as connection:
        (made,) = connection.execute("select id from time_entry").fetchone()
    path = f"/patients/{patient}/time/{made}/correct"
    assert "reason" in post(client, token, path, minutes="5", reason=" ").headers["location"]
    assert (
        post(client, token, path, minutes="5", reason="Looked at the wrong clock").status_code
        == 303
    )
    rows = entries(db)
    assert [(row[3], row[6]) for row in rows] == [(720, False), (300, True)]
    assert rows[1][7] == "Looked at the wrong clock"
    page = client.get(f"/patients/{patient}/time").text
    assert "5 min counted" in page


def test_time_by_hand_may_not_overlap_another_patients(
    client: TestClient, sign_in: SignIn, clinic: Clinic, clock: Clock, db: Db
) -> None:
    token = sign_in("maya")
    started = (clock() - timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M")
    form = {"activity": "review", "note": "x", "started": started, "minutes": "12"}
    for patient in clinic.patients[:2]:
        answer = post(client, token, f"/patients/{patient}/time/add", **form)
    assert "overlap" in answer.headers["location"]
    assert len(entries(db)) == 1


def test_raw_beats_cannot_be_changed(
    client: TestClient, sign_in: SignIn, clinic: Clinic, db: Db
) -> None:
    beat(client, sign_in("maya"), clinic.patients[0], uuid4(), "start")
    with db.connect() as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("update time_beat set at = now()")
