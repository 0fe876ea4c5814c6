"""
EMVCo consumer-presented codes (EMV QRCPS CPM 1.1): BER-TLV in base64, as a phone shows them to a merchant.

They name card applications and carry what a terminal needs for a card payment. Hutong reads and writes them, and the
directory finds who owns them by application identifier; the cryptogram is for the issuer alone.
"""

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hutong.codes.code import CodeReason
from hutong.kernel.errors import Refusal

PAYLOAD_FORMAT = b"CPV01"
TEXT_LENGTH_MAX = 2048
_FORMAT_TAG, _APPLICATION_TAG, _COMMON_TAG = 0x85, 0x61, 0x62
_APPLICATION_TRANSPARENT_TAG, _COMMON_TRANSPARENT_TAG = 0x63, 0x64
_AID_TAG, _LABEL_TAG, _PAN_TAG, _NAME_TAG = 0x4F, 0x50, 0x5A, 0x5F20

Objects = tuple[tuple[int, bytes], ...]
"""Primitive data objects, tag and value, in the order they came."""


@dataclass(frozen=True, slots=True)
class Application:
    """Template 61: one way to pay. `transparent` (63) is for the issuer: cryptogram, counter, unpredictable number."""

    objects: Objects  # 4F, the application identifier, is one of them.
    transparent: Objects = ()

    @property
    def aid(self) -> bytes:
        return dict(self.objects)[_AID_TAG]

    @property
    def label(self) -> str | None:
        return _text(self.objects, _LABEL_TAG)


@dataclass(frozen=True, slots=True)
class CommonData:
    """Template 62: what holds for every application. `transparent` is template 64."""

    objects: Objects = ()
    transparent: Objects = ()

    @property
    def pan(self) -> str | None:
        value = dict(self.objects).get(_PAN_TAG)
        return None if value is None else value.hex().rstrip("f")

    @property
    def cardholder_name(self) -> str | None:
        return _text(self.objects, _NAME_TAG)


@dataclass(frozen=True, slots=True)
class ConsumerPresentedCode:
    applications: tuple[Application, ...]  # In the payer's order of preference.
    common: CommonData | None = None
    others: Objects = ()  # Kept as they came.


def read(text: str) -> ConsumerPresentedCode:
    """
    What the consumer-presented code `text` says. Offsets count bytes of the decoded code.

    Refuses:  BASE64_MALFORMED, unless it is the one base64 of its bytes; BER_TAG_MALFORMED, BER_LENGTH_MALFORMED and
              BER_TRUNCATED; FORMAT_VERSION_UNKNOWN unless it opens with `CPV01`; FIELD_MISSING without an application
              or an application without its identifier; FIELD_REPEATED; FIELD_MALFORMED for a value of a wrong form.
    """
    data = _decoded(text)
    objects = _objects(data, 0, len(data))
    at, tag, start, end = next(objects, (0, 0, 0, 0))
    if (tag, data[start:end]) != (_FORMAT_TAG, PAYLOAD_FORMAT):
        raise Refusal(CodeReason.FORMAT_VERSION_UNKNOWN, id="85", offset=at)
    applications: list[Application] = []
    commons: list[CommonData] = []
    others: list[tuple[int, bytes]] = []
    for at, tag, start, end in objects:
        if tag == _APPLICATION_TAG:
            applications.append(_application(data, at, start, end))
        elif tag == _COMMON_TAG:
            commons.append(CommonData(*_template(data, start, end, _COMMON_TRANSPARENT_TAG)))
        elif tag == _FORMAT_TAG or _is_constructed(tag):
            raise Refusal(CodeReason.FIELD_MALFORMED, id=f"{tag:02X}", offset=at)
        else:
            others.append((tag, data[start:end]))
    if not applications:
        raise Refusal(CodeReason.FIELD_MISSING, id="61", offset=len(data))
    if len(commons) > 1:
        raise Refusal(CodeReason.FIELD_REPEATED, id="62", offset=len(data))
    return ConsumerPresentedCode(tuple(applications), commons[0] if commons else None, tuple(others))


def build(code: ConsumerPresentedCode) -> str:
    """The text of `code`. Refuses NOT_CANONICAL, or what `read` refuses, if it would not be read back as itself."""
    parts = [_object(_FORMAT_TAG, PAYLOAD_FORMAT)]
    parts += [_template_bytes(_APPLICATION_TAG, held, _APPLICATION_TRANSPARENT_TAG) for held in code.applications]
    if code.common is not None:
        parts.append(_template_bytes(_COMMON_TAG, code.common, _COMMON_TRANSPARENT_TAG))
    parts += [_object(tag, value) for tag, value in code.others]
    text = base64.b64encode(b"".join(parts)).decode()
    if read(text) != code:
        raise Refusal(CodeReason.NOT_CANONICAL)
    return text


def looks_consumer_presented(text: str) -> bool:
    """Whether `text` begins as every consumer-presented code does: `85 05 "CPV"` in base64."""
    return text.startswith("hQVDUF")


def _decoded(text: str) -> bytes:
    if len(text) > TEXT_LENGTH_MAX:
        raise Refusal(CodeReason.CODE_TOO_LONG, offset=TEXT_LENGTH_MAX, length_max=TEXT_LENGTH_MAX)
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:  # binascii.Error is one; letters outside ASCII are another.
        raise Refusal(CodeReason.BASE64_MALFORMED) from None
    if base64.b64encode(data).decode() != text:  # Bits left over behind the last byte: two texts, one code.
        raise Refusal(CodeReason.BASE64_MALFORMED, offset=len(text.rstrip("=")) - 1)
    return data


