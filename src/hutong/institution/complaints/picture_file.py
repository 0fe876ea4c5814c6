"""
What is taken for a picture: PNG, JPEG and BMP, told by their bytes, and of these what draws the picture and nothing else.

A telephone writes into its photographs where and when they were taken; that, comments, and whatever hangs behind the end is
left away before anything is kept. What remains is read again to the same bytes, so whoever receives one can hold it to this.
"""

import re
import zlib
from dataclasses import dataclass
from enum import StrEnum
from struct import error as StructError  # noqa: N812  # A class, as its module spells it.
from struct import pack, unpack_from

from hutong.institution.complaints.reasons import ComplaintReason
from hutong.kernel.errors import Refusal
from hutong.scheme.complaint_messages import PICTURE_BYTES_MAX

BYTES_MAX = PICTURE_BYTES_MAX
SIDE_MAX = 16_384
PIXELS_MAX = 50_000_000  # What small bytes unfold to in whoever looks at them.
PARTS_MAX = (
    5_000  # Chunks or segments: each takes its time to read, and cameras and programs make some hundreds at most.
)


class PictureKind(StrEnum):
    """The formats, and how they are announced to who looks: never otherwise."""

    PNG = "PNG"
    JPEG = "JPEG"
    BMP = "BMP"

    @property
    def content_type(self) -> str:
        return f"image/{self.lower()}"

    @property
    def ending(self) -> str:
        return ".jpg" if self is PictureKind.JPEG else f".{self.lower()}"


@dataclass(frozen=True, slots=True)
class PictureFile:
    """A picture as it is kept."""

    kind: PictureKind
    content: bytes


def picture_file(data: bytes) -> PictureFile:
    """
    The picture in these bytes, without what draws nothing.

    Refuses:  PICTURE_TOO_BIG, by bytes, sides or pixels; PICTURE_NOT_RECOGNISED for another format, and for one that is broken.
    """
    if len(data) > BYTES_MAX:
        raise Refusal(ComplaintReason.PICTURE_TOO_BIG, bytes_max=BYTES_MAX)
    try:
        if data.startswith(_PNG):
            return PictureFile(PictureKind.PNG, _png(data))
        if data.startswith(b"\xff\xd8\xff"):
            return PictureFile(PictureKind.JPEG, _jpeg(data))
        if data.startswith(b"BM"):
            return PictureFile(PictureKind.BMP, _bmp(data))
    except (StructError, IndexError):
        raise _broken("it ends too soon") from None
    raise _broken("not PNG, JPEG or BMP")


def _broken(problem: str) -> Refusal:
    return Refusal(ComplaintReason.PICTURE_NOT_RECOGNISED, problem=problem)


def _check_sides(width: int, height: int) -> None:
    if not (width > 0 and height > 0):
        raise _broken("it has no sides")
    if max(width, height) > SIDE_MAX or width * height > PIXELS_MAX:
        raise Refusal(ComplaintReason.PICTURE_TOO_BIG, side_max=SIDE_MAX, pixels_max=PIXELS_MAX)


# PNG (W3C, third edition): chunks of length, type, data and CRC.

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}  # By colour type.
# What draws. Texts, times, profiles, EXIF and the frames of animations do not.
_PNG_KEPT = frozenset(
    {b"IHDR", b"PLTE", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"bKGD", b"pHYs", b"IDAT", b"IEND"}
)


def _png(data: bytes) -> bytes:
    kept, at = [_PNG], len(_PNG)
    seen: set[bytes] = set()
    for _ in range(PARTS_MAX):
        length, kind = unpack_from(">I4s", data, at)
        end = at + 12 + length
        body = data[at + 8 : end - 4]
        if end > len(data) or unpack_from(">I", data, end - 4)[0] != zlib.crc32(kind + body):
            raise _broken("a damaged chunk")
        if (kind == b"IHDR") == bool(seen):
            raise _broken("its header is not its beginning")
        if kind == b"IHDR":
            _check_png_header(body)
        seen.add(kind)
        if kind in _PNG_KEPT:
            kept.append(data[at:end])
        elif not kind[0] & 0x20:
            raise _broken("a critical chunk that nobody knows")
        if kind == b"IEND":
            break
        at = end
    else:
        raise _broken("too many parts")
    if b"IDAT" not in seen:
        raise _broken("nothing is drawn")
    return b"".join(kept)


def _check_png_header(body: bytes) -> None:
    width, height, depth, colour, compression, filtering, interlace = unpack_from(">IIBBBBB", body)
    if len(body) != 13 or depth not in _PNG_DEPTHS.get(colour, ()) or compression or filtering or interlace > 1:
        raise _broken("its header")
    _check_sides(width, height)


# JPEG (ITU-T T.81, annex B): segments behind markers, and scans.

