import pytest

from care import programme
from care.predicate import DefinitionError
from care.programme import programmes

SEED_MODELS = {
    "pcmh", "aco", "cti", "chronic-care-model", "bundled-payment", "community-based", "pace",
    "wraparound", "community-hub", "chw", "nfp", "health-home", "mobile-unit", "supportive-housing",
}  # fmt: skip


def test_all_fourteen_care_models_and_access_ship() -> None:
    assert set(programmes()) == SEED_MODELS | {"access"}


@pytest.mark.parametrize(
    ("model", "severity", "queue", "factor"),
    [
        ("pcmh", "S1", "rn_triage", 1.0),
        ("pcmh", "S4", programme.DEFAULT_QUEUE, 1.0),
        ("cti", "S3", "transitions", 0.5),
        ("pace", "S2", "pace_rn", 1.0),
        ("mobile-unit", "S1", "remote_provider_oncall", 1.0),
    ],
)
def test_alert_goes_to_the_queue_of_its_programme(
    model: str, severity: str, queue: str, factor: float
) -> None:
    facts: dict[str, str | float | bool | None] = {"alert.severity": severity, "unit.online": True}
    assert programme.route(programmes()[model], facts) == (queue, factor)


def test_a_programme_without_an_id_is_refused() -> None:
    with pytest.raises(DefinitionError, match="id"):
        programme._load({"model": "x"})


def test_a_programme_that_lacks_a_part_says_which() -> None:
    with pytest.raises(DefinitionError, match="population"):
        programme._load({"id": "x", "monitoring": {"profiles": []}, "model": "x", "version": 1})
