"""Vouchers of one institution's merchants, wired."""

from hutong.gateways.account_service import AccountService
from hutong.gateways.notification_service import NotificationService
from hutong.gateways.order_service import OrderService
from hutong.gateways.vouchers.stock_service import VoucherStockService
from hutong.gateways.vouchers.uses import Uses
from hutong.gateways.vouchers.voucher_service import VoucherService
from hutong.institution.node import InstitutionNode
from hutong.marketing.marketing import Marketing


class Vouchers:
    """`stocks` are merchants', `held` what people have of them."""

    def __init__(
        self,
        institution: InstitutionNode,
        marketing: Marketing,
        accounts: AccountService,
        orders: OrderService,
        notifications: NotificationService,
    ) -> None:
        self.clock = institution.node.clock
        self.stocks = VoucherStockService(institution.node, institution.merchants, marketing)
        self.held = VoucherService(institution, marketing, self.stocks, notifications)
        self.uses = Uses(institution, accounts, orders)
        orders.vouchers_of = self.held.used_for
        institution.on_tick.append(self.stocks.money.tick)

    async def start(self) -> None:
        """Load what it knows."""
        await self.stocks.start()
        await self.held.start()
