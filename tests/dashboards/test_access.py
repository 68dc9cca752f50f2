"""Closed teams: who is kept out, how the glass is broken, and that it is seen and reviewed."""

import re
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from dashboards.access.glass import (
    LASTS,
    Asked,
    Cause,
    Problem,
    ReviewProblem,
    problem_with,
    problem_with_review,
)
from tests.dashboards.conftest import Clinic, Clock, Db, SignIn
from tests.dashboards.test_door import WITH_IDS, ask, name

HTML = {"accept": "text/html"}
WHY = {"cause": "emergency", "reason": "Called by the ward: patient has collapsed"}


@pytest.fixture
def closed(db: Db, clinic: Clinic) -> UUID:
    """The first patient of the heart team, which is closed: Maya is in it, Jonah is not."""
    with db.connect() as connection:
        connection.execute(
            "update care_team set closed = true where organisation_id = %s", (clinic.id,)
        )
    return clinic.patients[0]


def names(path: str) -> list[str]:
    return re.findall(r"{(\w+)", path)


def glasses(db: Db) -> list[tuple[object, ...]]:
    with db.connect() as connection:
        return connection.execute("select id, cause, reason from break_glass").fetchall()


@pytest.mark.parametrize(
    ("cause", "reason", "problem"),
    [
        ("emergency", "Patient collapsed at home", None),
        ("emergency", "why not", Problem.TOO_SHORT),
        ("emergency", "x" * 501, Problem.TOO_SHORT),
        ("", "Patient collapsed at home", Problem.NO_CAUSE),
        ("curiosity", "Patient collapsed at home", Problem.NO_CAUSE),
    ],
)
def test_a_reason_is_asked_for(cause: str, reason: str, problem: Problem | None) -> None:
    assert problem_with(Asked(cause=cause, reason=reason)) is problem


@given(cause=st.text(), reason=st.text())
def test_only_a_known_cause_with_words_opens(cause: str, reason: str) -> None:
    opens = problem_with(Asked(cause=cause, reason=reason)) is None
    assert opens == (cause in set(Cause) and 10 <= len(reason) <= 500)


@pytest.mark.parametrize(
    ("own", "verdict", "note", "problem"),
    [
        (False, "yes", "Called the ward", None),
        (True, "yes", "Called the ward", ReviewProblem.OWN),
        (False, "", "Called the ward", ReviewProblem.NO_VERDICT),
        (False, "no", "  ", ReviewProblem.NO_NOTE),
    ],
)
def test_a_review_is_somebody_elses_with_words(
    own: bool, verdict: str, note: str, problem: ReviewProblem | None
) -> None:
    opener, other = uuid4(), uuid4()
    found = problem_with_review(
        opened_by=opener, reviewer=opener if own else other, verdict=verdict, note=note
    )
    assert found is problem


def test_a_team_is_open_until_it_is_closed(
    client: TestClient, sign_in: SignIn, clinic: Clinic
) -> None:
    sign_in("jonah")
    assert client.get(f"/patients/{clinic.patients[0]}").status_code == 200


@pytest.mark.parametrize("who", ["maya", "bela"])
def test_members_and_billing_see_a_closed_teams_patients(
    client: TestClient, sign_in: SignIn, closed: UUID, who: str
) -> None:
    sign_in(who)
    assert client.get(f"/patients/{closed}", headers=HTML).status_code == 200


def test_every_route_that_takes_an_id_keeps_a_closed_teams_patient_closed(
    client: TestClient, sign_in: SignIn, clinic: Clinic, closed: UUID, db: Db
) -> None:
    def record() -> object:
        with db.connect() as connection:
            return connection.execute(
                "select (select jsonb_agg(e) from episode e where patient_id = %(p)s), "
                "(select count(*) from audit where patient_id = %(p)s and action = 'look' "
                " and object_kind <> 'glass'), (select count(*) from task), "
                "(select count(*) from patient_message), (select count(*) from time_beat), "
                "(select count(*) from time_entry), (select count(*) from break_glass)",
                {"p": closed},
            ).fetchone()

    before, token, refused = record(), sign_in("jonah"), []
    ids = {"patient_id": closed, "episode_id": clinic.episodes[0]}
    tried = [(method, route) for method, route in WITH_IDS if set(names(route.path)) & set(ids)]
    assert len(tried) >= 12
    for method, route in tried:
        if route.path == "/patients/{patient_id}/open":
            continue
        path = route.path.format(**{n: ids.get(n, uuid4()) for n in names(route.path)})
        answer = ask(client, method, path, token)
        refused.append(answer.status_code in {403, 404})
        assert refused[-1] or answer.status_code == 422, (method, name(route), answer.status_code)
        assert "SAMPLETON" not in answer.text
    assert refused.count(False) < len(refused) / 2  # forms that say too little reach nobody
    assert record() == before


def test_lists_leave_a_closed_teams_patients_out_and_search_says_no_more_than_who(
    client: TestClient, sign_in: SignIn, clinic: Clinic, closed: UUID
) -> None:
    token = sign_in("jonah")
    assert str(clinic.episodes[0]) not in client.get("/worklist?view=all").text
    answer = client.post(
        "/patients/search", data={"wanted": "SAMPLETON", "csrf_token": token}, headers=HTML
    )
    row = answer.text.partition(f'/patients/{closed}"')[2].partition("</tr>")[0]
    assert "not known" in row
    assert "pill" not in row
    assert "badge" not in row


