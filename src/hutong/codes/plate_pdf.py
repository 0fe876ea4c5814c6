"""Plates on paper: PDF, a plate a page in A6, or four on a sheet of A4 with the lines to cut along."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hutong.codes.font import font_file
from hutong.codes.picture import QUIET_ZONE, qr_symbol
from hutong.codes.printed_plate import (
    BAND_HEIGHT,
    CODE_SIDE,
    CODE_TOP,
    HEIGHT,
    INK,
    LINE_MAX,
    MARK_LEFT,
    MARK_SIDE,
    PAPER,
    WIDTH,
    Line,
    PrintedPlate,
    check_plate,
    plate_lines,
)

if TYPE_CHECKING:
    from fpdf import FPDF

A6_MM, A4_MM = (105, 148), (210, 297)
_UNIT = A6_MM[0] / WIDTH
_TOP = (A6_MM[1] - HEIGHT * _UNIT) / 2
_SHEET = [(x, y) for y in (0, A6_MM[1]) for x in (0, A6_MM[0])]
_PT_PER_MM = 72 / 25.4
_SEAM = 0.03  # Rows of modules overlap by so much: viewers show a hair of white between those that only touch.
_BASELINE_SHARE = 0.36  # Of a letter's size, from its middle down to its base.


def plates_pdf(plates: Sequence[PrintedPlate], *, sheet: bool = False, font: Path | None = None) -> bytes:
    """
    The plates as one PDF file, fonts in it. A logo in the code is for PNG and SVG; here the issuer's mark stands above.

    Refuses:  CODE_TOO_LONG.
    """
    from fpdf import FPDF  # With numpy and fontTools behind it: a node that draws nothing starts sooner without.

    pdf = FPDF(unit="mm", format=A4_MM if sheet else A6_MM)
    pdf.set_auto_page_break(False)
    pdf.set_creator("Hutong")
    paper = _Paper(pdf, font)
    for index, plate in enumerate(plates):
        check_plate(plate)
        place = index % len(_SHEET) if sheet else 0
        if place == 0:
            pdf.add_page()
        paper.draw(plate, *_SHEET[place])
        if sheet and (place == len(_SHEET) - 1 or index == len(plates) - 1):
            _cutting_lines(pdf)
    return bytes(pdf.output())


class _Paper:
    """One document, and the fonts in it."""

    def __init__(self, pdf: "FPDF", chosen: Path | None) -> None:
        self._pdf = pdf
        self._chosen = chosen
        self._families: dict[tuple[Path, int], str] = {}

    def draw(self, plate: PrintedPlate, left: float, top: float) -> None:
        top += _TOP
        pdf = self._pdf
        pdf.set_fill_color(plate.band)
        pdf.rect(left, top - _TOP, A6_MM[0], BAND_HEIGHT * _UNIT + _TOP, style="F")
        if plate.issuer is not None:
            pdf.set_fill_color(PAPER)
            x, y, side = left + MARK_LEFT * _UNIT, top + MARK_LEFT * _UNIT, MARK_SIDE * _UNIT
            pdf.rect(x, y, side, side, style="F", round_corners=True, corner_radius=3)
        self._code(plate.code, left + (WIDTH - CODE_SIDE) / 2 * _UNIT, top + CODE_TOP * _UNIT)
        for line in plate_lines(plate):
            self._line(line, left, top)

    def _code(self, code: str, left: float, top: float) -> None:
        rows = [list(row) for row in qr_symbol(code).matrix_iter(border=QUIET_ZONE)]
        module = CODE_SIDE * _UNIT / len(rows)
        self._pdf.set_fill_color(INK)
        for y, row in enumerate(rows):
            begun = 0
            for x in range(len(row) + 1):
                if x == len(row) or row[x] != row[begun]:
                    if row[begun]:
                        wide = (x - begun) * module
                        self._pdf.rect(left + begun * module, top + y * module, wide, module + _SEAM, style="F")
                    begun = x

    def _line(self, line: Line, left: float, top: float) -> None:
        text = line.caption.text
        if not self._take_font(text):
            text = line.caption.latin
            if not text or not self._take_font(text):
                return  # Nothing draws it: leave it white.
        size = line.size
        self._resize(size)
        while size > line.size_min and self._pdf.get_string_width(text) > LINE_MAX * _UNIT:
            size -= 2
            self._resize(size)
        shown = text
        while text and self._pdf.get_string_width(shown) > LINE_MAX * _UNIT:
            text = text[:-1]
            shown = text + "..."
        wide = self._pdf.get_string_width(shown)
        x = left + line.x * _UNIT - {"start": 0, "middle": wide / 2, "end": wide}[line.anchor]
        self._pdf.set_text_color(line.colour)
        self._pdf.text(x, top + (line.y + size * _BASELINE_SHARE) * _UNIT, shown)

    def _resize(self, size: int) -> None:
        self._pdf.set_font_size(size * _UNIT * _PT_PER_MM)

    def _take_font(self, text: str) -> bool:
        """Write on with a font that has every letter of the text, if there is one."""
        if text.isascii():
            self._pdf.set_font("Helvetica")
            return True
        found = font_file(text, self._chosen)
        if found is None:
            return False
        family = self._families.get(found)
        if family is None:
            family = self._families[found] = f"plate{len(self._families)}"
            self._pdf.add_font(family, fname=found[0], collection_font_number=found[1])
        self._pdf.set_font(family)
        return True


def _cutting_lines(pdf: "FPDF") -> None:
    pdf.set_draw_color(190)
    pdf.set_line_width(0.1)
    pdf.set_dash_pattern(dash=2, gap=2)
    pdf.line(A6_MM[0], 0, A6_MM[0], A4_MM[1])
    pdf.line(0, A6_MM[1], A4_MM[0], A6_MM[1])
    pdf.set_dash_pattern()
