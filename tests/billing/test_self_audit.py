"""The self-audit finds each pattern, and does not find it where it is not."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from billing import pack, self_audit
from billing.record import TimeEntry
from billing.self_audit import BilledMonth, Enrolment, Finding, Pattern

RULES = pack.named("us-medicare-cy2026")
ZONE = ZoneInfo("America/New_York")
NINE = datetime(2026, 1, 8, 14, tzinfo=UTC)
MONTH = date(2026, 4, 1)


def entry(
    number: int,
    minute: int,
    lasting: int,
    *,
    patient: str = "P1",
    note: str = "",
    staff: str = "S1",
) -> TimeEntry:
    start = NINE + timedelta(minutes=minute)
    return TimeEntry(
        id=f"T{number}",
        start=start,
        end=start + timedelta(minutes=lasting),
        staff_id=staff,
        role="rn",
        program="RPM",
        activity="treatment_mgmt",
        patient_id=patient,
        note=note,
    )


def of_time(*entries: TimeEntry) -> list[Finding]:
    return list(self_audit.of_time(entries, ZONE, RULES))


def patterns(findings: list[Finding]) -> set[Pattern]:
    return {finding.pattern for finding in findings}


def enrolled(counts: dict[int, int]) -> list[Enrolment]:
    return [
        Enrolment(
            patient_id=f"P{month}-{n}", on=date(2026, month, 5), prior_visit_on=date(2026, 1, 1)
        )
        for month, count in counts.items()
        for n in range(count)
    ]


@pytest.mark.parametrize(
    ("counts", "spikes"),
    [
        ({1: 10, 2: 10, 3: 10, 4: 20}, 0),
        ({1: 10, 2: 10, 3: 10, 4: 21}, 1),
        ({4: 10}, 0),
        ({4: 11}, 1),
    ],
    ids=["twice as many", "more than twice", "few beginners", "sudden start"],
)
def test_a_spike_of_enrolments(counts: dict[int, int], spikes: int) -> None:
    found = [
        finding
        for finding in self_audit.of_enrolments(enrolled(counts), MONTH, RULES)
        if finding.pattern is Pattern.ENROLMENT_SPIKE
    ]
    assert len(found) == spikes
    assert all(len(finding.ids) == counts[4] for finding in found)


@pytest.mark.parametrize(
    ("visit", "found"),
    [
        (None, True),
        (date(2023, 4, 1), True),
        (date(2023, 6, 1), False),
        (date(2026, 4, 5), False),
        (date(2026, 4, 6), True),
    ],
    ids=["never", "three years ago", "in three years", "same day", "afterwards"],
)
def test_a_patient_without_a_prior_visit(visit: date | None, found: bool) -> None:
    row = Enrolment(patient_id="P1", on=date(2026, 4, 5), prior_visit_on=visit)
    findings = list(self_audit.of_enrolments([row], MONTH, RULES))
    assert (patterns(findings) == {Pattern.NO_PRIOR_VISIT}) is found


@pytest.mark.parametrize(
    ("row", "found"),
    [
        (BilledMonth(patient_id="P1", codes=frozenset({"99454", "99457"}), devices=2), set()),
        (
            BilledMonth(patient_id="P1", codes=frozenset({"99454", "99457"}), devices=3),
            {Pattern.SEVERAL_DEVICES},
        ),
        (
            BilledMonth(patient_id="P1", codes=frozenset({"99445"})),
            {Pattern.DEVICE_WITHOUT_MANAGEMENT},
        ),
        (BilledMonth(patient_id="P1", codes=frozenset({"99457"})), set()),
        (
            BilledMonth(patient_id="P1", codes=frozenset(), practices=frozenset({"A", "B"})),
            {Pattern.SEVERAL_PRACTICES},
        ),
    ],
    ids=["fine", "three devices", "supply alone", "management alone", "two practices"],
)
def test_patterns_of_claims(row: BilledMonth, found: set[Pattern]) -> None:
    assert patterns(list(self_audit.of_claims([row], RULES))) == found


def test_sums_exactly_at_thresholds() -> None:
    exact = [entry(n, n * 60, 20, patient=f"P{n}") for n in range(3)]
    (finding,) = of_time(*exact)
    assert (finding.pattern, finding.number) == (Pattern.AT_THRESHOLD, 1.0)
    assert finding.ids == ("P0", "P1", "P2")


def test_a_spread_of_sums_is_no_pattern() -> None:
    spread = [entry(n, n * 60, 20 + n, patient=f"P{n}") for n in range(6)]
    assert of_time(*spread) == []


def test_identical_notes_whatever_their_case() -> None:
    notes = ("Reviewed the readings.", "reviewed  the readings.", "REVIEWED the readings.")
    (finding,) = of_time(*(entry(n, n * 30, 7, note=note) for n, note in enumerate(notes)))
    assert (finding.pattern, finding.ids) == (Pattern.IDENTICAL_NOTES, ("T0", "T1", "T2"))


def test_short_notes_are_no_pattern() -> None:
    assert of_time(*(entry(n, n * 30, 7, note="call") for n in range(5))) == []


def test_more_than_ten_hours_in_a_local_day() -> None:
    full = [entry(n, n * 60, 59, patient=f"P{n}") for n in range(10)]
    assert patterns(of_time(*full)) == set()
    longer = [*full, entry(10, 600, 30, patient="P10")]
    (finding,) = of_time(*longer)
    assert finding.pattern is Pattern.LONG_DAY
    assert finding.subject == "S1 2026-01-08"
    assert finding.number == pytest.approx(620 / 60)


def test_one_person_with_two_patients_at_once() -> None:
    (finding,) = of_time(entry(1, 0, 15), entry(2, 14, 9, patient="P2"))
    assert (finding.pattern, finding.ids) == (Pattern.TWO_PATIENTS_AT_ONCE, ("T1", "T2"))


@pytest.mark.parametrize(
    "second",
    [
        entry(2, 15, 9, patient="P2"),
        entry(2, 14, 9),
        entry(2, 14, 9, patient="P2", staff="S2"),
    ],
    ids=["afterwards", "same patient", "other person"],
)
def test_no_overlap_of_patients(second: TimeEntry) -> None:
    assert Pattern.TWO_PATIENTS_AT_ONCE not in patterns(of_time(entry(1, 0, 15), second))


def test_an_entry_of_more_than_an_hour() -> None:
    assert patterns(of_time(entry(1, 0, 60))) == set()
    assert patterns(of_time(entry(1, 0, 61))) == {Pattern.LONG_ENTRY}


def test_order_means_nothing() -> None:
    rows = [
        entry(n, n * 7, 9, patient=f"P{n % 3}", note="Reviewed the readings.") for n in range(9)
    ]
    assert of_time(*rows) == of_time(*rows[::-1])
