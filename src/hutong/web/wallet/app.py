"""The wallet as an app on a phone's first screen: its manifest, its icons, and what keeps its code at hand offline."""

import io
from functools import lru_cache
from typing import Any

import msgspec
from litestar import Response, get
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler
from PIL import Image, ImageDraw

from hutong.codes.font import font_for
from hutong.kernel.errors import Refusal
from hutong.runtime.http import HttpReason
from hutong.web.assets import asset_path, contents
from hutong.web.brand import Brand
from hutong.web.page import AnyRequest, Pages

_SIZES = (192, 512)
_HOUR = {"cache-control": "public, max-age=3600", "x-content-type-options": "nosniff"}
# Asked for each time it is started, so that a new release arrives.
_WORKER_HEADERS = {"cache-control": "no-cache", "x-content-type-options": "nosniff"}
# What the page of the payment code is made of.
_SHELL = (
    "kit.css",
    "wallet.css",
    "paying.css",
    "kit.js",
    "wallet.js",
    "code.js",
    "payment-code.js",
    "qr.js",
    "code128.js",
    "keypad.js",
)


def app_pages(pages: Pages) -> list[ControllerRouterHandler]:
    """What a browser asks for to install the wallet; open to everybody, and the same for everybody."""

    @get("/wallet/manifest.webmanifest", media_type="application/manifest+json", sync_to_thread=False)
    def manifest(request: AnyRequest) -> Response[bytes]:
        return Response(msgspec.json.encode(_manifest(pages, request)), headers=_HOUR)

    @get("/wallet/icons/{size:int}", media_type="image/png", sync_to_thread=False)
    def icon(size: FromPath[int]) -> Response[bytes]:
        if size not in _SIZES:
            raise Refusal(HttpReason.ROUTE_UNKNOWN)
        return Response(_icon(pages.brand, size), headers=_HOUR)

    @get("/wallet/worker.js", media_type="text/javascript", sync_to_thread=False)
    def worker() -> Response[bytes]:
        shell = ["/wallet/code", "/brand.css", "/brand.svg", *(asset_path(name) for name in _SHELL)]
        head = b"const SHELL = " + msgspec.json.encode(shell) + b";\n"
        return Response(head + contents()["worker.js"], headers=_WORKER_HEADERS)

    return [pages.router("/", [manifest, icon, worker], None)]


def _manifest(pages: Pages, request: AnyRequest) -> dict[str, Any]:
    _ = pages.words(request)
    brand = pages.brand
    icons = [
        {"src": f"/wallet/icons/{size}", "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}
        for size in _SIZES
        for purpose in ("any", "maskable")
    ]
    ways = ((_("Scan"), "/wallet/scan"), (_("Pay code"), "/wallet/code"), (_("Receive"), "/wallet/receive"))
    return {
        "id": "/wallet",
        "name": brand.name,
        "short_name": brand.name,
        "lang": _.language,
        "start_url": "/wallet",
        "scope": "/wallet",
        "display": "standalone",
        "orientation": "portrait",
        "background_color": "#ffffff",
        "theme_color": brand.colour,
        "icons": icons,
        "shortcuts": [{"name": name, "url": path} for name, path in ways],
    }


@lru_cache(maxsize=16)
def _icon(brand: Brand, size: int) -> bytes:
    """The brand's initial on its colour, to the edge: phones cut icons to a shape of their own."""
    picture = Image.new("RGB", (size, size), brand.colour)
    letter = brand.initial
    font = font_for(letter, size // 2)
    if font is None:  # No font here writes Chinese.
        letter = next((each for each in brand.name if each.isascii() and each.isalnum()), "H")
        font = font_for(letter, size // 2)
    ImageDraw.Draw(picture).text((size / 2, size / 2), letter, fill="white", font=font, anchor="mm")
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()
