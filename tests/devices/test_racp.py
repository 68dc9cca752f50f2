import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import racp
from devices.date_time import DateTime
from devices.racp import Choice, Code, ControlPoint, Op
from devices.reading import UnreadableError

MOMENT = DateTime(year=2024, month=6, day=30, hour=12, minute=30)


@pytest.mark.parametrize(
    ("point", "frame"),
    [
        (racp.report(racp.ALL), "0101"),
        (racp.report(racp.until(300)), "0102012c01"),
        (racp.report(racp.since(300)), "0103012c01"),
        (racp.report(racp.between(1, 300)), "01040101002c01"),
        (racp.report(racp.FIRST), "0105"),
        (racp.report(racp.LAST), "0106"),
        (racp.report(racp.since_time(MOMENT)), "010302e807061e0c1e00"),
        (racp.delete(racp.ALL), "0201"),
        (racp.delete(racp.until(5)), "0202010500"),
        (racp.abort(), "0300"),
        (racp.count(racp.ALL), "0401"),
        (racp.count(racp.since(2)), "0403010200"),
        (racp.number(258), "05000201"),
        (racp.response(Op.REPORT, Code.SUCCESS), "06000101"),
    ],
)
def test_requests_and_answers_are_the_standards_bytes(point: ControlPoint, frame: str) -> None:
    assert racp.encode(point).hex() == frame
    assert racp.parse(bytes.fromhex(frame)) == point


@pytest.mark.parametrize(
    "choice",
    [
        racp.ALL,
        racp.FIRST,
        racp.LAST,
        racp.until(9),
        racp.since(9),
        racp.between(3, 9),
        racp.since_time(MOMENT),
    ],
)
def test_a_meter_understands_which_records_are_meant(choice: Choice) -> None:
    assert racp.choice(racp.parse(racp.encode(racp.report(choice)))) == choice


@pytest.mark.parametrize(
    ("choice", "taken"),
    [
        (racp.ALL, [1, 2, 3, 4, 5]),
        (racp.since(4), [4, 5]),
        (racp.until(2), [1, 2]),
        (racp.between(2, 3), [2, 3]),
    ],
)
def test_bounds_include_their_ends(choice: Choice, taken: list[int]) -> None:
    assert [sequence for sequence in range(1, 6) if choice.takes(sequence)] == taken


@pytest.mark.parametrize("code", Code)
@pytest.mark.parametrize("request_op", [Op.REPORT, Op.DELETE, Op.ABORT, Op.COUNT])
def test_every_response_code_is_told(code: Code, request_op: Op) -> None:
    point = racp.parse(racp.encode(racp.response(request_op, code)))
    assert (point.request, point.code) == (request_op, code)
    assert point.is_success == (code in (Code.SUCCESS, Code.NO_RECORDS))


@pytest.mark.parametrize("frame", ["0600010a", "060001ff", "06000c02"])
def test_unknown_codes_are_kept_as_they_came(frame: str) -> None:
    point = racp.parse(bytes.fromhex(frame))
    assert racp.encode(point).hex() == frame
    assert not point.is_success


@pytest.mark.parametrize(
    ("frame", "count"),
    [("05000201", 258), ("050004030201", 0x01020304), ("0500020100", 258), ("05000000", 0)],
)
def test_a_count_has_two_bytes_or_four(frame: str, count: int) -> None:
    point = racp.parse(bytes.fromhex(frame))
    assert point.count == count
    assert (point.request, point.code, point.is_success) == (None, None, False)


@pytest.mark.parametrize("frame", ["", "06", "0600", "060001", "0500", "050001"])
def test_a_short_answer_is_unreadable(frame: str) -> None:
    with pytest.raises(UnreadableError, match="truncated"):
        racp.parse(bytes.fromhex(frame))


@pytest.mark.parametrize(
    "frame", ["0103", "010301", "01030101", "0104010100", "01040101000", "0109"]
)
def test_a_request_whose_operand_makes_no_sense_is_unreadable(frame: str) -> None:
    point = racp.parse(bytes.fromhex(frame.ljust(len(frame) + len(frame) % 2, "0")))
    with pytest.raises(UnreadableError):
        racp.choice(point)


def test_an_unknown_filter_is_unreadable() -> None:
    with pytest.raises(UnreadableError, match="filter 9"):
        racp.choice(racp.parse(bytes.fromhex("0103090100")))


@given(st.binary(min_size=2, max_size=20))
def test_any_request_is_understood_or_refused_with_our_own_error(frame: bytes) -> None:
    try:
        point = racp.parse(frame)
        racp.choice(point)
    except UnreadableError:
        return
    assert racp.encode(point) == frame


@pytest.mark.parametrize(
    ("frame", "fields"),
    [
        ("0101", {"op": "report", "operator": 1, "operand": ""}),
        ("0403010200", {"op": "number", "operator": 3, "filter": 1, "low": 2}),
        ("0104010200ff01", {"op": "report", "operator": 4, "filter": 1, "low": 2, "high": 511}),
        ("0202011000", {"op": "delete", "operator": 2, "filter": 1, "high": 16}),
        (
            "010302e807060f110000",
            {"op": "report", "operator": 3, "filter": 2, "low": "2024-06-15T17:00:00"},
        ),
        ("010309aabb", {"op": "report", "operator": 3, "operand": "09aabb"}),
        ("010901aabb", {"op": "report", "operator": 9, "operand": "01aabb"}),
        ("0300", {"op": "abort", "operator": 0, "operand": ""}),
        ("0700", {"op": 7, "operator": 0, "operand": ""}),
    ],
)
def test_requests_are_shown_by_name(frame: str, fields: dict[str, object]) -> None:
    assert racp.fields(racp.parse(bytes.fromhex(frame))) == fields


@pytest.mark.parametrize("frame", ["0103", "010301", "01030110", "01040102000a", "010302e807"])
def test_a_bound_that_is_cut_short_is_unreadable(frame: str) -> None:
    with pytest.raises(UnreadableError, match="truncated"):
        racp.fields(racp.parse(bytes.fromhex(frame)))


@pytest.mark.parametrize(
    ("frame", "trailing"),
    [("06000101", ""), ("06000101ff", "ff"), ("0500020100", "00"), ("050004030201aa", "aa")],
)
def test_what_follows_an_answer_is_counted(frame: str, trailing: str) -> None:
    assert racp.parse(bytes.fromhex(frame)).trailing.hex() == trailing
