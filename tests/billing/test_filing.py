"""A month's files in pieces: no process holds a whole one, whatever its size."""

import hashlib
import tracemalloc
from pathlib import Path
from uuid import UUID

import pytest

from billing import filing
from billing.files import Format
from billing.filing import File
from deploy.demo.small import NOW, Small
from tests.billing.conftest import export, judge

DRAFT = File(number=None, format="xlsx", name="f", sha256="", lines=0, differences=[])
SIZES = ((0, []), (1, [1]), (100, [100]), (101, [100, 1]), (250, [100, 100, 50]))


def keep(small: Small, path: Path) -> UUID:
    with small.worker.transaction():
        return filing.keep(small.worker, small.key, DRAFT, path, by="staff:a", now=NOW)


def read(small: Small, made: UUID) -> list[bytes]:
    return list(filing.pieces(small.worker, small.key, made))


def test_a_file_is_kept_and_read_in_pieces(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filing, "PIECE", 100)
    written = tmp_path / "file"
    for size, pieces in SIZES:
        written.write_bytes(bytes(range(250))[:size])
        found = read(small, keep(small, written))
        assert list(map(len, found)) == pieces, size
        assert b"".join(found) == written.read_bytes(), size


def test_a_file_kept_before_there_were_pieces_is_read_whole(small: Small, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    made = keep(small, tmp_path / "file")
    small.owner.execute("update billing_export set content = 'old' where id = %s", (made,))
    assert read(small, made) == [b"old"]


def test_a_large_file_takes_a_few_pieces_of_memory(small: Small, tmp_path: Path) -> None:
    written, size = tmp_path / "file", 64 * filing.PIECE
    with written.open("wb") as out:
        out.truncate(size)
    tracemalloc.start()
    made = keep(small, written)
    digest = filing.sha256_of(written)
    found = sum(map(len, filing.pieces(small.worker, small.key, made)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (found, digest) == (size, hashlib.sha256(bytes(size)).hexdigest())
    assert peak < 8 * filing.PIECE


def test_an_xlsx_is_stored_as_it_was_written_and_old_drafts_go_with_their_pieces(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filing, "PIECE", 1000)
    judge(small)
    whole = export(small, Format.XLSX)
    query = (
        "select e.sha256, count(*), max(length(p.content)) from billing_export e"
        " join billing_export_piece p on p.export_id = e.id group by e.id"
    )
    stored = (hashlib.sha256(whole).hexdigest(), -(-len(whole) // 1000), 1000)
    assert small.ask(query) == [stored]
    for _ in range(5):
        export(small, Format.XLSX)
    assert small.ask(query) == 4 * [stored]
