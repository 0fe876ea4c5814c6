"""
Multipart uploads: a file, and `meta`, which is all of the body that is signed.

Read by hand: one of the clients sends `multipart/form-data` without a boundary, and `meta` is needed byte for byte.
"""

import re

import msgspec

from hutong.gateways.wechat.v3.errors import Code, Fault

_BOUNDARY = re.compile(r'boundary="?([^";,\r\n]{1,200})"?', re.IGNORECASE)
_NAME = re.compile(rb'\bname="([^"]*)"', re.IGNORECASE)
_FILE_NAME = re.compile(rb'\bfilename="([^"]*)"', re.IGNORECASE)
_PARTS_MAX = 10


class Upload(msgspec.Struct, frozen=True):
    """The two parts of an upload."""

    meta: bytes
    file_name: str
    content: bytes


def is_multipart(content_type: str) -> bool:
    """Whether a Content-Type is of an upload."""
    return content_type.lower().startswith("multipart/form-data")


def parse(content_type: str, body: bytes) -> Upload:
    """
    The parts of an upload.

    Refuses:  PARAM_ERROR: no multipart body, or one without `meta` or `file`.
    """
    named = _BOUNDARY.search(content_type)
    # Without a boundary in the header, the first line of the body is it.
    boundary = b"--" + named[1].encode("latin-1") if named else body.partition(b"\r\n")[0]
    if len(boundary) < 3 or not body.startswith(boundary):
        raise Fault(Code.PARAM_ERROR, "请求体不是合法的multipart/form-data")
    meta: bytes | None = None
    file: tuple[str, bytes] | None = None
    for part in body[len(boundary) :].split(b"\r\n" + boundary, _PARTS_MAX)[:_PARTS_MAX]:
        head, blank, content = part.partition(b"\r\n\r\n")
        name = _NAME.search(head)
        if not blank or name is None:
            continue
        if name[1] == b"meta":
            meta = content
        elif name[1] == b"file":
            file_name = _FILE_NAME.search(head)
            file = (file_name[1].decode("utf-8", "replace") if file_name else "", content)
    if meta is None or file is None:
        raise Fault(Code.PARAM_ERROR, "请求体缺少meta或file")
    return Upload(meta, *file)
