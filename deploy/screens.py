"""Takes the screenshots of docs/screens from a running Tidings, such as the demo's.

Usage: python -m deploy.screens http://127.0.0.1:8000 nurse@example.invalid PASSWORD [ADMIN_EMAIL]
"""

import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

TARGET = Path(__file__).resolve().parent.parent / "docs" / "screens"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
SIZES: dict[str, ViewportSize] = {
    "": {"width": 1440, "height": 900},
    "-phone": {"width": 390, "height": 844},
}
THEMES = ("light", "dark")
STAFF_PAGES = {
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
}
ADMIN_PAGES = {"admin": "/admin", "audit": "/audit"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Somebody who signs in, and the pages to look at."""

    address: str
    email: str
    password: str
    pages: dict[str, str]


def main(arguments: list[str]) -> None:
    """Look at every page in both themes and sizes."""
    address, email, password, *admin = arguments
    visitors = [Visitor(address=address, email=email, password=password, pages=STAFF_PAGES)]
    visitors += [
        Visitor(address=address, email=a, password=password, pages=ADMIN_PAGES) for a in admin
    ]
    TARGET.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as started:
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = started.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        for name in _taken(browser, visitors):
            print(name)
        browser.close()


def _taken(browser: Browser, visitors: list[Visitor]) -> Iterator[str]:
    """Take the pictures; yield their names."""
    for theme in THEMES:
        for size, viewport in SIZES.items():
            for visitor in visitors:
                context = browser.new_context(
                    viewport=viewport, base_url=visitor.address, reduced_motion="reduce"
                )
                context.add_cookies([{"name": "theme", "value": theme, "url": visitor.address}])
                page = context.new_page()
                if visitor.pages is STAFF_PAGES:
                    page.goto("/login")
                    yield _keep(page, f"login-{theme}{size}")
                patient = _enter(page, visitor)
                for name, path in visitor.pages.items():
                    page.goto(path.replace("PATIENT", patient))
                    page.wait_for_load_state("load")
                    yield _keep(page, f"{name}-{theme}{size}")
                context.close()


def _enter(page: Page, visitor: Visitor) -> str:
    """Sign in; return the second patient of the worklist, if there is one."""
    page.goto("/login")
    page.get_by_label("E-mail").fill(visitor.email)
    page.get_by_label("Password").fill(visitor.password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/login" not in url)
    rows = page.locator("tr.row")
    return (
        (rows.nth(min(1, rows.count() - 1)).get_attribute("data-patient") or "")
        if rows.count()
        else ""
    )


def _keep(page: Page, name: str) -> str:
    """Save one picture once fonts and charts have settled."""
    page.evaluate("document.fonts.ready")
    page.wait_for_timeout(1500)
    path = TARGET / f"{name}.png"
    page.screenshot(path=path)
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE)
        small.save(path, optimize=True)
    return name


if __name__ == "__main__":
    main(sys.argv[1:])
