"""The documents tell the truth: their links, commands, settings and words exist."""

import re
import subprocess
from pathlib import Path

import pytest

from tidings.__main__ import COMMANDS

ROOT = Path(__file__).parents[2]
TRACKED = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
    cwd=ROOT,
    capture_output=True,
    text=True,
    check=True,
).stdout.splitlines()
DOCUMENTS = [name for name in TRACKED if name.endswith(".md") and (ROOT / name).exists()]
SECTIONS = ("Status", "Date", "## Context", "## Choice", "## Consequences")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_leads_somewhere(name: str) -> None:
    document = ROOT / name
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text())
    local = [link for link in links if not re.match(r"[a-z]+:", link)]
    assert [link for link in local if not (document.parent / link).exists()] == []


def test_the_readmes_two_commands_are_made() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z]+)", (ROOT / "README.md").read_text()))
    assert {"demo", "test"} <= named <= targets


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_command_that_is_named_exists(name: str) -> None:
    named = set(re.findall(r"`tidings ([a-z]+)", (ROOT / name).read_text()))
    assert named - {command.name for command in COMMANDS} == set()


@pytest.mark.parametrize("name", [n for n in DOCUMENTS if n.startswith("docs/adr/")])
def test_every_decision_has_its_parts(name: str) -> None:
    text = (ROOT / name).read_text()
    assert [part for part in SECTIONS if part not in text] == []


def test_every_promise_names_tests_that_exist() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "ARCHITECTURE.md").read_text())
    assert len(named) >= 10
    gone = [name for file, name in named if f"def {name}(" not in (ROOT / file).read_text()]
    assert gone == []


def test_the_glossary_is_in_order_and_says_each_word_once() -> None:
    rows = re.findall(r"^\| ([^|]+) \|", (ROOT / "docs/glossary.md").read_text(), re.MULTILINE)
    words = [row.strip().lower() for row in rows if row.strip() not in ("word", "---")]
    assert words == sorted(set(words))


def test_every_setting_that_a_guide_names_is_read_somewhere() -> None:
    code = "\n".join(
        (ROOT / name).read_text()
        for name in TRACKED
        if name.endswith((".py", ".sh", ".yaml")) and (ROOT / name).exists()
    )
    named = {
        setting
        for name in DOCUMENTS
        for setting in re.findall(r"\b(TIDINGS_[A-Z_]+[A-Z])\b(?!_?\*)", (ROOT / name).read_text())
    }
    assert {setting for setting in named if setting not in code} == set()


def test_nothing_names_a_path_of_one_machine() -> None:
    """Whoever clones the repository has none of our folders."""
    pattern = re.compile(r"(?<![\w.])/(?:work/main|root/|home/[a-z])|\.\./shared|\.pyenv")
    guilty = [
        name
        for name in TRACKED
        if (ROOT / name).is_file()
        and not name.startswith(("dashboards/static/vendor", "tests/architecture"))
        and (ROOT / name).suffix not in {".png", ".woff2"}
        and pattern.search((ROOT / name).read_text(errors="replace"))
    ]
    assert guilty == []
