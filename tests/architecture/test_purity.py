"""ARCHITECTURE.md lists the modules that touch the world; everything else must be pure."""

import ast
import fnmatch
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("alerts", "billing", "care", "dashboards", "database", "devices", "gateway", "ingest")
WORLD = {
    "aiosmtplib", "alembic", "apprise", "argon2", "asyncio", "bleak", "bleak_retry_connector",
    "bluetooth_auto_recovery", "bumble", "ctypes", "dbus_fast", "fastapi", "fcntl", "httpx2",
    "http", "jinja2", "multiprocessing", "os", "paho", "prometheus_client", "psycopg",
    "psycopg_pool", "random", "rich", "secrets", "select", "shutil", "signal", "smtplib", "socket",
    "sqlite3", "ssl", "starlette", "structlog", "subprocess", "sys", "tempfile", "threading",
    "time", "typer", "urllib", "uvicorn", "weasyprint",
}  # fmt: skip
HARMLESS = {("random", "Random"), ("urllib", "parse"), ("urllib.parse", "urlsplit")}


def listed(document: str) -> list[str]:
    """The patterns in the table under 'Modules that touch the world'."""
    section = document.split("## Modules that touch the world", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"`([a-z_]+/[\w/*.]+\.py)`", section)


def imported(source: str) -> set[str]:
    """Dotted names of everything a module imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            pairs = [(node.module, alias.name) for alias in node.names]
            names |= {f"{m}.{n}" for m, n in pairs if (m, n) not in HARMLESS}
    return names


def touches_the_world(names: set[str], impure: set[str]) -> set[str]:
    """Those of the imports that are I/O, ours or others'."""
    ours = {n for n in names if n in impure or n.rsplit(".", 1)[0] in impure}
    return ours | {n for n in names if n.split(".")[0] in WORLD}


def tree() -> dict[str, str]:
    files = [f for package in PACKAGES for f in (ROOT / package).rglob("*.py")]
    return {f.relative_to(ROOT).as_posix(): f.read_text() for f in files}


def dotted(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def verdicts(sources: dict[str, str], patterns: list[str]) -> tuple[dict[str, set[str]], list[str]]:
    """(impure modules that are not listed, with what they import; patterns that match nothing)."""
    impure = {p for p in sources if any(fnmatch.fnmatch(p, pattern) for pattern in patterns)}
    names = {dotted(p) for p in impure}
    found = {p: touches_the_world(imported(text), names) for p, text in sources.items()}
    trespassers = {p: what for p, what in found.items() if what and p not in impure}
    idle = [
        pattern
        for pattern in patterns
        if not any(found[p] for p in sources if fnmatch.fnmatch(p, pattern))
    ]
    return trespassers, idle


def test_only_the_listed_modules_touch_the_world() -> None:
    patterns = listed((ROOT / "ARCHITECTURE.md").read_text())
    trespassers, idle = verdicts(tree(), patterns)
    assert trespassers == {}
    assert idle == [], "listed, but pure or gone: take them off the list"


@pytest.mark.parametrize(
    "line",
    ["import time", "from psycopg import sql", "from jinja2 import Template", "import x.store"],
)
def test_the_guard_fires_on_a_new_decision_module(line: str) -> None:
    sources = {"x/store.py": "import psycopg", "x/decision.py": line}
    trespassers, _ = verdicts(sources, ["x/store.py"])
    assert list(trespassers) == ["x/decision.py"]


def test_the_guard_fires_on_a_listed_module_that_became_pure() -> None:
    assert verdicts({"x/store.py": "import math"}, ["x/store.py"]) == ({}, ["x/store.py"])


def test_tests_are_no_packages() -> None:
    """An __init__.py below tests/ would hide the package of the same name."""
    assert list((ROOT / "tests").rglob("__init__.py")) == []
