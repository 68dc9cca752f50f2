"""Two clinics, every route that names a thing: one's own answers, another clinic's is not there.

Made from the route table. A route with a new kind of id fails until `stock` holds one of them.
"""

import re
from collections.abc import Iterator
from itertools import product
from uuid import uuid4

from httpx2 import Response
from starlette.testclient import TestClient

from dashboards.permissions import ROLES, may
from tests.dashboards import bodies
from tests.dashboards.conftest import Clinic, Connection, Db, SignIn
from tests.dashboards.stock import MONTH, RULE, stock
from tests.dashboards.table import OPEN, Route, routes, verbs_of

NOT_IDS = {"month": MONTH, "kind": "json", "rule_id": RULE}
"""What else stands in addresses: the same for every clinic."""
WHO = {
    "nurse": "maya", "provider": "tess", "coordinator": "cora", "billing": "bela",
    "operations": "otto", "administrator": "ada", "auditor": "ivo",
}  # fmt: skip
FORM = {
    "reason": "manual", "until": "15m", "note": "a note", "contact": "reached",
    "judged": "true", "action": "none", "event": "start", "timer_id": str(uuid4()),
    "activity": "review", "minutes": "5", "started": "2026-01-05T10:00", "title": "x",
    "due_on": "2026-01-05", "body": "hello", "role": "nurse", "mend": "consent", "name": "A name",
}  # fmt: skip
TABLE = [(min(r.methods - {"HEAD"}), r) for r in routes()]
NAMED = [(m, r) for m, r in TABLE if "{" in r.path and r.path not in OPEN]


def names(route: Route) -> list[str]:
    """The ids in a route's path."""
    return [n for n in re.findall(r"{(\w+)", route.path) if n not in NOT_IDS]


def member(route: Route) -> str:
    """Somebody whose role may use the route."""
    verbs = verbs_of(route)
    return next(WHO[role] for role in WHO if role in ROLES and all(may(role, v) for v in verbs))


def combinations(route: Route) -> Iterator[tuple[bool, ...]]:
    """Which of the ids are another clinic's: at least one of them."""
    for foreign in product([False, True], repeat=len(names(route))):
        if any(foreign):
            yield foreign


def asked(  # noqa: PLR0917 -- what a request is made of
    client: TestClient,
    method: str,
    route: Route,
    path_ids: dict[str, object],
    body_ids: dict[str, object],
    token: str,
) -> Response:
    """Ask as a page, or as a program, would."""
    path = re.sub(r"{(\w+)}", lambda found: str((path_ids | NOT_IDS)[found[1]]), route.path)
    headers = {"x-csrf-token": token}
    if route.path.startswith("/api/"):
        body = bodies.body(route.name, body_ids)
        return client.request(method, path, headers=headers, json=body)
    headers |= {"accept": "text/html", "hx-request": "true"}
    form = (
        bodies.form(route.dependant, body_ids)
        | FORM
        | {
            "patient_id": str(body_ids["patient_id"]),
            "owner": str(body_ids["patient_id"]),
            "ids": str(body_ids["episode_id"]),
        }
    )
    return client.request(method, path, headers=headers, data=form if method != "GET" else None)


def refusals(route: Route) -> set[int]:
    """What says that nothing was reached; a page's form may be refused before its ids are."""
    return {403, 404} if route.path.startswith("/api/") else {403, 404, 422}


def leaks(answer: Response) -> bool:
    """Whether an answer says something of clinic B, whose people have the names of clinic A's."""
    return any(word in answer.text for word in ("dev-b-", "@b.invalid", "Clinic B"))


def everything_of(connection: Connection, at: Clinic) -> dict[str, str]:
    """A digest of each table's rows of one clinic."""
    tables = connection.execute(
        "select c.table_name from information_schema.columns c join information_schema.tables t "
        "using (table_schema, table_name) where c.column_name = 'organisation_id' "
        "and c.table_schema = 'public' and t.table_type = 'BASE TABLE'"
    ).fetchall()
    digest = (
        "select coalesce(md5(string_agg(t::text, '' order by t::text)), '') from {} t "
        "where organisation_id = %s"
    )
    found = {}
    for (table,) in tables:
        row = connection.execute(digest.format(table).encode(), (at.id,)).fetchone()
        found[table] = str(row and row[0])
    return found


