"""What holds for any month whatsoever: drawn by Hypothesis, zones and clock changes included."""

import copy
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import available_timezones

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing import case, claims, evaluate, pack

RULES = pack.named("us-medicare-cy2026")
FAMILIES = [family.name for family in RULES.families]
ZONES = sorted(available_timezones())
PROGRAMS = ["RPM", "RTM", "CCM", "PCM", "BHI", "COCM", "CHI", "PIN"]
ROLES = ["rn", "physician", "chw", "peer", "lcsw", "pt", "bh_care_manager", "janitor"]
BEGINS = datetime(2026, 2, 25, tzinfo=UTC)
"""A window over the clock changes of March, in both directions of travel."""
Raw = dict[str, Any]

moments = st.integers(0, 40 * 24 * 60).map(lambda minutes: BEGINS + timedelta(minutes=minutes))
readings = st.builds(
    lambda at, late, entry, program: {
        "at": at.isoformat(),
        "received_at": (at + timedelta(minutes=late)).isoformat(),
        "device": "d",
        "entry": entry,
        "program": program,
    },
    moments,
    st.integers(0, 5000),
    st.sampled_from(["device", "device", "manual"]),
    st.sampled_from(["RPM", "RPM", "RTM"]),
)
entries = st.builds(
    lambda at, lasts, staff, role, program, spoke, whose: {
        "start": at.isoformat(),
        "end": (at + timedelta(seconds=lasts)).isoformat(),
        "staff_id": staff,
        "role": role,
        "program": program,
        "activity": "review",
        "interactive": spoke,
        "mode": "audio",
        "patient_id": whose,
    },
    moments,
    st.integers(1, 9000),
    st.sampled_from(["S1", "S2"]),
    st.sampled_from(ROLES),
    st.sampled_from(PROGRAMS),
    st.booleans(),
    st.sampled_from(["", "", "", "P2"]),
)


@st.composite
def months(draw: st.DrawFn) -> Raw:
    """A patient with papers for everything, who may have moved, and any readings and entries."""
    zones = st.sampled_from(ZONES)
    stays = [[], [{"from": "2026-03-08", "to": "2026-03-11"}]]
    raw: Raw = {
        "org_timezone": draw(zones),
        "patient": {
            "id": "P1",
            "timezone": draw(zones),
            "timezone_changes": [{"on": "2026-03-15", "timezone": draw(zones)}],
            "established_patient": True,
            "chronic_conditions": draw(st.integers(0, 3)),
        },
        "consents": [{"program": name, "at": "2026-02-27T12:00:00Z"} for name in PROGRAMS],
        "orders": [{"program": name, "at": "2026-02-27T12:00:00Z"} for name in ("RPM", "RTM")],
        "episodes": [
            {
                "id": name,
                "program": name,
                "rtm_system": "respiratory",
                "monitoring_start": "2026-03-01",
                "setup_education_on": "2026-03-02",
            }
            for name in ("RPM", "RTM")
        ],
        "readings": draw(st.lists(readings, max_size=45)),
        "time_entries": draw(st.lists(entries, max_size=25)),
        "inpatient_stays": draw(st.sampled_from(stays)),
        "ccm": {"comprehensive_care_plan": draw(st.booleans())},
        "apcm": {"bill": draw(st.booleans()), "capabilities_attested": True},
        "pcm": {"high_risk_condition": draw(st.booleans())},
        "pin": {"high_risk_condition": True, "initiating_visit_on": "2026-02-27"},
        "chi": {"initiating_visit_on": "2026-02-27"},
        "cocm": {"registry": True, "psychiatric_consultant": True},
        "parameters": {"allow_99091_with_rpm_mgmt": draw(st.booleans())},
        "evaluate": {
            "window": ["2026-03-01", "2026-03-30"],
            "month": "2026-03",
            "families": draw(st.permutations(FAMILIES)),
        },
        "as_of": draw(st.sampled_from(["2026-03-20T12:00:00Z", "2026-04-05T12:00:00Z"])),
    }
    return raw


any_month = settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])


@any_month
@given(raw=months())
def test_every_code_of_every_family_stands_exactly_once(raw: Raw) -> None:
    found = evaluate.evaluate(case.parse(raw), RULES)
    seen = Counter([line.code for line in found.lines] + [r.code for r in found.not_billable])
    systems = {"", "respiratory"}
    assert seen == Counter(code.code for code in RULES.codes if code.system in systems)


@any_month
@given(raw=months())
def test_the_evidence_of_any_line_alone_gives_the_line_again(raw: Raw) -> None:
    parsed = case.parse(raw)
    rules = pack.adjusted(RULES, parsed.parameters)
    alone = [name for name in ("apcm", "tcm") if name in parsed.families]
    for line in evaluate.evaluate(parsed, rules).lines:
        if line.family not in {"apcm_behavioural", *alone}:
            assert claims.judged_again(parsed, line, rules) == line


@any_month
@given(raw=months(), shuffled=st.randoms(use_true_random=False))
def test_the_order_of_any_input_means_nothing(raw: Raw, shuffled: Any) -> None:  # noqa: ANN401  random.Random of Hypothesis
    other = copy.deepcopy(raw)
    for name in ("readings", "time_entries", "consents", "orders", "episodes"):
        shuffled.shuffle(other[name])
    shuffled.shuffle(other["evaluate"]["families"])
    one, two = (evaluate.evaluate(case.parse(each), RULES) for each in (raw, other))
    assert one == two


@any_month
@given(raw=months(), more=readings)
def test_one_more_reading_never_takes_a_supply_code_away(raw: Raw, more: Raw) -> None:
    def days(one: Raw) -> dict[str, object]:
        facts = evaluate.evaluate(case.parse(one), RULES).facts
        return {name: facts[name] for name in ("rpm_transmission_days", "rtm_transmission_days")}

    before, after = days(raw), days(raw | {"readings": [*raw["readings"], more]})
    assert all(int(str(after[name])) >= int(str(before[name])) for name in before)


@any_month
@given(raw=months())
def test_no_minute_supports_two_programs(raw: Raw) -> None:
    parsed = case.parse(raw)
    found = evaluate.evaluate(parsed, RULES)
    worked = sum((e.end - e.start for e in parsed.entries if not e.patient_id), timedelta())
    names = ("rpm_minutes", "rtm_minutes", "ccm_minutes", "pcm_minutes", "chi_minutes")
    counted = sum(int(str(found.facts.get(name, 0))) for name in names)
    assert counted * timedelta(minutes=1) <= worked


@pytest.mark.parametrize("name", ["readings", "time_entries", "consents", "orders", "episodes"])
def test_a_month_without_a_list_is_judged(month: Callable[..., Raw], name: str) -> None:
    raw = month()
    raw.pop(name, None)
    raw.pop("episode", None)
    assert evaluate.evaluate(case.parse(raw), RULES).not_billable
