"""The staff application among 100,000 patients and 50,000 open alerts; then the listeners.

`python -m deploy.bench.web [--patients 100000] [--open 50000] [--times 30] [--listeners 200,1000]`
One web process and one PostgreSQL on loopback, a signed-in session for each; ends in JSON.
"""

import argparse
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import psycopg

from database import sql
from database.migrate import migrate
from database.pool import connect
from deploy.bench import common
from deploy.bench.crowd import listeners
from deploy.embedded.broker import free_port
from deploy.embedded.postgres import EmbeddedPostgres

QUERIES = sql.load("deploy.bench.crowd")
FILLS = ("teams", "patients", "enrolments", "episodes", "alerts", "events", "readings")
SERVER = {"shared_buffers": "256MB", "max_wal_size": "4GB"}
TARGET_MS = 150.0
LIVE_TARGET_MS = 1000.0
"""From commit to row, with as many browsers as a large clinic has."""
LARGE = 200
USERS = 8
CHANGES = 5
THINKS_S = 0.5
"""A quick nurse's pause before the next click."""
VIEWS = ("action", "mine", "unclaimed", "soon", "silent", "devices", "all")
FILTERS = {
    "severity": "sev=critical",
    "rare language": "lang=fr",
    "condition": "cond=copd",
    "programme": "prog=pcmh",
    "measurement": "metric=glucose",
    "everything": "view=all&lang=fr&cond=copd&prog=pcmh&metric=weight",
    "nothing found": "lang=xx&metric=temperature",
}
Owner = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """The filled database and the process over it."""

    postgres: EmbeddedPostgres
    organisation: UUID
    port: int
    pid: int
    patients: list[UUID]
    episodes: list[UUID]

    def used_s(self) -> tuple[float, float]:
        """Processor seconds that the web process and PostgreSQL have used."""
        return (
            common.cpu_s([self.pid]),
            common.cpu_s(common.descendants(self.postgres.pid)),
        )


def main() -> None:
    """Measure, tell, conclude."""
    told = _arguments()
    crowds = [int(each) for each in told.listeners.split(",") if each]
    with _filled(told.patients, told.open, max([USERS, *crowds])) as bench:
        figures: dict[str, object] = {"bench": "web", "patients": told.patients, "open": told.open}
        alone = {name: _alone(bench, name, told.times) for name in _pages(bench)}
        together = _together(bench, told.seconds)
        live = [_live(bench, many) for many in crowds]
        figures |= {"target_ms": TARGET_MS, "alone_ms": alone, f"users_{USERS}_ms": together}
        figures |= {"live_target_ms": LIVE_TARGET_MS, "live": live}
        figures |= {"floors_met": pages_met(alone, together), "live_met": live_met(live)}
        figures["web_peak_mb"] = round(common.memory_mb(bench.pid))
    common.conclude(figures)


@contextmanager
def _filled(patients: int, opened: int, sessions: int) -> Iterator[Bench]:
    """Fill a database, and serve it by the web process as it is started anywhere."""
    with tempfile.TemporaryDirectory(prefix="tidings-bench-") as top:
        Path(top).chmod(0o711)
        with EmbeddedPostgres(Path(top) / "postgres", settings=SERVER) as postgres:
            migrate(postgres.dsn())
            with connect(postgres.dsn(), autocommit=True) as owner:
                organisation = _fill(owner, patients, opened, sessions)
                busiest = [
                    row[0] for row in owner.execute(QUERIES["busiest"].encode(), {"most": 200})
                ]
                first = owner.execute(QUERIES["first_page"].encode(), {"most": 50}).fetchall()
            with _served(postgres) as (port, pid):
                yield Bench(
                    postgres=postgres,
                    organisation=organisation,
                    port=port,
                    pid=pid,
                    patients=busiest,
                    episodes=[row[0] for row in first],
                )


def _fill(owner: Owner, patients: int, opened: int, sessions: int) -> UUID:
    """Load everything by whole sets."""
    began = time.monotonic()
    row = owner.execute(QUERIES["organisation"].encode()).fetchone()
    if row is None:
        raise RuntimeError("no organisation")
    organisation: UUID = row[0]
    told = {"organisation": organisation, "patients": patients, "opened": opened}
    owner.execute(QUERIES["staff"].encode(), told)
    owner.execute(QUERIES["sessions"].encode(), {"sessions": sessions})
    for name in FILLS:
        owner.execute(QUERIES[name].encode(), told)
    owner.execute("select settle_tally()")
    owner.execute("vacuum analyze")
    common.say(f"{patients:,} patients, {opened:,} open: {time.monotonic() - began:.0f} s")
    return organisation


@contextmanager
def _served(postgres: EmbeddedPostgres) -> Iterator[tuple[int, int]]:
    """Start `python -m dashboards`; yield its port and process id."""
    port = free_port()
    environment = {
        "TIDINGS_WEB_DSN": postgres.dsn(user="tidings_web"),
        "TIDINGS_WEB_PORT": str(port),
        "TIDINGS_WEB_HOST": "127.0.0.1",
    }
    process = common.spawn("dashboards", environment=environment)
    try:
        _until_it_answers(port, time.monotonic() + 60)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(30)


