"""How a month looks in words, and what the forms of the papers page refuse."""

from datetime import UTC, datetime

import pytest

from billing.gather_case import ASSESSMENT, SECTIONS, SURGERY
from dashboards.billing.papers_forms import Fact, diagnoses_of, npi_of
from dashboards.billing.words import gauge, how_long, month_or_running, months


def test_bars_hold_their_threshold_mark() -> None:
    assert (gauge(8, 16, 30).fill, gauge(8, 16, 30).mark) == (26.7, 53.3)
    assert gauge(99, 16, 30).fill == 100
    assert gauge(None, 20, 40).reached is False
    assert gauge(20, 20, 40).reached is True


def test_months_and_their_words() -> None:
    today = datetime(2026, 11, 22, tzinfo=UTC).date()
    november, august = today.replace(day=1), today.replace(month=8, day=1)
    assert [f"{each:%b}" for each in months(november, today)] == ["Oct", "Nov"]
    assert [f"{each:%b}" for each in months(august, today)] == ["Jul", "Aug", "Sep", "Oct", "Nov"]
    assert how_long(november, today) == "Month to date, 8 days left."
    assert how_long(august, today) == "Over since 1 Sep."


def test_an_address_names_a_month_or_means_the_running_one() -> None:
    today = datetime(2026, 11, 22, tzinfo=UTC).date()
    found = [month_or_running(text, today) for text in ("2026-09", "", "soon", "2027-03")]
    assert [f"{each:%Y-%m}" for each in found] == ["2026-09", "2026-11", "2026-11", "2026-11"]


@pytest.mark.parametrize("number", ["1234567893", "1245319599"])
def test_an_npi_has_its_check_digit(number: str) -> None:
    assert npi_of(number) == number


@pytest.mark.parametrize("number", ["1234567890", "2134567893", "123456789", "", "12345678930"])
def test_a_mistyped_npi_is_refused(number: str) -> None:
    with pytest.raises(ValueError, match="no NPI"):
        npi_of(number)


def test_diagnoses_are_read_from_a_line() -> None:
    assert diagnoses_of("i10, E11.9;O14.93") == ("I10", "E11.9", "O14.93")


@pytest.mark.parametrize("text", ["", "hypertension", "I10, 401.9", "I1"])
def test_what_is_no_diagnosis_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no ICD-10 code"):
        diagnoses_of(text)


def test_what_can_be_stated_is_what_billing_gathers() -> None:
    in_the_evidence = "care_plan_summary"
    assert {fact.value for fact in Fact} == {*SECTIONS, ASSESSMENT, SURGERY, in_the_evidence}
