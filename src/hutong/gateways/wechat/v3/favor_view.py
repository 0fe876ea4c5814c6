"""Coupons and their stocks as answers, notifications and files show them."""

from typing import Any

import msgspec

from hutong.gateways.account_service import AccountService
from hutong.gateways.vouchers.stock import (
    StockState,
    VoucherFlow,
    VoucherStock,
    is_expired,
    voucher_number,
)
from hutong.gateways.vouchers.voucher_service import Voucher
from hutong.gateways.vouchers.vouchers import Vouchers
from hutong.gateways.wechat.v3 import moment
from hutong.marketing.coupons.coupon import CouponState
from hutong.marketing.coupons.template import CouponTerms

STATUS = {
    StockState.UNACTIVATED: "unactivated",
    StockState.RUNNING: "running",
    StockState.PAUSED: "paused",
    StockState.ENDED: "stoped",  # So the vendor spells it.
}


class FavorView:
    """Everything may raise `Cold`."""

    def __init__(self, accounts: AccountService, vouchers: Vouchers) -> None:
        self._clock = vouchers.clock
        self._accounts = accounts
        self._stocks = vouchers.stocks
        self._uses = vouchers.uses

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
        consumed = self._uses.of(stock, flow)
        return {
            "consume_time": moment.told(flow.at_ns),
            "consume_mchid": consumed.payee,
            "transaction_id": consumed.trade_no,
        }


def _normal(terms: CouponTerms) -> dict[str, int]:
    return {"coupon_amount": terms.amount_off, "transaction_minimum": terms.threshold}
