"""IEEE 11073-20601 numbers, SFLOAT (16 bits) and FLOAT (32 bits): decode, encode, specials.

Both are a two's complement decimal exponent over a two's complement mantissa. The specials are
whole words with exponent 0: 0xF7FF is 204.7, only 0x07FF is "not a number".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType


class Special(StrEnum):
    """What a word says instead of a number."""

    NAN = "NaN"
    NRES = "NRes"
    POSITIVE_INFINITY = "+INF"
    NEGATIVE_INFINITY = "-INF"
    RESERVED = "RFU"


Number = float | Special


@dataclass(frozen=True, slots=True, kw_only=True)
class _Format:
    """One of the two sizes."""

    mantissa_bits: int
    exponent_bits: int

    def specials(self) -> Mapping[int, Special]:
        """The five reserved words."""
        top = 1 << (self.mantissa_bits - 1)
        return MappingProxyType(
            {
                top - 2: Special.POSITIVE_INFINITY,
                top - 1: Special.NAN,
                top: Special.NRES,
                top + 1: Special.RESERVED,
                top + 2: Special.NEGATIVE_INFINITY,
            }
        )


_SHORT = _Format(mantissa_bits=12, exponent_bits=4)
_LONG = _Format(mantissa_bits=24, exponent_bits=8)
_SPECIALS = {_SHORT: _SHORT.specials(), _LONG: _LONG.specials()}
_WORDS = {
    form: {special: word for word, special in specials.items()}
    for form, specials in _SPECIALS.items()
}


def decode(word: int) -> Number:
    """Return what a 16-bit SFLOAT says."""
    return _decode(word, _SHORT)


def decode_float(word: int) -> Number:
    """Return what a 32-bit FLOAT says."""
    return _decode(word, _LONG)


def encode(number: Number) -> int:
    """Return the SFLOAT nearest to a number; ValueError if it is out of reach."""
    return _encode(number, _SHORT)


def encode_float(number: Number) -> int:
    """Return the FLOAT nearest to a number; ValueError if it is out of reach."""
    return _encode(number, _LONG)


def value(number: Number | None) -> float | None:
    """Return the number, or None for a special and for an absent field."""
    return None if number is None or isinstance(number, Special) else number


def shifted(number: float, places: int) -> float:
    """Return the number with its decimal point moved, without binary rounding noise."""
    return float(Decimal(repr(number)).scaleb(places))


@lru_cache(maxsize=4096)
def _decode(word: int, form: _Format) -> Number:
    """A home's devices send the same few hundred words again and again: hence the cache."""
    special = _SPECIALS[form].get(word)
    if special is not None:
        return special
    mantissa = _signed(word & ((1 << form.mantissa_bits) - 1), form.mantissa_bits)
    exponent = _signed(word >> form.mantissa_bits, form.exponent_bits)
    return float(f"{mantissa}e{exponent}")


def _encode(number: Number, form: _Format) -> int:
    if isinstance(number, Special):
        return _WORDS[form][number]
    exact = Decimal(repr(float(number)))
    if not exact.is_finite():
        raise ValueError(f"{number} is not a finite number: use a Special")
    lowest = -(1 << (form.exponent_bits - 1))
    exponent = max(_preferred_exponent(exact), lowest)
    while True:
        mantissa = int(exact.scaleb(-exponent).to_integral_value(ROUND_HALF_EVEN))
        word = _word(mantissa, exponent, form)
        if word is not None:
            return word
        exponent += 1
        if exponent > -lowest - 1:
            raise ValueError(f"{number} is too large for {form.mantissa_bits} bits")


def _preferred_exponent(exact: Decimal) -> int:
    """As devices write: whole numbers with exponent 0, others with just the places they need."""
    exponent = exact.normalize().as_tuple().exponent
    return min(exponent, 0) if isinstance(exponent, int) else 0


def _word(mantissa: int, exponent: int, form: _Format) -> int | None:
    """The word for a mantissa and exponent, or None if it does not fit or means a special."""
    half = 1 << (form.mantissa_bits - 1)
    if not -half <= mantissa < half:
        return None
    mantissa_word = mantissa & (2 * half - 1)
    word = (exponent & ((1 << form.exponent_bits) - 1)) << form.mantissa_bits | mantissa_word
    return None if word in _SPECIALS[form] else word


def _signed(raw: int, bits: int) -> int:
    return raw - (1 << bits) if raw >> (bits - 1) else raw
