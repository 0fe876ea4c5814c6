"""What a browser is shown: few pages, no script, and nothing from anywhere else."""

import logging
from functools import cache
from io import BytesIO
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from hutong.codes.picture import qr_symbol
from hutong.gateways.alipay.errors import AlipayError
from hutong.gateways.wire import Dialect, WireAnswer, WireRequest
from hutong.kernel.errors import Refusal
from hutong.runtime.database import DatabaseUnavailable
from hutong.runtime.journal import JournalHalted

HTML = "text/html;charset=utf-8"
_LOG = logging.getLogger(__name__)
_AS_IT_IS = "%:/?#[]@!$&'()*+,;=-._~"
_HEADERS = (
    ("cache-control", "no-store"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    (
        "content-security-policy",
        "default-src 'none'; style-src 'unsafe-inline'; form-action *; base-uri 'none'; frame-ancestors *",
    ),
)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("hutong.gateways.alipay"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )


def page(template: str, **told: Any) -> str:
    """A page's text. `again` and `seconds`: where it looks again, and when."""
    facts = {"again": "", "seconds": 0, "detail": "", "onward": ""} | told
    return _environment().get_template(template).render(facts)


def error_page(error: AlipayError) -> str:
    """A no, as a browser is told it."""
    return page("page.html", title="无法继续 This cannot go on", text=error.sub_msg, detail=error.sub_code)


def qr_picture(code: str) -> Markup:
    """A code as an SVG within a page."""
    out = BytesIO()
    qr_symbol(code).save(out, kind="svg", xmldecl=False, svgns=False, scale=8, border=4, omitsize=True)
    return Markup(out.getvalue().decode())  # noqa: S704  # Drawn here: nothing of it is anybody's text.


def shown(html: str, status: int = 200) -> WireAnswer:
    """A page, as it leaves."""
    return WireAnswer(status=status, body=html.encode(), content_type=HTML, headers=_HEADERS)


def redirected(url: str) -> WireAnswer:
    """Elsewhere. What a header can't hold is escaped, as browsers do."""
    return WireAnswer(status=302, content_type=HTML, headers=(("location", quote(url, safe=_AS_IT_IS)), *_HEADERS))


def web_only(url: str) -> str:
    """An address of the web, or nothing: for a link that somebody else wrote."""
    return url if url.startswith(("http://", "https://")) else ""


def always_a_page(dialect: Dialect) -> Dialect:
    """The same, but that what goes wrong is a page, too."""

    async def answered(request: WireRequest) -> WireAnswer:
        try:
            return await dialect(request)
        except Refusal as refusal:
            return shown(
                page("page.html", title="无法继续 This cannot go on", text="", detail=refusal.reason.name), 403
            )
        except (JournalHalted, DatabaseUnavailable):
            return shown(page("page.html", title="请稍后再试 Try again in a moment", text=""), 503)
        except Exception:  # noqa: BLE001  # A person can do nothing with half an answer.
            _LOG.exception("unexpected, while a page was made")
            return shown(page("page.html", title="系统繁忙 Something went wrong here", text=""), 500)

    return answered
