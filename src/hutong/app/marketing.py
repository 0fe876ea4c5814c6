"""Marketing as a part of an institution's node."""

from litestar.types import ControllerRouterHandler

from hutong.app.host import Machine
from hutong.institution.node import InstitutionNode, InstitutionSettings
from hutong.marketing.marketing import Marketing
from hutong.operators.guard import Guard
from hutong.web.page import Pages
from hutong.web.wallet.coupons import coupon_pages


async def marketing_of(institution: InstitutionNode, machine: Machine, settings: InstitutionSettings) -> Marketing:
    """Marketing upon an institution that has not started yet, its budgets counted."""
    marketing = Marketing(institution, machine.pool, key=settings.merchant_pepper, zone=settings.zone)
    await marketing.start()
    return marketing


def marketing_handlers(marketing: Marketing, pages: Pages, operator_only: Guard) -> list[ControllerRouterHandler]:
    """What people, merchants and operators ask of it, over HTTP and on pages."""
    return [
        *marketing.routes(operator_only),
        *coupon_pages(marketing.institution, pages, marketing.coupon_edge),
    ]
