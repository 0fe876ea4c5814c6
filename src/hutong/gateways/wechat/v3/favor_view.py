"""Coupons and their stocks as answers, notifications and files show them."""

from typing import Any

import msgspec

from hutong.gateways.account_service import AccountService
from hutong.gateways.order import trade_number
from hutong.gateways.order_service import OrderService
from hutong.gateways.vouchers.stock import (
    StockState,
    VoucherFlow,
    VoucherStock,
    is_expired,
    voucher_number,
)
from hutong.gateways.vouchers.stock_service import VoucherStockService
from hutong.gateways.vouchers.voucher_service import Voucher
from hutong.gateways.wechat.v3 import moment
from hutong.institution.node import InstitutionNode
from hutong.marketing.coupons.coupon import CouponState
from hutong.marketing.coupons.template import CouponTerms

STATUS = {
    StockState.UNACTIVATED: "unactivated",
    StockState.RUNNING: "running",
    StockState.PAUSED: "paused",
    StockState.ENDED: "stoped",  # So the vendor spells it.
}


class Consumed(msgspec.Struct, frozen=True, kw_only=True):
    """What a voucher was used for: the vendor's number of the payment, and who was paid how much."""

    transaction_id: str
    mchid: str
    total: int
    trade_type: str


class FavorView:
    """Everything may raise `Cold`."""

    def __init__(
        self, institution: InstitutionNode, accounts: AccountService, orders: OrderService, stocks: VoucherStockService
    ) -> None:
        self._clock = institution.node.clock
        self._payments = institution.payments.debtor.payments
        self._accounts = accounts
        self._orders = orders.orders
        self._stocks = stocks

    def stock(self, stock: VoucherStock) -> dict[str, Any]:
        """A stock, as its maker is shown it."""
        told, campaign = stock.told, self._stocks.campaign(stock)
        template, state = self._stocks.template(stock), self._stocks.state(stock)
        shown = {
            "stock_id": stock.number,
            "stock_creator_mchid": self._accounts.account(stock.account_id).row.number,
            "stock_name": template.name,
            "status": STATUS[state],
            "create_time": moment.told(stock.created_ns),
            "description": told.get("description", ""),
            "stock_use_rule": told["stock_use_rule"]
            | {
                "fixed_normal_coupon": _normal(template.told),
                "coupon_type": "NORMAL",
                "combine_use": not template.told.stacking.exclusive,
            },
            "available_begin_time": moment.told(campaign.starts_ns),
            "available_end_time": moment.told(campaign.ends_ns),
            "distributed_coupons": self._stocks.sent(stock),
            "no_cash": False,
            "singleitem": False,
            "stock_type": "NORMAL",
        }
        if stock.started_ns:
            shown["start_time"] = moment.told(stock.started_ns)
        if state is StockState.ENDED:
            shown["stop_time"] = moment.told(campaign.ends_ns)
        return shown

    def coupon(self, voucher: Voucher) -> dict[str, Any]:
        """A person's coupon, as whose stock it is of is shown it."""
        stock, coupon = voucher.stock, voucher.coupon
        template, campaign = self._stocks.template(stock), self._stocks.campaign(stock)
        status = self.status(voucher)
        shown = {
            "stock_creator_mchid": self._accounts.account(stock.account_id).row.number,
            "stock_id": stock.number,
            "coupon_id": voucher_number(coupon.id),
            "coupon_name": template.name,
            "status": status,
            "description": stock.told.get("description", ""),
            "create_time": moment.told(coupon.claimed_ns),
            "coupon_type": "NORMAL",
            "no_cash": False,
            "available_begin_time": moment.told(coupon.from_ns),
            "available_end_time": moment.told(min(coupon.until_ns, campaign.ends_ns)),
            "singleitem": False,
            "normal_coupon_information": _normal(template.told),
        }
        if voucher.used is not None and status == "USED":
            shown["consume_information"] = self._consumption(stock, voucher.used)
        return shown

    def status(self, voucher: Voucher) -> str:
        """The vendor's word."""
        coupon = voucher.coupon
        if coupon.state == CouponState.REDEEMED:
            return "USED"
        ends_ns = self._stocks.campaign(voucher.stock).ends_ns
        return "EXPIRED" if is_expired(coupon, ends_ns, self._clock.now_ns()) else "SENDED"

    def used(self, voucher: Voucher) -> dict[str, Any]:
        """A coupon as it was when it was used, whatever a refund brought back since."""
        flow = voucher.used
        assert flow is not None, "news of a voucher come after it was used"
        used = msgspec.structs.replace(voucher.coupon, state=CouponState.REDEEMED.value)
        return self.coupon(Voucher(voucher.stock, used, voucher.flows))

    def payee_of(self, stock: VoucherStock) -> str:
        """The number of the account where it is good."""
        return self._accounts.account(stock.payee_id).row.number

    def _consumption(self, stock: VoucherStock, flow: VoucherFlow) -> dict[str, Any]:
        consumed = self.consumed(stock, flow)
        return {
            "consume_time": moment.told(flow.at_ns),
            "consume_mchid": consumed.mchid,
            "transaction_id": consumed.transaction_id,
        }

    def consumed(self, stock: VoucherStock, flow: VoucherFlow) -> Consumed:
        """The payment of a flow; one that came by no gateway is told under a number of its own."""
        payment = self._payments.get(flow.payment_id)
        assert payment is not None, "what was used, a payment was made cheaper with"
        payee = self._accounts.account(stock.payee_id).row
        order = None if payment.is_static else self._orders.get(payment.request_id)
        if order is None:
            number = trade_number(payee, payment.id)
            return Consumed(transaction_id=number, mchid=payee.number, total=payment.gross, trade_type="OTHER")
        mchid = self._accounts.account(order.payee_id).row.number
        return Consumed(transaction_id=order.trade_no, mchid=mchid, total=payment.gross, trade_type=order.product)


def _normal(terms: CouponTerms) -> dict[str, int]:
    return {"coupon_amount": terms.amount_off, "transaction_minimum": terms.threshold}
