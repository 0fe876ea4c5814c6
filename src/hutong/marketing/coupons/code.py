"""
The codes by which coupons are claimed: sixteen letters that nobody guesses and no table has to keep.

A code says the batch it was made in, its number there, and 44 bits of zeros, the whole of it enciphered under the node's
key. What deciphers to anything but zeros there was not made here: of sixteen trillion made-up codes one passes.
"""

import hashlib
import hmac
from typing import NamedTuple

import msgspec

from hutong.codes.format_preserving import FormatPreservingCipher
from hutong.kernel.errors import Refusal
from hutong.marketing.coupons.reasons import CouponReason
from hutong.runtime.tables import BigInt, Boolean, Integer, Text, Uuid

BATCH_PREFIX = "ccb"
BATCHES_MAX = 1 << 16
CODES_MAX = 1 << 20  # Of one batch.
LETTERS = 16
GROUP = 4
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# What people read for another: Crockford's own rule.
_READ = {ord(letter): value for value, letter in enumerate(_ALPHABET)} | {ord("O"): 0, ord("I"): 1, ord("L"): 1}
_NUMBER_BITS = 20
_ZERO_BITS = 44


class CodeBatch(msgspec.Struct, frozen=True, kw_only=True):
    """Codes that were made together: their numbers count from 0. Of a shared code there is one, which many may type."""

    id: Uuid
    template_id: Uuid
    series: Integer  # Counts the node's batches.
    count: Integer
    shared: Boolean
    made_by: Text
    created_ns: BigInt


class CodeHandout(msgspec.Struct, frozen=True, kw_only=True):
    """That a page gave a batch's codes away, as a file: once."""

    id: Uuid  # The batch's.
    taken_by: Text
    taken_ns: BigInt


class Use(NamedTuple):
    """So many coupons were claimed by codes made together, and so many of these paid with."""

    claimed: int = 0
    used: int = 0


class Codes:
    """Makes and reads codes. The key is the node's, and nothing else is made with it."""

    def __init__(self, key: bytes) -> None:
        derived = hmac.digest(key, b"coupon codes", "sha256")
        self._cipher = FormatPreservingCipher(derived, LETTERS, radix=len(_ALPHABET))

    def code(self, series: int, number: int) -> str:
        """The code as it is printed: four groups of four letters."""
        assert 0 <= series < BATCHES_MAX
        assert 0 <= number < CODES_MAX
        value = self._cipher.encrypt((series << _NUMBER_BITS | number) << _ZERO_BITS)
        letters = "".join(_ALPHABET[value >> 5 * i & 31] for i in reversed(range(LETTERS)))
        return "-".join(letters[i : i + GROUP] for i in range(0, LETTERS, GROUP))

    def read(self, text: str) -> tuple[int, int]:
        """The series and number of what somebody typed, however grouped. Refuses COUPON_CODE_WRONG."""
        letters = text.upper().replace("-", "").replace(" ", "")
        if len(letters) != LETTERS:
            raise Refusal(CouponReason.COUPON_CODE_WRONG, field="code")
        value = 0
        for letter in letters:
            digit = _READ.get(ord(letter))
            if digit is None:
                raise Refusal(CouponReason.COUPON_CODE_WRONG, field="code")
            value = value << 5 | digit
        plain = self._cipher.decrypt(value)
        if plain & ((1 << _ZERO_BITS) - 1):
            raise Refusal(CouponReason.COUPON_CODE_WRONG, field="code")
        named = plain >> _ZERO_BITS
        return named >> _NUMBER_BITS, named & (CODES_MAX - 1)


def code_id(batch_id: int, number: int) -> int:
    """Under what the claim with a unique code is kept."""
    return int.from_bytes(hashlib.blake2b(f"{batch_id:032x}/{number}".encode(), digest_size=16).digest())
