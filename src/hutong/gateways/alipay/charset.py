"""The character sets a request may name, and text in them."""

from hutong.gateways.alipay.errors import AlipayError

UTF8 = "utf-8"
# What it is called on the wire, and what Python calls what it really is.
_CODECS = {"utf-8": "utf-8", "utf8": "utf-8", "gbk": "gbk", "gb2312": "gbk", "gb18030": "gb18030"}


def codec_of(charset: str) -> str:
    """Python's name of a request's charset; UTF-8 where it names none. Refuses isv.invalid-charset."""
    codec = _CODECS.get(charset.lower() or UTF8)
    if codec is None:
        raise AlipayError("isv.invalid-charset")
    return codec


def decode(data: bytes, codec: str) -> str:
    """Refuses isv.invalid-charset, for bytes that are no text in it."""
    try:
        return data.decode(codec)
    except UnicodeDecodeError:
        raise AlipayError("isv.invalid-charset") from None


def encode_json(text: str, codec: str) -> bytes:
    """JSON text in a charset; a character that it does not have is escaped, as JSON can."""
    try:
        return text.encode(codec)
    except UnicodeEncodeError:
        return b"".join(_character(each, codec) for each in text)


def encode_text(text: str, codec: str) -> bytes:
    """Any other text in a charset; a character that it does not have is a question mark."""
    return text.encode(codec, "replace")


def _character(character: str, codec: str) -> bytes:
    try:
        return character.encode(codec)
    except UnicodeEncodeError:
        units = character.encode("utf-16-be", "surrogatepass")
        return b"".join(b"\\u%04x" % int.from_bytes(units[i : i + 2], "big") for i in range(0, len(units), 2))
