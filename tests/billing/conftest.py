"""The cases that ship with the tests, and a plain month to change."""

import copy
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from billing import closing, files, filing
from billing.crew import Crew
from billing.files import Format
from deploy.demo.small import NOW, Small, opened
from tests.conftest import Database

FOLDER = Path(__file__).parent / "cases"
FILES = ("us_medicare_cy2026.json", "own.json")

Raw = dict[str, Any]


def all_cases() -> list[Raw]:
    return [row for name in FILES for row in json.loads((FOLDER / name).read_text())["cases"]]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "worked" in metafunc.fixturenames:
        rows = all_cases()
        metafunc.parametrize("worked", rows, ids=[row["id"] for row in rows])


@pytest.fixture
def small(db: Database) -> Iterator[Small]:
    """A small clinic whose months are judged and closed."""
    with opened(db.dsn, db.worker_dsn) as made:
        yield made


def judge(small: Small, now: datetime = NOW) -> int:
    """Judge October as it stands at a moment; return how many patients."""
    return closing.evaluate_month(small.worker, small.key, by="test", now=now)


def lock(small: Small) -> None:
    """Judge October, sign it by a second person and lock it."""
    judge(small)
    closing.review(small.worker, small.key, by="staff:first", now=NOW)
    closing.sign_off(small.worker, small.key, by="staff:second", now=NOW)
    closing.lock(small.worker, small.key, by="staff:second", now=NOW)


def export(small: Small, form: Format = Format.CSV, crew: Crew | None = None) -> bytes:
    """Write October's file; return its bytes."""
    made = files.make(small.worker, small.key, form, by="staff:first", now=NOW, crew=crew)
    return b"".join(filing.pieces(small.worker, small.key, made))


@pytest.fixture(scope="session")
def cases() -> dict[str, Raw]:
    return {row["id"]: row for row in all_cases()}


@pytest.fixture(scope="session")
def month() -> Callable[..., Raw]:
    """Return a maker of a patient's January 2026: 16 device days and a 25-minute call."""

    def make(**changes: object) -> Raw:
        raw: Raw = {
            "org_timezone": "America/New_York",
            "patient": {
                "id": "P1",
                "timezone": "America/New_York",
                "established_patient": True,
                "prior_visit_on": "2025-11-03",
            },
            "consents": [
                {"id": "C1", "program": "RPM", "at": "2026-01-05T09:00:00-05:00"},
            ],
            "orders": [
                {
                    "id": "O1",
                    "program": "RPM",
                    "at": "2026-01-05T09:05:00-05:00",
                    "ordering_npi": "1245319599",
                    "icd10": ["I10", "E11.9"],
                },
            ],
            "episode": {
                "id": "E1",
                "program": "RPM",
                "monitoring_start": "2026-01-05",
                "setup_education_on": "2026-01-05",
            },
            "readings": [
                {
                    "id": f"R{day}",
                    "at": f"2026-01-{day:02d}T07:30:00-05:00",
                    "device": "bp-1",
                    "entry": "device",
                }
                for day in range(5, 21)
            ],
            "time_entries": [
                {
                    "id": "T1",
                    "start": "2026-01-08T10:00:00-05:00",
                    "end": "2026-01-08T10:25:00-05:00",
                    "staff_id": "S1",
                    "role": "rn",
                    "program": "RPM",
                    "activity": "treatment_mgmt",
                    "interactive": True,
                    "mode": "audio",
                    "note": "Spoke about salt and the morning dose.",
                },
            ],
            "billing": {
                "billing_npi": "1234567893",
                "rendering_npi": "1245319599",
                "place_of_service": "11",
            },
            "evaluate": {
                "window": ["2026-01-05", "2026-02-03"],
                "month": "2026-01",
                "families": ["rpm_device", "rpm_mgmt"],
            },
            "as_of": "2026-02-05T12:00:00-05:00",
        }
        raw.update(copy.deepcopy(changes))
        return raw

    return make
