"""The OpenAPI document holds: schemathesis asks what nobody would, and follows every link."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from dashboards import permissions
from dashboards.api import document
from dashboards.permissions import Verb
from tests.dashboards.api import token_for
from tests.dashboards.conftest import Clinic, Db, serving

ASKED = os.environ.get("TIDINGS_API_EXAMPLES", "")
"""Of each operation, in the longer run of CONTRIBUTING.md, which also tries every edge."""
PHASES = "examples,coverage,fuzzing,stateful" if ASKED else "examples,fuzzing,stateful"


@pytest.fixture
def everything(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One role that may do all there is, so that one token reaches every operation."""
    roles = {**permissions.ROLES, "nurse": frozenset(Verb)}
    monkeypatch.setattr(permissions, "ROLES", roles)
    return None


@pytest.mark.usefixtures("everything")
def test_no_request_breaks_the_server_or_the_document(
    app: FastAPI, db: Db, clinic: Clinic, tmp_path: Path
) -> None:
    token = token_for(db, clinic, "nurse", frozenset(Verb))
    assert document.document()  # made once a process, and slowly on a machine that is busy
    with serving(app) as address:
        told = subprocess.run(
            [
                sys.executable, "-m", "schemathesis.cli", "run",
                f"{address}/api/v1/openapi.json",
                "--header", f"Authorization: Bearer {token}",
                "--checks", "all",
                "--request-timeout", "60",
                "--phases", PHASES,
                "--max-examples", ASKED or "2",
                "--seed", "1",
                "--no-color",
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip
    assert told.returncode == 0, told.stdout[-12000:] + told.stderr[-3000:]
