"""Takes the screenshots of docs/screens: every page, light and dark, wide and phone.

Usage: python -m deploy.screens [NAME ...]   (starts a clinic of its own; names limit the pages)
"""

import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from deploy.demo.launch import Clinic, Wishes, running
from deploy.demo.place import Place
from deploy.demo.seed import address

TARGET = Path(__file__).resolve().parent.parent / "docs" / "screens"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
SIZES: dict[str, ViewportSize] = {
    "": {"width": 1440, "height": 900},
    "-phone": {"width": 390, "height": 844},
}
THEMES = ("light", "dark")
SETTLE_S = 25
"""Until the first live readings and their alerts are there."""
PAGES = {
    "maya": {
        "password": "/account/password",
        "worklist": "/worklist",
        "patient": "/patients/PATIENT",
        "readings": "/patients/PATIENT/readings",
        "alerts": "/patients/PATIENT/alerts",
        "time": "/patients/PATIENT/time",
        "tasks": "/tasks",
        "messages": "/messages",
        "patients": "/patients",
        "devices": "/fleet",
        "identity": "/identity",
        "account": "/account",
        "rota": "/rota",
    },
    "bela": {"billing": "/billing"},
    "tess": {
        "rules": "/admin/rules",
        "limits": "/patients/PATIENT/limits",
        "programs": "/patients/PATIENT/programs",
    },
    "ada": {
        "admin": "/admin",
        "audit": "/audit",
        "access": "/access",
        "tokens": "/admin/tokens",
        "hub": "/fleet HUB",
    },
}
"""What each of the demo's staff looks at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One way of looking: whose eyes, which theme, which size."""

    login: str
    theme: str
    size: str


def main(names: list[str]) -> None:
    """Look at every page, or at those that are named."""
    TARGET.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="tidings-screens-") as data, TemporaryDirectory() as sockets:
        wishes = Wishes(place=Place(root=Path(data)), radio=False, sockets=Path(sockets))
        with running(wishes, print) as clinic, sync_playwright() as started:
            sleep(SETTLE_S)
            chromium = shutil.which("chromium") or shutil.which("chromium-browser")
            browser = started.chromium.launch(executable_path=chromium, args=ARGUMENTS)
            for name in _taken(browser, clinic, names):
                print(name)
            browser.close()


def _taken(browser: Browser, clinic: Clinic, names: list[str]) -> Iterator[str]:
    """Take the pictures; yield their names."""
    for look in (Look(login=a, theme=b, size=c) for a in PAGES for b in THEMES for c in SIZES):
        context = browser.new_context(
            viewport=SIZES[look.size], base_url=clinic.url, reduced_motion="reduce"
        )
        context.add_cookies([{"name": "theme", "value": look.theme, "url": clinic.url}])
        page = context.new_page()
        page.goto("/login")
        if look.login == "maya" and _wanted("login", names):
            yield _keep(page, "login", look)
        patient = _enter(page, look.login, clinic.password)
        for name, path in PAGES[look.login].items():
            if _wanted(name, names):
                _go(page, path.replace("PATIENT", patient))
                yield _keep(page, name, look)
        context.close()


def _go(page: Page, path: str) -> None:
    """Open a page; `HUB` after it: the first hub that it links to."""
    address, _, hub = path.partition(" ")
    page.goto(address)
    if hub:
        page.goto(page.locator("a[href^='/fleet/hubs/']").first.get_attribute("href") or address)


def _wanted(name: str, names: list[str]) -> bool:
    return not names or name in names


def _enter(page: Page, login: str, password: str) -> str:
    """Sign in; return the second patient of the worklist, if there is one."""
    page.get_by_label("E-mail").fill(address(login))
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(lambda url: "/login" not in url)
    rows = page.locator("tr.row")
    if not rows.count():
        return ""
    return rows.nth(min(1, rows.count() - 1)).get_attribute("data-patient") or ""


def _keep(page: Page, name: str, look: Look) -> str:
    """Save one picture once fonts and charts have settled."""
    page.wait_for_load_state("load")
    page.evaluate("document.fonts.ready")
    page.wait_for_timeout(1000)
    path = TARGET / f"{name}-{look.theme}{look.size}.png"
    page.screenshot(path=path)
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE)
        small.save(path, optimize=True)
    return path.stem


if __name__ == "__main__":
    main(sys.argv[1:])
