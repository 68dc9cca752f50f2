"""Looks, unattended, whether readings travel all the way: each hop with its time."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from time import monotonic, sleep
from typing import Any

import httpx2
from rich.table import Table

from database import sql
from database.pool import connect
from deploy.demo import homes
from deploy.demo.launch import Clinic, keep
from deploy.demo.seed import address

PATIENCE_S = 60.0
LOOK_S = 0.25
KINDS = ("blood_pressure", "weight", "glucose")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One step of the path: what was seen, and how long it took."""

    name: str
    seen: str
    took_s: float | None
    """None: not seen within the time."""


def check(clinic: Clinic, say: Callable[[str], None]) -> list[Hop]:
    """Return every hop; the last one has no time if the path is broken there."""
    hops: list[Hop] = []
    deadline = monotonic() + PATIENCE_S
    for step in (_stored, _alerted, _on_the_worklist):
        found = _until(partial(step, clinic), clinic, deadline, say)
        hops += found
        if not found or found[-1].took_s is None:
            break
    return hops


def table(hops: list[Hop]) -> Table:
    """Return the hops as a table for the terminal."""
    drawn = Table("hop", "seen", "seconds", title="From the device to the worklist")
    for hop in hops:
        took = "not seen" if hop.took_s is None else f"{hop.took_s:.2f}"
        drawn.add_row(hop.name, hop.seen, took)
    return drawn


def passed(hops: list[Hop]) -> bool:
    """Say whether the whole path was seen."""
    return bool(hops) and all(hop.took_s is not None for hop in hops) and hops[-1].name == LAST


LAST = "worklist"


def _until(
    look: Callable[[], list[Hop] | None],
    clinic: Clinic,
    deadline: float,
    say: Callable[[str], None],
) -> list[Hop]:
    """Look until the step is seen or the time is over."""
    while (found := look()) is None:
        if monotonic() > deadline:
            return [Hop(name="stuck", seen=_diagnosis(clinic), took_s=None)]
        keep(clinic, say)
        sleep(LOOK_S)
    return found


def _stored(clinic: Clinic) -> list[Hop] | None:
    """A live reading of each kind of device has reached the database."""
    rows = _ask(clinic, "first_live", {"gateways": list(homes.LIVING_AT), "since": clinic.ready_at})
    firsts = {row[0]: row for row in rows}
    if set(firsts) < set(KINDS):
        return None
    hops = []
    for kind in KINDS:
        _, measured, caught, received, stored = firsts[kind]
        words = kind.replace("_", " ")
        hops.append(_hop("device to gateway", words, measured, caught))
        hops.append(_hop("gateway to ingest", words, caught, received))
        hops.append(_hop("ingest to database", words, received, stored))
    return hops


def _alerted(clinic: Clinic) -> list[Hop] | None:
    """A live breach has become an alert."""
    rows = _ask(
        clinic, "first_alert", {"gateways": list(homes.LIVING_AT), "since": clinic.ready_at}
    )
    if not rows:
        return None
    headline, received, raised = rows[0]
    return [_hop("database to alert", headline, received, raised)]


def _on_the_worklist(clinic: Clinic) -> list[Hop] | None:
    """A nurse who signs in sees that patient."""
    rows = _ask(clinic, "alerted_patients", {"gateways": list(homes.LIVING_AT)})
    started = monotonic()
    try:
        page = worklist(clinic)
    except httpx2.HTTPError as error:
        return [Hop(name=LAST, seen=f"{error}; see {clinic.place.logs}/web.log", took_s=None)]
    shown = [mrn for (mrn,) in rows if mrn in page]
    if not shown:
        return None
    return [Hop(name=LAST, seen=f"patient {shown[0]}", took_s=monotonic() - started)]


def worklist(clinic: Clinic) -> str:
    """Sign in as the nurse and return the worklist's HTML."""
    with httpx2.Client(base_url=clinic.url, follow_redirects=True, timeout=10) as browser:
        same_origin = {"Origin": clinic.url, "Sec-Fetch-Site": "same-origin"}
        credentials = {"email": address("maya"), "password": clinic.password}
        answer = browser.post("/login", data=credentials, headers=same_origin)
        answer.raise_for_status()
        return browser.get("/worklist").raise_for_status().text


def _hop(name: str, seen: str, begin: datetime, end: datetime) -> Hop:
    return Hop(name=name, seen=seen, took_s=max(0.0, (end - begin).total_seconds()))


def _diagnosis(clinic: Clinic) -> str:
    """Say how far the readings came, for whoever reads the table."""
    counts = _ask(clinic, "how_far", {"gateways": list(homes.LIVING_AT), "since": clinic.ready_at})
    live, quarantined, waiting, alerts = counts[0]
    return (
        f"{live} live readings stored, {quarantined} quarantined, {waiting} wait for evaluation, "
        f"{alerts} alerts; logs in {clinic.place.logs}"
    )


def _ask(clinic: Clinic, query: str, named: dict[str, object]) -> list[tuple[Any, ...]]:
    with connect(clinic.dsn, autocommit=True) as connection:
        return connection.execute(sql.load("deploy.demo")[query], named).fetchall()