def test_breaking_the_glass_opens_one_record_for_an_hour(
    client: TestClient, sign_in: SignIn, closed: UUID, clinic: Clinic, clock: Clock
) -> None:
    token = sign_in("jonah")
    first = client.get(f"/patients/{closed}/readings", headers=HTML)
    assert first.headers["location"] == f"/patients/{closed}/open"
    assert "Only the care team" in client.get(f"/patients/{closed}/open", headers=HTML).text
    told = client.post(f"/patients/{closed}/open", data=WHY | {"csrf_token": token}, headers=HTML)
    assert told.headers["location"] == f"/patients/{closed}"
    page = client.get(f"/patients/{closed}", headers=HTML)
    assert page.status_code == 200
    assert "You opened a closed record" in page.text
    assert client.get(f"/patients/{clinic.patients[2]}", headers=HTML).status_code == 303
    clock.ahead += LASTS / 6
    for _ in range(5):  # used all the while: only the hour counts
        assert client.get(f"/patients/{closed}", headers=HTML).status_code == 200
        clock.ahead += LASTS / 6
    clock.ahead += timedelta(seconds=1)
    assert client.get(f"/patients/{closed}", headers=HTML).status_code == 303


def test_an_opened_record_can_be_closed_before_its_time_by_its_opener_only(
    client: TestClient, sign_in: SignIn, closed: UUID, db: Db
) -> None:
    token = sign_in("jonah")
    client.post(f"/patients/{closed}/open", data=WHY | {"csrf_token": token})
    end = f"/access/{glasses(db)[0][0]}/end"
    assert client.post(end, data={"csrf_token": sign_in("tess")}).status_code == 404
    assert client.post(end, data={"csrf_token": sign_in("jonah")}).status_code == 303
    assert client.get(f"/patients/{closed}", headers=HTML).status_code == 303


def test_no_reason_no_record(client: TestClient, sign_in: SignIn, closed: UUID, db: Db) -> None:
    token = sign_in("jonah")
    for form in ({}, {"cause": "emergency", "reason": "because"}, WHY | {"cause": "curiosity"}):
        answer = client.post(f"/patients/{closed}/open", data=form | {"csrf_token": token})
        assert answer.status_code == 422
    assert glasses(db) == []


def test_the_glass_never_opens_another_organisation(
    client: TestClient, sign_in: SignIn, clinic: Clinic, other_clinic: Clinic, db: Db
) -> None:
    with db.connect() as connection:
        connection.execute("update care_team set closed = true")
    patient, token = other_clinic.patients[0], sign_in("jonah")
    assert client.get(f"/patients/{patient}/open", headers=HTML).status_code == 404
    answer = client.post(f"/patients/{patient}/open", data=WHY | {"csrf_token": token})
    assert answer.status_code == 404
    assert glasses(db) == []
    with db.connect() as connection:  # not even with a row that says so
        connection.execute(
            "insert into break_glass (organisation_id, staff_id, patient_id, cause, reason, "
            "opened_at, expires_at) select organisation_id, id, %s, 'other', 'a reason of length', "
            "now(), now() + interval '1 hour' from staff where id = %s",
            (patient, clinic.staff["jonah"]),
        )
    assert client.get(f"/patients/{patient}", headers=HTML).status_code == 404


def test_break_glass_is_seen_by_the_auditor(
    client: TestClient, sign_in: SignIn, closed: UUID, db: Db
) -> None:
    token = sign_in("jonah")
    client.post(f"/patients/{closed}/open", data=WHY | {"csrf_token": token})
    client.get(f"/patients/{closed}", headers=HTML)
    token = sign_in("ivo")
    page = client.get("/access", headers=HTML).text
    assert "1 to review" in page
    for words in ("Jonah Kim", "SAMPLETON", WHY["reason"], "1 looks, 0 changes"):
        assert words in page
    trail = client.get("/audit?action=break_glass", headers=HTML).text
    assert WHY["reason"] in trail
    review = f"/access/{glasses(db)[0][0]}/review"
    assert client.post(review, data={"csrf_token": token, "verdict": "yes"}).status_code == 403
    form = {"csrf_token": token, "verdict": "yes", "note": "The ward confirms the call"}
    assert client.post(review, data=form).status_code == 303
    assert client.post(review, data=form).status_code == 403
    page = client.get("/access", headers=HTML).text
    assert "0 to review" in page
    assert "Justified: The ward confirms the call" in page
    assert "All " in client.get("/audit/chain", headers=HTML).text


def test_only_an_administrator_closes_a_team_and_never_an_empty_one(
    client: TestClient, sign_in: SignIn, clinic: Clinic, db: Db
) -> None:
    with db.connect() as connection:
        found = connection.execute(
            "select id from care_team where organisation_id = %s", (clinic.id,)
        ).fetchone()
        empty = connection.execute(
            "insert into care_team (organisation_id, name) values (%s, 'Nobody') returning id",
            (clinic.id,),
        ).fetchone()
    assert found
    assert empty
    form = {"closed": "yes", "csrf_token": sign_in("ivo")}
    assert client.post(f"/access/teams/{found[0]}", data=form).status_code == 403
    form = {"closed": "yes", "csrf_token": sign_in("ada")}
    assert client.post(f"/access/teams/{empty[0]}", data=form).status_code == 403
    assert client.post(f"/access/teams/{found[0]}", data=form).status_code == 303
    sign_in("jonah")
    assert client.get(f"/patients/{clinic.patients[0]}", headers=HTML).status_code == 303


def test_every_table_with_patients_that_the_web_reads_is_held_to_the_teams(db: Db) -> None:
    with db.connect() as connection:
        loose = connection.execute(
            "select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid "
            "where a.attname = 'patient_id' and c.relkind in ('r', 'p') "
            "and has_table_privilege('tidings_web', c.oid, 'select') and not exists "
            "(select from pg_policy y where y.polrelid = c.oid and y.polname = 'closed_teams')"
        ).fetchall()
    assert {name for (name,) in loose} == {"audit", "break_glass"}
