"""Coupons (代金券) in v2: sent and looked at; their stocks are made in v3."""

from hutong.gateways.payer import PayerIds
from hutong.gateways.vouchers.reasons import VoucherReason
from hutong.gateways.vouchers.stock import StockState, is_expired, voucher_number
from hutong.gateways.vouchers.voucher_service import Voucher
from hutong.gateways.vouchers.vouchers import Vouchers
from hutong.gateways.wechat.v2 import answer, shape
from hutong.gateways.wechat.v2.document import Fields
from hutong.gateways.wechat.v2.endpoint import Call, Endpoint
from hutong.gateways.wechat.v2.moment import wire_clock
from hutong.gateways.wechat.v2.refusals import fault_of
from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.marketing.coupons.coupon import CouponState
from hutong.marketing.coupons.reasons import CouponReason
from hutong.runtime.journal import Journal
from hutong.runtime.shelf import warmed

_STATUS = {StockState.UNACTIVATED: "1", StockState.RUNNING: "4", StockState.PAUSED: "16", StockState.ENDED: "8"}
_OWN = (
    shape.must("appid"),
    shape.must("mch_id"),
    shape.may("op_user_id"),
    shape.may("version"),
    shape.may("type"),
)
_SEND = (
    *_OWN,
    shape.must("coupon_stock_id", length_max=64),
    shape.must("openid_count", shape.one_of("1")),
    shape.must("partner_trade_no", shape.OWN_NUMBER),
    shape.must("openid", length_max=128),
)
_STOCK = (*_OWN, shape.must("coupon_stock_id", length_max=64))
_COUPON = (
    *_OWN,
    shape.must("coupon_id", length_max=64),
    shape.must("openid", length_max=128),
    shape.must("stock_id", length_max=64),
)
# What is about the person, and not about the call: the call went well, and one of one failed.
_OF_PERSON = frozenset({CouponReason.COUPON_LIMIT_REACHED, VoucherReason.VOUCHER_PERSON_UNKNOWN})


class Coupons:
    """The endpoints of coupons: an account's own stocks, whichever protocol they were made in."""

    def __init__(self, vouchers: Vouchers, payers: PayerIds, journal: Journal) -> None:
        self._clock = vouchers.clock
        self._stocks = vouchers.stocks
        self._held = vouchers.held
        self._payers = payers
        self._journal = journal

    def endpoints(self) -> tuple[Endpoint, ...]:
        table = (
            ("send_coupon", _SEND, self.send_coupon),
            ("query_coupon_stock", _STOCK, self.query_coupon_stock),
            ("querycouponsinfo", _COUPON, self.querycouponsinfo),
        )
        return tuple(
            Endpoint(path=f"/mmpaymkttransfers/{path}", product="代金券", parameters=parameters, handler=handler)
            for path, parameters, handler in table
        )

    async def send_coupon(self, call: Call) -> Fields:
        """One coupon for one person; the same number sends the same."""
        openid, stock = call.text("openid"), call.text("coupon_stock_id")
        person = self._payers.person(call.text("appid"), openid)
        told: Fields = {"coupon_stock_id": stock, "resp_count": "1", "openid": openid}
        try:
            voucher = await self._held.send(call.caller, stock, person, call.text("partner_trade_no"))
        except Refusal as refusal:
            if refusal.reason not in _OF_PERSON:
                raise
            fault = fault_of(refusal)
            return (
                told
                | {
                    "success_count": "0",
                    "failed_count": "1",
                    "ret_code": "FAILED",
                    "coupon_id": '""',
                    "ret_msg": fault.text,
                }
                | answer.refused(fault)
            )
        sent = {"success_count": "1", "failed_count": "0", "ret_code": "SUCCESS", "ret_msg": "OK"}
        return told | sent | {"coupon_id": voucher_number(voucher.coupon.id)}

    async def query_coupon_stock(self, call: Call) -> Fields:
        """What a stock gives, and how it stands."""

        def show() -> Fields:
            stock = self._stocks.stock(call.account, call.text("coupon_stock_id"))
            template, campaign = self._stocks.template(stock), self._stocks.campaign(stock)
            terms = template.told
            times = {"begin_time": campaign.starts_ns, "end_time": campaign.ends_ns, "create_time": stock.created_ns}
            return {
                "coupon_stock_id": stock.number,
                "coupon_name": template.name,
                "coupon_value": str(terms.amount_off),
                "coupon_mininumn": str(terms.threshold),  # So spelled by the vendor.
                "coupon_stock_status": _STATUS[self._stocks.state(stock)],
                "coupon_total": str(template.stock),
                "max_quota": str(terms.limits.per_person),
                "is_send_num": str(self._stocks.sent(stock)),
                "coupon_budget": str(campaign.budget),
                **{name: str(ns // NS_PER_S) for name, ns in times.items()},
                **{f"{name}_t": wire_clock(ns) for name, ns in times.items()},
            }

        return await warmed(self._journal, show)

    async def querycouponsinfo(self, call: Call) -> Fields:
        """A person's coupon."""
        person = self._payers.person(call.text("appid"), call.text("openid"))
        voucher = await self._held.find(call.account, person, call.text("coupon_id"))
        if voucher.stock.number != call.text("stock_id"):
            raise Refusal(VoucherReason.VOUCHER_UNKNOWN)
        return await warmed(self._journal, lambda: self._coupon(voucher))

    def _coupon(self, voucher: Voucher) -> Fields:
        stock, coupon = voucher.stock, voucher.coupon
        template = self._stocks.template(stock)
        value, is_used = template.told.amount_off, coupon.state == CouponState.REDEEMED
        used = value if is_used else 0
        over = is_expired(coupon, self._stocks.campaign(stock).ends_ns, self._clock.now_ns())
        return {
            "coupon_stock_id": stock.number,
            "coupon_id": voucher_number(coupon.id),
            "coupon_value": str(value),
            "coupon_mininumn": str(template.told.threshold),
            "coupon_name": template.name,
            "coupon_state": "USED" if is_used else "EXPIRED" if over else "SENDED",
            "coupon_desc": str(stock.told.get("description") or template.name),
            "coupon_use_value": str(used),
            "coupon_remain_value": str(value - used),
            "send_source": "NORMAL",
        }
