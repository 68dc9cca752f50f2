"""Tables for the terminal: what a replay found, how the alarm system serves."""

from collections.abc import Iterator

from rich.table import Table

from alerts.measuring import Measures
from alerts.replay import Comparison
from alerts.severity import Severity


def replay_tables(found: Comparison) -> Iterator[Table]:
    """Current rules beside the draft, then what changed, who is noisy, and what would be missed."""
    whole = _table(f"{found.patients} patients, {found.days} days", "", "rules in force", "draft")
    now, then = found.current, found.draft
    for severity in Severity:
        word = severity.word
        whole.add_row(word, str(now.by_severity[word]), str(then.by_severity[word]))
    whole.add_row("alerts", str(now.alerts), str(then.alerts))
    whole.add_row("per patient and week", f"{now.per_patient_week}", f"{then.per_patient_week}")
    whole.add_row("at night", str(now.at_night), str(then.at_night))
    whole.add_row("nurse minutes", str(now.nurse_minutes), str(then.nurse_minutes))
    yield whole
    yield from _details(found)


def measure_tables(found: Measures) -> Iterator[Table]:
    """The measures of domain and regulators: times, missed, useful share."""
    times = _table(
        f"Last {found.days} days", "severity", "lines", "answered p50", "p90", "missed", "repeats"
    )
    for row in found.by_severity:
        times.add_row(
            row.severity.word,
            str(row.episodes),
            _minutes(row.answered_p50),
            _minutes(row.answered_p90),
            str(row.missed),
            str(row.repeats),
        )
    yield times
    whole = _table("Whole", "measure", "value")
    share = found.useful_share
    for name, value in (
        ("closed with an action (PPV)", "-" if share is None else f"{share:.0%}"),
        ("closed as artefact", found.artefacts),
        ("calmed by a second measurement", found.downgraded),
        ("alerts per patient and week", found.per_patient_week),
        ("alerts per nurse hour", found.per_nurse_hour),
        ("pages", found.pages),
        ("pages undelivered", found.undelivered),
        ("overdue and nobody's", found.unowned),
        ("overrides past their review", found.old_overrides),
    ):
        whole.add_row(name, str(value))
    yield whole


def _details(found: Comparison) -> Iterator[Table]:
    if found.difference:
        rules = _table("Difference by rule", "rule", "alerts")
        for rule, delta in found.difference.items():
            rules.add_row(rule, f"{delta:+d}")
        yield rules
    noisy = _table("Noisiest patients under the draft", "patient", "alerts")
    for patient, count in found.noisiest:
        noisy.add_row(str(patient), str(count))
    yield noisy
    examples = _table("Examples", "severity", "rule", "headline", "why")
    for each in found.examples:
        examples.add_row(Severity(each.severity).word, each.rule_id, each.headline, each.why)
    yield examples
    missed = _table("Acted upon, and silent under the draft", "patient", "rule", "headline")
    for lost in found.missed:
        missed.add_row(str(lost.patient_id), lost.rule_id, lost.headline)
    yield missed


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title)
    for column in columns:
        table.add_column(column)
    return table


def _minutes(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} min"
