"""Looking at what merchants were told, and telling it again: whoever's it is, and the institution's operators."""

from functools import partial

from hutong.gateways.account import Account, GatewayKind
from hutong.gateways.account_service import AccountService
from hutong.gateways.notification import GatewayNotification, News
from hutong.gateways.notification_service import NotificationService, Told
from hutong.gateways.notification_worker import NotificationWorker
from hutong.gateways.order_service import OrderService
from hutong.gateways.reasons import GatewayReason
from hutong.gateways.refund_service import GatewayRefundService
from hutong.institution.merchants.staff_key import StaffKey
from hutong.kernel.errors import Refusal
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import warmed

PAGE_MAX = 200


class NotificationDesk:
    """`key` is the owner's whose accounts may be looked into; None is the institution's operator, who may look into all."""

    def __init__(
        self,
        node: NodeRuntime,
        accounts: AccountService,
        notifications: NotificationService,
        orders: OrderService,
        refunds: GatewayRefundService,
        worker: NotificationWorker,
    ) -> None:
        self._node = node
        self._accounts = accounts
        self._notifications = notifications
        self._orders = orders
        self._refunds = refunds
        self._worker = worker

    async def account(self, key: StaffKey | None, number: str) -> Account:
        """By its mchid or app_id. Refuses ACCOUNT_UNKNOWN, also for another's; ROLE_MAY_NOT, SHOP_NOT_YOURS."""
        return await warmed(self._node.journal, partial(self._account, key, number))

    async def page(
        self, key: StaffKey | None, number: str, *, before: int | None = None, limit: int = PAGE_MAX
    ) -> list[tuple[int, Told]]:
        """What an account was told, newest first, each with its place. Refuses as `account`."""
        account = await self.account(key, number)
        return await self._notifications.page(account.row.id, before=before, limit=limit)

    async def told(self, key: StaffKey | None, id_: int) -> Told:
        """One. Refuses NOTIFICATION_UNKNOWN, also for another's; ROLE_MAY_NOT, SHOP_NOT_YOURS."""
        found = await self._notifications.told(id_)
        if found is None:
            raise Refusal(GatewayReason.NOTIFICATION_UNKNOWN)
        if key is not None:
            try:
                await warmed(self._node.journal, partial(self._accounts.own, key, found.notification.account_id))
            except Refusal as refusal:
                if refusal.reason is GatewayReason.ACCOUNT_UNKNOWN:
                    raise Refusal(GatewayReason.NOTIFICATION_UNKNOWN) from None
                raise
        return found

    async def resend(self, key: StaffKey | None, id_: int) -> Told:
        """Tell it again, now; it as it stands then. Refuses as `told`. Repeats: it is told once more."""
        told = await self.told(key, id_)
        await self._worker.resend(told)
        return await self.told(key, id_)

    async def about(self, notification: GatewayNotification) -> str:
        """The merchant's own number of what it is about; empty where there is none."""
        return await warmed(self._node.journal, partial(self._about, notification))

    def _about(self, notification: GatewayNotification) -> str:
        if notification.kind == News.REFUND:
            refund = self._refunds.rows.get(notification.subject_id)
            return refund.out_refund_no if refund else ""
        order = self._orders.orders.get(notification.subject_id)
        return order.out_trade_no if order else ""

    def _account(self, key: StaffKey | None, number: str) -> Account:
        for kind in GatewayKind:
            try:
                found = self._accounts.by_number(kind, number)
            except Refusal:
                continue
            return found if key is None else self._accounts.own(key, found.row.id)
        raise Refusal(GatewayReason.ACCOUNT_UNKNOWN, number=number)
