"""What a request to `/gateway.do` carries: parameters of the query and the form, and files."""

from collections.abc import Iterable
from io import BytesIO
from urllib.parse import unquote_to_bytes

import msgspec
from multipart import MultipartError, MultipartParser, parse_options_header

from hutong.gateways.alipay.charset import UTF8, codec_of, decode
from hutong.gateways.alipay.errors import AlipayError
from hutong.gateways.wire import WireRequest

FORM, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
PARAMETERS_MAX, FILES_MAX = 200, 10

Pairs = list[tuple[bytes, bytes]]


class File(msgspec.Struct, frozen=True):
    """A file of a multipart request. Its content is not signed."""

    name: str
    content: bytes


class Parameters(msgspec.Struct, frozen=True):
    """A request's parameters, in its own charset: `signed` are the very bytes that its signature covers."""

    values: dict[str, str]
    codec: str
    signed: bytes
    files: dict[str, File]
    is_text: bool = True  # Whether it is what its charset says; if not, it was read as well as can be.

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")


def read(request: WireRequest) -> Parameters:
    """
    The parameters of a request: of the query and of the form, and where both have one, the form's.

    Refuses:  isv.suspected-attack, for more than any client sends; isv.upload-fail, for a multipart body that is none.
    """
    given = dict(_pairs(request.query))
    files: dict[str, File] = {}
    content_type, options = parse_options_header(request.headers.get("content-type", ""))
    if content_type == MULTIPART:
        form, files = _multipart(request.body, options.get("boundary", ""))
        given.update(form)
    elif request.body and content_type in {FORM, ""}:
        given.update(_pairs(request.body))
    if len(given) > PARAMETERS_MAX:
        raise AlipayError("isv.suspected-attack")
    signed = canonical(given.items(), without=(b"sign",))
    try:
        codec = codec_of(given.get(b"charset", b"").decode("ascii", "replace"))
        values = {decode(name, codec): decode(value, codec) for name, value in given.items()}
    except AlipayError:
        values = {name.decode(UTF8, "replace"): value.decode(UTF8, "replace") for name, value in given.items()}
        return Parameters(values, UTF8, signed, files, is_text=False)
    return Parameters(values, codec, signed, files)


def canonical(given: Iterable[tuple[bytes, bytes]], *, without: tuple[bytes, ...]) -> bytes:
    """The bytes a signature covers: `k=v` joined by `&`, by name in the order of bytes; what is empty is left out."""
    return b"&".join(name + b"=" + value for name, value in sorted(given) if value and name not in without)


def _pairs(data: bytes) -> Pairs:
    """Names and values of a query or form, decoded."""
    if data.count(b"&") > PARAMETERS_MAX:
        raise AlipayError("isv.suspected-attack")
    pairs = [piece.partition(b"=") for piece in data.split(b"&") if piece]
    return [(_unquote(name), _unquote(value)) for name, _, value in pairs]


def _unquote(data: bytes) -> bytes:
    data = data.replace(b"+", b" ")
    return unquote_to_bytes(data) if b"%" in data else data


def _multipart(body: bytes, boundary: str) -> tuple[Pairs, dict[str, File]]:
    pairs: Pairs = []
    files = {}
    try:
        # All of it is in memory already, so nothing needs to go to a disk.
        parser = MultipartParser(
            BytesIO(body),
            boundary,
            len(body),
            charset="latin-1",  # A field's bytes are in the request's charset, itself a parameter: kept as they came.
            part_limit=PARAMETERS_MAX,
            spool_limit=len(body),
            memory_limit=len(body),
        )
        for part in list(parser):
            if part.filename is None:
                pairs.append((part.name.encode("latin-1"), part.raw))
            else:
                files[part.name] = File(part.filename, part.raw)
            part.close()
    except (MultipartError, ValueError) as error:
        raise AlipayError("isv.upload-fail") from error
    if len(files) > FILES_MAX:
        raise AlipayError("isv.suspected-attack")
    return pairs, files


def encode(values: dict[str, str], codec: str = UTF8) -> Pairs:
    """Texts as they would come over the wire: for what is signed here."""
    return [(name.encode(codec, "replace"), value.encode(codec, "replace")) for name, value in values.items()]
