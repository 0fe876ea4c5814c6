"""What vouchers were used for, as their merchant knows it: the number of the payment, and who was paid how much."""

import msgspec

from hutong.gateways.account_service import AccountService
from hutong.gateways.order import trade_number
from hutong.gateways.order_service import OrderService
from hutong.gateways.vouchers.stock import VoucherFlow, VoucherStock
from hutong.institution.node import InstitutionNode


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """A payment that a voucher made cheaper."""

    trade_no: str
    payee: str  # The number of the account that was paid.
    total: int
    product: str


class Uses:
    """Looks up the payments of flows, and the orders these were for."""

    def __init__(self, institution: InstitutionNode, accounts: AccountService, orders: OrderService) -> None:
        self._payments = institution.payments.debtor.payments
        self._accounts = accounts
        self._orders = orders.orders

    async def load(self, flows: list[VoucherFlow]) -> None:
        """Bring into memory what `of` needs of many."""
        await self._payments.load({flow.payment_id for flow in flows})
        paid = [payment for flow in flows if (payment := self._payments.get(flow.payment_id)) is not None]
        await self._orders.load({payment.request_id for payment in paid})

    def of(self, stock: VoucherStock, flow: VoucherFlow) -> Use:
        """The payment of a flow; one that came by no gateway is told under a number of its own. May raise `Cold`."""
        payment = self._payments.get(flow.payment_id)
        assert payment is not None, "what was used made a payment cheaper"
        payee = self._accounts.account(stock.payee_id).row
        order = None if payment.is_static else self._orders.get(payment.request_id)
        if order is None:
            number = trade_number(payee, payment.id)
            return Use(trade_no=number, payee=payee.number, total=payment.gross, product="OTHER")
        paid = self._accounts.account(order.payee_id).row.number
        return Use(trade_no=order.trade_no, payee=paid, total=payment.gross, product=order.product)
