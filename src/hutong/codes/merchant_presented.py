"""
EMVCo merchant-presented codes (EMV QRCPS MPM 1.1), read and built.

`read` takes any text under one of three profiles; `build` issues canonical text only. They are each other's
reverse: `read(build(code)) == code`, and `build(read(text, CANONICAL)) == text`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from operator import attrgetter
from typing import TypeVar

from hutong.codes import tlv
from hutong.codes.additional_data import (
    AdditionalData,
    Fields,
    LocalNames,
    Template,
    additional_data_text,
    local_names_text,
    read_additional_data,
    read_local_names,
    read_template,
    template_text,
)
from hutong.codes.code import CodeReason
from hutong.codes.profile import CANONICAL, LENIENT, Profile
from hutong.kernel.errors import Refusal
from hutong.kernel.money import Currency, currency_of, format_amount, parse_amount

T = TypeVar("T")


class Initiation(Enum):
    """Whether the code is shown to many payers or made for one payment."""

    STATIC = "11"
    DYNAMIC = "12"


@dataclass(frozen=True, slots=True)
class PrimitiveAccount:
    """An account under one of the ids 02-25 that EMVCo gave to a card scheme."""

    id: str
    value: str


class TipKind(Enum):
    ASK_PAYER = "01"
    FIXED = "02"
    PERCENT = "03"


@dataclass(frozen=True, slots=True)
class Tip:
    """What is paid on top; `value` is minor units of a fixed tip, basis points of a percentage, else 0."""

    kind: TipKind
    value: int = 0


@dataclass(frozen=True, slots=True)
class MerchantPresentedCode:
    """
    Everything a merchant-presented code says.

    Accounts and templates are in ascending order of their ids. A canonical or strict code has an MCC, a name and a
    city; one from the field may lack them.
    """

    accounts: tuple[PrimitiveAccount | Template, ...]
    currency: Currency
    country: str
    mcc: str | None = None
    name: str | None = None
    city: str | None = None
    initiation: Initiation | None = None
    amount_minor: int | None = None
    tip: Tip | None = None
    postcode: str | None = None
    additional: AdditionalData | None = None
    local_names: LocalNames | None = None
    unreserved: tuple[Template, ...] = ()  # 80-99
    opaque: Fields = ()  # 65-79, and from the field whatever 80-99 hold that is no template; kept as they came.

    def template(self, guid: str) -> Template | None:
        """The account template under the identifier `guid`, in either case."""
        wanted = guid.upper()
        for account in self.accounts:
            if isinstance(account, Template) and account.guid.upper() == wanted:
                return account
        return None


_AMOUNT_LENGTH_MAX = 13
_PERCENT_LENGTH_MAX = 5
_TEXT_LENGTH_MAX = {"59": 25, "60": 15, "61": 10}
_INITIATION_OF = {row.value: row for row in Initiation}
_TIP_KIND_OF = {row.value: row for row in TipKind}
# Not printable to Python, and part of good names: CJK's space, and what Khmer and Indic scripts join and part words by.
_HARMLESS = dict.fromkeys(map(ord, "\u3000\u200b\u200c\u200d"), None)


def read(text: str, profile: Profile = LENIENT) -> MerchantPresentedCode:
    """
    What the code `text` says.

    Refuses, with id and offset: what isn't sound TLV; CRC_MISSING, CRC_WRONG; FIELD_MISSING, FIELD_EMPTY,
    FIELD_TOO_LONG, FIELD_MALFORMED, FIELD_NOT_ASCII as the profile says; AMOUNT_ZERO, and an amount its currency can't
    count; TIP_INCOMPLETE; to canonical also FIELDS_OUT_OF_ORDER and AMOUNT_NOT_CANONICAL.
    """
    fields = _checked_fields(text, profile)
    get = fields.get
    accounts = _read_accounts(text, fields, profile)
    unreserved, opaque = _read_reserved(text, fields, profile)
    currency = _read_currency(text, fields)
    amount = get("54")
    initiation = get("01")
    if initiation is not None and initiation not in _INITIATION_OF:
        raise _malformed(text, "01")
    mcc = get("52")
    if mcc is not None and not (len(mcc) == 4 and mcc.isascii() and mcc.isdigit()):
        raise _malformed(text, "52")
    country = fields["58"]
    if not (len(country) == 2 and country.isascii() and country.isalpha() and country.isupper()):
        raise _malformed(text, "58")
    for id_, length_max in _TEXT_LENGTH_MAX.items():
        if len(get(id_, "")) > length_max:
            raise Refusal(CodeReason.FIELD_TOO_LONG, id=id_, offset=tlv.offset_of(text, id_), length_max=length_max)
    additional = get("62")
    local_names = get("64")
    return MerchantPresentedCode(
        accounts=accounts,
        currency=currency,
        country=country,
        mcc=mcc,
        name=get("59"),
        city=get("60"),
        initiation=None if initiation is None else _INITIATION_OF[initiation],
        amount_minor=None if amount is None else _read_amount(text, "54", amount, currency, profile),
        tip=_read_tip(text, fields, currency, profile),
        postcode=get("61"),
        additional=None if additional is None else tlv.nested(text, "62", read_additional_data, additional, profile),
        local_names=None if local_names is None else tlv.nested(text, "64", read_local_names, local_names, profile),
        unreserved=unreserved,
        opaque=opaque,
    )


def build(code: MerchantPresentedCode) -> str:
    """
    The canonical text of `code`.

    Refuses:  what `read` refuses of the text it would be, with the id; NOT_CANONICAL if that would be read as
              something else: nothing leaves here that does not come back as the same code.
    """
    parts = ["000201"]
    add = parts.append
    if code.initiation is not None:
        add(tlv.field("01", code.initiation.value))
    parts += [
        tlv.field(account.id, account.value) if isinstance(account, PrimitiveAccount) else template_text(account)
        for account in code.accounts
    ]
    if code.mcc is not None:
        add(tlv.field("52", code.mcc))
    add(f"5303{code.currency.numeric:03d}")
    if code.amount_minor is not None:
        add(tlv.field("54", format_amount(code.amount_minor, code.currency)))
    if code.tip is not None:
        add(_tip_text(code.tip, code.currency))
    for id_, value in (("58", code.country), ("59", code.name), ("60", code.city), ("61", code.postcode)):
        if value is not None:
            add(tlv.field(id_, value))
    if code.additional is not None:
        add(additional_data_text(code.additional))
    if code.local_names is not None:
        add(local_names_text(code.local_names))
    parts += [tlv.field(id_, value) for id_, value in code.opaque]
    parts += [template_text(template) for template in code.unreserved]
    add("6304")
    text = "".join(parts)
    _check_characters(text)  # The CRC is over UTF-8, which lone surrogates have none of.
    text += tlv.crc(text)
    if read(text, CANONICAL) != code:
        raise Refusal(CodeReason.NOT_CANONICAL)
    return text


def looks_merchant_presented(text: str) -> bool:
    """Whether `text` begins as every merchant-presented code does, and no number of ours."""
    return text.startswith(("000201", "000202"))


def _checked_fields(text: str, profile: Profile) -> dict[str, str]:
    """The fields of `text`, sound as a whole: characters, CRC, order, and nothing required missing."""
    if len(text) > profile.length_max:
        raise Refusal(CodeReason.CODE_TOO_LONG, offset=profile.length_max, length_max=profile.length_max)
    _check_characters(text)
    fields = tlv.parse(text)
    _check_crc(text, fields, profile)
    _check_order(text, fields, profile)
    for id_ in ("53", "58", *profile.required):
        if id_ not in fields:
            raise Refusal(CodeReason.FIELD_MISSING, id=id_, offset=len(text))
    _check_values(text, fields, profile)
    return fields


def _check_characters(text: str) -> None:
    if not text.isprintable() and not text.translate(_HARMLESS).isprintable():
        # Among them lone surrogates, which have no UTF-8, and marks that turn the direction of a merchant's name.
        wrong = (at for at, letter in enumerate(text) if not letter.isprintable() and ord(letter) not in _HARMLESS)
        raise Refusal(CodeReason.CODE_HAS_CONTROL_CHARACTERS, offset=next(wrong))


def _check_order(text: str, fields: dict[str, str], profile: Profile) -> None:
    ids = list(fields)
    if ids[0] != "00":
        raise Refusal(CodeReason.FIELDS_OUT_OF_ORDER, id="00", offset=0)
    if fields["00"] not in profile.versions:
        raise Refusal(CodeReason.FORMAT_VERSION_UNKNOWN, id="00", offset=4)
    if profile.ascending and (ids := ids[:-1]) != sorted(ids):
        misplaced = next(after for before, after in pairwise(ids) if after < before)
        raise Refusal(CodeReason.FIELDS_OUT_OF_ORDER, id=misplaced, offset=tlv.offset_of(text, misplaced) - 4)


def _check_values(text: str, fields: dict[str, str], profile: Profile) -> None:
    if "" in fields.values():
        for id_, value in fields.items():
            if not value and not (profile.lax_templates and id_ == "62"):
                raise Refusal(CodeReason.FIELD_EMPTY, id=id_, offset=tlv.offset_of(text, id_))
    if profile.ascii_only and not text.isascii():
        for id_, value in fields.items():
            if id_ != "64" and not value.isascii():
                raise Refusal(CodeReason.FIELD_NOT_ASCII, id=id_, offset=tlv.offset_of(text, id_))


def _check_crc(text: str, fields: dict[str, str], profile: Profile) -> None:
    if len(text) < 8 or text[-8:-4] != "6304" or next(reversed(fields)) != "63":
        raise Refusal(CodeReason.CRC_MISSING, id="63", offset=max(0, len(text) - 8))
    given = text[-4:]
    right = tlv.crc(text[:-4])
    if given != right and not (profile.lower_case_crc and given.upper() == right):
        # What it should be is not told: it would only help to mend a forged plate.
        raise Refusal(CodeReason.CRC_WRONG, id="63", offset=len(text) - 4)


def _read_accounts(text: str, fields: dict[str, str], profile: Profile) -> tuple[PrimitiveAccount | Template, ...]:
    accounts: list[PrimitiveAccount | Template] = []
    for id_, value in fields.items():
        if "26" <= id_ < "52":
            accounts.append(tlv.nested(text, id_, read_template, id_, value, profile))
        elif "02" <= id_ < "26":
            accounts.append(PrimitiveAccount(id_, value))
    if not accounts:
        raise Refusal(CodeReason.FIELD_MISSING, id="02-51", offset=len(text))
    if len(accounts) > 1:
        accounts.sort(key=attrgetter("id"))
    return tuple(accounts)


def _read_reserved(text: str, fields: dict[str, str], profile: Profile) -> tuple[tuple[Template, ...], Fields]:
    """The templates of 80-99, and what is kept as it came."""
    if max(fields) < "65":
        return (), ()
    templates: list[Template] = []
    opaque: list[tuple[str, str]] = []
    for id_, value in fields.items():
        if id_ >= "80":
            try:
                templates.append(tlv.nested(text, id_, read_template, id_, value, profile))
            except Refusal:
                if not profile.lax_templates:
                    raise
                opaque.append((id_, value))
        elif id_ >= "65":
            opaque.append((id_, value))
    templates.sort(key=attrgetter("id"))
    opaque.sort()
    return tuple(templates), tuple(opaque)


def _read_currency(text: str, fields: dict[str, str]) -> Currency:
    numeric = fields["53"]
    if not (len(numeric) == 3 and numeric.isascii() and numeric.isdigit()):
        raise _malformed(text, "53")
    return _located(text, "53", currency_of, int(numeric))


def _read_amount(text: str, id_: str, amount: str, currency: Currency, profile: Profile) -> int:
    if len(amount) > _AMOUNT_LENGTH_MAX:
        raise Refusal(CodeReason.FIELD_TOO_LONG, id=id_, offset=tlv.offset_of(text, id_), length_max=_AMOUNT_LENGTH_MAX)
    minor = _located(text, id_, parse_amount, amount, currency)
    if minor == 0:
        # A code either says what is to be paid or leaves it to the payer; nought says neither, so nobody guesses.
        raise Refusal(CodeReason.AMOUNT_ZERO, id=id_, offset=tlv.offset_of(text, id_))
    if profile.canonical_values and format_amount(minor, currency) != amount:
        raise Refusal(CodeReason.AMOUNT_NOT_CANONICAL, id=id_, offset=tlv.offset_of(text, id_))
    return minor


def _read_tip(text: str, fields: dict[str, str], currency: Currency, profile: Profile) -> Tip | None:
    indicator = fields.get("55")
    for kind, id_ in ((TipKind.FIXED, "56"), (TipKind.PERCENT, "57")):
        if (indicator == kind.value) != (id_ in fields):
            raise Refusal(CodeReason.TIP_INCOMPLETE, id=id_, offset=tlv.offset_of(text, id_))
    if indicator is None:
        return None
    kind_ = _TIP_KIND_OF.get(indicator)
    match kind_:
        case None:
            raise _malformed(text, "55")
        case TipKind.ASK_PAYER:
            return Tip(kind_)
        case TipKind.FIXED:
            return Tip(kind_, _read_amount(text, "56", fields["56"], currency, profile))
        case TipKind.PERCENT:
            return Tip(kind_, _read_percent(text, fields["57"], profile))


def _read_percent(text: str, percent: str, profile: Profile) -> int:
    """Basis points of a percentage between 0.01 and 99.99."""
    if len(percent) > _PERCENT_LENGTH_MAX:
        raise Refusal(
            CodeReason.FIELD_TOO_LONG, id="57", offset=tlv.offset_of(text, "57"), length_max=_PERCENT_LENGTH_MAX
        )
    # Hundredths of a percent are counted as hundredths of a yuan are.
    bps = _located(text, "57", parse_amount, percent, Currency.CNY)
    if not 0 < bps < 10_000:
        raise _malformed(text, "57")
    if profile.canonical_values and format_amount(bps, Currency.CNY) != percent:
        raise Refusal(CodeReason.AMOUNT_NOT_CANONICAL, id="57", offset=tlv.offset_of(text, "57"))
    return bps


def _tip_text(tip: Tip, currency: Currency) -> str:
    indicator = tlv.field("55", tip.kind.value)
    match tip.kind:
        case TipKind.ASK_PAYER:
            return indicator
        case TipKind.FIXED:
            return indicator + tlv.field("56", format_amount(tip.value, currency))
        case TipKind.PERCENT:
            return indicator + tlv.field("57", format_amount(tip.value, Currency.CNY))


def _located(text: str, id_: str, read: Callable[..., T], *given: object) -> T:
    """What the kernel's `read` makes of a field; its refusal keeps the kernel's name and gains the place."""
    try:
        return read(*given)
    except Refusal as refusal:
        raise Refusal(refusal.reason, **refusal.facts, id=id_, offset=tlv.offset_of(text, id_)) from None


def _malformed(text: str, id_: str) -> Refusal:
    return Refusal(CodeReason.FIELD_MALFORMED, id=id_, offset=tlv.offset_of(text, id_))
