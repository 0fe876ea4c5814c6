"""
Plates for print, as PNG and SVG: a code under a title, the payee's name, whose code it is, and that every wallet pays it.

What is where is said once, in `plate_lines`; `plate_pdf` draws the same on paper.
"""

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

WIDTH, HEIGHT = 1000, 1400  # As A6, nearly: 0.105 mm each.
CODE_SIDE = 760
CODE_TOP = 262
BAND_HEIGHT = 240
MARK_SIDE = 132  # Of the issuer's mark in the band: its initial on white.
MARK_LEFT = (BAND_HEIGHT - MARK_SIDE) // 2
_LOGO_SHARE = 5  # A fifth of the side is 4 % of the area: well within what level H mends.
LINE_MAX = WIDTH - 80
SIZE_MIN = 40  # Of a letter of the name: smaller is not read from across a counter.
INK, PAPER, BAND = "#111111", "#ffffff", "#0b6e4f"
_QUIET = "#5f6168"
_LOGO_PIXELS = 512
_PILLOW_ANCHORS = {"start": "lm", "middle": "mm", "end": "rm"}


@dataclass(frozen=True, slots=True)
class Caption:
    """A line as it should be, and in Latin letters for when no font has the first."""

    text: str
    latin: str


@dataclass(frozen=True, slots=True)
class Issuer:
    """Whose code it is: name, the letter of its mark, and its colour as `#rrggbb`, dark enough for white letters."""

    name: str
    initial: str
    colour: str


@dataclass(frozen=True, slots=True)
class PrintedPlate:
    """What is on a plate. `code` is the text of its QR code."""

    code: str
    name: Caption
    title: Caption = Caption("扫码付款", "Scan to pay")
    footer: str = ""
    logo: bytes | None = None  # A picture file.
    issuer: Issuer | None = None

    @property
    def band(self) -> str:
        """The colour of the band."""
        return BAND if self.issuer is None else self.issuer.colour

    def __post_init__(self) -> None:
        issuer = ("", "") if self.issuer is None else (self.issuer.name, self.issuer.initial)
        lines = (self.name.text, self.name.latin, self.title.text, self.title.latin, self.footer, *issuer)
        if not all(line.isprintable() for line in lines):
            raise Refusal(CodeReason.CODE_HAS_CONTROL_CHARACTERS, field="caption")


