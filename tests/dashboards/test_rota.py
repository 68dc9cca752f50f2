"""On call and teams: a fortnight of shifts, forms that refuse nonsense, changes on record."""

import re
from datetime import UTC, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from starlette.testclient import TestClient

from care.calendar import OfficeHours
from care.rota import Duty, Layer, Override, Rota
from dashboards.rota import form, schedule
from dashboards.rota.form import Filled, FormError
from tests.dashboards.conftest import Clinic, Db, SignIn

NEW_YORK = ZoneInfo("America/New_York")
MONDAY = datetime(2026, 9, 14, 12, tzinfo=UTC)
ANN, BOB, CY = UUID(int=1), UUID(int=2), UUID(int=3)
HTML = {"accept": "text/html"}


def rota(*layers: Layer, overrides: tuple[Override, ...] = ()) -> Rota:
    hours = OfficeHours(zone=NEW_YORK)
    return Rota(zone=NEW_YORK, layers=layers, hours=hours, overrides=overrides)


WEEKLY = Layer(duty=Duty.PRIMARY, members=(ANN, BOB), starts_at=datetime(2026, 9, 7, 8))


def test_a_fortnight_shows_each_hand_off_and_who_stands_in() -> None:
    stands_in = Override(
        duty=Duty.PRIMARY,
        staff_id=CY,
        from_at=MONDAY + timedelta(days=2),
        to_at=MONDAY + timedelta(days=2, hours=6),
    )
    found = schedule.shifts(rota(WEEKLY, overrides=(stands_in,)), Duty.PRIMARY, MONDAY)
    assert [shift.staff_id for shift in found] == [BOB, CY, BOB, ANN]
    assert found[3].from_at == MONDAY + timedelta(days=7)
    assert found[-1].to_at == MONDAY + timedelta(days=14)


def test_a_gap_is_told_for_the_duties_that_a_page_must_reach() -> None:
    nights = Layer(
        duty=Duty.PRIMARY,
        members=(ANN,),
        starts_at=datetime(2026, 9, 7, 8),
        from_time=time(17),
        to_time=time(8),
    )
    covered = Layer(duty=Duty.PROVIDER, members=(CY,), starts_at=nights.starts_at)
    one = rota(nights, covered)
    found = {duty: schedule.shifts(one, duty, MONDAY) for duty in Duty}
    assert schedule.uncovered(found) == [Duty.PRIMARY]
    assert len(found[Duty.PRIMARY]) == 28
    assert schedule.quarter(MONDAY + timedelta(minutes=29)) == MONDAY + timedelta(minutes=15)


def filled(**values: str) -> Filled:
    return Filled(values=list(values.items()))


LAYER = {
    "duty": "primary_on_call", "members": str(ANN), "starts_at": "2026-09-07T08:00", "turn": "7",
    "layer": "1", "days": "1",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"members": ""}, "at least one person"),
        ({"members": "me"}, "Choose a person"),
        ({"duty": "janitor"}, "Choose one"),
        ({"starts_at": "soon"}, "a day and a time"),
        ({"turn": "0"}, "from 1 to 60"),
        ({"turn": "²"}, "from 1 to 60"),
        ({"from_time": "17:00"}, "both times"),
        ({"from_time": "25:00", "to_time": "08:00"}, "no time of day"),
        ({"days": ""}, "day of the week"),
        ({"on_holidays": "maybe"}, "Choose one"),
    ],
)
def test_a_layer_that_cannot_be_used_is_refused(changed: dict[str, str], why: str) -> None:
    assert form.layer(filled(**LAYER))["turn"] == timedelta(days=7)
    with pytest.raises(FormError, match=why):
        form.layer(filled(**(LAYER | changed)))


def test_times_of_a_stand_in_are_those_of_the_rota() -> None:
    told = {"duty": "primary_on_call", "staff_id": str(ANN), "from_at": "2026-12-24T08:00"}
    read = form.stand_in(filled(**told, to_at="2026-12-25T08:00"), "America/New_York")
    assert read["from_at"] == datetime(2026, 12, 24, 13, tzinfo=UTC)
    with pytest.raises(FormError, match="end after"):
        form.stand_in(filled(**told, to_at="2026-12-24T08:00"), "UTC")


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"closes": "07:00"}, "before closing"),
        ({"country": "ZZ"}, "country code"),
        ({"subdivision": "QQ"}, "country code"),
        ({"extra_holidays": "Christmas"}, "no day"),
    ],
)
def test_hours_that_cannot_be_used_are_refused(changed: dict[str, str], why: str) -> None:
    told = {"opens": "08:00", "closes": "17:00", "days": "1", "country": "us"}
    told |= {"subdivision": "nm", "extra_holidays": "2026-12-24"}
    assert form.hours(filled(**told))["subdivision"] == "NM"
    with pytest.raises(FormError, match=why):
        form.hours(filled(**(told | changed)))


