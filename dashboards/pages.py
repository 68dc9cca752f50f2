"""HTML from templates: strict about missing names, aware of who is looking."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from billing import standing
from dashboards import faces, units
from dashboards.assets import Assets
from dashboards.permissions import Verb, may
from dashboards.worklist import words

THEMES = frozenset({"light", "dark"})
MACROS = ("icon", "glyph", "badge", "kbd", "avatar", "bar", "identifiers", "flags", "time_words")
ROOT = Path(__file__).parent / "templates"


def environment(assets: Assets) -> Environment:
    """Return the template environment with everything a template may call."""
    made = Environment(
        loader=FileSystemLoader(ROOT),
        autoescape=True,
        auto_reload=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {
        "asset": assets.address,
        "icons": assets.address("vendor/icons.svg"),
        "glyphs": assets.address("glyphs.svg"),
        "may": may,
        "Verb": Verb,
        "needed": standing.needed,
    }
    made.filters |= {**faces.FILTERS, **units.FILTERS, **words.FILTERS}
    macros = made.get_template("parts/macros.html").module
    made.globals |= {name: getattr(macros, name) for name in MACROS}
    return made


@cache
def shared() -> "Pages":
    """Return the templates, compiled once for every application of this process."""
    return Pages(Assets())


@dataclass(slots=True)
class Pages:
    """Renders templates."""

    assets: Assets
    _environment: Environment = field(init=False)

    def __post_init__(self) -> None:
        self._environment = environment(self.assets)

    def text(self, name: str, context: Mapping[str, object]) -> str:
        """Return a template's text."""
        return self._environment.get_template(name).render(context)

    def html(
        self,
        request: Request,
        name: str,
        *contexts: Mapping[str, object],
        status: int = 200,
        **more: object,
    ) -> HTMLResponse:
        """Answer with a template; the theme and the key switch come from the browser's cookies."""
        theme = request.cookies.get("theme", "")
        context: dict[str, object] = {
            "theme": theme if theme in THEMES else "",
            "keys_on": request.cookies.get("keys") != "off",
            "compact": request.cookies.get("density") == "compact",
        }
        for each in (*contexts, more):
            context |= each
        return HTMLResponse(self.text(name, context), status_code=status)
