"""
Who paid, as a merchant may know it: the same payer is the same to one merchant's application, and a stranger to another.

The id of a person of ours opens again for the institution alone, so that a merchant can send money to whom it names; that
of a person elsewhere is a digest of what their institution tells us.
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Callable

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from hutong.codes.format_preserving import FormatPreservingCipher
from hutong.institution.payments.payment import Payment, payer_text
from hutong.institution.payments.receipt import Receipt

KEY_BYTES = 32
_ID_BYTES = 16
_TAG_BYTES = 4
_OPENID_LETTERS = 28
_OPENID_START = "o"
# What a number goes on with behind 2088 says whose it is: sellers' have another digit there (`account.SELLERS`).
_ELSEWHERE, _HERE = "20880", "20881"
_NUMBER_DIGITS = 11


def payer_of(payment: Receipt | Payment) -> str:
    """How an order keeps its payer: institution and reference; for one of ours our own id of the person."""
    if isinstance(payment, Payment):
        return payer_here(payment.user_id)
    return payer_text(payment.debtor_agent, payment.debtor_ref)


def payer_here(user_id: int) -> str:
    """The same for a person of ours who has not paid yet."""
    return payer_text("", f"{user_id:032x}")


class PayerIds:
    """The ids that merchants see, under a key of the node's."""

    def __init__(self, key: bytes) -> None:
        self._key = hmac.digest(key, b"hutong gateway payers", "sha256")
        assert len(self._key) == KEY_BYTES
        self._numbers = FormatPreservingCipher(self._digest("numbers", KEY_BYTES), _NUMBER_DIGITS)

    def openid(self, application: str, payer: str) -> str:
        """28 letters that begin with `o`: the payer, to an application."""
        agent, _, reference = payer.partition("/")
        if agent:
            told = self._digest(f"{application}/{payer}", _ID_BYTES)
        else:
            told = self._cipher(application).encryptor().update(bytes.fromhex(reference))
        tag = self._digest(f"{application}/{bool(agent)}/{told.hex()}", _TAG_BYTES)
        return (_OPENID_START + urlsafe_b64encode(told + tag).decode().rstrip("="))[:_OPENID_LETTERS]

    def person(self, application: str, openid: str) -> int | None:
        """The person of ours whom this application knows as `openid`; None for all others."""
        user = self._told(application, openid, elsewhere=False)
        return None if user is None else int.from_bytes(self._cipher(application).decryptor().update(user))

    def is_another(self, application: str, openid: str, payer: str) -> bool:
        """Whether an id that we gave to an application is somebody else's; one that we did not says nothing."""
        ours = any(self._told(application, openid, elsewhere=elsewhere) is not None for elsewhere in (False, True))
        return ours and self.openid(application, payer) != openid

    def _told(self, application: str, openid: str, *, elsewhere: bool) -> bytes | None:
        """What an id of ours says, once its tag was found right."""
        try:
            told = urlsafe_b64decode(openid[1:] + "=")
        except (Base64Error, ValueError):
            return None
        if len(openid) != _OPENID_LETTERS or openid[0] != _OPENID_START or len(told) != _ID_BYTES + _TAG_BYTES:
            return None
        tag = self._digest(f"{application}/{elsewhere}/{told[:_ID_BYTES].hex()}", _TAG_BYTES)
        return told[:_ID_BYTES] if hmac.compare_digest(tag, told[_ID_BYTES:]) else None

    def number(self, payer: str, user_number: Callable[[int], int]) -> str:
        """2088 and twelve digits: the payer of an order. `user_number` tells it of a person of ours."""
        agent, _, reference = payer.partition("/")
        return self.number_elsewhere(payer) if agent else self.number_here(user_number(int(reference, 16)))

    def number_here(self, user_number: int) -> str:
        """2088 and twelve digits: a person of ours, to all applications, by the number that payment codes stand for."""
        return f"{_HERE}{self._numbers.encrypt(user_number):0{_NUMBER_DIGITS}d}"

    def number_elsewhere(self, payer: str) -> str:
        """The same of a person at another institution: it opens for nobody."""
        drawn = int.from_bytes(self._digest(payer, _ID_BYTES))
        return f"{_ELSEWHERE}{drawn % 10**_NUMBER_DIGITS:0{_NUMBER_DIGITS}d}"

    def user_number(self, number: str) -> int | None:
        """The number of the person of ours who is told as `number`; None for all others."""
        digits = number.removeprefix(_HERE)
        if len(digits) != _NUMBER_DIGITS or len(number) != len(_HERE) + _NUMBER_DIGITS or not digits.isdecimal():
            return None
        return self._numbers.decrypt(int(digits)) if digits.isascii() else None

    def _cipher(self, application: str) -> Cipher[modes.ECB]:
        # One block, of an id that is unique: the mode has nothing to do.
        return Cipher(algorithms.AES(self._digest(f"key/{application}", KEY_BYTES)), modes.ECB())  # noqa: S305

    def _digest(self, text: str, size: int) -> bytes:
        return hashlib.blake2b(text.encode(), key=self._key, digest_size=size, person=b"hutong payers").digest()
