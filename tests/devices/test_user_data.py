import pytest

from devices import user_data
from devices.reading import UnreadableError
from devices.user_data import ControlPoint, Increment, Op, Result


@pytest.mark.parametrize(
    ("point", "frame"),
    [
        (user_data.register(3752), "01a80e"),
        (user_data.consent(1, 3752), "0201a80e"),
        (user_data.delete(), "03"),
        (user_data.response(Op.CONSENT, Result.SUCCESS), "200201"),
        (user_data.response(Op.REGISTER, Result.SUCCESS, user=2), "20010102"),
    ],
)
def test_requests_and_answers_are_the_standards_bytes(point: ControlPoint, frame: str) -> None:
    assert user_data.encode(point).hex() == frame
    assert user_data.parse(bytes.fromhex(frame)) == point


@pytest.mark.parametrize("result", Result)
def test_every_result_is_told(result: Result) -> None:
    point = user_data.parse(user_data.encode(user_data.response(Op.CONSENT, result)))
    assert (point.request, point.result, point.user) == (Op.CONSENT, result, None)


def test_a_request_tells_whose_data_under_which_code() -> None:
    point = user_data.parse(bytes.fromhex("0201a80e"))
    assert (point.user, point.code, point.request, point.result) == (1, 3752, None, None)
    assert user_data.parse(bytes.fromhex("01a80e")).code == 3752
    assert user_data.parse(b"\x03").code is None


def test_a_register_answer_gives_the_new_slot() -> None:
    assert user_data.fields(user_data.parse(bytes.fromhex("20010102"))) == {
        "op": 32,
        "request": 1,
        "result": 1,
        "user_id": 2,
    }


@pytest.mark.parametrize("frame", ["", "01", "01a8", "02", "0201a8", "05", "20", "2002"])
def test_missing_parameters_are_unreadable(frame: str) -> None:
    with pytest.raises(UnreadableError, match="truncated"):
        user_data.parse(bytes.fromhex(frame))


@pytest.mark.parametrize("code", [-1, 10_000])
def test_a_consent_code_has_four_digits(code: int) -> None:
    with pytest.raises(ValueError, match="0 to 9999"):
        user_data.consent(1, code)


def test_the_increment_has_four_bytes() -> None:
    assert user_data.parse_increment(bytes.fromhex("0100000002")) == Increment(
        count=1, trailing=b"\x02"
    )
    assert user_data.increment_fields(Increment(count=7)) == {"increment": 7}
