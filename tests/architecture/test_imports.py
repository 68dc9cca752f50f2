import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    tool = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [tool, "--config", folder / "pyproject.toml", "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_folders_import_downwards_only() -> None:
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("importer", "line", "broken"),
    [
        ("alerts", "import ingest", "neighbours do not know each other"),
        ("care", "import alerts", "neighbours do not know each other"),
        ("gateway", "import database", "neighbours do not know each other"),
        ("dashboards", "import gateway", "nothing knows the gateway"),
        ("gateway", "import fastapi", "No server software on the gateway box"),
        ("devices", "import deploy", "nothing knows the gateway"),
    ],
)
def test_the_guard_fires(tmp_path: Path, importer: str, line: str, broken: str) -> None:
    """Each forbidden import, tried in a tree of empty packages with our own contracts."""
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    for package in ROOT.glob("*/__init__.py"):
        (tmp_path / package.parent.name).mkdir()
        (tmp_path / package.parent.name / "__init__.py").touch()
    (tmp_path / importer / "trespass.py").write_text(f"{line}\n")
    result = lint_imports(tmp_path)
    assert result.returncode == 1
    assert f"{broken} BROKEN" in result.stdout.replace("\n", " ")
