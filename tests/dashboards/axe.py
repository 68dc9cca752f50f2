"""What axe-core finds wrong with the page that is open: WCAG 2.2 AA in light and in dark."""

from pathlib import Path
from typing import Literal

import axe_playwright_python
from playwright.sync_api import Page

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text(encoding="utf-8")
RUN = """async only => {
  const found = await axe.run(document, {runOnly: only, resultTypes: ["violations"]});
  const where = fault => fault.nodes.map(node => node.html.slice(0, 160)).join(" | ");
  return found.violations.map(fault => `${fault.id}: ${where(fault)}`);
}"""
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
EVERY_RULE = {"type": "tag", "values": TAGS}
CONTRAST = {"type": "rule", "values": ["color-contrast"]}
Scheme = Literal["light", "dark"]


def faults(page: Page) -> list[str]:
    """What any rule finds as the page is shown, and the contrast in the other colors; too wide."""
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(AXE)
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    shown, other = _schemes(dark=dark)
    found = list(page.evaluate(RUN, EVERY_RULE))
    page.emulate_media(color_scheme=other)
    found += [f"in {other}: {each}" for each in page.evaluate(RUN, CONTRAST)]
    page.emulate_media(color_scheme=shown)
    return [*found, "scrolls sideways"] if too_wide(page) else found


def too_wide(page: Page) -> bool:
    """Whether the page scrolls sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


def _schemes(*, dark: bool) -> tuple[Scheme, Scheme]:
    return ("dark", "light") if dark else ("light", "dark")
