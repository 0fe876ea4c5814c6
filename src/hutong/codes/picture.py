"""Pictures of codes: written as SVG and PNG, read from whatever a camera or a stranger sends."""

import io
from collections.abc import Iterator

import segno
from PIL import Image, ImageFilter, ImageOps

from hutong.codes.code import CodeReason
from hutong.kernel.errors import Refusal

BYTES_MAX = 20_000_000
PIXELS_MAX = 50_000_000  # A good phone's photo. What unpacks to more is refused before it is unpacked.
QUIET_ZONE = 4  # Modules of white that ISO/IEC 18004 wants around a code.

_ASPECT_MAX = 50  # No code and no logo is such a strip, and scaled down nothing would be left of it.
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
_SIDE_ENOUGH = 1600  # A code that fills a tenth of a picture so wide has 3 pixels a module.
_SIDE_USED = 2 * _SIDE_ENOUGH  # More than that is not looked at.


def qr_symbol(text: str, *, error: str = "m") -> segno.QRCode:
    """
    The QR symbol of `text`, in UTF-8 without an extension that says so: that is what wallets expect.

    Refuses CODE_TOO_LONG for what the largest symbol cannot hold, CODE_HAS_CONTROL_CHARACTERS for what has no UTF-8.
    """
    try:
        return segno.make_qr(text, error=error, encoding="utf-8")
    except segno.DataOverflowError:
        raise Refusal(CodeReason.CODE_TOO_LONG) from None
    except UnicodeEncodeError as error_:
        raise Refusal(CodeReason.CODE_HAS_CONTROL_CHARACTERS, offset=error_.start) from None


def qr_svg(text: str, *, scale: int = 8) -> bytes:
    """The code alone as an SVG file."""
    out = io.BytesIO()
    qr_symbol(text).save(out, kind="svg", scale=scale, border=QUIET_ZONE, light="white")
    return out.getvalue()


def qr_png(text: str, *, scale: int = 8) -> bytes:
    """The code alone as a PNG file, `scale` pixels a module."""
    out = io.BytesIO()
    qr_symbol(text).save(out, kind="png", scale=scale, border=QUIET_ZONE)
    return out.getvalue()


def read_picture(data: bytes) -> tuple[str, ...]:
    """
    The texts of the codes in a picture file, without repeats, in the order they are found.

    Costs 5 milliseconds to 2 seconds of CPU, the most for big pictures without a code: keep it off the event loop.

    Refuses:  PICTURE_TOO_LARGE by its bytes, or by its pixels before they are unpacked; PICTURE_UNREADABLE, unless it is
              a sound PNG, JPEG, WebP, GIF or BMP, and no mere strip; PICTURE_WITHOUT_CODE.
    """
    grey = load_picture(data).convert("L")
    for attempt in _attempts(grey):
        texts = _texts(attempt)
        if texts:
            return texts
    raise Refusal(CodeReason.PICTURE_WITHOUT_CODE)


def read_frame(data: bytes) -> tuple[str, ...]:
    """
    As `read_picture`, for one of many frames of a camera: looked at once, as it is, since a better one comes soon.

    Costs some milliseconds; nothing found is no refusal.
    """
    frame = load_picture(data).convert("L")
    frame.thumbnail((_SIDE_ENOUGH, _SIDE_ENOUGH), Image.Resampling.BOX)
    return _texts(frame)


def shrunk(data: bytes, *, side_max: int, bytes_max: int) -> bytes:
    """
    A stranger's photograph as a JPEG within these bounds, the right way up.

    Costs up to a second of CPU: keep it off the event loop. Refuses as `load_picture`; PICTURE_TOO_LARGE if nothing helps.
    """
    picture = load_picture(data, upright=True).convert("RGB")
    picture.thumbnail((side_max, side_max))
    for quality in (85, 60, 30):
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=quality)
        if out.tell() <= bytes_max:
            return out.getvalue()
    raise Refusal(CodeReason.PICTURE_TOO_LARGE, bytes_max=bytes_max)


def load_picture(data: bytes, *, upright: bool = False) -> Image.Image:
    """The first frame of a picture file of a stranger, unpacked, on white. Refuses as `read_picture`."""
    if len(data) > BYTES_MAX:
        raise Refusal(CodeReason.PICTURE_TOO_LARGE, bytes=len(data), bytes_max=BYTES_MAX)
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
            _check_size(picture)
            picture.draft("RGB", (_SIDE_USED, _SIDE_USED))  # A huge JPEG unpacks to a half or a quarter at less cost.
            return _on_white(ImageOps.exif_transpose(picture) if upright else picture)
    except Refusal:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Refusal(CodeReason.PICTURE_TOO_LARGE, pixels_max=PIXELS_MAX) from None
    except Exception:  # noqa: BLE001  # Decoders of hostile bytes raise anything: OSError, ValueError, struct.error, …
        raise Refusal(CodeReason.PICTURE_UNREADABLE) from None


def _check_size(picture: Image.Image) -> None:
    width, height = picture.size
    if width * height > PIXELS_MAX:
        raise Refusal(CodeReason.PICTURE_TOO_LARGE, width=width, height=height, pixels_max=PIXELS_MAX)
    if max(width, height) > _ASPECT_MAX * min(width, height):
        raise Refusal(CodeReason.PICTURE_UNREADABLE, width=width, height=height)


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):  # 16 bits of grey, which `convert` would cut off instead of scaling.
        return picture.convert("I").point(lambda value: value / 256).convert("L")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(white, picture).convert("RGB")
    return picture.convert("RGB")


def _attempts(grey: Image.Image) -> Iterator[Image.Image]:
    """The picture as it is easiest to read, then harder and harder ways; most pictures need the first."""
    side = max(grey.size)
    if side > _SIDE_USED:
        grey = ImageOps.contain(grey, (_SIDE_USED, _SIDE_USED), Image.Resampling.BOX)
    if side > _SIDE_ENOUGH:
        yield ImageOps.contain(grey, (_SIDE_ENOUGH, _SIDE_ENOUGH), Image.Resampling.BOX)
    yield grey
    # Modules of few pixels fall between the reader's samples; out of focus, sharpening needs room between them, too.
    side = min(2 * side, _SIDE_USED)
    grey = ImageOps.contain(grey, (side, side), Image.Resampling.BICUBIC)
    if side <= _SIDE_ENOUGH:
        yield grey
    grey = ImageOps.autocontrast(grey, cutoff=1)
    for radius, percent in ((4, 300), (8, 500)):
        yield grey.filter(ImageFilter.UnsharpMask(radius, percent, threshold=0))


def _texts(grey: Image.Image) -> tuple[str, ...]:
    # Only who reads pictures loads the reader: it is large, and complains at the exit of whoever merely imported it.
    import zxingcpp

    # QR, and the bar code that wallets show beside it for tills without a camera.
    symbols = zxingcpp.BarcodeFormats((zxingcpp.BarcodeFormat.QRCode, zxingcpp.BarcodeFormat.Code128))
    found = zxingcpp.read_barcodes(grey, formats=symbols, text_mode=zxingcpp.TextMode.Plain)
    return tuple(dict.fromkeys(symbol.text for symbol in found if symbol.text))
