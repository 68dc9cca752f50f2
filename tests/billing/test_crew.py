"""A crew ends with the process that deals."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from billing.crew import Crew, deal
from billing.gather import Connection, Share
from tests.conftest import Database

DEALER = """
import sys
from tests.billing.test_crew import at_work
at_work(sys.argv[1], sys.argv[2])
"""


def _wait_for_ever(_: Connection, share: Share) -> None:
    Path(str(share), str(os.getpid())).touch()
    signal.pause()


def at_work(dsn: str, folder: str) -> None:
    """Deal two shares that never end; each puts its process's id into the folder."""
    crew = Crew(dsn=dsn, processes=2)
    list(deal([folder, folder], _wait_for_ever, None, crew))  # type: ignore[list-item,arg-type]  # never looked at


def test_a_crew_ends_when_the_process_that_deals_is_killed(db: Database, tmp_path: Path) -> None:
    dealer = subprocess.Popen(
        [sys.executable, "-c", DEALER, db.worker_dsn, tmp_path], cwd=Path(__file__).parents[2]
    )
    while len(crew := [int(each.name) for each in tmp_path.iterdir()]) < 2:
        assert dealer.poll() is None
        time.sleep(0.05)
    dealer.kill()
    dealer.wait()
    assert _all_end(crew)


def _all_end(processes: list[int]) -> bool:
    """Whether all are gone within half a minute."""
    deadline = time.monotonic() + 30
    while any(map(_alive, processes)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _alive(process: int) -> bool:
    """Whether it runs: one whose parent is dead may stay as a name until somebody collects it."""
    command = ["ps", "-o", "stat=", "-p", str(process)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    return told.stdout.strip()[:1] not in {"", "Z"}
