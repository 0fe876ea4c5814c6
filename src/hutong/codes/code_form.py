"""
Code forms: the patterns of codes that participants already have in the field, and new ones.

Each has one text, for settings, the operator and the directory's rows:

    url:https://jing.example/q/             every link that begins so
    digits:28:18                            18 digits that begin so; `digits:25:16-24` of 16 to 24 digits
    emvco:38:A000000727:01.00=970416        template 38 of that identifier, whose field 01 holds a 00 that begins so
    emvco:29:*@DEVB                         template 29 whose identifier ends so
    emvco:*:SG.PAYNOW                       a template 26-51 of that identifier
    emvco:15::=37210116                     primitive account 15 whose value begins so
    aid:A0000000555555                      consumer-presented codes with an application that begins so
"""

from dataclasses import dataclass

from hutong.codes import tlv
from hutong.codes.additional_data import Template
from hutong.codes.code import CodeReason, Presented
from hutong.codes.link import Link, read_link
from hutong.codes.merchant_presented import PrimitiveAccount
from hutong.kernel.errors import Refusal

ANY_TEMPLATE = "*"
DIGITS_LENGTH_MAX = 32
_TEXT_LENGTH_MAX = 512


@dataclass(frozen=True, slots=True)
class UrlForm:
    """Links that begin with `prefix`, a link in its one spelling; of the web's, to exactly its host and port."""

    prefix: Link

    def __str__(self) -> str:
        return f"url:{self.prefix}"

    @property
    def family(self) -> tuple[str, ...]:
        return "url", self.prefix.scheme, self.prefix.authority

    def overlaps(self, other: "CodeForm") -> bool:
        return (
            isinstance(other, UrlForm)
            and (self.prefix.scheme, self.prefix.authority) == (other.prefix.scheme, other.prefix.authority)
            and _one_begins_the_other(self.prefix.rest, other.prefix.rest)
        )


@dataclass(frozen=True, slots=True)
class DigitsForm:
    """Codes of `length_min` to `length_max` digits that begin with `prefix`."""

    prefix: str
    length_min: int
    length_max: int

    def __str__(self) -> str:
        if self.length_min == self.length_max:
            return f"digits:{self.prefix}:{self.length_min}"
        return f"digits:{self.prefix}:{self.length_min}-{self.length_max}"

    @property
    def family(self) -> tuple[str, ...]:
        return ("digits",)

    @property
    def lengths(self) -> range:
        return range(self.length_min, self.length_max + 1)

    def overlaps(self, other: "CodeForm") -> bool:
        return (
            isinstance(other, DigitsForm)
            and self.length_min <= other.length_max
            and other.length_min <= self.length_max
            and _one_begins_the_other(self.prefix, other.prefix)
        )


@dataclass(frozen=True, slots=True)
class EmvcoForm:
    """
    Merchant-presented codes with such an account.

    `identifier` is upper-case: a whole one, or `*@BANK` for all that end so, or nothing with primitive ids. If `path`
    is empty, `value_prefix` is too, but for primitive accounts.
    """

    template_id: str  # Two digits, or `ANY_TEMPLATE`.
    identifier: str = ""
    path: tuple[str, ...] = ()
    value_prefix: str = ""

    def __str__(self) -> str:
        value = f":{'.'.join(self.path)}={self.value_prefix}" if self.value_prefix else ""
        return f"emvco:{self.template_id}:{self.identifier}{value}"

    @property
    def family(self) -> tuple[str, ...]:
        return "emvco", suffix_pattern(self.identifier) or self.identifier or self.template_id

    @property
    def weight(self) -> int:
        """Of two forms where one is inside the other the inner weighs more: the longest wins."""
        return len(self.identifier) + len(self.value_prefix) + (self.template_id != ANY_TEMPLATE)

    def overlaps(self, other: "CodeForm") -> bool:
        """Whether one account could be of both forms. Two paths can always both be there."""
        return (
            isinstance(other, EmvcoForm)
            and (self.template_id == other.template_id or ANY_TEMPLATE in (self.template_id, other.template_id))
            and _identifiers_overlap(self.identifier, other.identifier)
            and (self.path != other.path or _one_begins_the_other(self.value_prefix, other.value_prefix))
        )


@dataclass(frozen=True, slots=True)
class ApplicationForm:
    """EMVCo consumer-presented codes with an application whose identifier begins with `prefix`, upper-case hex."""

    prefix: str

    def __str__(self) -> str:
        return f"aid:{self.prefix}"

    @property
    def family(self) -> tuple[str, ...]:
        return ("aid",)

    def overlaps(self, other: "CodeForm") -> bool:
        return isinstance(other, ApplicationForm) and _one_begins_the_other(self.prefix, other.prefix)