@dataclass(frozen=True, slots=True)
class DrawnPlate:
    """A PNG file, and the name on it: the Latin one where no font had the other."""

    png: bytes
    name: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text; `y` is where its middle is, `x` where it begins, its middle or its end is, as `anchor` says."""

    caption: Caption
    y: int
    size: int
    colour: str
    x: int = WIDTH // 2
    anchor: str = "middle"  # As in SVG: start, middle or end.
    size_min: int = 24


def plate_lines(plate: PrintedPlate) -> list[Line]:
    """Every line of the plate, the name first. What says the same twice, in two scripts, says it once if it must."""
    has_two_names = plate.name.latin not in ("", plate.name.text)
    lines = [
        Line(plate.name, 1084, 84, INK, size_min=SIZE_MIN),
        Line(plate.title, 92, 92, PAPER),
        Line(Caption(plate.title.latin, plate.title.latin), 186, 52, PAPER),
        Line(Caption("任何钱包都能付款", "Every wallet pays this code"), 1232, 40, INK),
        Line(Caption("Every wallet pays this code", ""), 1282, 32, _QUIET),
        Line(Caption(plate.footer, plate.footer), 1346, 32, _QUIET, x=WIDTH - 60, anchor="end"),
    ]
    if has_two_names:
        lines.append(Line(Caption(plate.name.latin, ""), 1160, 42, _QUIET))
    if plate.issuer is not None:
        lines.append(Line(Caption(plate.issuer.name, ""), 1346, 32, _QUIET, x=60, anchor="start"))
        middle = MARK_LEFT + MARK_SIDE // 2
        lines.append(Line(Caption(plate.issuer.initial, ""), middle, 84, plate.issuer.colour, x=middle))
    return [line for line in lines if line.caption.text]


def plate_png(plate: PrintedPlate, *, font: Path | None = None) -> DrawnPlate:
    """
    The plate as a PNG file of 1000 by 1400. `font` is the operator's choice of font file.

    Refuses:  CODE_TOO_LONG; what `load_picture` refuses of the logo; LOGO_HIDES_CODE, if the plate could not be read:
              nothing is printed that was not read back.
    """
    picture = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, WIDTH, BAND_HEIGHT), fill=plate.band)
    if plate.issuer is not None:
        end = MARK_LEFT + MARK_SIDE
        draw.rounded_rectangle((MARK_LEFT, MARK_LEFT, end, end), radius=28, fill=PAPER)
    code = _code_picture(plate)
    picture.paste(code, ((WIDTH - CODE_SIDE) // 2, CODE_TOP))
    drawn = [_draw(draw, line, font) for line in plate_lines(plate)]
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    data = out.getvalue()
    check_readable(data, plate.code)
    return DrawnPlate(data, name=drawn[0])


def plate_svg(plate: PrintedPlate) -> bytes:
    """The same plate as an SVG file. It names fonts and carries none: whoever prints it has those of its script."""
    check_plate(plate)
    symbol = qr_symbol(plate.code, error="h" if plate.logo else "m")
    modules = symbol.symbol_size(scale=1, border=QUIET_ZONE)[0]
    left = (WIDTH - CODE_SIDE) // 2
    inline = symbol.svg_inline(scale=CODE_SIDE / modules, border=QUIET_ZONE, dark=INK, light=PAPER)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{PAPER}"/>',
        f'<rect width="{WIDTH}" height="{BAND_HEIGHT}" fill="{plate.band}"/>',
        f'<g transform="translate({left},{CODE_TOP})" shape-rendering="crispEdges">{inline}</g>',
    ]
    if plate.issuer is not None:
        parts.append(
            f'<rect x="{MARK_LEFT}" y="{MARK_LEFT}" width="{MARK_SIDE}" height="{MARK_SIDE}" rx="28" fill="{PAPER}"/>'
        )
    if plate.logo is not None:
        side = CODE_SIDE // _LOGO_SHARE
        x, y = left + (CODE_SIDE - side) // 2, CODE_TOP + (CODE_SIDE - side) // 2
        inlined = base64.b64encode(_png(_logo(plate.logo, _LOGO_PIXELS))).decode()
        parts.append(f'<image x="{x}" y="{y}" width="{side}" height="{side}" href="data:image/png;base64,{inlined}"/>')
    parts += [
        f'<text x="{line.x}" y="{line.y}" font-size="{_svg_size(line)}" fill="{line.colour}" text-anchor="{line.anchor}" '
        f'dominant-baseline="central" font-family="Noto Sans SC, PingFang SC, Microsoft YaHei, sans-serif">'
        f"{escape(line.caption.text)}</text>"
        for line in plate_lines(plate)
    ]
    return "".join([*parts, "</svg>"]).encode()


def check_plate(plate: PrintedPlate) -> None:
    """Whether its code will be read. Refuses as `plate_png`."""
    check_readable(_png(_code_picture(plate)), plate.code)


def _svg_size(line: Line) -> int:
    """The size at which the line fits if no letter is wider than a Chinese one, or than two thirds of that in Latin."""
    thirds = sum(2 if letter.isascii() else 3 for letter in line.caption.text)
    return min(line.size, LINE_MAX * 3 // max(thirds, 1))


def _code_picture(plate: PrintedPlate) -> Image.Image:
    symbol = qr_symbol(plate.code, error="h" if plate.logo else "m")
    modules = symbol.symbol_size(scale=1, border=QUIET_ZONE)[0]
    out = io.BytesIO()
    symbol.save(out, kind="png", scale=-(-CODE_SIDE // modules), border=QUIET_ZONE, dark=INK, light=PAPER)
    code = Image.open(out).convert("RGB").resize((CODE_SIDE, CODE_SIDE), Image.Resampling.BOX)
    if plate.logo is not None:
        side = CODE_SIDE // _LOGO_SHARE
        corner = (CODE_SIDE - side) // 2
        code.paste(_logo(plate.logo, side), (corner, corner))
    return code


def _logo(data: bytes, side: int) -> Image.Image:
    """The logo in a white square, with a margin that keeps it apart from the modules."""
    inner = ImageOps.pad(load_picture(data).convert("RGB"), (side - side // 8, side - side // 8), color=PAPER)
    return ImageOps.expand(inner, border=(side - inner.width) // 2, fill=PAPER).resize((side, side))


def _draw(draw: ImageDraw.ImageDraw, line: Line, chosen: Path | None) -> str:
    """Draw the line, smaller or cut short if the plate is too narrow for it; the text that was drawn."""
    text = line.caption.text
    if font_for(text, line.size, chosen) is None:
        text = line.caption.latin
    size, shown = line.size, text
    while size > line.size_min and _width(font_for(text, size, chosen), shown) > LINE_MAX:
        size -= 4
    font = font_for(text, size, chosen)
    while _width(font, shown) > LINE_MAX:
        text = text[:-1]
        shown = text + "..."
    if font is not None:  # Otherwise not even the Latin line has letters that anything draws: leave it white.
        draw.text((line.x, line.y), shown, font=font, fill=line.colour, anchor=_PILLOW_ANCHORS[line.anchor])
    return shown


def _width(font: Font | None, text: str) -> float:
    return 0 if font is None else font.getlength(text)


def _png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def check_readable(png: bytes, code: str) -> None:
    """Refuses LOGO_HIDES_CODE, unless the code is read off the picture."""
    try:
        found = read_picture(png)
    except Refusal:
        found = ()
    if code not in found:
        raise Refusal(CodeReason.LOGO_HIDES_CODE)
