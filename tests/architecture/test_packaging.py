"""What the wheel holds, and that its plain top-level names are ours alone."""

import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DATA = {".sql", ".yaml", ".html", ".css", ".js", ".svg", ".woff2", ".conf", ".typed"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
TOP = {
    name for name in PROJECT["tool"]["setuptools"]["packages"]["find"]["include"] if "." not in name
}


def tracked(top: str) -> set[str]:
    out = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", top],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return {name for name in out.stdout.splitlines() if (ROOT / name).exists()}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT],
        capture_output=True,
        check=True,
    )
    with zipfile.ZipFile(next(out.glob("*.whl"))) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_every_module_and_data_file(wheel: set[str]) -> None:
    wanted = {
        name
        for top in TOP
        for name in tracked(top)
        if name.endswith(".py") or (Path(name).suffix in DATA and not name.startswith("deploy/"))
    }
    assert wanted - wheel == set()


def test_every_folder_of_code_is_declared() -> None:
    folders = {f.parent.name for f in ROOT.glob("*/__init__.py")}
    assert folders == TOP


def test_every_subfolder_of_code_is_a_package() -> None:
    modules = {ROOT / name for top in TOP for name in tracked(top) if name.endswith(".py")}
    bare = {f.parent.relative_to(ROOT).as_posix() for f in modules} - {
        f.parent.relative_to(ROOT).as_posix() for f in modules if f.name == "__init__.py"
    }
    assert bare == set()


@pytest.mark.parametrize("top", sorted(TOP))
def test_no_other_distribution_owns_our_name(top: str) -> None:
    assert set(packages_distributions().get(top, ["tidings"])) == {"tidings"}