_SOI, _EOI = b"\xff\xd8", 0xD9
_SOS, _DQT, _DHT, _DAC, _DRI = 0xDA, 0xDB, 0xC4, 0xCC, 0xDD
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {_DHT, 0xC8, _DAC})
_JFIF, _EXIF, _PROFILE, _ADOBE = 0xE0, 0xE1, 0xE2, 0xEE
_JPEG_KEPT = frozenset({_SOS, _DQT, _DHT, _DAC, _DRI, _ADOBE}) | _FRAMES
# Stuffed bytes and restarts belong to the scan. A run of fill bytes is read from its first alone: from each of a million, all
# the others would be read again.
_SCAN_END = re.compile(rb"(?<!\xff)\xff+[^\x00\xff\xd0-\xd7]")
_FILL = re.compile(rb"\xff*")


def _jpeg(data: bytes) -> bytes:
    kept, at, has_frame, has_scan, turned = [_SOI], len(_SOI), False, False, False
    for _ in range(PARTS_MAX):
        if data[at] != 0xFF:
            raise _broken("no marker where one must be")
        at = _end_of_fill(data, at) - 1
        marker = data[at + 1]
        if marker == _EOI:
            break
        (length,) = unpack_from(">H", data, at + 2)
        end = at + 2 + length
        segment = data[at + 4 : end]
        if length < 2 or end > len(data):
            raise _broken("a damaged segment")
        if marker in _FRAMES:
            _check_jpeg_frame(segment)
            has_frame = True
        if marker == _EXIF and not turned and (orientation := _orientation(segment)) > 1:
            kept.append(_turned(orientation))
            turned = True
        if marker in _JPEG_KEPT or _is_kept(marker, segment):
            kept.append(data[at:end])
        if marker == _SOS:
            behind = _SCAN_END.search(data, end)
            if behind is None or not has_frame:
                raise _broken("a scan that does not end")
            has_scan = True
            kept.append(data[end : behind.start()])
            end = behind.start()
        at = end
    else:
        raise _broken("too many parts")
    if not has_scan:
        raise _broken("nothing is drawn")
    return b"".join([*kept, b"\xff\xd9"])


def _end_of_fill(data: bytes, at: int) -> int:
    fill = _FILL.match(data, at)
    return fill.end() if fill is not None else at


def _is_kept(marker: int, segment: bytes) -> bool:
    if marker == _JFIF:
        return segment.startswith(b"JFIF\0") and segment[12:14] == b"\0\0"  # A thumbnail is another picture.
    return marker == _PROFILE and segment.startswith(b"ICC_PROFILE\0")


def _check_jpeg_frame(segment: bytes) -> None:
    depth, height, width, components = unpack_from(">BHHB", segment)
    if depth not in (8, 12, 16) or components not in (1, 3, 4) or len(segment) != 6 + 3 * components:
        raise _broken("its frame")
    _check_sides(width, height)


def _orientation(segment: bytes) -> int:
    """Which way up a camera held it (EXIF, tag 0x0112); 0 for what says none."""
    if not segment.startswith((b"Exif\0\0II*\0", b"Exif\0\0MM\0*")):
        return 0
    tiff, order = segment[6:], "<" if segment[6:8] == b"II" else ">"
    try:
        (first,) = unpack_from(f"{order}I", tiff, 4)
        (count,) = unpack_from(f"{order}H", tiff, first)
        for each in range(min(count, 100)):
            tag, kind, number, value = unpack_from(f"{order}HHIH", tiff, first + 2 + 12 * each)
            if (tag, kind, number) == (0x0112, 3, 1):
                return int(value) if value <= 8 else 0
    except StructError:
        return 0
    return 0


def _turned(orientation: int) -> bytes:
    """EXIF that says which way up, and nothing else."""
    body = b"Exif\0\0MM\0*" + pack(">IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    return pack(">BBH", 0xFF, _EXIF, 2 + len(body)) + body


# BMP (Windows): a file header, an information header of one of five sizes, and rows.

_BMP_HEADERS = frozenset({12, 40, 52, 56, 108, 124})
_BMP_ROWS = frozenset({0, 3, 6})  # Compressions whose rows have one length; 4 and 5 are other formats inside.
_BMP_RUNS = frozenset({1, 2})


def _bmp(data: bytes) -> bytes:
    header, offset = unpack_from("<I", data, 14)[0], unpack_from("<I", data, 10)[0]
    if header not in _BMP_HEADERS:
        raise _broken("its header")
    compression = size = 0
    if header == 12:
        width, height, planes, depth = unpack_from("<HHHH", data, 18)
    else:
        width, height, planes, depth, compression, size = unpack_from("<iiHHII", data, 18)
    height = abs(height)  # Negative: from the top down.
    _check_sides(width, height)
    if planes != 1 or depth not in (1, 4, 8, 16, 24, 32) or offset < 14 + header:
        raise _broken("its header")
    if compression in _BMP_ROWS:
        size = (width * depth + 31) // 32 * 4 * height
    elif compression not in _BMP_RUNS:
        raise _broken("another format inside")
    end = offset + size
    if end > len(data):
        raise _broken("it ends too soon")
    return b"BM" + pack("<IHH", end, 0, 0) + data[10:end]
