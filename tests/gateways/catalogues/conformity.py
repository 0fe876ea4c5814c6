"""
Holds every answer of a gateway in a test to the vendor's catalogue: it hangs on the HTTP client that the tests' stories use.

A field that the catalogue does not know, one that is missing although it is always there, a wrong type, a value outside its enumeration
or a moment without `+08:00` fails the story in which it was answered.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any
from urllib.parse import unquote

import httpx

from hutong.gateways.wechat.v2 import document
from tests.gateways.catalogues.errata import excused
from tests.gateways.catalogues.language import Leaf, Nested, Operation, catalogue, differences

_ENVELOPE = {"code", "msg", "sub_code", "sub_msg"}


async def conforms(response: httpx.Response) -> None:
    """A hook of httpx's: refuses, with an AssertionError, an answer that is not the vendor's."""
    await response.aread()
    found = [each for each in _differences(response) if not excused(*each)]
    assert not found, "; ".join(f"{name}: {text}" for name, text in found)


def _differences(response: httpx.Response) -> Iterator[tuple[str, str]]:
    request = response.request
    path = request.url.raw_path.decode().partition("?")[0]
    authorization = request.headers.get("authorization", "")
    if path == "/gateway.do":
        yield from _classic(response)
    elif authorization.startswith("ALIPAY-"):
        name = path.removeprefix("/v3/").replace("/", ".")
        operation = catalogue("alipay").get(name)
        if response.status_code == 200 and operation is not None and response.text.startswith("{"):
            yield from _named(name, _answer(operation), json.loads(response.text))
    elif authorization.startswith("WECHATPAY2-"):
        yield from _v3(request.method, path, response)
    elif f"POST {path}" in catalogue("wechat-v2"):
        yield from _v2(path, response)


def _classic(response: httpx.Response) -> Iterator[tuple[str, str]]:
    codec = re.search("charset=([a-z0-9-]+)", response.headers["content-type"])
    if not response.content.startswith(b'{"alipay_'):
        return
    (key, told), *_ = json.loads(response.content.decode(codec[1] if codec else "utf-8")).items()
    names = {name.replace(".", "_") + "_response": name for name in catalogue("alipay")}
    if key not in names or not isinstance(told, dict):
        return  # Encrypted, or the one method that the catalogue lacks.
    name = names[key]
    yield from ((name, f"/{field} is missing") for field in ("code", "msg") if field not in told)
    inner = {field: value for field, value in told.items() if field not in _ENVELOPE}
    yield from _named(name, _answer(catalogue("alipay")[name]), inner)


def _v3(method: str, path: str, response: httpx.Response) -> Iterator[tuple[str, str]]:
    operation = _operation(method, path)
    if operation is None:
        return
    name = operation.name
    if response.status_code >= 400:
        if response.status_code not in {404, 405} or response.content:
            told = response.json()
            yield from (
                (name, f"{response.status_code}/{field} is not known")
                for field in {*told} - {"code", "message", "detail"}
            )
            yield from ((name, f"{response.status_code}/{field} is missing") for field in {"code", "message"} - {*told})
    elif response.status_code == 202:
        yield from () if response.json() == {"trade_state": "USERPAYING"} else ((name, "202 says more"),)
    elif operation.answer is None:
        if response.content and response.headers["content-type"] == "application/json":
            yield name, "there should be no content"
    elif not response.content:
        yield name, "there is no content"
    elif response.headers["content-type"] == "application/json":
        yield from _named(name, operation.answer, response.json())


def _v2(path: str, response: httpx.Response) -> Iterator[tuple[str, str]]:
    if not response.content.startswith(b"<xml>"):
        return  # A bill.
    name, told = f"POST {path}", _fields(response.content)
    members = _answer(catalogue("wechat-v2")[name]).members
    for field in told:
        if not {field, re.sub(r"_\d+", "_$n", field), re.sub(r"_\d+_\d+$", "_$n_$m", field)} & members.keys():
            yield name, f"/{field} is not known"
    if told["return_code"] != "SUCCESS" or told.get("result_code", "SUCCESS") != "SUCCESS":
        return
    for field, member in members.items():
        if member.always and not {field, field.replace("$n", "0")} & told.keys():
            yield name, f"/{field} is missing"
        if field in told and isinstance(member.shape, Leaf):
            value: Any = int(told[field]) if member.shape.kind == "i" and told[field].isdigit() else told[field]
            yield from _named(name, Nested({field: member}), {field: value})


def _fields(body: bytes) -> dict[str, str]:
    """Of a document of v2, whose fields have no fields but in one."""
    inner = re.search(rb"<hblist>.*</hblist>", body, re.DOTALL)
    told = document.read(body.replace(inner[0], b"") if inner else body)
    return told | ({"hblist": ""} if inner else {})


def _named(name: str, shape: Nested, value: Any) -> Iterator[tuple[str, str]]:
    return ((name, text) for text in differences(shape, value))


def _answer(operation: Operation) -> Nested:
    return operation.answer or Nested({})


@cache
def _operation(method: str, path: str) -> Operation | None:
    """The catalogue's operation of a path: one that is written out goes before one with names in it."""
    found = [
        operation
        for name, operation in catalogue("wechat-v3").items()
        if re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(name)), f"{method} {unquote(path)}")
    ]
    return min(found, key=lambda each: each.name.count("{"), default=None)
