"""Refresh the vendored browser assets with `npm pack`; for maintainers who bump a version only.

Usage: python -m deploy.vendor. Users and tests never need node: the files are committed and
`dashboards/static/vendor/vendor.lock.json` holds their hashes, which a test checks again.
"""

import base64
import hashlib
import json
import re
import subprocess
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "dashboards" / "static" / "vendor"

PACKAGES: dict[str, dict[str, str]] = {
    "htmx.org@4.0.1": {
        "LICENSE": "htmx.LICENSE.txt",
    },
    "uplot@1.6.32": {
        "dist/uPlot.iife.min.js": "uplot.min.js",
        "dist/uPlot.min.css": "uplot.min.css",
        "LICENSE": "uplot.LICENSE.txt",
    },
    "lucide-static@1.62.0": {"LICENSE": "lucide.LICENSE.txt"},
    "@fontsource-variable/inter@5.3.0": {
        "files/inter-latin-wght-normal.woff2": "inter-latin-wght-normal.woff2",
        "LICENSE": "inter.LICENSE.txt",
    },
    "@fontsource-variable/atkinson-hyperlegible-next@5.3.0": {
        "files/atkinson-hyperlegible-next-latin-wght-normal.woff2": "atkinson-next-latin.woff2",
        "LICENSE": "atkinson.LICENSE.txt",
    },
}

ICONS = [
    "activity",
    "alarm-clock",
    "arrow-up-right",
    "battery-low",
    "bell",
    "building-2",
    "calendar-days",
    "chart-line",
    "check",
    "chevron-down",
    "chevron-left",
    "chevron-right",
    "circle-check",
    "circle-question-mark",
    "circle-x",
    "clipboard-check",
    "clock",
    "download",
    "eye",
    "file-text",
    "filter",
    "fingerprint",
    "flag",
    "hand",
    "handshake",
    "history",
    "house",
    "inbox",
    "key-round",
    "keyboard",
    "languages",
    "layout-list",
    "list-checks",
    "list-plus",
    "lock",
    "lock-open",
    "log-out",
    "message-square",
    "message-square-text",
    "monitor",
    "moon",
    "pause",
    "pencil",
    "phone",
    "pill",
    "play",
    "plus",
    "radio-tower",
    "receipt-text",
    "repeat",
    "scroll-text",
    "search",
    "send",
    "settings",
    "shield-check",
    "sliders-horizontal",
    "smartphone",
    "stethoscope",
    "sun",
    "table-2",
    "timer",
    "trash-2",
    "triangle-alert",
    "undo-2",
    "user-check",
    "user-cog",
    "user-round",
    "user-search",
    "users",
    "wifi-off",
    "wrench",
    "x",
]

SYMBOL = (
    '<symbol id="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" '
    'stroke-linecap="round" stroke-linejoin="round">{shapes}</symbol>'
)


def main() -> None:
    """Fetch every package, copy what we serve, write the sprite and the lock file."""
    TARGET.mkdir(parents=True, exist_ok=True)
    lock: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for package, files in PACKAGES.items():
            archive = _pack(package, Path(scratch))
            written = _copy(archive, files)
            if package.startswith("htmx"):
                written["htmx-sse.min.js"] = _together(archive)
            if package.startswith("lucide"):
                written["icons.svg"] = _keep("icons.svg", _sprite(archive).encode())
            lock[package] = {"integrity": _integrity(archive.read_bytes()), "files": written}
            print(package, *written)
    (TARGET / "vendor.lock.json").write_text(json.dumps(lock, indent=2) + "\n", encoding="utf-8")


def _pack(package: str, into: Path) -> Path:
    """Let the npm client fetch one package as an archive."""
    done = subprocess.run(
        ["npm", "pack", package, "--silent"], cwd=into, check=True, capture_output=True, text=True
    )
    return into / done.stdout.strip().splitlines()[-1]


def _copy(archive: Path, files: dict[str, str]) -> dict[str, str]:
    """Copy the named members out; return file name -> sha384."""
    with tarfile.open(archive) as tar:
        return {name: _keep(name, _member(tar, member)) for member, name in files.items()}


def _together(archive: Path) -> str:
    """Join htmx and its SSE extension: apart, htmx may start before the extension is there."""
    parts = ("dist/htmx.min.js", "dist/ext/hx-sse.min.js")
    with tarfile.open(archive) as tar:
        scripts = [_without_map(_member(tar, part)) for part in parts]
    return _keep("htmx-sse.min.js", b"\n".join(scripts))


def _member(tar: tarfile.TarFile, name: str) -> bytes:
    """Return one file of a package."""
    opened = tar.extractfile(f"package/{name}")
    if opened is None:
        raise FileNotFoundError(name)
    return opened.read()


def _keep(name: str, content: bytes) -> str:
    """Write one asset without its source-map pointer; return its sha384."""
    if name.endswith(".js"):
        content = _without_map(content)
    (TARGET / name).write_bytes(content)
    return _integrity(content, "sha384")


def _without_map(content: bytes) -> bytes:
    """Drop the pointer to a source map, which we do not serve."""
    return re.sub(rb"\n?//# sourceMappingURL=\S+\s*$", b"\n", content)


def _sprite(archive: Path) -> str:
    """Build one SVG of the icons in use."""
    with tarfile.open(archive) as tar:
        symbols = [_symbol(name, _member(tar, f"icons/{name}.svg").decode()) for name in ICONS]
    body = "\n".join(symbols)
    return f'<svg xmlns="http://www.w3.org/2000/svg"><!-- Lucide, ISC licence -->\n{body}\n</svg>\n'


def _symbol(name: str, svg: str) -> str:
    """Turn one icon file into a symbol."""
    inner = re.search(r"<svg[^>]*>(.*)</svg>", svg, re.DOTALL)
    if inner is None:
        raise ValueError(f"icon {name} is not the SVG we know")
    return SYMBOL.format(name=name, shapes=re.sub(r"\s*\n\s*", "", inner[1]).strip())


def _integrity(content: bytes, algorithm: str = "sha512") -> str:
    """Return a digest in the form that npm and browsers use."""
    return f"{algorithm}-{base64.b64encode(hashlib.new(algorithm, content).digest()).decode()}"


if __name__ == "__main__":
    main()
