"""
Reads the vendors' catalogues beside this file, and says where an answer differs from one.

`name*:s(A|B)` is a field that is always there; `s`, `i` and `b` are a string, an integer and a boolean; `{…}` and `[…]` nest; a name
in capitals with a `$` is written out above. Alipay's has names alone: what is not `{…}` or `[…]` is a string.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

HERE = Path(__file__).parent
_TOKEN = re.compile(r"[{}\[\]:,*]|\([^)]*\)|[^{}\[\]:,*()\s]+")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T")
_MOMENT_WHOLE = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\+08:00")


class Leaf(msgspec.Struct, frozen=True):
    """One value. `kind` is `s`, `i`, `b`, or empty for one that nobody describes."""

    kind: str
    one_of: tuple[str, ...] = ()


class Listed(msgspec.Struct, frozen=True):
    """An array."""

    item: "Shape"


class Member(msgspec.Struct, frozen=True):
    """One field of an object."""

    shape: "Shape"
    always: bool


class Nested(msgspec.Struct, frozen=True):
    """An object."""

    members: dict[str, Member]


Shape = Leaf | Listed | Nested


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a catalogue."""

    name: str  # `POST /v3/…`, or Alipay's method.
    query: Nested
    request: Nested
    answer: Nested | None  # None: 204, or no JSON.


class _Reader:
    def __init__(self, text: str, leaf: str) -> None:
        self._tokens = _TOKEN.findall(text)
        self._at = 0
        self._leaf = leaf

    def _next(self) -> str:
        token = str(self._tokens[self._at])
        self._at += 1
        return token

    def _sees(self, token: str) -> bool:
        found = self._at < len(self._tokens) and self._tokens[self._at] == token
        self._at += found
        return found

    def members(self) -> Nested:
        """Up to a closing brace or the end."""
        found: dict[str, Member] = {}
        while self._at < len(self._tokens) and not self._sees("}"):
            name = self._next()
            always = self._sees("*")
            shape = self._shape() if self._sees(":") else Leaf(self._leaf)
            found[name] = Member(shape, always)
            self._sees(",")
        return Nested(found)

    def _shape(self) -> Shape:
        if self._sees("{"):
            return self.members()
        if self._sees("["):
            if self._sees("]"):
                return Listed(Leaf(self._leaf))
            item = self._shape()
            # Alipay's have the members in the brackets, without `name:`.
            assert self._sees("]")
            return Listed(item)
        kind = self._next()
        kinds = kind if kind in {"s", "i", "b"} else ""
        if self._at < len(self._tokens) and self._tokens[self._at].startswith("("):
            return Leaf(kinds, tuple(self._next()[1:-1].split("|")))
        return Leaf(kinds)


@cache
def catalogue(name: str) -> dict[str, Operation]:
    """The operations of `wechat-v3`, `wechat-v2` or `alipay`, by name."""
    leaf = "s" if name == "alipay" else ""
    macros: dict[str, str] = {}
    lines: dict[str, dict[str, str]] = {}
    said: dict[str, str] = {}
    for line in (HERE / f"{name}.txt").read_text("utf-8").splitlines():
        if line.startswith("$"):
            macro, _, value = line.partition(" = ")
            macros[macro] = value
        elif line.startswith("  "):
            said[line[2]] = line[3:].strip()
        elif not line.startswith("#"):
            said = lines.setdefault(line.partition("  ")[0], {})

    def read(text: str) -> Nested:
        while re.search(r"\$[A-Z]+", text):
            text = re.sub(r"\$[A-Z]+", lambda found: macros[found[0]], text)
        text = text.removeprefix("FLAT").replace("'", "").strip()
        inner = text[1:-1] if text[:1] in {"{", "["} else text
        return _Reader(inner, leaf).members()

    return {
        operation: Operation(
            name=operation,
            query=read(told.get("q", "").replace("(Wechatpay-Serial)", "")),
            request=read(told.get(">", "")),
            answer=None if told.get("<", "None").endswith("None") else read(told["<"]),
        )
        for operation, told in lines.items()
    }


def differences(shape: Shape, value: Any, at: str = "") -> Iterator[str]:
    """Each place where `value` is not what the catalogue says."""
    match shape:
        case Nested(members) if isinstance(value, dict):
            yield from (f"{at}/{name} is not known" for name in value if name not in members)
            for name, member in members.items():
                if name in value:
                    yield from differences(member.shape, value[name], f"{at}/{name}")
                elif member.always:
                    yield f"{at}/{name} is missing"
        case Listed(item) if isinstance(value, list):
            for each in value:
                yield from differences(item, each, f"{at}/0")
        case Leaf(kind, one_of):
            expected = {"s": str, "i": int, "b": bool}.get(kind, object)
            if expected is not object and type(value) is not expected:
                yield f"{at} is {type(value).__name__}, not {expected.__name__}"
            elif one_of and str(value) not in one_of:
                yield f"{at} is {value}, not one of {', '.join(one_of)}"
            elif isinstance(value, str) and _MOMENT.match(value) and not _MOMENT_WHOLE.fullmatch(value):
                yield f"{at} is no moment of Beijing's: {value}"
        case _:
            yield f"{at} is {type(value).__name__}, not {type(shape).__name__}"