CodeForm = UrlForm | DigitsForm | EmvcoForm | ApplicationForm


def value_at(account: PrimitiveAccount | Template, path: tuple[str, ...]) -> str | None:
    """What a form with `path` looks at in `account`; nothing if that is missing."""
    if isinstance(account, PrimitiveAccount):
        return account.value
    if not path:
        return account.guid
    value = account.get(path[0])
    for id_ in path[1:]:
        if value is None:
            return None
        try:
            value = tlv.parse(value).get(id_)
        except Refusal:  # Somebody else's field of the same number, with other things in it.
            return None
    return value


def presented(form: CodeForm) -> Presented:
    """Who shows codes of this form."""
    return Presented.BY_CONSUMER if isinstance(form, DigitsForm | ApplicationForm) else Presented.BY_MERCHANT


def read_form(text: str) -> CodeForm:
    """The form whose text is `text`. Refuses FORM_MALFORMED, naming the part that is wrong, and what `read_link` does."""
    if len(text) > _TEXT_LENGTH_MAX or not text.isprintable():
        raise _malformed("form", text)
    sort, _, pattern = text.partition(":")
    match sort:
        case "url":
            return UrlForm(read_link(pattern))
        case "digits":
            return _read_digits_form(pattern)
        case "emvco":
            return _read_emvco_form(pattern)
        case "aid":
            prefix = pattern.upper()
            if not 10 <= len(prefix) <= 32 or not set(prefix) <= set("0123456789ABCDEF"):
                raise _malformed("aid", pattern)
            return ApplicationForm(prefix)
        case _:
            raise _malformed("sort", sort)


def _read_digits_form(pattern: str) -> DigitsForm:
    prefix, _, lengths = pattern.partition(":")
    shortest, dash, longest = lengths.partition("-")
    if not _is_digits(prefix):
        raise _malformed("prefix", prefix)
    if not _is_digits(shortest) or (dash and not _is_digits(longest)) or len(lengths) > 5:
        raise _malformed("lengths", lengths)
    form = DigitsForm(prefix, int(shortest), int(longest if dash else shortest))
    if not len(prefix) < form.length_min <= form.length_max <= DIGITS_LENGTH_MAX:
        raise _malformed("lengths", lengths)
    return form


def _read_emvco_form(pattern: str) -> EmvcoForm:
    template_id, _, tail = pattern.partition(":")
    identifier, _, condition = tail.partition(":")
    dotted, _, value_prefix = condition.partition("=")
    path = tuple(dotted.split(".")) if dotted else ()
    primitive = template_id in tlv.TWO_DIGITS and "02" <= template_id < "26"
    if (
        not primitive
        and template_id != ANY_TEMPLATE
        and not (template_id in tlv.TWO_DIGITS and "26" <= template_id < "52")
    ):
        raise _malformed("template", template_id)
    if not identifier.isascii() or "=" in identifier or len(identifier) > 32:
        raise _malformed("identifier", identifier)
    if bool(identifier) == primitive or ("*" in identifier and not _is_suffix_pattern(identifier)):
        raise _malformed("identifier", identifier)
    if not all(id_ in tlv.TWO_DIGITS for id_ in path) or len(path) > 3 or (primitive and path):
        raise _malformed("path", dotted)
    if bool(value_prefix) != (primitive or bool(path)):  # A whole card scheme is nobody's; a path alone says nothing.
        raise _malformed("value", value_prefix)
    return EmvcoForm(template_id, identifier.upper(), path, value_prefix)


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _is_suffix_pattern(identifier: str) -> bool:
    return identifier.startswith("*@") and len(identifier) > 2 and not set("*@") & set(identifier[2:])


def _one_begins_the_other(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def _identifiers_overlap(one: str, other: str) -> bool:
    if one == other:
        return True
    return one == suffix_pattern(other) or other == suffix_pattern(one)


def suffix_pattern(identifier: str) -> str | None:
    """The pattern that a whole identifier of the form `name@bank` belongs to."""
    _, at, bank = identifier.rpartition("@")
    return f"*@{bank}" if at and not identifier.startswith("*") else None


def _malformed(part: str, given: str) -> Refusal:
    return Refusal(CodeReason.FORM_MALFORMED, part=part, given=given[:64])
