"""The worklist's head, what its answers keep of the page that asked, and whom it puts on record."""

import re
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from dashboards.worklist import store
from dashboards.worklist.filters import Filters, parameters
from dashboards.worklist.lately import MOST, Lately
from dashboards.worklist.looks import MOST_SEEN, MOST_SESSIONS, Looks
from dashboards.worklist.store import Episode
from dashboards.worklist.tally import Tally
from tests.dashboards.conftest import Clinic, Db, SignIn

EVERYTHING = "/worklist?view=all"


def count_on(page: str, tab: str) -> int:
    found = re.search(rf'{tab} <span class="tab-count">([\d,]+)<', page)
    assert found is not None
    return int(found[1].replace(",", ""))


def looks_of(db: Db) -> list[tuple[str, set[str]]]:
    """Every look on the trail: what at, and which patients were there."""
    with db.connect() as connection:
        found = connection.execute(
            "select object_kind, patient_id::text, detail -> 'patients' from audit "
            "where action = 'look' order by id"
        ).fetchall()
    return [(kind, {one} if one else set(several or [])) for kind, one, several in found]


def test_each_counts_what_they_may_see_and_never_what_somebody_else_does(
    client: TestClient, sign_in: SignIn, clinic: Clinic, db: Db
) -> None:
    with db.connect() as connection:
        connection.execute("update care_team set closed = true")
    seen = {}
    for name in ("maya", "jonah", "maya", "jonah"):
        sign_in(name)
        page = client.get(EVERYTHING).text
        seen[name] = page.count('<tr id="e-')
        assert count_on(page, "All open") == seen[name]
        shown = client.get("/worklist").text
        assert count_on(shown, "Needs action") == shown.count('<tr id="e-')
        critical = client.get(f"{EVERYTHING}&sev=critical").text
        assert int(critical.partition('data-critical="')[2].partition('"')[0]) == critical.count(
            '<tr id="e-'
        )
    assert seen["maya"] == len(clinic.episodes) > seen["jonah"] > 0


def test_an_answer_keeps_the_view_and_filters_of_the_page_that_asked(
    client: TestClient, sign_in: SignIn, clinic: Clinic
) -> None:
    token = sign_in("maya")
    page = "http://localhost/worklist?view=unclaimed&sev=high&open=anything"
    headers = {"x-csrf-token": token, "hx-request": "true", "hx-current-url": page}
    answer = client.post(f"/episodes/{clinic.episodes[0]}/claim", headers=headers).text
    assert 'href="/worklist?view=unclaimed&amp;sev=high" aria-current="page"' in answer
    assert f'href="/worklist?view=unclaimed&amp;sev=high&amp;open={clinic.episodes[0]}"' in answer


@pytest.mark.parametrize(
    ("address", "query"),
    [
        ("https://a.invalid/worklist?view=mine&lang=es&open=1", "view=mine&lang=es"),
        ("/worklist", ""),
        ("https://a.invalid/patients?view=mine", ""),
        ("", ""),
    ],
)
def test_the_filters_of_a_page_are_in_its_address(address: str, query: str) -> None:
    assert Filters.of_page(address).query == query


def test_a_changed_row_is_a_look_unless_the_session_has_that_patient_on_record(
    client: TestClient, sign_in: SignIn, clinic: Clinic, db: Db
) -> None:
    rows, pane = "/worklist/rows?", f"&pane={clinic.episodes[1]}"
    some = "&".join(f"ids={each}" for each in clinic.episodes[:2])
    patients = [str(each) for each in clinic.patients]
    sign_in("maya")
    client.get(rows + some)
    assert looks_of(db) == [("worklist", set(patients[:2]))]
    client.get(rows + some)
    client.get(f"{rows}{some}&ids={clinic.episodes[2]}")
    assert looks_of(db)[1:] == [("worklist", {patients[2]})]
    client.get(rows + pane)
    client.get(rows + pane)
    assert looks_of(db)[2:] == [("episode", {patients[1]})]
    sign_in("maya")
    client.get(rows + some)
    assert looks_of(db)[3:] == [("worklist", set(patients[:2]))]


