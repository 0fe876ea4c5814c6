"""
Plates (码牌): the codes our own institutions issue, in two forms of the same thing.

As a URL, `https://jing.example/q/M4T9…`, any phone's plain camera opens a page that offers the wallets, and any wallet
recognises it. As an EMVCo payload it suits schemes that want one. Either names one thing at one institution: a
merchant's or a person's static code (with an amount or without: the institution knows), or a payment request.
"""

from dataclasses import dataclass
from enum import Enum

from hutong.codes.additional_data import AdditionalData, LocalNames, Template
from hutong.codes.code import CodeReason
from hutong.codes.link import Link, read_link
from hutong.codes.merchant_presented import Initiation, MerchantPresentedCode
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import PART_BITS, Randomness
from hutong.kernel.money import Currency

PATH = "/q/"
NETWORK_GUID = "9f3c6b0e5d2a4c71b8e40d6a7c15f283"
"""
The network's identifier in EMVCo templates: a UUID, which EMVCo allows without asking anybody for a number.
"""
_TEMPLATE_ID = "26"
_NODE_ID, _PLATE_ID = "01", "02"

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUE_OF = {letter: value for value, letter in enumerate(_CROCKFORD)}
_BODY_LENGTH_MIN, _BODY_LENGTH_MAX = 12, 24
_REQUEST_BODY_LENGTH = 24


class PlateKind(Enum):
    """What a plate stands for; the first letter of its id."""

    MERCHANT = "M"
    PERSON = "P"
    REQUEST = "R"
    RED_PACKET = "G"  # A gift: nothing is paid to it, and whoever has the link may claim a share.
    HOLD = "H"  # A merchant asks to hold money of whoever scans it.


_WHOLE_BODIES = frozenset({PlateKind.REQUEST, PlateKind.RED_PACKET, PlateKind.HOLD})


@dataclass(frozen=True, slots=True)
class PlateId:
    """
    The id on a plate: kind, body and a check letter, in Crockford's base32, which people can read out and type.

    The check letter finds every single wrong letter and every two swapped: it makes the letters, as a polynomial over
    GF(32), divide by x - 2, and the order of 2 is 31.
    """

    kind: PlateKind
    body: str

    def __post_init__(self) -> None:
        assert _BODY_LENGTH_MIN <= len(self.body) <= _BODY_LENGTH_MAX
        assert set(self.body) <= _VALUE_OF.keys()

    def __str__(self) -> str:
        letters = self.kind.value + self.body
        return letters + _CROCKFORD[_times_two(_remainder(letters))]

    @property
    def request_id(self) -> int:
        """The payment request, or the hold, that a plate of kind REQUEST or HOLD stands for."""
        assert self.kind in (PlateKind.REQUEST, PlateKind.HOLD)
        number = 0
        for letter in self.body:
            number = number << 5 | _VALUE_OF[letter]
        return number << PART_BITS


@dataclass(frozen=True, slots=True)
class Plate:
    """A plate in its URL form: where its institution answers, and its id."""

    base: str  # `https://jing.example`, without a slash at its end.
    id: PlateId

    def __str__(self) -> str:
        return f"{self.base}{PATH}{self.id}"


def mint_plate_id(kind: PlateKind, randomness: Randomness) -> PlateId:
    """A new id for a static plate: 60 random bits, so that plates cannot be listed by counting."""
    assert kind not in _WHOLE_BODIES
    bits = randomness.getrandbits(5 * _BODY_LENGTH_MIN)
    return PlateId(kind, _letters(bits, _BODY_LENGTH_MIN))


def request_plate_id(request_id: int) -> PlateId:
    """The id under which a payment request is shown: its own, without the byte that numbers parts."""
    assert request_id & ((1 << PART_BITS) - 1) == 0
    return PlateId(PlateKind.REQUEST, _letters(request_id >> PART_BITS, _REQUEST_BODY_LENGTH))


def hold_plate_id(hold_id: int) -> PlateId:
    """The id under which a merchant asks to hold money: the hold's own, likewise."""
    assert hold_id & ((1 << PART_BITS) - 1) == 0
    return PlateId(PlateKind.HOLD, _letters(hold_id >> PART_BITS, _REQUEST_BODY_LENGTH))


