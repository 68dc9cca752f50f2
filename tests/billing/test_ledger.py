"""Which time counts: by role, activity, day and person; splitting an entry changes nothing."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import given
from hypothesis import strategies as st

from billing import ledger, minutes, pack
from billing.ledger import Question, Tally
from billing.record import Case, Consent, Patient, TimeEntry
from billing.windows import Window

RULES = pack.named("us-medicare-cy2026").parameters
ZONES = sorted(available_timezones() - {"localtime", "Factory"})
MARCH = Window(first=date(2026, 3, 1), last=date(2026, 3, 31))
FIRST = datetime(2026, 2, 27, tzinfo=UTC)

zones = st.sampled_from(ZONES).map(ZoneInfo)
entries = st.lists(
    st.builds(
        lambda number, start, lasting, staff, role, program, day: TimeEntry(
            id=f"T{number}",
            start=FIRST + timedelta(days=day, seconds=start),
            end=FIRST + timedelta(days=day, seconds=start + lasting),
            staff_id=staff,
            role=role,
            program=program,
            activity="treatment_mgmt",
        ),
        st.uuids(),
        st.integers(0, 86_399),
        st.integers(1, 7_200),
        st.sampled_from(["S1", "S2"]),
        st.sampled_from(["rn", "physician", "scheduler"]),
        st.sampled_from(["RPM", "CCM"]),
        st.integers(0, 34),
    ),
    max_size=15,
)


def tallied(rows: list[TimeEntry], zone: ZoneInfo, program: str = "RPM") -> Tally:
    record = Case(
        patient=Patient(id="P1", zone=zone),
        organisation_zone=zone,
        as_of=datetime(2026, 6, 1, tzinfo=UTC),
        families=("rpm_mgmt",),
        consents=tuple(Consent(id=name, program=name, at=FIRST) for name in ("RPM", "CCM")),
        entries=tuple(rows),
        visits=frozenset({date(2026, 3, 10)}),
    )
    roles = RULES.clinical_roles
    return ledger.tally(
        record, RULES, Question(program=program, roles=roles, span=MARCH, zone=zone)
    )


@given(entries, zones, st.floats(0, 1))
def test_splitting_entries_changes_no_minute(
    rows: list[TimeEntry], zone: ZoneInfo, share: float
) -> None:
    halves = []
    for row in rows:
        middle = row.start + (row.end - row.start) * share
        halves += [replace(row, end=middle), replace(row, id=f"{row.id}b", start=middle)]
    for program in ("RPM", "CCM"):
        whole, split = tallied(rows, zone, program), tallied(halves[::-1], zone, program)
        assert minutes.union(split.intervals) == minutes.union(whole.intervals)


@given(entries, zones)
def test_no_person_works_one_minute_for_two_programmes(
    rows: list[TimeEntry], zone: ZoneInfo
) -> None:
    rpm, ccm = tallied(rows, zone, "RPM"), tallied(rows, zone, "CCM")
    for mine in ccm.pieces:
        for other in rpm.pieces:
            if mine.entry.staff_id == other.entry.staff_id:
                apart = mine.interval[1] <= other.interval[0]
                assert apart or other.interval[1] <= mine.interval[0]


@given(entries, zones)
def test_nothing_counts_outside_month_role_or_visit_day(
    rows: list[TimeEntry], zone: ZoneInfo
) -> None:
    for piece in tallied(rows, zone).pieces:
        day = piece.interval[0].astimezone(zone).date()
        assert day in MARCH
        assert day != date(2026, 3, 10)
        assert piece.entry.role != "scheduler"


@given(entries, zones)
def test_every_entry_of_the_month_counts_or_has_a_reason(
    rows: list[TimeEntry], zone: ZoneInfo
) -> None:
    found = tallied(rows, zone)
    span = Question(program="RPM", roles=frozenset(), span=MARCH, zone=zone).interval
    inside = {
        row.id for row in rows if row.program == "RPM" and row.start < span[1] and span[0] < row.end
    }
    counted = set(found.entry_ids)
    assert counted <= inside
    assert len(inside - counted) <= sum(found.left_out.values())
