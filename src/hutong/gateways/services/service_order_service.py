"""Service orders: consent first, and when the service is over what it comes to is taken under it."""

from collections.abc import Callable
from typing import Any

import msgspec

from hutong.gateways.account import Caller
from hutong.gateways.account_service import AccountService
from hutong.gateways.agreements.agreement import AgreementDraft, AgreementState
from hutong.gateways.agreements.agreement_service import AgreementService
from hutong.gateways.agreements.reasons import AgreementReason
from hutong.gateways.notification import News
from hutong.gateways.notification_service import NotificationService
from hutong.gateways.order import Dialect, GatewayOrder, OrderDraft, TradeState
from hutong.gateways.order_service import OrderService
from hutong.gateways.services.reasons import ServiceReason
from hutong.gateways.services.service_order import (
    FACT,
    PRODUCT,
    SERVICE_ORDERS,
    ServiceDraft,
    ServiceOrder,
    ServiceStanding,
    ServiceState,
    number_key,
)
from hutong.institution.payments.payment import Payment
from hutong.institution.payments.receipt import Receipt
from hutong.kernel.errors import Refusal
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf, decided

PLAN = "payscore/"  # Before the service's id: the kind of agreement.
_CONSENT_OVER = frozenset({AgreementReason.AGREEMENT_ENDED, AgreementReason.AGREEMENT_NOT_SIGNED})


