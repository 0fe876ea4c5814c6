"""UPI links (`upi://pay?pa=…`, NPCI's UPI Linking Specification): India's merchant-presented code."""

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

from hutong.codes.code import CodeReason
from hutong.codes.link import LENGTH_MAX, Link
from hutong.kernel.errors import Refusal
from hutong.kernel.money import Currency, format_amount, parse_amount

_PREFIX = "upi://pay?"
_ADDRESS = re.compile(r"[A-Za-z0-9._-]{1,255}@[A-Za-z][A-Za-z0-9.-]{0,63}")
_MCC = re.compile(r"[0-9]{4}")
_KNOWN = ("pa", "pn", "mc", "tid", "tr", "tn", "am", "cu", "url")


@dataclass(frozen=True, slots=True)
class UpiLink:
    """Who is to be paid, and how much if that is fixed. `others` (a signature among them) are kept as they came."""

    payee_address: str
    payee_name: str | None = None
    mcc: str | None = None
    transaction_id: str | None = None
    reference: str | None = None
    note: str | None = None
    amount_minor: int | None = None
    currency: Currency = Currency.INR
    url: str | None = None
    others: tuple[tuple[str, str], ...] = ()


def looks_like_upi(text: str) -> bool:
    return text[: len(_PREFIX)].lower() == _PREFIX


def upi_link(text: str) -> Link:
    """The link that a UPI link is to the directory: in the field they have blanks, and letters of either case, in them."""
    assert looks_like_upi(text)
    return Link("upi", "", f"//pay?{text[len(_PREFIX) :]}")


def read_upi(text: str) -> UpiLink:
    """
    What a UPI link says. A parameter without a value counts as missing, as wallets in the field have it.

    Refuses:  LINK_MALFORMED; FIELD_REPEATED, FIELD_MISSING and FIELD_MALFORMED with the parameter as `id`; AMOUNT_ZERO
              and an amount that is none; a currency other than INR as FIELD_MALFORMED.
    """
    if len(text) > LENGTH_MAX:
        raise Refusal(CodeReason.CODE_TOO_LONG, offset=LENGTH_MAX, length_max=LENGTH_MAX)
    if not looks_like_upi(text):
        raise Refusal(CodeReason.LINK_MALFORMED, offset=0)
    given = _parameters(text)
    known = {name: given.pop(name, None) for name in _KNOWN}
    address, mcc, amount = known["pa"], known["mc"], known["am"]
    if address is None:
        raise Refusal(CodeReason.FIELD_MISSING, id="pa", offset=len(text))
    if not _ADDRESS.fullmatch(address):
        raise _malformed(text, "pa")
    if mcc is not None and not _MCC.fullmatch(mcc):
        raise _malformed(text, "mc")
    if known["cu"] not in (None, "INR"):
        raise _malformed(text, "cu")
    return UpiLink(
        payee_address=address,
        payee_name=known["pn"],
        mcc=mcc,
        transaction_id=known["tid"],
        reference=known["tr"],
        note=known["tn"],
        amount_minor=None if amount is None else _read_amount(text, amount),
        url=known["url"],
        others=tuple(given.items()),
    )


def build_upi(link: UpiLink) -> str:
    """The text of `link`. Refuses what `read_upi` refuses, and NOT_CANONICAL, if it would not be read back as itself."""
    amount = None if link.amount_minor is None else format_amount(link.amount_minor, link.currency)
    values = (
        ("pa", link.payee_address),
        ("pn", link.payee_name),
        ("mc", link.mcc),
        ("tid", link.transaction_id),
        ("tr", link.reference),
        ("tn", link.note),
        ("am", amount),
        ("cu", link.currency.alpha),
        ("url", link.url),
        *link.others,
    )
    try:
        text = _PREFIX + "&".join(
            f"{quote(name, safe='')}={quote(value, safe='@')}" for name, value in values if value is not None
        )
    except UnicodeEncodeError:
        raise Refusal(CodeReason.CODE_HAS_CONTROL_CHARACTERS) from None
    if read_upi(text) != link:
        raise Refusal(CodeReason.NOT_CANONICAL)
    return text


def _parameters(text: str) -> dict[str, str]:
    """The parameters that have a value, in the order they came."""
    given: dict[str, str] = {}
    offset = len(_PREFIX)
    for pair in text[offset:].split("&"):
        name, _, value = pair.partition("=")
        try:
            name, value = unquote(name, errors="strict"), unquote(value.replace("+", " "), errors="strict")
        except UnicodeDecodeError:
            raise Refusal(CodeReason.LINK_MALFORMED, offset=offset) from None
        if not (name + value).isprintable():
            raise Refusal(CodeReason.CODE_HAS_CONTROL_CHARACTERS, offset=offset)
        if name in given:
            raise Refusal(CodeReason.FIELD_REPEATED, id=name, offset=offset)
        if value:
            given[name] = value
        offset += len(pair) + 1
    return given


def _read_amount(text: str, amount: str) -> int:
    try:
        minor = parse_amount(amount, Currency.INR)
    except Refusal as refusal:
        raise Refusal(refusal.reason, **refusal.facts, id="am", offset=_offset_of(text, "am")) from None
    if minor == 0:
        raise Refusal(CodeReason.AMOUNT_ZERO, id="am", offset=_offset_of(text, "am"))
    return minor


def _malformed(text: str, name: str) -> Refusal:
    return Refusal(CodeReason.FIELD_MALFORMED, id=name, offset=_offset_of(text, name))


def _offset_of(text: str, name: str) -> int:
    found = re.search(rf"[?&]{name}=", text)
    return found.end() if found else 0
