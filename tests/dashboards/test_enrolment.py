"""Enrolling patients in programmes: who may, when nobody is on call, how a stay ends."""

import re

import pytest
from starlette.testclient import TestClient

from alerts import oncall
from care.programme import programmes
from tests.dashboards.conftest import Clinic, Db, SignIn

HTML = {"accept": "text/html"}
PACE, CHW = "pace", "chw"


@pytest.fixture
def page(clinic: Clinic) -> str:
    return f"/patients/{clinic.patients[0]}/programs"


@pytest.fixture
def on_call(db: Db, clinic: Clinic) -> None:
    """Somebody answers at all times."""
    layer = (
        "insert into rota_layer (organisation_id, rota_id, duty, members, starts_at) "
        "select organisation_id, id, %s, array[%s::uuid], now() - interval '1 day' from rota"
    )
    with db.connect() as connection:
        connection.execute(
            "insert into rota (organisation_id, name, time_zone) values (%s, 'All', 'UTC')",
            (clinic.id,),
        )
        connection.execute(layer, ("primary_on_call", clinic.staff["maya"]))
        connection.execute(layer, ("supervising_provider", clinic.staff["tess"]))


def test_without_anybody_on_call_only_programmes_that_page_nobody_begin(
    client: TestClient, sign_in: SignIn, page: str
) -> None:
    form = {"csrf_token": sign_in("cora")}
    shown = client.get(page, headers=HTML).text
    paging = {name for name, each in programmes().items() if oncall.pages(each.profiles)}
    assert shown.count("Nobody on call") == len(paging - {"chronic-care-model"})
    assert {PACE} <= paging <= set(programmes()) - {CHW}
    refused = client.post(page, data=form | {"programme": PACE})
    assert refused.status_code == 422
    assert "Its critical alerts would reach nobody: Nobody is primary on call" in refused.text
    assert client.post(page, data=form | {"programme": CHW}).status_code == 303
    assert programmes()[CHW].model in client.get(page, headers=HTML).text


@pytest.mark.usefixtures("on_call")
def test_a_stay_begins_once_and_ends_with_a_reason(
    client: TestClient, sign_in: SignIn, page: str, db: Db, clinic: Clinic
) -> None:
    form = {"csrf_token": sign_in("cora")}
    assert client.post(page, data=form | {"programme": PACE}).status_code == 303
    with db.connect() as connection:
        row = connection.execute(
            "select id, programme_version, profiles from enrolment where patient_id = %s "
            "and programme = %s",
            (clinic.patients[0], PACE),
        ).fetchone()
    assert row is not None
    assert tuple(row[1:]) == (programmes()[PACE].version, list(programmes()[PACE].profiles))
    again = client.post(page, data=form | {"programme": PACE})
    assert (again.status_code, "in that program already" in again.text) == (422, True)
    assert client.post(f"{page}/{row[0]}/end", data=form).status_code == 422
    done = client.post(f"{page}/{row[0]}/end", data=form | {"reason": "Moved away"})
    assert done.status_code == 303
    assert re.search("to .*: Moved away", client.get(page, headers=HTML).text)
    assert client.post(f"{page}/{row[0]}/end", data=form | {"reason": "x"}).status_code == 404
    with db.connect() as connection:
        trail = connection.execute(
            "select detail->>'what' from audit where object_kind = 'enrolment' and action = "
            "'change' and patient_id = %s order by id",
            (clinic.patients[0],),
        ).fetchall()
    assert trail == [("enrol",), ("end",)]


@pytest.mark.usefixtures("on_call")
def test_nobody_else_enrols_and_nobody_who_has_died_is_enrolled(
    client: TestClient, sign_in: SignIn, page: str, db: Db, clinic: Clinic
) -> None:
    form = {"csrf_token": sign_in("maya"), "programme": PACE}
    assert client.post(page, data=form).status_code == 403
    assert f'action="{page}' not in client.get(page, headers=HTML).text
    with db.connect() as connection:
        connection.execute(
            "update patient set deceased_on = current_date where id = %s", (clinic.patients[0],)
        )
    form |= {"csrf_token": sign_in("cora")}
    assert "has died" in client.post(page, data=form).text
    assert "no such program" in client.post(page, data=form | {"programme": "x"}).text
