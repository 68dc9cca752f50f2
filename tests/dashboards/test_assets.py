"""The rules for templates and vendored files, as tests."""

import base64
import gzip
import hashlib
import json
import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

import dashboards
from dashboards.assets import ROOT as STATIC
from dashboards.assets import Assets
from dashboards.pages import ROOT as TEMPLATES
from dashboards.pages import environment

VENDOR = STATIC / "vendor"
PAGES = sorted(TEMPLATES.rglob("*.html"))
SCRIPTS = sorted((STATIC / "js").glob("*.js"))
FORBIDDEN = {
    "an inline script": r"<script(?![^>]*\bsrc=)",
    "an inline style": r"<style|\sstyle\s*=",
    "an event attribute": r"\son[a-z]{3,}=",
    "hx-on, which needs eval": r"hx-on",
    "a trigger filter, which needs eval": r"hx-trigger=\"[^\"]*\[",
    "a js: value, which needs eval": r"js:|javascript:",
    "another site": r"https?://",
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}-{page.name}")
@pytest.mark.parametrize("fault", FORBIDDEN)
def test_no_template_holds(page: Path, fault: str) -> None:
    found = re.search(FORBIDDEN[fault], page.read_text(encoding="utf-8"), re.IGNORECASE)
    assert found is None, f"{page.name}: {fault}: {found and found[0]}"


def test_the_rules_would_catch_what_they_forbid() -> None:
    bad = '<script>1</script><p style="x"><p onclick="x" hx-on:click="x"><a href="http://x">'
    assert sum(bool(re.search(rule, bad)) for rule in FORBIDDEN.values()) >= 5
    assert not re.search(FORBIDDEN["an inline script"], '<script src="/x.js" defer></script>')


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}-{page.name}")
def test_every_template_compiles_and_uses_only_what_there_is(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    environment(Assets()).get_template(page.relative_to(TEMPLATES).as_posix())
    sprite = (VENDOR / "icons.svg").read_text(encoding="utf-8")
    for name in re.findall(r"icon\(\"([a-z0-9-]+)\"", text):
        assert f'id="{name}"' in sprite, name


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_our_scripts_never_evaluate_or_write_markup(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    assert not re.search(r"\beval\(|new Function|\.innerHTML|\.outerHTML|insertAdjacentHTML", text)


def sha384(path: Path) -> str:
    return "sha384-" + base64.b64encode(hashlib.sha384(path.read_bytes()).digest()).decode()


def test_vendored_files_are_what_the_lock_says() -> None:
    text = (VENDOR / "vendor.lock.json").read_text(encoding="utf-8")
    assert "http" not in text
    wanted = {
        name: digest
        for package in json.loads(text).values()
        for name, digest in package["files"].items()
    }
    assert wanted == {
        path.name: sha384(path) for path in VENDOR.iterdir() if path.name != "vendor.lock.json"
    }


def test_every_vendored_package_brings_its_licence() -> None:
    for package, entry in json.loads((VENDOR / "vendor.lock.json").read_text()).items():
        assert any("LICENSE" in name for name in entry["files"]), package


ELSEWHERE = {"admin.css", "billing.css", "billing.js"}
"""What the worklist does not load."""


def test_the_worklist_fits_the_budget() -> None:
    def weight(pattern: str) -> int:
        found = [path for path in STATIC.glob(pattern) if path.name not in ELSEWHERE]
        return sum(len(gzip.compress(path.read_bytes())) for path in found)

    page = weight("js/*.js") + weight("css/*.css") + weight("*.svg") + weight("vendor/*.js")
    page += weight("vendor/*.css") + weight("vendor/icons.svg")
    fonts = (VENDOR / "inter-latin-wght-normal.woff2").stat().st_size
    assert page + fonts < 120_000


def test_addresses_change_with_their_content(client: TestClient) -> None:
    address = Assets().address("css/tokens.css")
    answer = client.get(address)
    assert "immutable" in answer.headers["cache-control"]
    assert "immutable" not in client.get("/static/css/tokens.css?v=old").headers["cache-control"]
    assert client.get("/static/../app.py").status_code == 404


def test_the_package_carries_its_templates() -> None:
    assert (Path(dashboards.__file__).parent / "templates" / "shell.html").exists()
