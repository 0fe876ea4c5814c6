"""FF1: NIST's samples, and that it is a permutation."""

import json
import string
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.codes.format_preserving import FormatPreservingCipher

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "ff1.json").read_text())["vectors"]
NUMERALS = string.digits + string.ascii_lowercase


def numerals(number: int, radix: int, length: int) -> str:
    text = ""
    for _ in range(length):
        number, numeral = divmod(number, radix)
        text = NUMERALS[numeral] + text
    return text


@pytest.mark.parametrize("vector", VECTORS, ids=[str(vector["sample"]) for vector in VECTORS])
def test_the_samples_of_nist_agree(vector: dict[str, Any]) -> None:
    radix, plain = vector["radix"], vector["plaintext"]
    cipher = FormatPreservingCipher(
        bytes.fromhex(vector["key"]), len(plain), tweak=bytes.fromhex(vector["tweak"]), radix=radix
    )
    assert numerals(cipher.encrypt(int(plain, radix)), radix, len(plain)) == vector["ciphertext"]
    assert numerals(cipher.decrypt(int(vector["ciphertext"], radix)), radix, len(plain)) == plain


@settings(max_examples=200, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.integers(6, 28), st.binary(max_size=40), st.data())
def test_it_permutes_the_numbers_of_a_length(key: bytes, length: int, tweak: bytes, data: st.DataObject) -> None:
    cipher = FormatPreservingCipher(key, length, tweak=tweak)
    number = data.draw(st.integers(0, 10**length - 1))
    hidden = cipher.encrypt(number)
    assert 0 <= hidden < 10**length
    assert cipher.decrypt(hidden) == number
    assert cipher.encrypt(cipher.decrypt(number)) == number


def test_neighbours_get_different_handles_that_tell_nothing_of_their_order() -> None:
    cipher = FormatPreservingCipher(bytes(32), 9)
    handles = [cipher.encrypt(number) for number in range(2000)]
    assert len(set(handles)) == 2000
    rising = sum(before < after for before, after in pairwise(handles))
    assert 900 < rising < 1100
