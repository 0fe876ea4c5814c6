"""The pages every desk has."""

from collections.abc import Mapping

from litestar.types import ControllerRouterHandler

from hutong.web.desk.approvals import Wording, approval_pages
from hutong.web.desk.audit import audit_pages
from hutong.web.desk.sign_in import sign_in_pages
from hutong.web.desk.staff import staff_pages
from hutong.web.language import phrase
from hutong.web.operator import HOME, Desk, MenuEntry

# What a desk's menu ends with.
COMMON_MENU = (
    MenuEntry("approvals", f"{HOME}/approvals", phrase("Approvals")),
    MenuEntry("audit", f"{HOME}/audit", phrase("Audit log")),
    MenuEntry("operators", f"{HOME}/operators", phrase("Operators")),
)


def common_pages(desk: Desk, wordings: Mapping[str, Wording]) -> list[ControllerRouterHandler]:
    """Signing in, approvals, the audit log, operators. `wordings` tell the node's kinds of approvals."""
    return [sign_in_pages(desk), approval_pages(desk, wordings), audit_pages(desk), staff_pages(desk)]
