"""Where health information must not be: addresses, page titles, logs, metrics, events, caches."""

import json
import logging
import re
from html import unescape
from uuid import UUID, uuid4

import pytest
import uvicorn
from starlette.testclient import TestClient

import dashboards.__main__ as process
from dashboards.live.hub import Hub
from tests.dashboards.conftest import CASES, Clinic, SignIn
from tests.dashboards.test_door import OPEN, routes

SPOKEN = {case.family for case in CASES} | {case.mrn for case in CASES}
SPOKEN |= {case.mrn[:3] + " " + case.mrn[3:] for case in CASES} | {"555-01"}
SPOKEN |= {case.headline for case in CASES} | {f"{case.born:%Y-%m-%d}" for case in CASES}
ADDRESS = re.compile(r'(?:href|action|src|hx-(?:get|post|put|delete))="([^"]*)"')
TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)


def said(text: str) -> set[str]:
    """What of a patient a text says."""
    plain = unescape(text).lower()
    return {word for word in SPOKEN if word.lower() in plain}


def pages(clinic: Clinic) -> list[str]:
    """Every address that a browser may ask for with what it knows of one patient."""
    ids = {"patient_id": clinic.patients[1], "episode_id": clinic.episodes[1]}
    return [
        route.path.format(**ids)
        for route in routes()
        if "GET" in (route.methods or set())
        and route.path not in OPEN | {"/events"}
        and set(re.findall(r"{(\w+)", route.path)) <= set(ids)
    ]


def test_the_words_looked_for_are_on_the_pages(
    client: TestClient, sign_in: SignIn, clinic: Clinic
) -> None:
    sign_in("maya")
    assert len(said(client.get(f"/patients/{clinic.patients[1]}").text)) >= 3


def test_no_patient_is_in_addresses_titles_logs_or_metrics_and_nothing_is_kept_by_caches(
    client: TestClient, sign_in: SignIn, clinic: Clinic, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    shown = 0
    for who in ("maya", "bela", "otto", "ada", "ivo"):
        token = sign_in(who)
        for path in pages(clinic):
            answer = client.get(path, headers={"accept": "text/html"})
            assert answer.headers["cache-control"] == "no-store", path
            assert answer.status_code < 500, path
            shown += bool(said(answer.text))
            for title in TITLE.findall(answer.text):
                assert not said(title), (path, title)
            for address in ADDRESS.findall(answer.text):
                assert not said(address), (path, address)
        if who == "maya":
            headers = {"x-csrf-token": token}
            client.post("/patients/search", data={"wanted": CASES[1].family}, headers=headers)
    assert shown > 10
    assert caplog.records
    assert not said(caplog.text)
    measured = client.get("/metrics").text
    assert "tidings_web_requests_total" in measured
    assert not said(measured)
    assert str(clinic.patients[1]) not in measured


def test_a_refused_request_says_nothing_of_its_patient(
    client: TestClient, sign_in: SignIn, clinic: Clinic, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    sign_in("otto")
    for path in (f"/patients/{clinic.patients[1]}", f"/worklist/episodes/{clinic.episodes[1]}"):
        assert not said(client.get(path, headers={"accept": "text/html"}).text)
    assert not said(caplog.text)


async def test_events_carry_ids_only_whatever_a_notification_says() -> None:
    hub, organisation, episode = Hub("", lambda: None), uuid4(), uuid4()  # type: ignore[arg-type,return-value]  # never asked
    told = {"episode": str(episode), "organisation": str(organisation), "severity": 1, "new": True}
    async with hub.subscribed(organisation) as queue:
        hub.hear(json.dumps(told | {"name": CASES[0].family, "headline": CASES[0].headline}))
        hub.flush()
        event = queue.get_nowait()
    assert event.data == {"ids": [str(UUID(int=episode.int))], "severities": [1]}


def test_addresses_are_not_logged_as_requests_come_in(monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[str, object] = {}
    monkeypatch.setattr(uvicorn, "run", lambda _, **settings: told.update(settings))
    process.main({"TIDINGS_WEB_DSN": "postgresql:///nowhere"})
    assert told["access_log"] is False
    assert told["server_header"] is False