def test_the_stock_holds_one_of_every_kind_that_an_address_names(clinic: Clinic, db: Db) -> None:
    assert len(NAMED) > 80
    with db.connect() as connection:
        held = stock(connection, clinic, "maya")
    assert {name for _, route in NAMED for name in names(route)} <= set(held)


def everybody() -> list[str]:
    """Who is needed to use every route once."""
    return sorted({member(route) for _, route in NAMED})


def test_ones_own_is_there_and_another_clinics_is_not(
    client: TestClient, sign_in: SignIn, clinic: Clinic, other_clinic: Clinic, db: Db
) -> None:
    reached = []
    with db.connect() as connection:
        for who in everybody():
            token = sign_in(who)
            theirs, own = stock(connection, other_clinic, who), stock(connection, clinic, who)
            before = everything_of(connection, other_clinic)
            for method, route in NAMED:
                for foreign in combinations(route) if member(route) == who else ():
                    chosen = zip(names(route), foreign, strict=True)
                    path_ids = own | {name: theirs[name] for name, far in chosen if far}
                    answer = asked(client, method, route, path_ids, own, token)
                    if answer.status_code not in refusals(route) or leaks(answer):
                        reached.append(f"{method} {route.path} {foreign} {answer.status_code}")
            assert everything_of(connection, other_clinic) == before
    assert "\n".join(reached) == ""


NOT_OWN = {
    "/billing/lines/{line_id}/evidence.{kind}": "needs a judged month: test_billing_page.py",
    "/api/v1/billing-lines/{line_id}/evidence": "the same",
    "/billing/patients/{patient_id}": "the same",
    "/api/v1/billing/{month}/patients/{patient_id}": "the same",
}
"""What even its owner cannot have here; hubs need a broker: test_hubs.py."""


def sure_of_its_form(method: str, route: Route) -> bool:
    """Whether what is sent is known to fit: a page's form may ask for more than a schema says."""
    return method == "GET" or route.path.startswith("/api/")


def test_the_same_addresses_answer_for_ones_own(
    client: TestClient, sign_in: SignIn, clinic: Clinic, db: Db
) -> None:
    refused = []
    with db.connect() as connection:
        for who in everybody():
            token, own = sign_in(who), stock(connection, clinic, who)
            for method, route in NAMED:
                if member(route) != who or not sure_of_its_form(method, route):
                    continue
                if route.path in NOT_OWN or "/hubs/" in route.path:
                    continue
                if method != "GET":
                    own = stock(connection, clinic, who)
                answer = asked(client, method, route, own, own, token)
                if answer.status_code in {403, 404} or answer.status_code >= 500:
                    said = f"{method} {route.path} {answer.status_code} {answer.text[:150]}"
                    refused.append(said)
    assert "\n".join(refused) == ""


PAGES = {
    "/identity/{quarantine_id}/release",
    "/patients/{patient_id}/readings/{reading_id}/correct",
    "/worklist/bulk/claim",
    "/worklist/bulk/snooze",
}
"""Pages whose forms name things."""
BODIES = [
    (method, route)
    for method, route in TABLE
    if method != "GET"
    and (
        route.path in PAGES or (route.path.startswith("/api/") and bodies.asks_for_ids(route.name))
    )
]


def test_another_clinics_ids_in_a_body_reach_nothing(
    client: TestClient, sign_in: SignIn, clinic: Clinic, other_clinic: Clinic, db: Db
) -> None:
    assert len(BODIES) > len(PAGES)
    reached = []
    with db.connect() as connection:
        for who in sorted({member(route) for _, route in BODIES}):
            token = sign_in(who)
            own, theirs = stock(connection, clinic, who), stock(connection, other_clinic, who)
            before = everything_of(connection, other_clinic)
            for method, route in BODIES:
                if member(route) != who:
                    continue
                answer = asked(client, method, route, own, theirs, token)
                if leaks(answer) or not (answer.status_code in {403, 404} or none_done(answer)):
                    reached.append(f"{method} {route.path} {answer.status_code}")
            assert everything_of(connection, other_clinic) == before
    assert "\n".join(reached) == ""


def none_done(answer: Response) -> bool:
    """Whether an answer about several says of each that nothing was done."""
    several = answer.json() if answer.status_code == 200 else []
    return bool(several) and not any(each["done"] for each in several)
