"""Merchants' own coupons, their stocks and subsidies as answers and notifications show them."""

from typing import Any

from hutong.gateways.account import WechatAccount
from hutong.gateways.account_service import AccountService
from hutong.gateways.payer import PayerIds, payer_here
from hutong.gateways.till_coupons.coupon_service import TillCoupon
from hutong.gateways.till_coupons.stock import CodeMode, StockState, TillStock
from hutong.gateways.till_coupons.subsidy import SubsidyState, TillSubsidy
from hutong.gateways.till_coupons.till_coupons import TillCoupons
from hutong.gateways.wechat.v3 import moment
from hutong.marketing.coupons.till_code import TillCode, TillState

_STATES = {StockState.RUNNING: "RUNNING", StockState.PAUSED: "PAUSED", StockState.OVER: "STOPED"}
STATES = {TillState.SENT: "SENDED", TillState.TAKEN: "USED", TillState.VOIDED: "DEACTIVATED"}


class BusifavorView:
    """Everything may raise `Cold`."""

    def __init__(self, accounts: AccountService, payers: PayerIds, coupons: TillCoupons) -> None:
        self._accounts = accounts
        self._payers = payers
        self._stocks = coupons.stocks
        self._held = coupons.held
        self._subsidies = coupons.subsidies

    def stock(self, stock: TillStock, codes: list[TillCode]) -> dict[str, Any]:
        """A stock, as its maker is shown it; `codes` are what was loaded of it."""
        template, told = self._stocks.template(stock), stock.told
        sent, today = self._stocks.sent(stock), self._held.sent_today(stock)
        worth = template.told.amount_off
        shown = self._described(stock) | {
            "stock_send_rule": told["stock_send_rule"] | {"max_coupons": template.stock},
            "stock_state": _STATES[self._stocks.state(stock)],
            "coupon_code_mode": stock.code_mode,
            "stock_id": stock.number,
            "send_count_information": {
                "total_send_num": sent,
                "total_send_amount": sent * worth,
                "today_send_num": today,
                "today_send_amount": today * worth,
            },
            "subsidy": stock.subsidised,
        }
        if stock.per_day:
            shown["stock_send_rule"]["max_coupons_by_day"] = stock.per_day
        if stock.code_mode == CodeMode.MERCHANT_UPLOAD:
            loaded = sum(code.state == TillState.LOADED for code in codes)
            shown["coupon_code_count"] = {"total_count": len(codes), "available_count": loaded}
        if "notify_config" in told:
            shown["notify_config"] = told["notify_config"]
        return shown

    def coupon(self, held: TillCoupon) -> dict[str, Any]:
        """A person's coupon, as whose stock it is of is shown it."""
        stock, code, coupon = held
        rule = stock.told["stock_send_rule"]
        shown = self._described(stock) | {
            "coupon_code": code.letters,
            "coupon_state": self.state(code),
            "stock_id": stock.number,
            "transferable": rule.get("transferable", False),
            "shareable": rule.get("shareable", False),
            "send_request_no": code.send_number,
            "available_start_time": moment.told(coupon.from_ns),
            "expire_time": moment.told(coupon.until_ns),
            "receive_time": moment.told(coupon.claimed_ns),
        }
        if code.state == TillState.TAKEN:
            shown |= {"use_request_no": code.take_number, "use_time": moment.told(code.taken_ns)}
        if code.order_no:
            shown["associate_out_trade_no"] = code.order_no
        if code.back_ns:
            shown |= {"return_request_no": code.back_number, "return_time": moment.told(code.back_ns)}
        if code.state == TillState.VOIDED:
            shown |= {"deactivate_request_no": code.void_number, "deactivate_time": moment.told(code.changed_ns)}
            shown |= {"deactivate_reason": code.void_why} if code.void_why else {}
        return shown

    def code(self, code: TillCode, appid: str) -> dict[str, Any]:
        """A code, as its stock's list has it."""
        shown = {"code": code.letters, "coupon_code": code.letters}
        if code.state != TillState.LOADED:
            shown["code_status"] = self.state(code)
        if code.loaded_ns:
            shown["upload_time"] = moment.told(code.loaded_ns)
        holder = self._held.holder(code)
        if holder:
            shown["dispatched_time"] = moment.told(code.sent_ns)
            if appid:
                shown["openid"] = self._payers.openid(appid, payer_here(holder))
        return shown

    def described(self, stock: TillStock, code: TillCode) -> dict[str, Any]:
        """What a code of a stock is good for."""
        rule = stock.told["stock_send_rule"]
        shown = self._described(stock) | {
            "transferable": rule.get("transferable", False),
            "shareable": rule.get("shareable", False),
        }
        return shown if code.state == TillState.LOADED else shown | {"coupon_state": self.state(code)}

    def state(self, code: TillCode) -> str:
        """The vendor's word."""
        state = self._held.state(code)
        return STATES.get(TillState(state), state) if state in TillState.__members__ else state

    def sent(self, held: TillCoupon) -> dict[str, Any]:
        """That a person got a coupon."""
        stock, code, coupon = held
        account = self._accounts.account(stock.account_id)
        assert isinstance(account, WechatAccount)
        appid = (stock.told.get("notify_config") or {}).get("notify_appid") or account.facts.appids[0]
        return {
            "event_type": "EVENT_TYPE_BUSICOUPON_SEND",
            "coupon_code": code.letters,
            "stock_id": stock.number,
            "send_time": moment.told(coupon.claimed_ns),
            "openid": self._payers.openid(appid, payer_here(coupon.person_id)),
            "send_channel": "BUSICOUPON_SEND_CHANNEL_API",
            "send_merchant": self._accounts.account(code.sent_by).row.number,
            "send_req_no": code.send_number,
        }

    def subsidy(self, subsidy: TillSubsidy, letters: str) -> dict[str, Any]:
        """A subsidy, or what came back of one, as an answer."""
        stock = self._stocks.all.get(subsidy.stock_id)
        assert stock is not None
        shown = {
            "stock_id": stock.number,
            "coupon_code": letters,
            "transaction_id": subsidy.trade_no,
            "payer_merchant": self._accounts.account(subsidy.payer_id).row.number,
            "payee_merchant": self._accounts.account(subsidy.payee_id).row.number,
            "amount": subsidy.amount,
            "description": subsidy.description,
            "status": subsidy.state,
        }
        if subsidy.state == SubsidyState.FAIL:
            shown["fail_reason"] = subsidy.reason
        if not subsidy.of_id:
            shown |= {"subsidy_receipt_id": subsidy.number, "out_subsidy_no": subsidy.request}
            if subsidy.ended_ns:
                shown["success_time"] = moment.told(subsidy.ended_ns)
            return shown | {"create_time": moment.told(subsidy.created_ns)}
        shown |= {"subsidy_return_receipt_id": subsidy.number, "out_subsidy_return_no": subsidy.request}
        shown |= {"refund_id": subsidy.refund_no, "subsidy_receipt_id": self._subsidies.paid(subsidy.of_id).number}
        if subsidy.ended_ns:
            shown["return_done_time"] = moment.told(subsidy.ended_ns)
        return shown | {"return_create_time": moment.told(subsidy.created_ns)}

    def _described(self, stock: TillStock) -> dict[str, Any]:
        told = stock.told
        shown = {
            "stock_name": self._stocks.template(stock).name,
            "belong_merchant": self._accounts.account(stock.payee_id).row.number,
            "comment": told.get("comment", ""),
            "goods_name": told["goods_name"],
            "stock_type": told["stock_type"],
            "coupon_use_rule": told["coupon_use_rule"],
        }
        return shown | {name: told[name] for name in ("custom_entrance", "display_pattern_info") if name in told}