def _application(data: bytes, at: int, start: int, end: int) -> Application:
    objects, transparent = _template(data, start, end, _APPLICATION_TRANSPARENT_TAG)
    if _AID_TAG not in dict(objects):
        raise Refusal(CodeReason.FIELD_MISSING, id="61.4F", offset=at)
    return Application(objects, transparent)


def _template(data: bytes, start: int, end: int, transparent_tag: int) -> tuple[Objects, Objects]:
    """The objects of a template and those of the transparent template within it."""
    objects: dict[int, bytes] = {}
    transparent: Objects = ()
    for at, tag, value_start, value_end in _objects(data, start, end):
        if tag in objects or (tag == transparent_tag and transparent):
            raise Refusal(CodeReason.FIELD_REPEATED, id=f"{tag:02X}", offset=at)
        if tag == transparent_tag:
            transparent = tuple(
                (inner, data[inner_start:inner_end])
                for _, inner, inner_start, inner_end in _objects(data, value_start, value_end)
            )
            if not transparent:
                raise Refusal(CodeReason.FIELD_EMPTY, id=f"{tag:02X}", offset=at)
        elif _is_constructed(tag) or not _FORM.get(tag, _any)(data[value_start:value_end]):
            raise Refusal(CodeReason.FIELD_MALFORMED, id=f"{tag:02X}", offset=value_start)
        else:
            objects[tag] = data[value_start:value_end]
    return tuple(objects.items()), transparent


def _objects(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Of each BER-TLV object between `at` and `end`: where it is, its tag, where its value begins and ends."""
    while at < end:
        tag, length_at = _read_tag(data, at, end)
        length, start = _read_length(data, length_at, end)
        if start + length > end:
            raise Refusal(CodeReason.BER_TRUNCATED, id=f"{tag:02X}", offset=start, length=length, left=end - start)
        yield at, tag, start, start + length
        at = start + length


def _read_tag(data: bytes, at: int, end: int) -> tuple[int, int]:
    """A tag of one or two bytes, as EMV has them; 00 and FF are padding elsewhere and nothing here."""
    first = data[at]
    if first in (0x00, 0xFF):
        raise Refusal(CodeReason.BER_TAG_MALFORMED, offset=at)
    if first & 0x1F != 0x1F:
        return first, at + 1
    if at + 1 == end:
        raise Refusal(CodeReason.BER_TRUNCATED, offset=at + 1)
    second = data[at + 1]
    if second & 0x80:
        raise Refusal(CodeReason.BER_TAG_MALFORMED, offset=at + 1)
    return first << 8 | second, at + 2


def _read_length(data: bytes, at: int, end: int) -> tuple[int, int]:
    """A definite length in its shortest form."""
    if at >= end:
        raise Refusal(CodeReason.BER_TRUNCATED, offset=at)
    first = data[at]
    if first < 0x80:
        return first, at + 1
    size = first & 0x7F
    if size not in (1, 2):
        raise Refusal(CodeReason.BER_LENGTH_MALFORMED, offset=at)
    if at + 1 + size > end:
        raise Refusal(CodeReason.BER_TRUNCATED, offset=at)
    length = int.from_bytes(data[at + 1 : at + 1 + size], "big")
    if length < (0x80 if size == 1 else 0x100):
        raise Refusal(CodeReason.BER_LENGTH_MALFORMED, offset=at)
    return length, at + 1 + size


def _object(tag: int, value: bytes) -> bytes:
    size = len(value)
    if not 0 < tag <= 0xFFFF or size > 0xFFFF:
        raise Refusal(CodeReason.NOT_CANONICAL, id=f"{tag:02X}")
    length = bytes([size]) if size < 0x80 else b"\x81" + bytes([size]) if size < 0x100 else b"\x82" + size.to_bytes(2)
    return tag.to_bytes(1 if tag <= 0xFF else 2) + length + value


def _template_bytes(tag: int, held: Application | CommonData, transparent_tag: int) -> bytes:
    parts = [_object(inner, value) for inner, value in held.objects]
    if held.transparent:
        parts.append(_object(transparent_tag, b"".join([_object(inner, value) for inner, value in held.transparent])))
    return _object(tag, b"".join(parts))


def _is_constructed(tag: int) -> bool:
    return bool((tag >> 8 or tag) & 0x20)


def _text(objects: Objects, tag: int) -> str | None:
    value = dict(objects).get(tag)
    return None if value is None else value.decode("ascii")


def _any(_value: bytes) -> bool:
    return True


def _is_text(value: bytes) -> bool:
    return value.isascii() and value.decode("ascii").isprintable()


def _is_pan(value: bytes) -> bool:
    digits = value.hex().rstrip("f")
    return 0 < len(value) <= 10 and digits.isdigit() and len(value.hex()) - len(digits) <= 1


_FORM: dict[int, Callable[[bytes], bool]] = {
    _AID_TAG: lambda value: 5 <= len(value) <= 16,
    _LABEL_TAG: lambda value: 1 <= len(value) <= 16 and _is_text(value),
    _PAN_TAG: _is_pan,
    _NAME_TAG: lambda value: 2 <= len(value) <= 26 and _is_text(value),
    0x5F2D: lambda value: len(value) in (2, 4, 6, 8) and _is_text(value),  # Languages, two letters each.
    0x57: lambda value: 1 <= len(value) <= 19,  # Track 2 equivalent.
    0x9F25: lambda value: len(value) == 2,  # Last four digits of the PAN.
}
"""What the value of a tag must be; other tags are kept as they came."""