class ServiceOrderService:
    """Scoped to the account that made it (invariant 8)."""

    def __init__(
        self,
        node: NodeRuntime,
        accounts: AccountService,
        agreements: AgreementService,
        orders: OrderService,
        notifications: NotificationService,
    ) -> None:
        self._node = node
        self._journal = node.journal
        self._accounts = accounts
        self._agreements = agreements
        self._orders = orders
        self._notifications = notifications
        self.all = Shelf(SERVICE_ORDERS, node.journal, node.store, by=("number_key", "agreement_id"), timed=True)
        orders.on_look_up.append(self._look_up)
        orders.on_paid.append(self._paid)

    async def start(self) -> None:
        await self.all.start()

    async def create(self, caller: Caller, draft: ServiceDraft) -> ServiceStanding:
        """
        Ask for the person's consent.

        Refuses:  SERVICE_DIFFERS; what `AgreementService.offer` refuses.
        Repeats:  the service order as it is.
        """
        key = number_key(caller.payee.row.id, draft.service_id, draft.number)

        def known() -> ServiceStanding | None:
            for order in self.all.find("number_key", key):
                if order.content != draft.content:
                    raise Refusal(ServiceReason.SERVICE_DIFFERS, number=draft.number)
                return self.standing(order)
            return None

        found = await decided(self._journal, known)
        if found is not None:
            return found
        agreement = draft.permission or await self._agreements.offer(caller, _consent(draft))

        def create() -> ServiceStanding:
            standing = known()
            if standing is not None:
                return standing
            now_ns = self._node.clock.now_ns()
            order = ServiceOrder(
                id=self._node.mint.mint(),
                account_id=caller.payee.row.id,
                merchant_id=caller.key.merchant_id,
                service_id=draft.service_id,
                number=draft.number,
                number_key=key,
                agreement_id=agreement.id,
                most=draft.most,
                total=0,
                attempt=0,
                settled_ns=0,
                notify_url=draft.notify_url,
                facts=msgspec.json.encode(draft.facts),
                content=draft.content,
                state=ServiceState.OPEN.value,
                created_ns=now_ns,
                changed_ns=now_ns,
            )
            self.all.put(order)
            return ServiceStanding(order=order, agreement=agreement, trade=None, now_ns=now_ns)

        return await decided(self._journal, create)

    async def find(self, caller: Caller, service_id: str, number: str) -> ServiceStanding:
        """By the merchant's number. Refuses SERVICE_UNKNOWN, for another's just so."""
        standing = await decided(self._journal, lambda: self._found(caller, service_id, number))
        # It was paid later than anybody waited for it.
        is_over = standing.is_paid and standing.agreement.state == AgreementState.SIGNED
        return await self._over(standing) if is_over else standing

    async def complete(
        self, caller: Caller, service_id: str, number: str, total: int, facts: dict[str, Any]
    ) -> ServiceStanding:
        """
        The service is over, and comes to `total`, which is taken.

        Refuses:  SERVICE_UNKNOWN; SERVICE_NOT_AGREED; SERVICE_TOTAL_EXCEEDED; SERVICE_REVOKED; SERVICE_COMPLETED with another
                  total. That it cannot be taken now is a service order that waits to be paid.
        Repeats:  the service order as it is.
        """

        def complete(standing: ServiceStanding, now_ns: int) -> ServiceOrder:
            if not standing.is_signed:
                raise Refusal(ServiceReason.SERVICE_NOT_AGREED)
            return standing.order.completed(total, facts, now_ns)

        after = await self._changed(caller, service_id, number, complete)
        # Also for who repeats it because a crash came between the two.
        return after if after.trade is not None or after.is_paid else await self._take(caller, after)

    async def modify(
        self, caller: Caller, service_id: str, number: str, total: int, facts: dict[str, Any]
    ) -> ServiceStanding:
        """It comes to less, and that is taken. Refuses SERVICE_PAID, SERVICE_PAYING, and as `ServiceOrder.modified`."""

        def modify(standing: ServiceStanding, now_ns: int) -> ServiceOrder:
            standing.order.check_completed()
            _check_unpaid(standing)
            if standing.trade is None:
                raise Refusal(ServiceReason.SERVICE_PAYING)
            return standing.order.modified(total, facts, now_ns)

        return await self._take(caller, await self._changed(caller, service_id, number, modify))

    async def take_again(self, caller: Caller, service_id: str, number: str) -> ServiceStanding:
        """
        Try once more to take what is owed.

        Refuses:  SERVICE_UNKNOWN; SERVICE_NOT_COMPLETED; SERVICE_PAID; SERVICE_PAYING while the last try may yet succeed: so
                  that it is never taken twice.
        """

        def again(standing: ServiceStanding, now_ns: int) -> ServiceOrder:
            standing.order.check_completed()
            _check_unpaid(standing)
            if standing.trade is None:
                return standing.order  # The last try never began, or is just beginning: it is that one.
            attempt = standing.order.next_attempt
            return msgspec.structs.replace(standing.order, attempt=attempt, changed_ns=now_ns)

        return await self._take(caller, await self._changed(caller, service_id, number, again))

    async def settled(self, caller: Caller, service_id: str, number: str, paid_ns: int) -> ServiceStanding:
        """It was paid for elsewhere. Refuses SERVICE_UNKNOWN, SERVICE_NOT_COMPLETED, SERVICE_PAID if it was taken."""

        def settle(standing: ServiceStanding, now_ns: int) -> ServiceOrder:
            standing.order.check_completed()
            if standing.order.settled_ns:
                return standing.order
            _check_unpaid(standing)
            return msgspec.structs.replace(standing.order, settled_ns=paid_ns, changed_ns=now_ns)

        return await self._over(await self._changed(caller, service_id, number, settle))

    async def cancel(self, caller: Caller, service_id: str, number: str) -> ServiceStanding:
        """Call it off: nothing will be taken. Refuses SERVICE_UNKNOWN; SERVICE_COMPLETED. Repeats: itself, revoked."""

        def cancel(standing: ServiceStanding, now_ns: int) -> ServiceOrder:
            if standing.order.state == ServiceState.REVOKED:
                return standing.order
            standing.order.check_open()
            return msgspec.structs.replace(standing.order, state=ServiceState.REVOKED.value, changed_ns=now_ns)

        return await self._over(await self._changed(caller, service_id, number, cancel))

    def standing(self, order: ServiceOrder) -> ServiceStanding:
        """With its consent and its money. May raise `Cold`."""
        account = self._accounts.account(order.account_id)
        trade = self._orders.known(Caller(account, account), order.out_trade_no) if order.attempt else None
        agreement = self._agreements.offered(order.agreement_id)
        return ServiceStanding(order=order, agreement=agreement, trade=trade, now_ns=self._node.clock.now_ns())

    def of_agreement(self, agreement_id: int) -> ServiceOrder | None:
        """What a consent was for. May raise `Cold`."""
        return next(iter(self.all.find("agreement_id", agreement_id)), None)

    # Within a decision.

    def _found(self, caller: Caller, service_id: str, number: str) -> ServiceStanding:
        for order in self.all.find("number_key", number_key(caller.payee.row.id, service_id, number)):
            return self.standing(order)
        raise Refusal(ServiceReason.SERVICE_UNKNOWN, number=number)

    async def _changed(
        self, caller: Caller, service_id: str, number: str, change: Callable[[ServiceStanding, int], ServiceOrder]
    ) -> ServiceStanding:
        def decide() -> ServiceStanding:
            standing = self._found(caller, service_id, number)
            order = change(standing, self._node.clock.now_ns())
            if order == standing.order:
                return standing
            self.all.put(order)
            return msgspec.structs.replace(standing, order=order, trade=None)

        return await decided(self._journal, decide)

    async def _take(self, caller: Caller, standing: ServiceStanding) -> ServiceStanding:
        order = standing.order
        if order.total:
            draft = OrderDraft(
                out_trade_no=order.out_trade_no,
                amount=order.total,
                product=PRODUCT,
                description=standing.agreement.shown,
                dialect=Dialect(standing.agreement.dialect),
                facts=order.told | {FACT: f"{order.id:032x}"},
                content=order.content,
            )
            try:
                await self._agreements.deduct(caller, standing.agreement, draft)
            except Refusal as refusal:
                if refusal.reason not in _CONSENT_OVER:
                    raise
        after = await decided(self._journal, lambda: self.standing(order))
        return await self._over(after) if after.is_paid else after

    async def _over(self, standing: ServiceStanding) -> ServiceStanding:
        """Nothing more may be taken: the consent ends with what it was for. A permission is for others, too."""
        if not standing.agreement.plan.startswith(PLAN):
            return standing
        agreement = await decided(self._journal, lambda: self._agreements.withdraw(standing.order.agreement_id))
        return msgspec.structs.replace(standing, agreement=agreement)

    # What orders tell.

    def _look_up(self, order: GatewayOrder) -> None:
        """May raise `Cold`."""
        if order.product == PRODUCT:
            self.all.get(int(order.told[FACT], 16))

    def _paid(self, order: GatewayOrder, _payment: Receipt | Payment) -> None:
        if order.product == PRODUCT:
            service = self.all.get(int(order.told[FACT], 16))
            assert service is not None, "what takes the money names what it is for"
            self._notifications.add(
                service.account_id, order.dialect, News.SERVICE_PAID, service.id, service.notify_url
            )


def _consent(draft: ServiceDraft) -> AgreementDraft:
    return AgreementDraft(
        number=draft.number,
        dialect=draft.dialect,
        plan=f"{PLAN}{draft.service_id}",
        shown=draft.shown,
        day_max=draft.most,
        notify_url=draft.notify_url,
        content=draft.content,
    )


def _check_unpaid(standing: ServiceStanding) -> None:
    """Refuses SERVICE_PAID; SERVICE_PAYING while the last try may yet succeed."""
    if standing.is_paid:
        raise Refusal(ServiceReason.SERVICE_PAID)
    if standing.trade is not None and standing.trade.state is not TradeState.FAILED:
        raise Refusal(ServiceReason.SERVICE_PAYING)
