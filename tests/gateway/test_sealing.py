import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sealing import Plain, Sealed, SealError

KEY = bytes(range(32))


@given(st.binary())
def test_opens_what_it_closed(body: bytes) -> None:
    for seal in (Plain(), Sealed(KEY)):
        assert seal.open(seal.close(body)) == body


def test_sealed_bytes_tell_nothing_and_never_repeat() -> None:
    seal = Sealed(KEY)
    first, second = seal.close(b"120/80"), seal.close(b"120/80")
    assert b"120/80" not in first
    assert first != second


def test_what_was_stored_before_there_was_a_key_stays_readable() -> None:
    assert Sealed(KEY).open(Plain().close(b"frame")) == b"frame"


@pytest.mark.parametrize("seal", [Plain(), Sealed(bytes(32))], ids=["no key", "another key"])
def test_a_sealed_payload_needs_its_key(seal: Plain | Sealed) -> None:
    with pytest.raises(SealError):
        seal.open(Sealed(KEY).close(b"frame"))


def test_refuses_a_key_of_another_length() -> None:
    with pytest.raises(SealError, match="16 bytes"):
        Sealed(bytes(16))
