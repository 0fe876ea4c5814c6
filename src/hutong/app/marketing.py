"""Marketing as a part of an institution's node."""

from litestar.types import ControllerRouterHandler

from hutong.app.host import Machine
from hutong.institution.node import InstitutionNode, InstitutionSettings
from hutong.marketing.coupons.api import CouponEdge, coupon_routes
from hutong.marketing.coupons.template_api import TemplateEdge, template_routes
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
    institution, coupons = marketing.institution, marketing.coupons
    node, people = marketing.node, institution.people
    edge = CouponEdge(node, people, institution.payments, coupons.templates, coupons.claims, coupons.redemptions)
    templates = TemplateEdge(node, people, coupons.templates, coupons.claims, coupons.redemptions)
    return [
        *coupon_routes(edge),
        *template_routes(templates, institution.merchants, operator_only),
        *coupon_pages(institution, pages, edge),
    ]
