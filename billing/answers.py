"""Running a file of worked cases: each expectation is compared whole, differences are named."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from billing import case, evaluate, fields, pack
from billing.fields import CaseError, Row
from billing.outcome import Evaluation
from billing.pack import Pack


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One place in which the evaluation is not what the case expects."""

    what: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The outcome of one case; no differences means it passed."""

    id: str
    title: str
    differences: tuple[Difference, ...]

    @property
    def passed(self) -> bool:
        """Tell whether everything was as expected."""
        return not self.differences


def of_file(text: str, packs: tuple[Pack, ...] | None = None) -> Iterator[Answer]:
    """Yield the answer to each case of a file."""
    try:
        document = fields.mapping(json.loads(text), "file")
    except json.JSONDecodeError as error:
        raise CaseError(f"file: not JSON: {error}") from error
    rules = pack.named(fields.text(document.get("rule_pack")), packs)
    cases = fields.rows(document, "cases")
    if not cases:
        raise CaseError("file: there are no cases in it")
    for item in cases:
        yield answer(fields.mapping(item, "cases"), rules)


def answer(row: Row, rules: Pack) -> Answer:
    """Return what is different between a case's expectation and its evaluation."""
    expected = fields.mapping(row.get("expected"), "expected")
    try:
        found = evaluate.evaluate(case.parse(_with_parameters(row)), rules)
        differences = tuple(compared(expected, found))
    except CaseError as error:
        differences = (Difference(what="input", expected="a readable case", found=str(error)),)
    return Answer(
        id=fields.text(row.get("id")), title=fields.text(row.get("title")), differences=differences
    )


def compared(expected: Row, found: Evaluation) -> Iterator[Difference]:
    """Yield every difference in codes, units, reasons and the facts that the case asserts."""
    units = {line.code: line.units for line in found.lines}
    reasons = {row.code: row.reason for row in found.not_billable}
    yield from _unlike("units of", _column(expected, "codes", "units"), units)
    yield from _unlike("reason of", _column(expected, "not_billable", "reason"), reasons)
    facts = fields.section(expected, "facts")
    for name, value in facts.items():
        if found.facts.get(name) != value:
            yield Difference(
                what=f"fact {name}", expected=_shown(value), found=_shown(found.facts.get(name))
            )


def _with_parameters(row: Row) -> Row:
    given = fields.mapping(row.get("input"), "input")
    extra = fields.first_of(row, *fields.PARAMETER_NAMES)
    own = fields.first_of(given, *fields.PARAMETER_NAMES)
    if extra is None:
        return given
    return {**given, "parameters": {**fields.overrides(extra), **fields.overrides(own)}}


def _column(expected: Row, name: str, value: str) -> dict[str, object]:
    rows = [fields.mapping(item, name) for item in fields.rows(expected, name)]
    column = {fields.text(row.get("code")): row.get(value) for row in rows}
    if len(column) != len(rows):
        raise CaseError(f"expected.{name}: a code stands there twice")
    return column


def _unlike(
    what: str, expected: Mapping[str, object], found: Mapping[str, object]
) -> Iterator[Difference]:
    for code in _keys(expected, found):
        if expected.get(code) != found.get(code):
            yield Difference(
                what=f"{what} {code}",
                expected=_shown(expected.get(code)),
                found=_shown(found.get(code)),
            )


def _keys(*sides: Iterable[str]) -> list[str]:
    return sorted({code for side in sides for code in side})


def _shown(value: object) -> str:
    return "-" if value is None else json.dumps(value, sort_keys=True)
