"""Hubs on the fleet page: codes shown once, revocation, orders and their answers, whose device."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from dashboards.app import create
from dashboards.fleet import ordering
from dashboards.gateways import orders
from dashboards.settings import BoxDoor, Settings, from_environment
from devices import wire
from ingest.settings import Broker
from tests.dashboards.conftest import Clinic, Clock, Db, SignIn

HTML = {"accept": "text/html"}


@pytest.fixture
def settings(db: Db, clock: Clock) -> Settings:
    return Settings(
        dsn=db.web_dsn, clock=clock, connections=6, broker=Broker(), boxes=BoxDoor(host="b.invalid")
    )


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, wire.Command]]:
    """What would have gone to the broker; a hub answers at once."""
    told: list[tuple[str, wire.Command]] = []

    def give(
        _: Broker, topic: str, command: wire.Command, *, now: datetime, wait_s: float
    ) -> wire.Result | None:
        assert now < command.expires_at
        assert wait_s
        told.append((topic, command))
        if command.device == "away":
            return None
        ok = command.device != "unknown"
        return wire.Result(v=wire.VERSION, id=command.id, ok=ok, reason="as told")

    monkeypatch.setattr(orders, "give", give)
    return told


def test_a_one_time_code_is_shown_once_and_opens_the_door(
    client: TestClient, sign_in: SignIn, db: Db
) -> None:
    token = sign_in("otto")
    form = {"csrf_token": token, "gateway": "gw-new", "site": "elm-street", "label": "Elm 5"}
    page = client.post("/fleet/hubs", data=form).text
    code = re.findall(r'id="code">([0-9A-Z-]{19})<', page)[0]
    assert code not in client.get("/fleet/hubs/gw-new", headers=HTML).text
    answer = client.post("/gateways/enrol", json={"code": code})
    assert (answer.status_code, answer.json()["broker"]["host"]) == (200, "b.invalid")
    assert client.post("/gateways/enrol", json={"code": code}).status_code == 403
    with db.connect() as connection:
        row = connection.execute(
            "select array_agg(action order by id) from audit "
            "where object_id = 'gw-new' and action <> 'look'"
        ).fetchone()
    assert row == (["offer_code", "enrol"],)


@pytest.mark.parametrize("gateway", ["gw-b", "no/slash", ""])
def test_an_id_that_is_taken_or_cannot_be_used_is_refused(
    client: TestClient, sign_in: SignIn, gateway: str
) -> None:
    form = {"csrf_token": sign_in("otto"), "gateway": gateway, "site": "home"}
    assert client.post("/fleet/hubs", data=form).status_code == 403


def test_a_revoked_hub_hears_no_orders(
    client: TestClient, sign_in: SignIn, given: list[tuple[str, wire.Command]]
) -> None:
    form = {"csrf_token": sign_in("otto")}
    assert client.post("/fleet/hubs/gw-a/revoke", data=form).status_code == 403
    assert client.post("/fleet/hubs/gw-a/revoke", data=form | {"reason": "Lost"}).status_code == 303
    assert "Revoked" in client.get("/fleet/hubs/gw-a", headers=HTML).text
    told = client.post("/fleet/hubs/gw-a/orders", data=form | {"command": "report_now"})
    assert told.status_code == 403
    assert given == []


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        ({"command": "report_now"}, "Done"),
        ({"command": "pair", "device": "unknown"}, "Refused"),
        ({"command": "forget", "device": "away"}, "Waits for the hub"),
    ],
)
def test_an_order_is_on_record_before_it_is_given_and_its_answer_after(
    client: TestClient,
    sign_in: SignIn,
    given: list[tuple[str, wire.Command]],
    form: dict[str, str],
    shown: str,
) -> None:
    form |= {"csrf_token": sign_in("otto")}
    assert client.post("/fleet/hubs/gw-a/orders", data=form).status_code == 303
    assert [(topic, told.command) for topic, told in given] == [
        ("tidings/v1/home/gw-a", form["command"])
    ]
    page = client.get("/fleet/hubs/gw-a/orders", headers=HTML).text
    assert shown in page
    assert "Otto Brand" in page


def test_an_unanswered_order_is_asked_again_with_the_same_id(
    client: TestClient, sign_in: SignIn, given: list[tuple[str, wire.Command]]
) -> None:
    form = {"csrf_token": sign_in("otto"), "command": "forget", "device": "away"}
    client.post("/fleet/hubs/gw-a/orders", data=form)
    page = client.get("/fleet/hubs/gw-a/orders", headers=HTML).text
    again = re.findall(r'action="(/fleet/hubs/gw-a/orders/[\w-]+/again)"', page)[0]
    assert client.post(again, data=form).status_code == 303
    assert given[0][1].id == given[1][1].id


def test_a_rotated_credential_takes_over_once_the_hub_has_it(
    client: TestClient, sign_in: SignIn, db: Db, given: list[tuple[str, wire.Command]]
) -> None:
    token = sign_in("otto")
    page = client.post("/fleet/hubs/gw-a/code", data={"csrf_token": token}).text
    client.post("/gateways/enrol", json={"code": re.findall(r'id="code">([\w-]+)<', page)[0]})
    with db.connect() as connection:
        select = "select password_hash, next_hash from gateway_credential"
        before = connection.execute(select).fetchone()
        form = {"csrf_token": token, "command": ordering.ROTATE}
        assert client.post("/fleet/hubs/gw-a/orders", data=form).status_code == 303
        after = connection.execute(select).fetchone()
        kept = connection.execute(
            "select count(*) from gateway_command where to_jsonb(gateway_command)::text like %s",
            (f"%{given[0][1].arguments['password']}%",),
        ).fetchone()
    assert before is not None
    assert after is not None
    assert (after[0] != before[0], after[1]) == (True, None)
    assert kept == (0,)


@pytest.mark.parametrize(
    ("form", "status"),
    [({"command": "explode"}, 403), ({"command": "forget"}, 403), ({}, 403)],
)
def test_an_order_that_is_none_is_refused(
    client: TestClient,
    sign_in: SignIn,
    given: list[tuple[str, wire.Command]],
    form: dict[str, str],
    status: int,
) -> None:
    form |= {"csrf_token": sign_in("otto")}
    assert client.post("/fleet/hubs/gw-a/orders", data=form).status_code == status
    assert given == []


def test_a_device_is_given_to_another_patient_from_now_on(
    client: TestClient, sign_in: SignIn, db: Db, clinic: Clinic
) -> None:
    token = sign_in("otto")
    with db.connect() as connection:
        rows = connection.execute(
            "select d.id, p.mrn from device d, patient p where d.organisation_id = %s and "
            "p.id = %s order by d.id limit 1",
            (clinic.id, clinic.patients[3]),
        ).fetchall()
        device, mrn = rows[0]
        select = (
            "select patient_id, assigned_to is null from device_assignment where device_id = %s "
            "order by assigned_from"
        )
        form = {"csrf_token": token, "mrn": "none such"}
        assert client.post(f"/fleet/devices/{device}/assign", data=form).status_code == 403
        assert len(connection.execute(select, (device,)).fetchall()) == 1
        form |= {"mrn": mrn, "back": "gw-a"}
        done = client.post(f"/fleet/devices/{device}/assign", data=form)
        assert done.headers["location"] == "/fleet/hubs/gw-a"
        found = connection.execute(select, (device,)).fetchall()
    assert [open_ for _, open_ in found] == [False, True]
    assert found[1][0] == clinic.patients[3]
    form = {"csrf_token": sign_in("maya"), "mrn": mrn}
    assert client.post(f"/fleet/devices/{device}/assign", data=form).status_code == 403


def test_a_device_is_added_to_a_hub(client: TestClient, sign_in: SignIn) -> None:
    form = {"csrf_token": sign_in("otto"), "identity": "SN-77", "model": "no such"}
    assert client.post("/fleet/hubs/gw-a/devices", data=form).status_code == 403
    assert client.post("/fleet/hubs/gw-a/devices", data=form | {"model": ""}).status_code == 303
    assert "SN-77" in client.get("/fleet/hubs/gw-a", headers=HTML).text


def test_without_a_broker_the_page_says_where_else(
    sign_in: SignIn, settings: Settings, clinic: Clinic
) -> None:
    bare: FastAPI = create(replace(settings, broker=None, boxes=None))
    head = {"sec-fetch-site": "same-origin"}
    with TestClient(bare, base_url="http://localhost", headers=head, follow_redirects=False) as one:
        sign_in("otto", clinic, one)
        page = one.get("/fleet/hubs/gw-a", headers=HTML).text
    assert "tidings gateways command" in page
    assert "tidings gateways code" in page


def test_the_environment_says_where_boxes_find_the_broker() -> None:
    told = {"TIDINGS_WEB_DSN": "x", "TIDINGS_GATEWAY_BROKER_HOST": "mqtt.invalid"}
    read = from_environment(told, lambda: datetime.now(UTC))
    assert (read.boxes, read.broker) == (BoxDoor(host="mqtt.invalid"), None)
    told["TIDINGS_BROKER_HOST"] = "broker"
    assert from_environment(told, lambda: datetime.now(UTC)).broker == Broker(host="broker")
