"""The commands over a real database, as somebody types them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from billing import cli
from deploy.demo.small import NOW, Small, opened

RUN = CliRunner()
WIDE = {"COLUMNS": "200", "TERM": "dumb"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """The ways into the test's database."""

    dsn: str
    worker_dsn: str


@pytest.fixture
def small(db: Ways, monkeypatch: pytest.MonkeyPatch) -> Iterator[Small]:
    monkeypatch.setenv("TIDINGS_BILLING_DSN", db.worker_dsn)
    monkeypatch.setattr(cli, "wall_clock", lambda: NOW)
    with opened(db.dsn, db.worker_dsn, people=2) as made:
        yield made


def said(*words: str, code: int = 0) -> str:
    result = RUN.invoke(cli.app, list(words), env=WIDE)
    assert result.exit_code == code, result.output
    return result.output


def test_a_month_is_judged_exported_and_proven(small: Small, tmp_path: Path) -> None:
    assert "2 patients judged" in said("evaluate", "--month", "2026-10")
    out = tmp_path / "october.csv"
    told = said("export", "--month", "2026-10", "--format", "csv", "--out", str(out))
    assert "draft, not counted as exported" in told
    assert out.read_text().count("\n") == small.ask("select count(*) from bill_line")[0][0] + 1
    line = small.ask("select line_id from bill_line where code = '99457'")[0][0]
    said("evidence", "--line", line, "--out", str(tmp_path / "proof"))
    papers = {path.suffix: path.read_bytes() for path in (tmp_path / "proof").iterdir()}
    assert set(papers) == {".json", ".csv", ".pdf"}
    assert papers[".pdf"].startswith(b"%PDF")
    assert json.loads(papers[".json"])["line_id"] == line


def test_one_patient_is_judged_and_nothing_is_written(small: Small) -> None:
    told = said("evaluate", "--patient", str(small.patients[0]), "--month", "2026-10")
    assert "99457" in told
    assert "us-medicare-cy2026" in told
    assert small.ask("select count(*) from billing_patient") == [(0,)]


def test_a_claim_file_of_an_open_month_is_refused_in_one_line(small: Small, tmp_path: Path) -> None:
    said("evaluate", "--month", "2026-10")
    out = str(tmp_path / "x")
    told = said("export", "--month", "2026-10", "--format", "837p", "--out", out, code=1)
    assert "the month is not in a state for this" in told
    assert not Path(out).exists()
    assert small.ask("select count(*) from billing_export") == [(0,)]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("evaluate", "--month", "October"), 2, "write it as 2026-10"),
        (("evaluate", "--patient", "00000000-0000-0000-0000-000000000001"), 1, "no patient"),
        (("evidence", "--line", "nothing", "--out", "unused"), 1, "no line"),
        (("evaluate", "--organisation", "Elsewhere"), 1, "--organisation: name one of"),
        (("evaluate", "--dsn", ""), 2, "Say where the database is"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(
    small: Small,
    words: tuple[str, ...],
    code: int,
    told: str,
) -> None:
    assert small.patients
    assert told in said(*words, code=code)
