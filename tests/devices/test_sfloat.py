import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import sfloat
from devices.sfloat import Special

SPECIALS = {
    0x07FE: Special.POSITIVE_INFINITY,
    0x07FF: Special.NAN,
    0x0800: Special.NRES,
    0x0801: Special.RESERVED,
    0x0802: Special.NEGATIVE_INFINITY,
}
LONG_SPECIALS = {
    0x007FFFFE: Special.POSITIVE_INFINITY,
    0x007FFFFF: Special.NAN,
    0x00800000: Special.NRES,
    0x00800001: Special.RESERVED,
    0x00800002: Special.NEGATIVE_INFINITY,
}


def test_every_one_of_the_65536_words_survives_a_round_trip() -> None:
    for word in range(1 << 16):
        number = sfloat.decode(word)
        assert sfloat.decode(sfloat.encode(number)) == number


def test_exactly_five_words_are_special() -> None:
    found = {
        word: number
        for word in range(1 << 16)
        if isinstance(number := sfloat.decode(word), Special)
    }
    assert found == SPECIALS


@pytest.mark.parametrize(("word", "special"), SPECIALS.items())
def test_specials_keep_their_word(word: int, special: Special) -> None:
    assert sfloat.encode(special) == word


@pytest.mark.parametrize(("word", "special"), LONG_SPECIALS.items())
def test_specials_of_float_keep_their_word(word: int, special: Special) -> None:
    assert sfloat.decode_float(word) == special
    assert sfloat.encode_float(special) == word


@pytest.mark.parametrize(
    ("word", "number"),
    [
        (0x0078, 120.0),
        (0xF0BD, 18.9),
        (0xFFFF, -0.1),
        (0x0FFE, -2.0),
        (0x7FFE, -2e7),
        (0x8002, 2e-8),
        (0xF7FF, 204.7),
        (0xF7FE, 204.6),
        (0x17FF, 20470.0),
        (0xF800, -204.8),
        (0x0000, 0.0),
    ],
)
def test_exponent_and_mantissa_are_twos_complement(word: int, number: float) -> None:
    assert sfloat.decode(word) == number


@pytest.mark.parametrize(
    ("number", "word"),
    [(120.0, 0x0078), (36.4, 0xF16C), (100.0, 0x0064), (0.0, 0x0000), (-0.1, 0xFFFF)],
)
def test_encodes_as_devices_do(number: float, word: int) -> None:
    assert sfloat.encode(number) == word


def test_rounds_what_does_not_fit_into_twelve_bits() -> None:
    assert sfloat.decode(sfloat.encode(123.456)) == 123.5
    assert sfloat.decode(sfloat.encode(2047.0)) == 2050.0


@pytest.mark.parametrize("number", [1e12, -1e12, math.inf, math.nan])
def test_refuses_what_no_word_can_say(number: float) -> None:
    with pytest.raises(ValueError, match=r"large|finite"):
        sfloat.encode(number)


@given(st.integers(0, (1 << 32) - 1))
def test_every_word_of_float_survives_a_round_trip(word: int) -> None:
    number = sfloat.decode_float(word)
    assert sfloat.decode_float(sfloat.encode_float(number)) == number


@pytest.mark.parametrize(
    ("word", "number"),
    [(0xFF00016C, 36.4), (0xFE000E71, 36.97), (0x00000024, 36.0), (0xFFFFFFFF, -0.1)],
)
def test_float_decodes(word: int, number: float) -> None:
    assert sfloat.decode_float(word) == number


@given(st.integers(-(1 << 23), 1 << 23), st.integers(-5, 5))
def test_shifting_there_and_back_changes_nothing(mantissa: int, places: int) -> None:
    number = mantissa / 10
    assert sfloat.shifted(sfloat.shifted(number, places), -places) == number


def test_a_special_has_no_value() -> None:
    assert sfloat.value(Special.NAN) is None
    assert sfloat.value(None) is None
    assert sfloat.value(0.0) == 0.0
