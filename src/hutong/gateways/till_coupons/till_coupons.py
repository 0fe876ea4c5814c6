"""Merchants' own coupons of one institution, wired."""

from hutong.gateways.account_service import AccountService
from hutong.gateways.notification_service import NotificationService
from hutong.gateways.order_service import OrderService
from hutong.gateways.refund_service import GatewayRefundService
from hutong.gateways.till_coupons.coupon_service import TillCouponService
from hutong.gateways.till_coupons.stock_service import TillStockService
from hutong.gateways.till_coupons.subsidy_service import SubsidyService
from hutong.institution.node import InstitutionNode
from hutong.marketing.marketing import Marketing


class TillCoupons:
    """`stocks` are merchants', `held` what people have of them, `subsidies` what one merchant pays another for one."""

    def __init__(
        self,
        institution: InstitutionNode,
        marketing: Marketing,
        accounts: AccountService,
        orders: OrderService,
        refunds: GatewayRefundService,
        notifications: NotificationService,
    ) -> None:
        coupons = marketing.coupons
        self.stocks = TillStockService(institution.node, accounts, institution.merchants, coupons)
        self.subsidies = SubsidyService(institution, accounts, orders, refunds, self.stocks, coupons.till)
        self.held = TillCouponService(institution, coupons, self.stocks, self.subsidies, notifications)

    async def start(self) -> None:
        """Load what it knows."""
        await self.stocks.start()
        await self.subsidies.start()
