"""The page where a phone on the local network gets the authority it is to trust, and is told how."""

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from hutong.web.front import brand_pages
from hutong.web.page import HEADERS, AnyRequest, Pages

CERTIFICATE = "hutong-authority.crt"


def trust_pages(pages: Pages, certificate: bytes, fingerprint: str, lead_on: str) -> list[ControllerRouterHandler]:
    """`GET /`, over plain HTTP: there is nothing else to be had here, and the fingerprint says whether it came whole."""

    @get("/", include_in_schema=False, sync_to_thread=False)
    def trust(request: AnyRequest) -> Response[str]:
        return pages.render(
            request, "front/trust.html", fingerprint=fingerprint, lead_on=lead_on, certificate=f"/{CERTIFICATE}"
        )

    @get(f"/{CERTIFICATE}", include_in_schema=False, media_type="application/x-x509-ca-cert", sync_to_thread=False)
    def download() -> Response[bytes]:
        named = {"content-disposition": f'attachment; filename="{CERTIFICATE}"'}
        return Response(certificate, media_type="application/x-x509-ca-cert", headers=HEADERS | named)

    return [pages.router("/", [trust, download], None), *brand_pages(pages)]
