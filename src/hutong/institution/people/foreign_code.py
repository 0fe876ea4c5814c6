"""
Numbers that people show and that another system issued: a campus card, a transit card, an old wallet's barcode.

Such a number is always the same, so whoever saw it once can show it. It says who is to be asked, and pays nothing by
itself: its owner agrees to each payment with the PIN.
"""

import hashlib

import msgspec

from hutong.codes.payment_code import LENGTH
from hutong.institution.people.reasons import PeopleReason
from hutong.kernel.errors import Refusal
from hutong.runtime.tables import BigInt, Boolean, Text, Uuid

DIGITS_MIN, DIGITS_MAX = 8, 32
CODES_MAX = 10  # Active ones of a user.


class ForeignCode(msgspec.Struct, frozen=True):
    """One version of a number that leads to a user."""

    id: Uuid  # A hash of the number.
    digits: Text
    user_id: Uuid
    changed_ns: BigInt
    active: Boolean = True


def foreign_code_id(digits: str) -> int:
    """What finds a number."""
    return int.from_bytes(hashlib.blake2b(digits.encode(), digest_size=16, person=b"hutong foreign").digest())


def is_foreign(code: str, own_prefix: str) -> bool:
    """Whether a code is digits that aren't a payment code of ours."""
    is_ours = code.startswith(own_prefix) and len(code) == LENGTH
    return DIGITS_MIN <= len(code) <= DIGITS_MAX and code.isascii() and code.isdigit() and not is_ours


def check_foreign(digits: str, own_prefix: str) -> None:
    """Refuses FOREIGN_CODE_MALFORMED."""
    if not is_foreign(digits, own_prefix):
        raise Refusal(PeopleReason.FOREIGN_CODE_MALFORMED, field="digits", digits_min=DIGITS_MIN, digits_max=DIGITS_MAX)
