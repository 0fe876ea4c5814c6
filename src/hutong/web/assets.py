"""Scripts and styles of the pages, from the installed package, under an address that changes with their content."""

import hashlib
import re
from functools import cache
from importlib.resources import files

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from hutong.kernel.errors import Refusal
from hutong.runtime.http import HttpReason

_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "png": "image/png",
    "webmanifest": "application/manifest+json",
}
_NAME = re.compile(r"[a-z0-9_-]+\.(css|js|svg|png)")
# An address names its content, so nobody need ask for it twice.
_HEADERS = {"cache-control": "public, max-age=31536000, immutable", "x-content-type-options": "nosniff"}


@cache
def contents() -> dict[str, bytes]:
    """Every asset by its name."""
    found = files("hutong.web").joinpath("static").iterdir()
    return {entry.name: entry.read_bytes() for entry in found if _NAME.fullmatch(entry.name)}


@cache
def digest() -> str:
    """Names this set of assets: modules import each other beside themselves, so all change their address together."""
    whole = hashlib.blake2b(digest_size=8)
    for name, content in sorted(contents().items()):
        whole.update(name.encode() + b"\0" + content + b"\0")
    return whole.hexdigest()


def asset_path(name: str) -> str:
    """Where a page finds an asset."""
    assert name in contents(), name
    return f"/static/{digest()}/{name}"


def media_type(name: str) -> str:
    """The type of an asset, by its ending."""
    return _TYPES[name.rpartition(".")[2]]


def assets() -> HTTPRouteHandler:
    """`GET /static/{digest}/{name}`. An old page may ask under an old digest: it gets what there is, and keeps it not."""

    @get("/static/{asked:str}/{name:str}", include_in_schema=False, sync_to_thread=False)
    def asset(asked: FromPath[str], name: FromPath[str]) -> Response[bytes]:
        content = contents().get(name)
        if content is None:
            raise Refusal(HttpReason.ROUTE_UNKNOWN)
        headers = _HEADERS if asked == digest() else _HEADERS | {"cache-control": "no-store"}
        return Response(content, media_type=media_type(name), headers=headers)

    return asset
