"""Which rules hold for whom, and the order in which overrides win."""

import uuid
from collections.abc import Mapping
from datetime import timedelta

import pytest

from alerts import applicability, catalogue
from alerts.applicability import Level, Override
from alerts.rules import Metric, Rule, RuleError
from alerts.samples import Subject
from alerts.severity import Severity
from tests.alerts.patients import NOON, decide, fired, sample, subject


def rules(who: Subject, *overrides: Override) -> dict[str, Rule]:
    found = applicability.in_force(catalogue.product(), overrides, who, NOON)
    return {each.id: each for each in found}


def override(level: Level, changes: Mapping[str, object], **more: object) -> Override:
    known: dict[str, object] = {
        "id": uuid.uuid4(),
        "rule_id": "bp_severe",
        "disabled": False,
        "effective_from": NOON - timedelta(days=1),
        "expires_at": NOON + timedelta(days=1),
        "patient_id": subject().id if level is Level.PATIENT else None,
        "programme": "pcmh" if level is Level.PROGRAMME else None,
    }
    return Override(level=level, changes=changes, **(known | more))  # type: ignore[arg-type]  # as above


@pytest.mark.parametrize(
    ("who", "rule", "holds"),
    [
        (subject("adult_htn", age=18), "bp_severe", True),
        (subject("adult_htn", age=17), "bp_severe", False),
        (subject("adult_htn", conditions=["pregnant"]), "bp_severe", False),
        (subject("adult_htn", traits=["postpartum_6w"]), "bp_severe", False),
        (subject("adult_dm", traits=["postpartum_6w"]), "glu_300", True),
        (subject("pregnancy_bp", traits=["postpartum_6w"]), "preg_severe", True),
        (subject("pregnancy_bp"), "preg_severe", False),
        (subject("hf", conditions=["heart_failure"]), "wt_1d", True),
        (subject("hf"), "wt_1d", False),
        (subject("older_adult_infection", age=65), "temp_oral_single", True),
        (subject("older_adult_infection", age=64), "temp_oral_single", False),
        (subject("copd"), "spo2_low", True),
        (subject("copd"), "spo2_copd_crit", False),
        (subject("copd", traits=["hypercapnic_risk"]), "spo2_copd_crit", True),
        (subject("copd", traits=["hypercapnic_risk"]), "spo2_low", False),
        (subject("copd", "resp_general", traits=["hypercapnic_risk"]), "spo2_low", False),
        (subject("copd", traits=["hypercapnic_risk"]), "spo2_copd_high_on_o2", False),
        (subject("copd", traits=["hypercapnic_risk", "on_oxygen"]), "spo2_copd_high_on_o2", True),
        (subject("post_surgical"), "temp_high", True),
        (subject("hf", conditions=["heart_failure"]), "hf_composite", False),
        (subject("inherit", "unheard_of"), "bp_severe", False),
    ],
)
def test_a_rule_holds_for_whom_it_is_meant(who: Subject, rule: str, holds: bool) -> None:
    assert (rule in rules(who)) is holds


def test_a_child_without_an_own_profile_has_no_rules() -> None:
    assert rules(subject("paediatric_none", "adult_htn", "adult_dm", age=12)) == {}


@pytest.mark.parametrize(("days", "severity"), [(29, 2), (31, 3)])
def test_after_a_discharge_everything_is_a_step_worse_for_thirty_days(
    days: int, severity: int
) -> None:
    who = subject("post_discharge_30d", enrolled=NOON - timedelta(days=days))
    assert fired(decide(who, [sample(Metric.TEMPERATURE, 38.2)]))["temp_fever"] == severity


def test_the_narrowest_override_wins() -> None:
    who = subject("adult_htn")
    everywhere = override(Level.ORGANISATION, {"any": [{"sys": ">=190"}], "severity": "S1"})
    programme = override(Level.PROGRAMME, {"any": [{"sys": ">=170"}]})
    own = override(Level.PATIENT, {"any": [{"sys": ">=200"}]})
    assert rules(who, everywhere)["bp_severe"].any[0].limit == 190
    assert rules(who, everywhere, programme)["bp_severe"].any[0].limit == 170
    found = rules(who, own, everywhere, programme)["bp_severe"]
    assert found.any[0].limit == 200
    assert found.version.startswith(catalogue.product().version)
    assert found.version.endswith(str(own.id)[:8])
    assert found.severity is Severity.CRITICAL, "what the narrower one does not say stays"


def test_overrides_start_expire_and_belong_to_one_patient() -> None:
    who = subject("adult_htn")
    changes = {"any": [{"sys": ">=200"}]}
    for more in (
        {"expires_at": NOON},
        {"effective_from": NOON + timedelta(seconds=1)},
        {"patient_id": uuid.uuid4()},
    ):
        found = rules(who, override(Level.PATIENT, changes, **more))
        assert found["bp_severe"].any[0].limit == 180
    other = override(Level.PROGRAMME, changes, programme="cti")
    assert rules(who, other)["bp_severe"].any[0].limit == 180


def test_a_rule_can_be_switched_off_and_a_narrower_one_on_again() -> None:
    who = subject("adult_htn")
    off = override(Level.ORGANISATION, {}, disabled=True)
    assert "bp_severe" not in rules(who, off)
    on = override(Level.PATIENT, {"any": [{"sys": ">=175"}]})
    assert rules(who, off, on)["bp_severe"].any[0].limit == 175


@pytest.mark.parametrize("changes", [{"kind": "spot"}, {"id": "y"}, {"nonsense": 1}, {"n": 1}])
def test_an_override_that_cannot_be_used_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(RuleError):
        applicability.validated(catalogue.product().rule("bp_severe"), changes)