def _until_it_answers(port: int, deadline: float) -> None:
    while True:
        try:
            ask(HTTPConnection("127.0.0.1", port), "/login", cookie="")
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def ask(link: HTTPConnection, path: str, *, cookie: str) -> tuple[float, str]:
    """Get a page as a browser would; return milliseconds until its last byte, and its text."""
    headers = {"cookie": f"sid={cookie}", "accept-encoding": "gzip", "accept": "text/html"}
    began = time.perf_counter()
    link.request("GET", path, headers=headers)
    answer = link.getresponse()
    body = answer.read()
    took = (time.perf_counter() - began) * 1000
    if answer.status != 200:
        raise RuntimeError(f"{path}: {answer.status} {body[:200]!r}")
    return took, listeners.text(answer.headers.get("content-encoding", ""), body)


def _pages(bench: Bench) -> dict[str, list[str]]:
    """What is measured: a name, and the addresses that take turns."""
    found = {f"view {view}": [f"/worklist?view={view}"] for view in VIEWS}
    found |= {f"filter {name}": [f"/worklist?{query}"] for name, query in FILTERS.items()}
    found["worklist page 2"] = [_second_page(bench)]
    ids = "&".join(f"ids={each}" for each in bench.episodes[:3])
    found["changed rows"] = [f"/worklist/rows?{ids}"]
    found["pane"] = [f"/worklist/episodes/{each}" for each in bench.episodes]
    found["patient page"] = [f"/patients/{each}?days=90" for each in bench.patients]
    found["readings"] = [f"/patients/{each}/readings" for each in bench.patients]
    return found


def _second_page(bench: Bench) -> str:
    """Find where the list says that it goes on."""
    page = ask(HTTPConnection("127.0.0.1", bench.port), "/worklist?view=all", cookie="bench-1")[1]
    return "/worklist/more" + page.partition("/worklist/more")[2].partition('"')[0].replace(
        "&amp;", "&"
    )


def _alone(bench: Bench, name: str, times: int) -> dict[str, float]:
    """One user asks for a page again and again."""
    addresses = _pages(bench)[name]
    link = HTTPConnection("127.0.0.1", bench.port)
    for warm in range(2):
        ask(link, addresses[warm % len(addresses)], cookie="bench-1")
    before = bench.used_s()
    found = [ask(link, addresses[n % len(addresses)], cookie="bench-1")[0] for n in range(times)]
    web, postgres = (
        1000 * (now - then) / times for now, then in zip(bench.used_s(), before, strict=True)
    )
    figures = listeners.spread(found) | {"web_cpu": round(web, 1), "db_cpu": round(postgres, 1)}
    common.say(f"{name:24} {figures}")
    return figures


def _together(bench: Bench, seconds: float) -> dict[str, dict[str, float]]:
    """Several users click around, each thinking for a moment in between."""
    pages = {
        "worklist": ["/worklist", "/worklist?view=all", "/worklist?view=soon"],
        **{name: _pages(bench)[name] for name in ("worklist page 2", "pane", "patient page")},
    }
    found: dict[str, list[float]] = {name: [] for name in pages}
    end = time.monotonic() + seconds
    users = [
        threading.Thread(target=_click, args=(bench, number, pages, found, end))
        for number in range(1, USERS + 1)
    ]
    for user in users:
        user.start()
    for user in users:
        user.join()
    figures = {name: listeners.spread(times) for name, times in found.items()}
    common.say(f"{USERS} users: {figures}")
    return figures


def _click(
    bench: Bench,
    number: int,
    pages: Mapping[str, list[str]],
    found: Mapping[str, list[float]],
    end: float,
) -> None:
    chance = random.Random(number)
    link = HTTPConnection("127.0.0.1", bench.port)
    while time.monotonic() < end:
        time.sleep(chance.expovariate(1 / THINKS_S))
        name = chance.choice(list(pages))
        found[name].append(ask(link, chance.choice(pages[name]), cookie=f"bench-{number}")[0])


def pages_met(*measured: Mapping[str, Mapping[str, float]]) -> bool:
    """Whether every page was quick enough, alone and among others."""
    return all(
        figures["p95"] < TARGET_MS for pages in measured for figures in pages.values() if figures
    )


def live_met(crowds: Sequence[Mapping[str, object]]) -> bool:
    """Whether everybody had the row in time, in crowds up to a large clinic's."""
    judged = [each for each in crowds if cast("int", each["listeners"]) <= LARGE]
    waits = [cast("Mapping[str, float]", each["row_ms"]) for each in judged]
    return all(not each["never_shown"] for each in judged) and all(
        wait["max"] < LIVE_TARGET_MS for wait in waits
    )


def _live(bench: Bench, many: int) -> dict[str, object]:
    """Let browsers listen, change alerts, and see when each has been told and has the row."""
    with connect(bench.postgres.dsn()) as owner:
        owner.execute(QUERIES["wake"].encode())
        owner.commit()

        def change(episode: UUID) -> None:
            told = {"id": episode, "organisation": bench.organisation}
            owner.execute(QUERIES["change"].encode(), told)
            owner.execute(QUERIES["tell"].encode(), told)
            owner.commit()

        before = bench.used_s()
        figures = listeners.heard(bench.port, many, bench.episodes[:CHANGES], change)
        web, postgres = (
            round(now - then, 1) for now, then in zip(bench.used_s(), before, strict=True)
        )
    figures |= {"web_cpu_s": web, "db_cpu_s": postgres}
    common.say(f"{many} listeners: {figures}")
    return figures


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=100_000)
    parser.add_argument("--open", type=int, default=50_000)
    parser.add_argument("--times", type=int, default=30, help="each page")
    parser.add_argument("--seconds", type=float, default=15, help="of several users")
    parser.add_argument("--listeners", default="200,1000")
    return parser.parse_args(sys.argv[1:])


if __name__ == "__main__":
    main()
