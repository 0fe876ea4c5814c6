"""
EMVCo's merchant-presented TLV: a two-digit id, a two-digit length, a value; and its CRC.

Lengths count characters, while the CRC runs over UTF-8 bytes: in EMVCo's own sample template 64 says 20
for what is 32 bytes.
"""

from binascii import crc_hqx
from collections.abc import Callable
from typing import TypeVar

from hutong.codes.code import CodeReason
from hutong.kernel.errors import Refusal

T = TypeVar("T")

VALUE_LENGTH_MAX = 99
# A dictionary rather than `int` and `isdigit`, which take the digits of every script, signs and spaces.
_NUMBER_OF = {f"{number:02d}": number for number in range(100)}
TWO_DIGITS = tuple(_NUMBER_OF)


class _Headers(dict[str, tuple[str, int]]):
    """Id and length of each header met so far, of the ten thousand that there are; None of a wrong one."""

    def __missing__(self, header: str) -> tuple[str, int] | None:
        length = _NUMBER_OF.get(header[2:])
        if length is None or header[:2] not in _NUMBER_OF:
            return None
        self[header] = header[:2], length
        return self[header]


_HEADERS = _Headers()


def parse(text: str) -> dict[str, str]:
    """
    The fields of `text` in the order they came.

    Refuses:  FIELD_ID_MALFORMED, FIELD_LENGTH_MALFORMED, FIELD_TRUNCATED, FIELD_REPEATED, each with id and offset.
    """
    fields: dict[str, str] = {}
    at = 0
    end = len(text)
    while at < end:
        header = _HEADERS[text[at : at + 4]]
        if header is None:
            raise _header_refusal(text, at)
        id_, length = header
        value_at = at + 4
        at = value_at + length
        if at > end:
            raise Refusal(CodeReason.FIELD_TRUNCATED, id=id_, offset=value_at, length=length, left=end - value_at)
        if id_ in fields:
            raise Refusal(CodeReason.FIELD_REPEATED, id=id_, offset=value_at - 4)
        fields[id_] = text[value_at:at]
    return fields


def _header_refusal(text: str, at: int) -> Refusal:
    id_ = text[at : at + 2]
    if len(id_) == 2 and id_ not in _NUMBER_OF:
        return Refusal(CodeReason.FIELD_ID_MALFORMED, offset=at)
    if len(text) - at < 4:
        return Refusal(CodeReason.FIELD_TRUNCATED, id=id_, offset=at, left=len(text) - at)
    return Refusal(CodeReason.FIELD_LENGTH_MALFORMED, id=id_, offset=at + 2)


def nested(text: str, id_: str, read: Callable[..., T], *given: object) -> T:
    """What `read(*given)` says of the field `id_` of `text`; its refusals then tell id and offset from `text`'s start."""
    try:
        return read(*given)
    except Refusal as refusal:
        facts = refusal.facts
        path = f"{id_}.{facts['id']}" if "id" in facts else id_
        told = facts | {"id": path, "offset": offset_of(text, id_) + facts["offset"]}
        raise Refusal(refusal.reason, **told) from None


def offset_of(text: str, id_: str) -> int:
    """
    Where the value of field `id_` begins in `text`, or the length of `text` if it isn't there.

    Nothing on the way to a good code keeps offsets: only a refusal pays for them.
    """
    at = 0
    for known, value in parse(text).items():
        at += 4
        if known == id_:
            break
        at += len(value)
    return at


def field(id_: str, value: str) -> str:
    """One field as text. Refuses a value that two digits cannot count, FIELD_TOO_LONG."""
    if len(value) > VALUE_LENGTH_MAX:
        raise Refusal(CodeReason.FIELD_TOO_LONG, id=id_, length=len(value), length_max=VALUE_LENGTH_MAX)
    return f"{id_}{len(value):02d}{value}"


def crc(text: str) -> str:
    """
    The checksum of `text` as four upper-case hexadecimal digits.

    ISO/IEC 13239 with polynomial 0x1021, initial value 0xFFFF, nothing reflected, nothing inverted.
    """
    return f"{crc_hqx(text.encode(), 0xFFFF):04X}"
