import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from database import sql


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    package = tmp_path / "a_folder"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    yield package
    sys.modules.pop("a_folder", None)
    sql.load.cache_clear()


def test_queries_are_found_by_name(folder: Path) -> None:
    text = "-- about the file\n-- name: one\n-- says one\nselect 1;\n\n-- name: two_3\nselect 2"
    (folder / "queries.sql").write_text(text)
    assert sql.load("a_folder") == {"one": "-- says one\nselect 1;", "two_3": "select 2"}


def test_a_name_used_twice_is_refused(folder: Path) -> None:
    (folder / "queries.sql").write_text("-- name: one\nselect 1\n-- name: one\nselect 2")
    with pytest.raises(ValueError, match="repeats a name"):
        sql.load("a_folder")
