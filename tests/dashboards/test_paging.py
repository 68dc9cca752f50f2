"""The link in a page: looking takes nothing, the button does, once, and strangers get nowhere."""

from typing import Any

from starlette.testclient import TestClient

from tests.dashboards.conftest import Clinic, Db

TOKEN = "a-secret-that-only-the-page-holds"
HERE = {"sec-fetch-site": "same-origin"}


def _paged(db: Db, clinic: Clinic) -> None:
    """Jonah is paged about an episode that nobody has."""
    with db.connect() as connection:
        connection.execute(
            "insert into page (organisation_id, episode_id, duty, staff_id, severity, channels,"
            " created_at, state, token, reply_code)"
            " select e.organisation_id, e.id, 'primary_on_call', s.id, 1, '{push}', now(),"
            " 'delivered', %s, '1234' from episode e, staff s"
            " where e.owner_id is null and e.closed_at is null and e.organisation_id = %s"
            " and s.email = %s order by e.severity limit 1",
            (TOKEN, clinic.id, clinic.address("jonah")),
        )


def _state(db: Db) -> tuple[Any, ...]:
    with db.connect() as connection:
        row = connection.execute(
            "select p.state, s.display_name from page p join episode e on e.id = p.episode_id"
            " left join staff s on s.id = e.owner_id"
        ).fetchone()
    assert row is not None
    return row


def test_looking_at_the_link_takes_nothing(client: TestClient, db: Db, clinic: Clinic) -> None:
    _paged(db, clinic)
    assert "I take it" in client.get(f"/page/{TOKEN}").text
    assert _state(db) == ("delivered", None)


def test_the_button_takes_it_without_signing_in(client: TestClient, db: Db, clinic: Clinic) -> None:
    _paged(db, clinic)
    answer = client.post(f"/page/{TOKEN}", headers=HERE)
    assert "It is yours now." in answer.text
    assert _state(db) == ("acknowledged", "Jonah Kim")


def test_a_guessed_link_takes_nothing(client: TestClient, db: Db, clinic: Clinic) -> None:
    _paged(db, clinic)
    answer = client.post("/page/guess", headers=HERE)
    assert answer.status_code == 404
    assert _state(db) == ("delivered", None)


def test_another_site_cannot_press_the_button(client: TestClient, db: Db, clinic: Clinic) -> None:
    _paged(db, clinic)
    answer = client.post(f"/page/{TOKEN}", headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403
    assert _state(db) == ("delivered", None)
