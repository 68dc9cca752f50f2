import pytest

from care import predicate
from care.predicate import DefinitionError

AGE = {"field": "age", "op": "gte", "value": 65}
RURAL = {"field": "rural", "op": "eq", "value": True}


@pytest.mark.parametrize(
    ("data", "facts", "holds"),
    [
        (AGE, {"age": 65}, True),
        (AGE, {"age": 64}, False),
        (AGE, {}, False),
        ({"not": AGE}, {"age": 64}, True),
        ({"all": [AGE, RURAL]}, {"age": 70, "rural": True}, True),
        ({"all": [AGE, RURAL]}, {"age": 70, "rural": False}, False),
        ({"any": [AGE, RURAL]}, {"age": 30, "rural": True}, True),
        ({"field": "to", "op": "in", "value": ["home"]}, {"to": "home"}, True),
        ({"field": "to", "op": "nin", "value": ["home"]}, {"to": "home"}, False),
        ({"field": "pcp", "op": "is_set"}, {"pcp": "Dr"}, True),
        ({"field": "pcp", "op": "is_set"}, {"pcp": None}, False),
        ({"field": "icd", "op": "matches_code", "value": "I50"}, {"icd": "I50.9"}, True),
    ],
)
def test_holds_as_it_reads(data: object, facts: predicate.Facts, holds: bool) -> None:
    assert predicate.load(data).holds(facts) is holds


@pytest.mark.parametrize(
    "data",
    ["age > 65", {"field": "age"}, {"field": "age", "op": "like", "value": 1}, {**AGE, "extra": 1}],
    ids=["code", "no op", "unknown op", "unknown key"],
)
def test_a_condition_we_do_not_know_fails_when_loaded(data: object) -> None:
    with pytest.raises(DefinitionError):
        predicate.load(data)
