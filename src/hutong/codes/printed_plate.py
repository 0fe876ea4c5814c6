"""Plates for print: a code under a title, with the merchant's name and, if it likes, a logo in the middle."""

import base64
import io
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from PIL import Image, ImageDraw, ImageOps

from hutong.codes.code import CodeReason
from hutong.codes.font import Font, font_for
from hutong.codes.picture import QUIET_ZONE, load_picture, qr_symbol, read_picture
from hutong.kernel.errors import Refusal

_WIDTH, _HEIGHT = 1000, 1400
_CODE_SIDE = 760
_CODE_TOP = 290
_LOGO_SHARE = 5  # A fifth of the side is 4 % of the area: well within what level H mends.
_WIDTH_MAX = _WIDTH - 80  # Of a line.
_SIZE_MIN = 40  # Of a letter: smaller is not read from across a counter.
_INK, _PAPER, _BAND = "#111111", "#ffffff", "#0b6e4f"
_LOGO_PIXELS = 512


@dataclass(frozen=True, slots=True)
class Caption:
    """A line as it should be, and in Latin letters for when no font has the first."""

    text: str
    latin: str


@dataclass(frozen=True, slots=True)
class PrintedPlate:
    """What is on a plate. `code` is the text of its QR code."""

    code: str
    name: Caption
    title: Caption = Caption("扫码付款", "Scan to pay")
    footer: str = ""
    logo: bytes | None = None  # A picture file.

    def __post_init__(self) -> None:
        lines = (self.name.text, self.name.latin, self.title.text, self.title.latin, self.footer)
        if not all(line.isprintable() for line in lines):
            raise Refusal(CodeReason.CODE_HAS_CONTROL_CHARACTERS, field="caption")


@dataclass(frozen=True, slots=True)
class DrawnPlate:
    """A PNG file, and the name on it: the Latin one where no font had the other."""

    png: bytes
    name: str


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of text in the middle of the plate; `y` is where its middle is."""

    caption: Caption
    y: int
    size: int
    colour: str


def _lines(plate: PrintedPlate) -> list[_Line]:
    return [
        _Line(plate.title, 120, 96, _PAPER),
        _Line(plate.name, 1170, 84, _INK),
        _Line(Caption(plate.footer, plate.footer), 1310, 36, _INK),
    ]


def plate_png(plate: PrintedPlate, *, font: Path | None = None) -> DrawnPlate:
    """
    The plate as a PNG file of 1000 by 1400. `font` is the operator's choice of font file.

    Refuses:  CODE_TOO_LONG; what `load_picture` refuses of the logo; LOGO_HIDES_CODE, if the plate could not be read:
              nothing is printed that was not read back.
    """
    picture = Image.new("RGB", (_WIDTH, _HEIGHT), _PAPER)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, _WIDTH, 240), fill=_BAND)
    code = _code_picture(plate)
    picture.paste(code, ((_WIDTH - _CODE_SIDE) // 2, _CODE_TOP))
    drawn = [_draw(draw, line, font) for line in _lines(plate)]
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    data = out.getvalue()
    _check_readable(data, plate.code)
    return DrawnPlate(data, name=drawn[1])


def plate_svg(plate: PrintedPlate) -> bytes:
    """The same plate as an SVG file. It names fonts and carries none: whoever prints it has those of its script."""
    _check_readable(_png(_code_picture(plate)), plate.code)
    symbol = qr_symbol(plate.code, error="h" if plate.logo else "m")
    modules = symbol.symbol_size(scale=1, border=QUIET_ZONE)[0]
    left = (_WIDTH - _CODE_SIDE) // 2
    inline = symbol.svg_inline(scale=_CODE_SIDE / modules, border=QUIET_ZONE, dark=_INK, light=_PAPER)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="{_PAPER}"/>',
        f'<rect width="{_WIDTH}" height="240" fill="{_BAND}"/>',
        f'<g transform="translate({left},{_CODE_TOP})" shape-rendering="crispEdges">{inline}</g>',
    ]
    if plate.logo is not None:
        side = _CODE_SIDE // _LOGO_SHARE
        x, y = left + (_CODE_SIDE - side) // 2, _CODE_TOP + (_CODE_SIDE - side) // 2
        inlined = base64.b64encode(_png(_logo(plate.logo, _LOGO_PIXELS))).decode()
        parts.append(f'<image x="{x}" y="{y}" width="{side}" height="{side}" href="data:image/png;base64,{inlined}"/>')
    parts += [
        f'<text x="{_WIDTH // 2}" y="{line.y}" font-size="{line.size}" fill="{line.colour}" text-anchor="middle" '
        f'dominant-baseline="central" font-family="Noto Sans SC, PingFang SC, Microsoft YaHei, sans-serif">'
        f"{escape(line.caption.text)}</text>"
        for line in _lines(plate)
    ]
    return "".join([*parts, "</svg>"]).encode()


def _code_picture(plate: PrintedPlate) -> Image.Image:
    symbol = qr_symbol(plate.code, error="h" if plate.logo else "m")
    modules = symbol.symbol_size(scale=1, border=QUIET_ZONE)[0]
    out = io.BytesIO()
    symbol.save(out, kind="png", scale=-(-_CODE_SIDE // modules), border=QUIET_ZONE, dark=_INK, light=_PAPER)
    code = Image.open(out).convert("RGB").resize((_CODE_SIDE, _CODE_SIDE), Image.Resampling.BOX)
    if plate.logo is not None:
        side = _CODE_SIDE // _LOGO_SHARE
        corner = (_CODE_SIDE - side) // 2
        code.paste(_logo(plate.logo, side), (corner, corner))
    return code


def _logo(data: bytes, side: int) -> Image.Image:
    """The logo in a white square, with a margin that keeps it apart from the modules."""
    inner = ImageOps.pad(load_picture(data).convert("RGB"), (side - side // 8, side - side // 8), color=_PAPER)
    return ImageOps.expand(inner, border=(side - inner.width) // 2, fill=_PAPER).resize((side, side))


def _draw(draw: ImageDraw.ImageDraw, line: _Line, chosen: Path | None) -> str:
    """Draw the line, smaller or cut short if the plate is too narrow for it; the text that was drawn."""
    text = line.caption.text
    if font_for(text, line.size, chosen) is None:
        text = line.caption.latin
    size, shown = line.size, text
    while size > _SIZE_MIN and _width(font_for(text, size, chosen), shown) > _WIDTH_MAX:
        size -= 4
    font = font_for(text, size, chosen)
    while _width(font, shown) > _WIDTH_MAX:
        text = text[:-1]
        shown = text + "..."
    if font is not None:  # Otherwise not even the Latin line has letters that anything draws: leave it white.
        draw.text((_WIDTH // 2, line.y), shown, font=font, fill=line.colour, anchor="mm")
    return shown


def _width(font: Font | None, text: str) -> float:
    return 0 if font is None else font.getlength(text)


def _png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def _check_readable(png: bytes, code: str) -> None:
    try:
        found = read_picture(png)
    except Refusal:
        found = ()
    if code not in found:
        raise Refusal(CodeReason.LOGO_HIDES_CODE)
