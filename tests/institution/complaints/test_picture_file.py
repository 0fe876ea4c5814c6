"""What is taken for a picture, what is left of it, and that nothing else is."""

import struct
import zlib
from contextlib import suppress
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from hutong.institution.complaints.picture_file import BYTES_MAX, PictureKind, picture_file
from hutong.institution.complaints.reasons import ComplaintReason
from hutong.kernel.errors import Reason, Refusal
from tests.institution.complaints.drawn import SECRET, bmp, chunk, jpeg, noise, png

PICTURES = {
    "png": png(),
    "png of a palette": b"",
    "png that says where": png(told=True),
    "jpeg": jpeg(),
    "jpeg in steps": jpeg(64, 64, progressive=True),
    "jpeg that says where": jpeg(orientation=6),
    "bmp": bmp(),
    "bmp with something behind": bmp() + SECRET,
}
_palette = BytesIO()
Image.new("P", (9, 7), 3).save(_palette, "PNG")
PICTURES["png of a palette"] = _palette.getvalue()
KINDS = {"png": PictureKind.PNG, "jpe": PictureKind.JPEG, "bmp": PictureKind.BMP}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_kept_as_it_is_drawn_and_says_nothing_else(name: str) -> None:
    given_ = PICTURES[name]
    kept = picture_file(given_)
    assert kept.kind is KINDS[name[:3]]
    assert SECRET not in kept.content
    before, after = (Image.open(BytesIO(data)) for data in (given_, kept.content))
    assert (before.convert("RGB").tobytes(), before.size) == (after.convert("RGB").tobytes(), after.size)
    assert picture_file(kept.content).content == kept.content, "what is kept is left as it is"


def test_a_photograph_stays_the_right_way_up() -> None:
    kept = picture_file(jpeg(orientation=6)).content
    exif = dict(Image.open(BytesIO(kept)).getexif())
    assert exif == {0x0112: 6}


def header(width: int, height: int, depth: int = 8, colour: int = 2) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))


SIGNATURE = b"\x89PNG\r\n\x1a\n"
DRAWN = chunk(b"IDAT", zlib.compress(b"\0" * 10)) + chunk(b"IEND", b"")
NOT_RECOGNISED, TOO_BIG = ComplaintReason.PICTURE_NOT_RECOGNISED, ComplaintReason.PICTURE_TOO_BIG
REFUSED: list[tuple[str, bytes, Reason]] = [
    ("nothing", b"", NOT_RECOGNISED),
    ("a page", b"<html><script>alert(1)</script>", NOT_RECOGNISED),
    ("a drawing that runs scripts", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", NOT_RECOGNISED),
    ("another format", b"GIF89a" + bytes(20), NOT_RECOGNISED),
    ("a beginning alone", SIGNATURE, NOT_RECOGNISED),
    ("half of it", png()[:-20], NOT_RECOGNISED),
    ("half of a photograph", jpeg()[:-2], NOT_RECOGNISED),
    ("a photograph's beginning", b"\xff\xd8\xff", NOT_RECOGNISED),
    ("a photograph that draws nothing", b"\xff\xd8\xff\xe0\0\x02\xff\xd9", NOT_RECOGNISED),
    ("rows that are not there", bmp()[:-1], NOT_RECOGNISED),
    ("a page behind a picture's first letters", b"BM<html>" + bytes(60), NOT_RECOGNISED),
    ("a changed byte", png()[:20] + b"\x07" + png()[21:], NOT_RECOGNISED),
    ("no sides", SIGNATURE + header(0, 5) + DRAWN, NOT_RECOGNISED),
    ("colours that nobody has", SIGNATURE + header(5, 5, 3, 2) + DRAWN, NOT_RECOGNISED),
    ("nothing drawn", SIGNATURE + header(5, 5) + chunk(b"IEND", b""), NOT_RECOGNISED),
    ("two headers", SIGNATURE + header(5, 5) + header(6, 6) + DRAWN, NOT_RECOGNISED),
    ("a chunk that must be known", SIGNATURE + header(5, 5) + chunk(b"EVIL", b"x") + DRAWN, NOT_RECOGNISED),
    ("too long", SIGNATURE + header(16_385, 1) + DRAWN, TOO_BIG),
    ("more than it looks", SIGNATURE + header(16_000, 16_000) + DRAWN, TOO_BIG),
    ("too many bytes", png() + bytes(BYTES_MAX), TOO_BIG),
    (
        "more chunks than anybody makes",
        SIGNATURE + header(5, 5) + chunk(b"IDAT", b"") * 150_000 + DRAWN,
        NOT_RECOGNISED,
    ),
    ("more segments than anybody makes", jpeg()[:2] + b"\xff\xfe\x00\x02" * 500_000 + jpeg()[2:], NOT_RECOGNISED),
]


@pytest.mark.parametrize(("data", "reason"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_is_no_picture_is_refused_by_name(data: bytes, reason: Reason) -> None:
    with pytest.raises(Refusal) as refused:
        picture_file(data)
    assert refused.value.reason is reason


def test_the_largest_picture_is_taken_and_one_byte_more_is_not() -> None:
    data = noise(1, 1_900_000)
    full = data[:-12] + chunk(b"tEXt", bytes(BYTES_MAX - len(data) - 12)) + data[-12:]
    assert len(full) == BYTES_MAX
    assert picture_file(full).kind is PictureKind.PNG
    with pytest.raises(Refusal):
        picture_file(full + b"\0")


@pytest.mark.parametrize("end", [b"\xff\xd9", b"\x00\xff\xd9", b""])
def test_a_photograph_of_fill_bytes_alone_is_read_once(end: bytes) -> None:
    """Two million of them, read anew from each, would keep a node from everything else for hours."""
    scan = jpeg().index(b"\xff\xda")
    begin = jpeg()[: scan + 2 + int.from_bytes(jpeg()[scan + 2 : scan + 4])]
    with suppress(Refusal):
        kept = picture_file(begin + b"\xff" * 2_000_000 + end).content
        assert picture_file(kept).content == kept


@given(
    base=st.sampled_from(sorted(PICTURES)),
    changes=st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=6),
    cut=st.integers(0, 60),
    tail=st.binary(max_size=40),
)
def test_hostile_bytes_are_refused_or_left_alone_the_second_time(
    base: str, changes: list[tuple[int, int]], cut: int, tail: bytes
) -> None:
    """Whatever is sent: a refusal by name, or something that begins as its kind does and is its own cleaning."""
    data = bytearray(PICTURES[base])
    for at, value in changes:
        data[at % len(data)] = value
    data = data[: len(data) - cut] + tail
    with suppress(Refusal):
        kept = picture_file(bytes(data))
        assert kept.content.startswith((SIGNATURE, b"\xff\xd8\xff", b"BM"))
        assert picture_file(kept.content).content == kept.content


@given(st.binary(max_size=300), st.sampled_from([b"", SIGNATURE, b"\xff\xd8\xff", b"BM", SIGNATURE + header(4, 4)]))
def test_no_bytes_are_answered_by_anything_but_a_refusal_or_a_picture(data: bytes, begin: bytes) -> None:
    with suppress(Refusal):
        picture_file(begin + data)
