"""Pictures for tests: small, whole, and each with something in it that nobody should pass on."""

import struct
import zlib
from io import BytesIO
from random import Random

from PIL import Image

SECRET = b"GPS 31.2304N 121.4737E"


def image(width: int = 8, height: int = 6, *, shade: int = 90, mode: str = "RGB") -> Image.Image:
    return Image.new(mode, (width, height), shade if mode in ("L", "P") else (shade, 20, 30))


def png(width: int = 8, height: int = 6, *, shade: int = 90, told: bool = False) -> bytes:
    """A PNG; with `told` it says where it was drawn."""
    out = BytesIO()
    image(width, height, shade=shade).save(out, "PNG")
    data = out.getvalue()
    return data[:-12] + chunk(b"tEXt", b"Comment\0" + SECRET) + data[-12:] + SECRET if told else data


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def jpeg(
    width: int = 16, height: int = 16, *, shade: int = 90, orientation: int = 0, progressive: bool = False
) -> bytes:
    """A JPEG; with an orientation it also says where it was taken."""
    out = BytesIO()
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
        exif[0x010E] = SECRET.decode()
    image(width, height, shade=shade).save(
        out, "JPEG", exif=exif, progressive=progressive, comment=SECRET if orientation else b""
    )
    return out.getvalue() + (SECRET if orientation else b"")


def bmp(width: int = 5, height: int = 3) -> bytes:
    out = BytesIO()
    image(width, height).save(out, "BMP")
    return out.getvalue()


def noise(seed: int, size: int) -> bytes:
    """A PNG of about so many bytes, that does not shrink."""
    side = max(4, int((size / 3) ** 0.5))
    out = BytesIO()
    Image.frombytes("RGB", (side, side), Random(seed).randbytes(3 * side * side)).save(out, "PNG", compress_level=0)
    return out.getvalue()