def red_packet_plate_id(secret: bytes) -> PlateId:
    """The id under which a red packet is shown: 120 bits that nobody guesses."""
    assert len(secret) * 8 == 5 * _REQUEST_BODY_LENGTH
    return PlateId(PlateKind.RED_PACKET, _letters(int.from_bytes(secret), _REQUEST_BODY_LENGTH))


def read_plate_id(text: str) -> PlateId:
    """Refuses PLATE_MALFORMED with the offset of what is wrong, PLATE_MISTYPED if the check letter disagrees."""
    letters = text.upper() if text.isascii() else text
    for offset, letter in enumerate(letters):
        if letter not in _VALUE_OF:
            raise Refusal(CodeReason.PLATE_MALFORMED, offset=offset)
    if not _BODY_LENGTH_MIN + 2 <= len(letters) <= _BODY_LENGTH_MAX + 2:
        raise Refusal(CodeReason.PLATE_MALFORMED, offset=len(letters))
    if _remainder(letters) != 0:
        raise Refusal(CodeReason.PLATE_MISTYPED)
    kind = next((row for row in PlateKind if row.value == letters[0]), None)
    if kind is None or (kind in _WHOLE_BODIES and len(letters) != _REQUEST_BODY_LENGTH + 2):
        raise Refusal(CodeReason.PLATE_MALFORMED, offset=0)
    return PlateId(kind, letters[1:-1])


def read_plate(text: str) -> Plate:
    """
    The plate whose URL is `text`.

    Refuses:  what `read_link` refuses; LINK_NOT_SECURE for http to another machine; PLATE_MALFORMED unless the path is
              `/q/` and an id, and nothing else; PLATE_MISTYPED.
    """
    link = read_link(text)
    if not link.is_secure:
        raise Refusal(CodeReason.LINK_NOT_SECURE, offset=0)
    if not link.rest.startswith(PATH):
        raise Refusal(CodeReason.PLATE_MALFORMED, offset=0)
    return Plate(str(Link(link.scheme, link.authority, "")), read_plate_id(link.rest.removeprefix(PATH)))


def emvco_code(
    node: str,
    plate_id: PlateId,
    *,
    mcc: str,
    currency: Currency,
    country: str,
    name: str,
    city: str,
    amount_minor: int | None = None,
    local_names: LocalNames | None = None,
) -> MerchantPresentedCode:
    """
    The EMVCo form of a plate of `node`. `name` and `city` are in ASCII, as EMVCo wants them there.

    A payment request is dynamic, and its id is also the reference label (62.05), where others look for it.
    """
    is_request = plate_id.kind is PlateKind.REQUEST
    return MerchantPresentedCode(
        accounts=(Template(_TEMPLATE_ID, NETWORK_GUID, ((_NODE_ID, node), (_PLATE_ID, str(plate_id)))),),
        currency=currency,
        country=country,
        mcc=mcc,
        name=name,
        city=city,
        initiation=Initiation.DYNAMIC if is_request else Initiation.STATIC,
        amount_minor=amount_minor,
        additional=AdditionalData(reference_label=plate_id.body) if is_request else None,
        local_names=local_names,
    )


def emvco_plate(code: MerchantPresentedCode) -> tuple[str, PlateId] | None:
    """The node and the id of a plate in its EMVCo form; nothing if the code is not one of ours."""
    template = code.template(NETWORK_GUID)
    if template is None:
        return None
    node, plate_id = template.get(_NODE_ID), template.get(_PLATE_ID)
    if node is None or plate_id is None:
        raise Refusal(CodeReason.FIELD_MISSING, id=f"{template.id}.{_NODE_ID if node is None else _PLATE_ID}", offset=0)
    return node, read_plate_id(plate_id)


def _letters(number: int, length: int) -> str:
    return "".join([_CROCKFORD[number >> 5 * place & 31] for place in range(length - 1, -1, -1)])


def _times_two(value: int) -> int:
    """2 times a value in GF(32), modulo x^5 + x^2 + 1."""
    return value << 1 ^ (0b100101 if value & 0b10000 else 0)


def _remainder(letters: str) -> int:
    remainder = 0
    for letter in letters:
        remainder = _times_two(remainder) ^ _VALUE_OF[letter]
    return remainder
