"""Pictures: written to be read, read from a photo, and hostile bytes refused by name."""

import io
import json
import struct
import zlib
from pathlib import Path
from typing import cast
from xml.etree import ElementTree as ET

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFilter
from typing_extensions import Buffer

from hutong.codes import picture
from hutong.codes.picture import qr_png, qr_svg, read_frame, read_picture
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import seeded_randomness

VECTORS = Path(__file__).parents[1] / "vectors"
EMVCO = json.loads((VECTORS / "merchant_presented.json").read_text())["vectors"][0]["text"]
PLATE = "https://jing.example/q/M4T9ABCDEFGHJA"


def png(image: Image.Image, kind: str = "PNG", **how: int) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **how)
    return out.getvalue()


def photo(code: bytes, *, angle: int, share: float, blur: float, side: int = 1000, seed: int = 1) -> bytes:
    """A noisy JPEG of many things, with the code somewhere in it, turned, scaled, and out of focus."""
    random = seeded_randomness(seed)
    size = (side, side * 3 // 4)
    grain = Image.frombytes("L", size, random.randbytes(size[0] * size[1]))
    scene = grain.point(lambda value: 64 + value // 2).convert("RGB")
    draw = ImageDraw.Draw(scene)
    for _ in range(30):
        x, y = random.randrange(scene.width), random.randrange(scene.height)
        colour = (random.randrange(256), random.randrange(256), random.randrange(256))
        draw.rectangle((x, y, x + random.randrange(20, 200), y + random.randrange(20, 200)), fill=colour)
    turned = Image.open(io.BytesIO(code)).convert("RGBA")
    edge = int(scene.height * share)
    turned = turned.resize((edge, edge)).rotate(angle, expand=True, resample=Image.Resampling.BICUBIC)
    at = (random.randrange(scene.width - turned.width + 1), random.randrange(scene.height - turned.height + 1))
    scene.paste(turned, at, turned)
    return png(scene.filter(ImageFilter.GaussianBlur(blur)), "JPEG", quality=60)


def reason_of(data: bytes) -> str | None:
    try:
        read_picture(data)
    except Refusal as refusal:
        return refusal.reason.name
    return None


@pytest.mark.parametrize("text", [PLATE, EMVCO, "281234567890123456", "wxp://f2f0AbC", "互通", "é"])
def test_what_is_written_is_read(text: str) -> None:
    assert read_picture(qr_png(text)) == (text,)
    assert read_picture(qr_png(text, scale=2)) == (text,)


@pytest.mark.parametrize("angle", [0, 7, 45, 90, 133, 180, 270, 301])
@pytest.mark.parametrize(("share", "blur"), [(0.65, 0), (0.65, 3), (0.4, 1.5), (0.25, 0.5)])
def test_a_code_is_read_from_a_photo(angle: int, share: float, blur: float) -> None:
    assert read_picture(photo(qr_png(PLATE), angle=angle, share=share, blur=blur, seed=angle)) == (PLATE,)


def test_a_dense_code_is_read_from_a_photo_turned_and_blurred() -> None:
    assert read_picture(photo(qr_png(EMVCO), angle=12, share=0.6, blur=1)) == (EMVCO,)


def test_a_big_photo_and_a_tiny_picture_are_read() -> None:
    assert read_picture(photo(qr_png(PLATE), angle=20, share=0.3, blur=2, side=3600)) == (PLATE,)
    assert read_picture(qr_png(PLATE, scale=1)) == (PLATE,)


@pytest.mark.parametrize("blur", [3, 3.5, 4])
def test_a_picture_too_blurred_for_the_first_look_is_sharpened(blur: float) -> None:
    blurred = Image.open(io.BytesIO(qr_png(PLATE, scale=6))).convert("L").filter(ImageFilter.GaussianBlur(blur))
    assert picture._texts(blurred) == ()
    assert read_picture(png(blurred)) == (PLATE,)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_the_usual_formats_are_read(kind: str) -> None:
    assert read_picture(png(Image.open(io.BytesIO(qr_png(PLATE))).convert("RGB"), kind)) == (PLATE,)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_every_way_to_keep_pixels_is_read(mode: str) -> None:
    grey = Image.open(io.BytesIO(qr_png(PLATE))).convert("L")
    if mode == "I;16":
        wide = grey.convert("I").point(lambda value: value * 257)
        assert read_picture(png(wide.convert("I;16"))) == (PLATE,)
    elif mode == "CMYK":
        assert read_picture(png(grey.convert("RGB").convert(mode), "JPEG")) == (PLATE,)
    else:
        assert read_picture(png(grey.convert(mode))) == (PLATE,)


def test_black_on_nothing_is_black_on_white() -> None:
    grey = Image.open(io.BytesIO(qr_png(PLATE))).convert("L")
    clear = Image.new("RGBA", grey.size, (0, 0, 0, 0))
    clear.putalpha(grey.point(lambda value: 255 - value))
    assert read_picture(png(clear)) == (PLATE,)


def test_light_on_dark_is_read() -> None:
    grey = Image.open(io.BytesIO(qr_png(PLATE))).convert("L")
    assert read_picture(png(grey.point(lambda value: 255 - value))) == (PLATE,)


def test_several_codes_in_a_picture_are_all_found_once() -> None:
    one, other = (Image.open(io.BytesIO(qr_png(text))).convert("RGB") for text in (PLATE, "281234567890123456"))
    both = Image.new("RGB", (3 * one.width, one.height), "white")
    both.paste(one, (0, 0))
    both.paste(other, (one.width, 0))
    both.paste(one, (2 * one.width, 0))
    assert sorted(read_picture(png(both))) == ["281234567890123456", PLATE]


def test_the_bar_code_beside_a_payment_code_is_read() -> None:
    bars = zxingcpp.create_barcode("281234567890123456", zxingcpp.BarcodeFormat.Code128).to_image(scale=3)
    pixels = memoryview(cast("Buffer", bars))
    width = pixels.strides[0] if pixels.strides else 0
    image = Image.frombytes("L", (width, pixels.nbytes // width), pixels.tobytes())
    assert read_picture(png(image.resize((image.width, 120)))) == ("281234567890123456",)


def bomb(width: int, height: int) -> bytes:
    """A small PNG that says it is enormous."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(100_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "PICTURE_UNREADABLE"),
        (b"not a picture", "PICTURE_UNREADABLE"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "PICTURE_UNREADABLE"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "PICTURE_UNREADABLE"),
        (qr_png(PLATE)[:60], "PICTURE_UNREADABLE"),
        (qr_png(PLATE)[:-30], "PICTURE_UNREADABLE"),
        (bomb(8000, 8000), "PICTURE_TOO_LARGE"),
        (bomb(12_000, 12_000), "PICTURE_TOO_LARGE"),
        (bomb(60_000, 60_000), "PICTURE_TOO_LARGE"),
        (bomb(1_000_000, 1), "PICTURE_UNREADABLE"),
        (bytes(picture.BYTES_MAX + 1), "PICTURE_TOO_LARGE"),
        (png(Image.new("RGB", (300, 300), "white")), "PICTURE_WITHOUT_CODE"),
        (png(Image.new("RGB", (1, 1))), "PICTURE_WITHOUT_CODE"),
        (png(Image.new("L", (1, 50))), "PICTURE_WITHOUT_CODE"),
        (png(Image.new("L", (1, 51))), "PICTURE_UNREADABLE"),
        (png(Image.new("L", (40_000, 1))), "PICTURE_UNREADABLE"),
        (png(Image.new("L", (5000, 100))), "PICTURE_WITHOUT_CODE"),
    ],
)
def test_each_way_to_be_no_picture_has_its_name(data: bytes, reason: str) -> None:
    assert reason_of(data) == reason


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_bytes_get_a_refusal_or_texts(data: st.DataObject) -> None:
    small = png(
        Image.open(io.BytesIO(qr_png("1", scale=2))).convert("L"),
        data.draw(st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "BMP"])),
    )
    at = data.draw(st.integers(0, len(small)))
    end = at + data.draw(st.integers(0, 8))
    reason_of(small[:at] + data.draw(st.binary(max_size=12)) + small[end:])
    reason_of(data.draw(st.binary(max_size=200)))


@pytest.mark.parametrize(("text", "reason"), [("x" * 4000, "CODE_TOO_LONG"), ("\ud800", "CODE_HAS_CONTROL_CHARACTERS")])
def test_what_no_symbol_holds_is_refused(text: str, reason: str) -> None:
    for write in (qr_png, qr_svg):
        with pytest.raises(Refusal) as refused:
            write(text)
        assert refused.value.reason.name == reason


def test_the_svg_is_well_formed_and_has_the_same_modules() -> None:
    root = ET.fromstring(qr_svg(PLATE, scale=1))  # noqa: S314  # It is ours.
    assert root.tag.endswith("svg")
    assert read_picture(png(drawn(root))) == (PLATE,)


def drawn(root: ET.Element) -> Image.Image:
    """What a browser would draw of the path of an SVG by segno: lines one module wide, `M`, `m` and `h`."""
    side = int(root.get("width", "0"))
    image = Image.new("L", (8 * side, 8 * side), "white")
    (path,) = [element for element in root.iter() if element.tag.endswith("path") and element.get("class") == "qrline"]
    draw = ImageDraw.Draw(image)
    x = y = 0.0
    steps = path.get("d", "").replace("M", " M ").replace("m", " m ").replace("h", " h ").split()
    at = 0
    while at < len(steps):
        if steps[at] == "h":
            width = float(steps[at + 1])
            draw.rectangle((8 * x, 8 * (y - 0.5), 8 * (x + width) - 1, 8 * (y + 0.5) - 1), fill="black")
            x += width
            at += 2
        else:
            dx, dy = float(steps[at + 1]), float(steps[at + 2])
            x, y = (dx, dy) if steps[at] == "M" else (x + dx, y + dy)
            at += 3
    return image


def test_a_cameras_frame_is_read_once_as_it_is() -> None:
    assert read_frame(photo(qr_png(PLATE), angle=10, share=0.5, blur=0)) == (PLATE,)
    assert read_frame(png(Image.new("L", (640, 480), "grey"))) == ()
    with pytest.raises(Refusal, match="PICTURE_UNREADABLE"):
        read_frame(b"no picture")