def test_what_was_not_committed_is_not_on_record(
    client: TestClient, sign_in: SignIn, clinic: Clinic, db: Db
) -> None:
    sign_in("maya")
    address = f"/worklist/rows?ids={clinic.episodes[0]}"
    assert client.get(f"{address}&pane={UUID(int=0)}").status_code == 404
    assert looks_of(db) == []
    assert client.get(address).status_code == 200
    assert looks_of(db) == [("worklist", {str(clinic.patients[0])})]


def test_what_is_forgotten_is_new_again() -> None:
    looks, someone = Looks(), UUID(int=1)
    for session in range(MOST_SESSIONS + 1):
        looks.keep(str(session).encode(), [someone])
    assert looks.new(b"0", [someone]) == [someone]
    assert looks.new(b"1", [someone]) == []
    looks.keep(b"1", [UUID(int=2 + n) for n in range(MOST_SEEN)])
    assert looks.new(b"1", [someone, UUID(int=2)]) == [someone]


def test_a_slow_request_does_not_hold_up_the_others_of_its_session(
    client: TestClient, sign_in: SignIn, db: Db
) -> None:
    sign_in("maya")
    with db.connect() as connection:
        connection.execute("update staff_session set last_seen_at = now() - interval '1 minute'")
        connection.commit()
        connection.execute("select from staff_session for update")
        assert client.get("/account", headers={"accept": "text/html"}).status_code == 200


async def test_of_all_who_see_the_same_one_counts_at_a_time() -> None:
    tally, whose, other = Tally(), (UUID(int=1), ""), (UUID(int=1), "glass")
    async with tally.turn(whose):
        assert tally.turn(whose).locked()
        assert not tally.turn(other).locked()
    assert not tally.turn(whose).locked()


def test_rows_read_for_one_serve_all_who_see_the_same_until_the_next_event() -> None:
    lately, now = Lately(), datetime(2026, 9, 15, 12, tzinfo=UTC)
    rows = cast("list[Episode]", ["a row"])
    clinic, other, ids = UUID(int=1), UUID(int=2), (UUID(int=3),)
    lately.keep((clinic, "all", 7, ids), rows, now)
    assert lately.rows((clinic, "all", 7, ids), now) == rows
    for asked in (
        (other, "all", 7, ids),
        (clinic, "some", 7, ids),
        (clinic, "all", 8, ids),
        (clinic, "all", 7, ()),
    ):
        assert lately.rows(asked, now) is None
    assert lately.rows((clinic, "all", 7, ids), now + timedelta(seconds=2)) is None


def test_only_so_many_are_kept() -> None:
    lately, now = Lately(), datetime(2026, 9, 15, 12, tzinfo=UTC)
    for event in range(MOST + 1):
        lately.keep((UUID(int=1), "", event, ()), [], now)
    assert lately.rows((UUID(int=1), "", 0, ()), now) is None
    assert lately.rows((UUID(int=1), "", 1, ()), now) == []


@pytest.mark.parametrize(("query", "asked"), [({}, False), ({"lang": "es"}, True)])
def test_a_page_is_found_without_its_patients_unless_a_filter_asks_for_them(
    db: Db, query: dict[str, str], *, asked: bool
) -> None:
    wanted = parameters(
        Filters.parse(query), staff_id=UUID(int=0), now=datetime.now(UTC), after=None, most=51
    )
    with db.connect() as connection:
        explained = connection.execute(f"explain {store.QUERIES['rows']}".encode(), wanted)
        plan = "\n".join(line for (line,) in explained.fetchall())
    finding = plan.partition("CTE page")[2].partition("CTE Scan on page")[0]
    assert (" on patient p" in finding) == asked
