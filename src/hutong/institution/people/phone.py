"""Telephone numbers: E.164, and mainland Chinese mobile numbers as people write them."""

import re

from hutong.institution.people.reasons import PeopleReason
from hutong.kernel.errors import Refusal

_E164 = re.compile(r"\+[1-9][0-9]{7,14}")  # ITU-T E.164: at most 15 digits, country code first.
_CHINESE_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_CHINA = "+86"


def parse_phone(text: str) -> str:
    """
    The number in E.164: `13800138000` and `+8613800138000` are the same.

    Refuses:  PHONE_MALFORMED; under +86 also what is no mobile number, because a one-time code is sent to it.
    """
    if _CHINESE_MOBILE.fullmatch(text):
        return _CHINA + text
    if not _E164.fullmatch(text) or (text.startswith(_CHINA) and not _CHINESE_MOBILE.fullmatch(text[len(_CHINA) :])):
        raise Refusal(PeopleReason.PHONE_MALFORMED, expected="+ and 8 to 15 digits, or a Chinese mobile number")
    return text


def masked_phone(phone: str) -> str:
    """How others see it: `+86138****8000`."""
    return f"{phone[:-8]}****{phone[-4:]}"
