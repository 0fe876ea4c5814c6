"""A ZIP file whose names are in GBK: the standard library writes those as UTF-8 or not at all."""

import struct
import zlib
from collections.abc import Sequence

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_VERSION = 20
_DEFLATED = 8
_MS_DOS_EPOCH = 1980


def zipped(files: Sequence[tuple[bytes, bytes]], at: tuple[int, int, int, int, int, int]) -> bytes:
    """These files, by the bytes of their names, all of one time: the same files are the same archive."""
    year, month, day, hour, minute, second = at
    stamp = hour << 11 | minute << 5 | second // 2, (year - _MS_DOS_EPOCH) << 9 | month << 5 | day
    body, directory = bytearray(), bytearray()
    for name, content in files:
        packer = zlib.compressobj(wbits=-15)
        packed = packer.compress(content) + packer.flush()
        told = zlib.crc32(content), len(packed), len(content)
        offset = len(body)
        body += _LOCAL.pack(b"PK\x03\x04", _VERSION, 0, _DEFLATED, *stamp, *told, len(name), 0) + name + packed
        directory += (
            _CENTRAL.pack(
                b"PK\x01\x02", _VERSION, _VERSION, 0, _DEFLATED, *stamp, *told, len(name), 0, 0, 0, 0, 0, offset
            )
            + name
        )
    end = _END.pack(b"PK\x05\x06", 0, 0, len(files), len(files), len(directory), len(body), 0)
    return bytes(body + directory + end)
