"""
What a merchant can show of money it sent: a PDF of one page for one transfer, of as many as it takes for a batch.

The same facts are the same bytes, so that a hash told before is the hash of what is downloaded later.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from hutong.codes.font import font_file

if TYPE_CHECKING:
    from fpdf import FPDF

_LEFT, _TOP, _WIDE, _ROW = 20, 24, 170, 9
_LABEL_WIDE = 56
_FAMILY = "receipt"
_LINE_SIZES = (52, 46, 30, 42)


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """A document: its title, facts each with its label in Chinese and in English, and lines of a table, if there are any."""

    title: tuple[str, str]
    facts: tuple[tuple[str, str, str], ...]
    heads: tuple[tuple[str, str], ...] = ()
    lines: tuple[tuple[str, ...], ...] = ()
    at: datetime  # When what it tells had happened: the document's own date.

    @property
    def letters(self) -> str:
        """Every letter that is in it, once."""
        texts = [*self.title, *(text for fact in self.facts for text in fact)]
        texts += [text for head in self.heads for text in head] + [text for line in self.lines for text in line]
        return "".join(sorted(set("".join(texts))))


# Drawing takes a second, for the font: who asks for the hash downloads the document next.
@lru_cache(maxsize=64)
def receipt_pdf(receipt: Receipt) -> bytes:
    """The document. Without a font for Chinese its labels are English, and what no font draws is told by `?`."""
    from fpdf import FPDF  # With numpy and fontTools behind it: a node that draws nothing starts sooner without.

    pdf = FPDF(unit="mm", format="A4")
    pdf.set_creation_date(receipt.at)
    pdf.set_creator("Hutong")
    pdf.set_margins(_LEFT, _TOP)
    pdf.add_page()
    found = font_file(receipt.letters)
    if found is not None:
        pdf.add_font(_FAMILY, fname=found[0], collection_font_number=found[1])
    page = _Page(pdf, has_chinese=found is not None)
    page.write(16, page.label(*receipt.title))
    for chinese, english, value in receipt.facts:
        page.fact(page.label(chinese, english), value)
    if receipt.heads:
        page.row([page.label(*head) for head in receipt.heads])
        for line in receipt.lines:
            page.row(line)
    return bytes(pdf.output())


class _Page:
    """Writes downwards."""

    def __init__(self, pdf: "FPDF", *, has_chinese: bool) -> None:
        self._pdf = pdf
        self._has_chinese = has_chinese

    def label(self, chinese: str, english: str) -> str:
        return f"{chinese} {english}" if self._has_chinese else english

    def write(self, size: int, text: str) -> None:
        self._pdf.set_font(_FAMILY if self._has_chinese else "Helvetica", size=size)
        self._pdf.cell(_WIDE, _ROW * 2, self._drawn(text), new_x="LMARGIN", new_y="NEXT")

    def fact(self, label: str, value: str) -> None:
        self._small()
        self._pdf.cell(_LABEL_WIDE, _ROW, self._drawn(label))
        self._pdf.multi_cell(_WIDE - _LABEL_WIDE, _ROW, self._drawn(value), new_x="LMARGIN", new_y="NEXT")

    def row(self, texts: Sequence[str]) -> None:
        self._small()
        for text, wide in zip(texts, _LINE_SIZES, strict=True):
            self._pdf.cell(wide, _ROW, self._fitting(self._drawn(text), wide))
        self._pdf.ln(_ROW)

    def _small(self) -> None:
        self._pdf.set_font(_FAMILY if self._has_chinese else "Helvetica", size=9)

    def _drawn(self, text: str) -> str:
        return text if self._has_chinese else text.encode("latin-1", "replace").decode("latin-1")

    def _fitting(self, text: str, wide: int) -> str:
        while text and self._pdf.get_string_width(text) > wide - 2:
            text = text[:-1]
        return text
