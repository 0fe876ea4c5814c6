"""What a scanned text is, before anybody asks whose it is."""

from dataclasses import dataclass

from hutong.codes import consumer_presented, merchant_presented
from hutong.codes.code import CodeReason, Presented
from hutong.codes.consumer_presented import ConsumerPresentedCode
from hutong.codes.link import Link, looks_like_link, read_link
from hutong.codes.merchant_presented import MerchantPresentedCode
from hutong.codes.profile import LENIENT
from hutong.codes.upi import UpiLink, looks_like_upi, read_upi
from hutong.kernel.errors import Refusal

_DIGITS_MIN, _DIGITS_MAX = 8, 32


@dataclass(frozen=True, slots=True)
class Digits:
    """A code of digits alone: a payment code of ours or of a foreign wallet. Which, its prefix and length tell."""

    text: str


Content = MerchantPresentedCode | ConsumerPresentedCode | UpiLink | Link | Digits


@dataclass(frozen=True, slots=True)
class Scanned:
    """A text from a code, and what it says."""

    text: str
    content: Content

    @property
    def presented(self) -> Presented:
        """Who shows such a code. Links hang on walls; digits are on the payer's phone."""
        match self.content:
            case ConsumerPresentedCode() | Digits():
                return Presented.BY_CONSUMER
            case MerchantPresentedCode() | UpiLink() | Link():
                return Presented.BY_MERCHANT


def read(text: str) -> Scanned:
    """
    What `text`, as a scanner or a person gave it, is; blanks around it don't count.

    Refuses:  CODE_KIND_UNKNOWN, or what the reader of its kind refuses. Nothing else ever leaves here.
    """
    text = text.strip(" \t\r\n")
    return Scanned(text, _read(text))


def _read(text: str) -> Content:
    # Foreign digits are at most 24 long, and a payload of so many digits has no currency and country yet.
    if _DIGITS_MIN <= len(text) <= _DIGITS_MAX and text.isascii() and text.isdigit():
        return Digits(text)
    if merchant_presented.looks_merchant_presented(text):
        return merchant_presented.read(text, LENIENT)
    if consumer_presented.looks_consumer_presented(text):
        return consumer_presented.read(text)
    if looks_like_upi(text):
        return read_upi(text)
    if looks_like_link(text):
        return read_link(text)
    raise Refusal(CodeReason.CODE_KIND_UNKNOWN, offset=0)
