"""A dossier as JSON, CSV and a page: the same facts give the same bytes."""

import csv
import hashlib
import io
import json
from dataclasses import asdict
from html import escape

from billing.dossier import Dossier, Section
from billing.spreadsheet import harmless

LONG_WORD, PART = 24, 9
STYLE = """
@page { size: Letter; margin: 18mm 14mm 16mm;
  @bottom-left { content: string(line); font-size: 7pt; color: #555 }
  @bottom-right { content: counter(page) " / " counter(pages); font-size: 7pt; color: #555 } }
body { font: 8pt/1.35 "DejaVu Sans", sans-serif; color: #111 }
h1 { font-size: 14pt; margin: 0 0 2mm; string-set: line attr(data-line) }
h2 { font-size: 9.5pt; margin: 5mm 0 1mm; break-after: avoid }
p { margin: 0 0 2mm; color: #444 }
table { width: 100%; border-collapse: collapse; table-layout: auto }
th { text-align: left; background: #eef3f4; border-bottom: .6pt solid #678 }
th, td { padding: .8mm 1.2mm; vertical-align: top }
td { overflow-wrap: break-word }
td { border-bottom: .3pt solid #ccd }
tr { break-inside: avoid }
"""


def digest(dossier: Dossier) -> str:
    """Return the hash of the dossier's facts, printed on every rendering of it."""
    return hashlib.sha256(_body(dossier).encode()).hexdigest()


def as_json(dossier: Dossier) -> bytes:
    """Return the dossier as JSON with sorted keys."""
    document = {
        "line_id": dossier.line_id,
        "title": dossier.title,
        "created_for": dossier.created_for,
        "digest": digest(dossier),
        "sections": [
            {
                "title": section.title,
                "rows": [dict(zip(section.columns, row, strict=True)) for row in section.rows],
            }
            for section in dossier.sections
        ],
    }
    return (json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def as_csv(dossier: Dossier) -> bytes:
    """Return the dossier as one long table: section, row, column, value."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(("section", "row", "column", "value"))
    writer.writerow(("Evidence pack", "1", "digest", digest(dossier)))
    for section in dossier.sections:
        for number, row in enumerate(section.rows, start=1):
            for column, value in zip(section.columns, row, strict=True):
                writer.writerow((section.title, number, column, harmless(value)))
    return out.getvalue().encode()


def as_html(dossier: Dossier) -> str:
    """Return the page that billing.pdf prints."""
    body = "".join(_section(section) for section in dossier.sections)
    return (
        f'<!doctype html><html lang="en"><head><title>{escape(dossier.title)}</title>'
        f"<style>{STYLE}</style></head><body>"
        f'<h1 data-line="Line {escape(dossier.line_id)}">{escape(dossier.title)}</h1>'
        f"<p>{escape(dossier.created_for)}. Line {escape(dossier.line_id)}. "
        f"Digest of the facts: {digest(dossier)}</p>{body}</body></html>"
    )


def _section(section: Section) -> str:
    heading = f"<h2>{escape(section.title)}</h2>"
    if not section.rows:
        return f"{heading}<p>none for this line</p>"
    head = "".join(f"<th>{escape(column)}</th>" for column in section.columns)
    rows = "".join(
        "<tr>" + "".join(f"<td>{_cell(value)}</td>" for value in row) + "</tr>"
        for row in section.rows
    )
    return f"{heading}<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _cell(value: str) -> str:
    """Return a value in which only ids and hashes may break inside a word."""
    return " ".join(_word(word) for word in value.split(" "))


def _word(word: str) -> str:
    if len(word) <= LONG_WORD:
        return escape(word)
    parts = (word[start : start + PART] for start in range(0, len(word), PART))
    return "<wbr>".join(escape(part) for part in parts)


def _body(dossier: Dossier) -> str:
    return json.dumps(asdict(dossier), sort_keys=True, ensure_ascii=False)