def test_a_zone_is_one_that_exists() -> None:
    assert form.zone("America/Denver") == "America/Denver"
    for name in ("Mars/Base", "../etc/passwd", ""):
        with pytest.raises(FormError, match="no time zone"):
            form.zone(name)


def test_a_rota_is_made_and_then_patients_may_be_enrolled(
    client: TestClient, sign_in: SignIn, clinic: Clinic, db: Db
) -> None:
    csrf = {"csrf_token": sign_in("ada")}
    assert "There is no rota" in client.get("/rota", headers=HTML).text
    form_ = csrf | {"name": "Heart", "zone": "America/New_York"}
    assert client.post("/rota", data=form_).status_code == 303
    assert "That name is taken" in client.post("/rota", data=form_, headers=HTML).text
    page = client.get("/rota", headers=HTML).text
    assert "Nobody is primary on call" in page
    address = re.findall(r'action="(/rota/[\w-]+/layers)"', page)[0]
    for duty, who in (("primary_on_call", "maya"), ("supervising_provider", "tess")):
        told = LAYER | {"duty": duty, "members": str(clinic.staff[who])}
        told |= {"starts_at": "2026-01-05T08:00", "days": ["1", "2", "3", "4", "5", "6", "7"]}  # type: ignore[dict-item]  # a list is sent as several values
        assert client.post(address, data=csrf | told).status_code == 303
    page = client.get("/rota", headers=HTML).text
    assert "Nobody is primary on call" not in page
    assert "Maya Reyes" in page
    layer = re.findall(r'action="(/rota/[\w-]+/layers/[\w-]+/remove)"', page)[0]
    assert client.post(layer, data=csrf).status_code == 303
    assert client.post(layer, data=csrf).status_code == 404
    with db.connect() as connection:
        row = connection.execute(
            "select count(*) from audit where action = 'change' and object_kind = 'rota'"
        ).fetchone()
    assert row == (4,)


def test_people_of_another_clinic_are_not_put_on_call(
    client: TestClient, sign_in: SignIn, other_clinic: Clinic
) -> None:
    csrf = {"csrf_token": sign_in("ada")}
    client.post("/rota", data=csrf | {"name": "Heart", "zone": "UTC"})
    page = client.get("/rota", headers=HTML).text
    address = re.findall(r'action="(/rota/[\w-]+/layers)"', page)[0]
    told = csrf | LAYER | {"members": str(other_clinic.staff["maya"])}
    answer = client.post(address, data=told, headers=HTML)
    assert (answer.status_code, "who work here" in answer.text) == (422, True)


def test_a_team_gains_and_loses_people(client: TestClient, sign_in: SignIn, clinic: Clinic) -> None:
    csrf = {"csrf_token": sign_in("cora")}
    page = client.get("/rota", headers=HTML).text
    address = re.findall(r'action="(/rota/teams/[\w-]+/members)"', page)[0]
    told = csrf | {"staff_id": str(clinic.staff["tess"])}
    assert client.post(address, data=told).status_code == 303
    leaves = f"{address}/{clinic.staff['tess']}/remove"
    assert "Remove Tess Alder from Heart team" in client.get("/rota", headers=HTML).text
    assert client.post(leaves, data=csrf).status_code == 303
    assert client.post(leaves, data=csrf).status_code == 404
    assert client.post("/rota/teams", data=csrf | {"name": "Lungs"}).status_code == 303
    sees = {"csrf_token": sign_in("maya")}
    assert client.get("/rota", headers=HTML).status_code == 200
    assert client.post("/rota/teams", data=sees | {"name": "Mine"}).status_code == 403


def test_incidents_of_paging_are_shown(
    client: TestClient, sign_in: SignIn, db: Db, clinic: Clinic
) -> None:
    with db.connect() as connection:
        connection.execute(
            "insert into incident (organisation_id, rule_id, severity, headline, why, opened_at, "
            "last_seen_at) values (%s, 'page_undelivered', 1, 'A page reached nobody', "
            "'Two channels failed', now(), now())",
            (clinic.id,),
        )
    sign_in("otto")
    assert "A page reached nobody" in client.get("/rota", headers=HTML).text
