"""Definitions are checked when a process starts, never when a reading comes."""

import pytest
import yaml

from alerts import catalogue, definition
from alerts.rules import RuleError
from alerts.severity import SNOOZE_AT_MOST, from_code

SPOT = {"id": "x", "metric": "glucose", "kind": "spot", "severity": "S1", "any": [{"value": "<54"}]}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"colour": "red"}, "unknown field"),
        ({"any": [{"value": "=>54"}]}, "no comparison"),
        ({"any": [{"worth": "<54"}]}, "unknown field"),
        ({"any": [{"value": "<54", "dia": "<5"}]}, "one comparison at a time"),
        ({"any": []}, "needs any, all or flag"),
        ({"severity": "S5"}, "S5"),
        ({"metric": "mood"}, "mood"),
        ({"kind": "guess"}, "guess"),
        ({"window": "7 days"}, "no length of time"),
        ({"kind": "delta"}, "needs against"),
        ({"kind": "average"}, "needs window"),
        ({"kind": "average", "window": "3d"}, "needs min_readings"),
        ({"kind": "confirmed"}, "n of at least 2"),
        ({"n": "two"}, "two|Expected"),
        ({"when": {"moon": "full"}}, "unknown field"),
    ],
)
def test_what_cannot_be_used_stops_the_start(change: dict[str, object], says: str) -> None:
    with pytest.raises(RuleError, match=says):
        definition.rule({**SPOT, **change}, profile_id="p")


def test_a_rule_id_means_one_rule() -> None:
    text = yaml.safe_dump({"profile": "a", "rules": [SPOT]})
    other = text.replace("profile: a", "profile: b")
    with pytest.raises(RuleError, match="another profile has a rule of this id"):
        catalogue.load({"a.yaml": text, "b.yaml": other})


def test_profiles_refer_to_profiles_that_exist() -> None:
    with pytest.raises(RuleError, match="there is no profile nowhere"):
        catalogue.load(
            {"a.yaml": yaml.safe_dump({"profile": "a", "include": ["nowhere"], "rules": []})}
        )


def test_the_version_is_the_digest_of_every_definition() -> None:
    text = yaml.safe_dump({"profile": "a", "rules": [SPOT]})
    first = catalogue.load({"a.yaml": text})
    assert catalogue.load({"a.yaml": text}).version == first.version
    assert catalogue.load({"a.yaml": text.replace("<54", "<55")}).version != first.version
    assert first.rule("x").version == first.version


def test_every_source_that_a_rule_cites_is_listed() -> None:
    listed = set(catalogue.sources())
    for rule in catalogue.product().rules:
        assert rule.sources
        assert set(rule.sources) <= listed, rule.id


def test_the_defaults_say_what_the_code_does() -> None:
    told = catalogue.defaults()
    at_most = told["suppression"]["snooze_at_most"]
    assert {
        from_code(code): definition.duration(text, code) for code, text in at_most.items()
    } == SNOOZE_AT_MOST
