"""The XML that v2 speaks: one flat element, a field each child. Specification 8.1."""

import re
from typing import Any
from xml.parsers import expat

Fields = dict[str, str]

BODY_BYTES_MAX = 64 * 1024
FIELDS_MAX = 200
_DEPTH_FIELD = 2  # The root is 1.
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
# What XML 1.0 has no way to say. Wherever text came from that is no XML, it is left out before it is signed.
_UNSAYABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Malformed(Exception):  # noqa: N818  # It is what was sent, not what failed.
    """It isn't a document as v2 has them. The text is for our log alone."""


class _Reader:
    """Takes one document apart. Anything but a root with plain children is refused on the spot."""

    def __init__(self) -> None:
        self.fields: Fields = {}
        self._depth = 0
        self._name = ""
        self._plain: list[str] = []
        self._quoted: list[str] = []
        self._is_quoted = False
        self._has_quoted = False
        # The encoding is given, so that a document that declares another is not read as that.
        self._parser = expat.ParserCreate("utf-8")
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartCdataSectionHandler = self._start_cdata
        self._parser.EndCdataSectionHandler = self._end_cdata

    def read(self, body: bytes) -> Fields:
        try:
            self._parser.Parse(body, True)  # As expat has it.
        except expat.ExpatError as error:
            raise Malformed(str(error)) from error
        return self.fields

    def _doctype(self, *_: Any) -> None:
        # Entities are declared there and nowhere else: without it nothing expands and nothing is fetched.
        raise Malformed("a document type")

    def _start(self, name: str, _: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEPTH_FIELD:
            raise Malformed(f"an element within {self._name}")
        if self._depth == _DEPTH_FIELD:
            if not _NAME.fullmatch(name):
                raise Malformed("an element's name")
            if name in self.fields:
                raise Malformed(f"{name} twice")
            if len(self.fields) == FIELDS_MAX:
                raise Malformed("too many fields")
            self._name, self._plain, self._quoted, self._has_quoted = name, [], [], False
        elif name != "xml":
            raise Malformed("another root")

    def _end(self, _: str) -> None:
        if self._depth == _DEPTH_FIELD:
            plain = "".join(self._plain)
            # Line breaks around a CDATA section are how some clients indent, and no part of what they signed.
            aside = self._has_quoted and not plain.strip()
            self.fields[self._name] = "".join(self._quoted) if aside else plain
            if self._has_quoted and not aside:
                raise Malformed(f"{self._name} is half in CDATA")
        self._depth -= 1

    def _text(self, text: str) -> None:
        if self._depth == _DEPTH_FIELD:
            (self._quoted if self._is_quoted else self._plain).append(text)
        elif text.strip():
            raise Malformed("text beside the fields")

    def _start_cdata(self) -> None:
        self._is_quoted = self._has_quoted = True

    def _end_cdata(self) -> None:
        self._is_quoted = False


def read(body: bytes) -> Fields:
    """The fields of a document, in its order. Raises Malformed."""
    if len(body) > BODY_BYTES_MAX:
        raise Malformed("too long")
    return _Reader().read(body)


def write(fields: Fields, root: str = "xml", inner: bytes = b"") -> bytes:
    """A document of these fields, each in CDATA; `inner` are elements that are written already."""
    lines = [f"<{name}><![CDATA[{_quoted(text)}]]></{name}>" for name, text in fields.items()]
    return "\n".join([f"<{root}>", *lines, ""]).encode() + inner + f"</{root}>".encode()


def sayable(text: str) -> str:
    """`text` without what XML can't carry."""
    return _UNSAYABLE.sub("", text)


def _quoted(text: str) -> str:
    return text.replace("]]>", "]]]]><![CDATA[>")
