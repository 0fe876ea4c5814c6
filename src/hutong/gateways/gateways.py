"""All gateways of one institution, wired."""

from typing import Any

from hutong.gateways.account_service import AccountService
from hutong.gateways.notification_service import NotificationService
from hutong.gateways.order_service import OrderService
from hutong.gateways.payer import PayerIds
from hutong.gateways.platform_service import PlatformService
from hutong.gateways.refund_service import GatewayRefundService
from hutong.gateways.wire import Door, Route
from hutong.institution.node import InstitutionNode


class Gateways:
    """Built upon an institution; `start` before the institution starts, so that it hears of everything."""

    def __init__(self, institution: InstitutionNode, *, name: str, payer_key: bytes) -> None:
        node = institution.node
        self.institution = institution
        self.platform = PlatformService(node, institution.sealing, institution.pool, name)
        self.accounts = AccountService(node, institution.merchants, institution.sealing, self.platform)
        self.notifications = NotificationService(node)
        self.orders = OrderService(institution, self.accounts, self.notifications, PayerIds(payer_key))
        self.refunds = GatewayRefundService(institution, self.orders, self.notifications)
        self.routes: list[Route] = []
        institution.requests.gateway = self.orders
        institution.payments.refunds.gateway = self.refunds

    async def start(self) -> None:
        """Load what it knows."""
        await self.platform.start()
        await self.orders.start()
        await self.refunds.start()
        await self.notifications.start()

    def door(self, app: Any) -> Door:
        """What stands in front of the node's own application."""
        return Door(self.routes, app)
