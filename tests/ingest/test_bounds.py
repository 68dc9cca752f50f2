from importlib import resources

import pytest
import yaml

from ingest import bounds

TEXT = resources.files("ingest").joinpath("bounds.yaml").read_text(encoding="utf-8")


def test_the_shipped_file_has_every_kind_in_every_band() -> None:
    shipped = bounds.shipped()
    assert set(shipped.in_band) == {"adult", "adolescent", "child", "infant"}
    for in_band in shipped.in_band.values():
        assert set(in_band.of_kind) == set(bounds.METRIC_OF)


def test_a_band_that_a_metric_does_not_name_has_the_limits_of_adults() -> None:
    shipped = bounds.shipped()
    assert shipped.in_band["child"].of_kind["spo2"] == shipped.in_band["adult"].of_kind["spo2"]


@pytest.mark.parametrize(
    ("age", "band"),
    [
        (0.0, "infant"),
        (0.99, "infant"),
        (1.0, "child"),
        (11.99, "child"),
        (12.0, "adolescent"),
        (17.99, "adolescent"),
        (18.0, "adult"),
        (99.0, "adult"),
        (-0.1, "infant"),
        (None, "adult"),
    ],
)
def test_age_chooses_the_band(age: float | None, band: str) -> None:
    assert bounds.shipped().band(age) == band


def changed(*path: str, to: object) -> str:
    told = yaml.safe_load(TEXT)
    at = told
    for key in path[:-1]:
        at = at[key]
    if to is None:
        del at[path[-1]]
    else:
        at[path[-1]] = to
    return str(yaml.safe_dump(told))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "expected"),
        ("[]", "Expected `object`"),
        (changed("bands", "adult", to=None), "no band 'adult'"),
        (changed("metrics", "spo2", to=None), "spo2"),
        (changed("metrics", "weight", "adult", to=None), "no band 'adult'"),
        (changed("metrics", "weight", "adult", "hard", to=[2, 100]), "is not inside"),
        (changed("metrics", "weight", "adult", "soft", to=[250, 30]), "is not inside"),
        (changed("metrics", "weight", "adult", "src", to="P9"), "P9"),
        (changed("metrics", "weight", "elder", to={}), "missing required field"),
        (changed("metrics", "weight", "adult", "warm", to=1), "unknown field"),
        (changed("time", "future", to="soon"), "Invalid ISO8601 duration"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(text: str, complaint: str) -> None:
    with pytest.raises(bounds.BoundsError, match=complaint):
        bounds.load(text)


def test_a_band_nobody_is_in_is_a_mistake() -> None:
    text = TEXT.replace("    infant: {hard: [0.3", "    elder: {hard: [0.3")
    with pytest.raises(bounds.BoundsError, match="unknown band"):
        bounds.load(text)
