"""Links in codes: a URL brought to one spelling, so that two links are the same place only if they are the same text."""

import re
from dataclasses import dataclass

from hutong.codes.code import CodeReason
from hutong.kernel.errors import Refusal

LENGTH_MAX = 2048
_DEFAULT_PORT = {"http": 80, "https": 443}
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,31}):")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_IPV4 = re.compile(r"(0|[1-9][0-9]{0,2})(\.(0|[1-9][0-9]{0,2})){3}")
_THIS_MACHINE = re.compile(r"(localhost|127(\.[0-9]{1,3}){3})(:[0-9]+)?")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_ESCAPE = re.compile(r"%(..?)?")
_HEX = re.compile(r"[0-9A-Fa-f]{2}")
_NEVER_ESCAPED = re.compile(r"[A-Za-z0-9._~/\\\x00-\x1f\x7f-]")


@dataclass(frozen=True, slots=True)
class Link:
    """
    A link in its one spelling.

    Of the web's schemes the authority is a lower-case host, and a port where it is not the scheme's own. Other schemes
    (`upi`, `wxp`) have no host that a name system knows: the authority is empty, and all after `scheme:` is `rest`.
    """

    scheme: str
    authority: str
    rest: str

    @property
    def is_web(self) -> bool:
        return self.scheme in _DEFAULT_PORT

    @property
    def is_secure(self) -> bool:
        """Whether nobody on the way can change what it leads to: TLS, or this very machine."""
        return self.scheme == "https" or (self.scheme == "http" and _THIS_MACHINE.fullmatch(self.authority) is not None)

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.rest}" if self.is_web else f"{self.scheme}:{self.rest}"


def looks_like_link(text: str) -> bool:
    return _SCHEME.match(text) is not None


def read_link(text: str) -> Link:
    """
    The link `text` is, in its one spelling.

    Refuses:  CODE_TOO_LONG; LINK_MALFORMED; LINK_DISGUISED for what shows one place to people or to a prefix and leads
              to another: user names before the host, a host in letters beyond ASCII (its punycode is a host like any),
              numbers for an address in other than the usual form, `..` and escapes that only hide plain letters.
    """
    if len(text) > LENGTH_MAX:
        raise Refusal(CodeReason.CODE_TOO_LONG, offset=LENGTH_MAX, length_max=LENGTH_MAX)
    head = _SCHEME.match(text)
    if head is None:
        raise Refusal(CodeReason.LINK_MALFORMED, offset=0)
    for offset, letter in enumerate(text):
        if not letter.isprintable() or letter == " ":
            raise Refusal(CodeReason.LINK_MALFORMED, offset=offset)
    scheme = head[1].lower()
    start = head.end()
    if scheme not in _DEFAULT_PORT:
        return Link(scheme, "", text[start:])
    if not text.startswith("//", start):
        raise Refusal(CodeReason.LINK_MALFORMED, offset=start)
    start += 2
    end = next((at for at in range(start, len(text)) if text[at] in "/?#\\"), len(text))
    rest = text[end:]
    if not rest.startswith("/"):
        rest = "/" + rest
    authority = _read_authority(text[start:end], scheme, start)
    _check_path(rest, end)
    return Link(scheme, authority, rest)


def _read_authority(text: str, scheme: str, offset: int) -> str:
    if "@" in text or not text.isascii():
        raise Refusal(CodeReason.LINK_DISGUISED, offset=offset)
    host, colon, port = text.lower().partition(":")
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise Refusal(CodeReason.LINK_MALFORMED, offset=offset)
    # A last label of digits makes it an address; browsers also take 127.1, 0x7f000001 and 017700000001 for one.
    is_address = labels[-1].isdigit() or labels[-1].startswith("0x")
    if is_address and (not _IPV4.fullmatch(host) or any(int(label) > 255 for label in labels)):
        raise Refusal(CodeReason.LINK_DISGUISED, offset=offset)
    if not colon:
        return host
    if not _PORT.fullmatch(port) or int(port) > 65_535:
        raise Refusal(CodeReason.LINK_MALFORMED, offset=offset + len(host) + 1)
    return host if int(port) == _DEFAULT_PORT[scheme] else f"{host}:{port}"


def _check_path(rest: str, offset: int) -> None:
    path = re.split(r"[?#]", rest, maxsplit=1)[0]
    if "\\" in rest:  # Browsers take it for a slash.
        raise Refusal(CodeReason.LINK_DISGUISED, offset=offset + rest.index("\\"))
    for escape in _ESCAPE.finditer(path):
        digits = escape[1] or ""
        if not _HEX.fullmatch(digits):
            raise Refusal(CodeReason.LINK_MALFORMED, offset=offset + escape.start())
        if _NEVER_ESCAPED.fullmatch(chr(int(digits, 16))):
            raise Refusal(CodeReason.LINK_DISGUISED, offset=offset + escape.start())
    if any(segment in (".", "..") for segment in path.split("/")):
        raise Refusal(CodeReason.LINK_DISGUISED, offset=offset)
