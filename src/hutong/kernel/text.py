"""Words that people typed: names, labels, remarks, other people's references. Checked once, at the edge."""

import unicodedata
from typing import Any

from hutong.kernel.errors import Kind, Reason, Refusal

# Joins and parts words inside good names (Khmer, Indic scripts, emoji), and is invisible: the only such we take.
_JOINERS = frozenset("\u200b\u200c\u200d")
# Control, surrogate, private, unassigned, and formatting: bidirectional overrides can show a name as another.
_REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Co", "Cn", "Cf", "Zl", "Zp"})


class TextReason(Reason):
    """Why words somebody typed are refused; `field` names which, `offset` the first character that is wrong."""

    TEXT_EMPTY = Kind.INVALID, "NARR"
    TEXT_TOO_LONG = Kind.INVALID, "NARR"
    TEXT_HAS_OUTER_SPACES = Kind.INVALID, "NARR"  # Nothing is trimmed: the same words must stay the same reference.
    TEXT_HAS_ODD_CHARACTERS = Kind.INVALID, "NARR"  # Control, invisible or unassigned characters, or half of one.
    TEXT_NOT_ASCII = Kind.INVALID, "NARR"


def check_text(field: str, text: str, *, length_max: int, empty: bool = False, ascii_only: bool = False) -> str:
    """
    `text` itself, fit to be kept, shown and compared.

    Refuses:  TEXT_EMPTY (unless `empty`), TEXT_TOO_LONG, TEXT_HAS_ODD_CHARACTERS, TEXT_HAS_OUTER_SPACES,
              TEXT_NOT_ASCII (if `ascii_only`).
    """
    if not text and not empty:
        raise Refusal(TextReason.TEXT_EMPTY, field=field)
    if len(text) > length_max:
        raise Refusal(TextReason.TEXT_TOO_LONG, field=field, length=len(text), length_max=length_max)
    if not (text.isascii() and text.isprintable()):
        for offset, character in enumerate(text):
            if unicodedata.category(character) in _REFUSED_CATEGORIES and character not in _JOINERS:
                raise Refusal(TextReason.TEXT_HAS_ODD_CHARACTERS, field=field, offset=offset)
    if text != text.strip():
        raise Refusal(TextReason.TEXT_HAS_OUTER_SPACES, field=field)
    if ascii_only and not text.isascii():
        raise Refusal(TextReason.TEXT_NOT_ASCII, field=field)
    return text


def has_nul(value: Any) -> bool:
    """Whether any text in a decoded JSON value holds U+0000, which no database keeps."""
    if isinstance(value, dict):
        return any(has_nul(part) for pair in value.items() for part in pair)
    if isinstance(value, list):
        return any(has_nul(part) for part in value)
    return isinstance(value, str) and "\0" in value
