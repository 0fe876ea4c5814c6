"""How v2 tells a merchant: a document like an answer's, posted until one comes back that says SUCCESS. Specification 8.9."""

from typing import Any

import msgspec

from hutong.gateways.account import WechatAccount
from hutong.gateways.account_service import AccountService
from hutong.gateways.agreements.agreement_service import AgreementService
from hutong.gateways.combined.combined import CombinedTrade
from hutong.gateways.combined.combined_service import is_combined
from hutong.gateways.notification import GatewayNotification, Letter, News
from hutong.gateways.order import Trade
from hutong.gateways.order_service import OrderService
from hutong.gateways.refund_service import GatewayRefundService
from hutong.gateways.sharing import Sharing
from hutong.gateways.wechat.v2 import answer, document, req_info
from hutong.gateways.wechat.v2.combined import combined_fields
from hutong.gateways.wechat.v2.document import Fields, Malformed
from hutong.gateways.wechat.v2.papay import change_fields
from hutong.gateways.wechat.v2.refunds import Sold, notified_fields
from hutong.gateways.wechat.v2.refusals import fault_named
from hutong.gateways.wechat.v2.signature import SignType, sandbox_key, sign
from hutong.gateways.wechat.v2.trade import openid_of, paid_fields
from hutong.kernel.ids import Randomness

_OK = 200
_IN_THE_OPEN = ("appid", "mch_id", "sub_appid", "sub_mch_id")
_NONCE_BITS = 128
# 15 s twice, then ever longer, 24 hours and 4 minutes in all.
SCHEDULE_S = (15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600)


class _Plain(msgspec.Struct, frozen=True):
    """What is told, and how it is to be signed, or hidden."""

    fields: Fields
    is_sandbox: bool = False
    sign_type: SignType | None = None  # None: it isn't signed, but hidden.


class V2Postman:
    """Payments and refunds, to merchants that placed the order, or asked for the refund, in v2."""

    schedule_s = SCHEDULE_S
    timeout_s = 5

    def __init__(
        self,
        accounts: AccountService,
        orders: OrderService,
        refunds: GatewayRefundService,
        agreements: AgreementService,
        sharing: Sharing,
        randomness: Randomness,
    ) -> None:
        self._agreements = agreements
        self._accounts = accounts
        self._orders = orders
        self._refunds = refunds
        self._combined = sharing.combined
        self._part_refunds = sharing.part_refunds
        self._randomness = randomness

    def plain(self, notification: GatewayNotification) -> bytes:
        match News(notification.kind):
            case News.REFUND:
                told = self._refund(notification)
            case News.AGREEMENT_SIGNED | News.AGREEMENT_ENDED:
                told = self._agreement(notification)
            case News.FAILED:
                told = self._failed(notification)
            case _:
                told = self._payment(notification)
        return msgspec.json.encode(told)

    def letter(self, notification: GatewayNotification, plain: bytes, now_ns: int) -> Letter:  # noqa: ARG002  # Not signed.
        told = msgspec.json.decode(plain, type=_Plain)
        account = self._accounts.account(notification.account_id)
        assert isinstance(account, WechatAccount)
        own = account.secrets.api_v2_key
        key = sandbox_key(own) if told.is_sandbox else own
        nonce = {"nonce_str": f"{self._randomness.getrandbits(_NONCE_BITS):032x}"}
        if told.sign_type is None:
            said: Fields = {name: text for name, text in told.fields.items() if name in _IN_THE_OPEN}
            hidden = {name: text for name, text in told.fields.items() if name not in said}
            info = req_info.hide(document.write(hidden, "root"), key)
            body = document.write({"return_code": "SUCCESS", **said, **nonce, "req_info": info})
        else:
            fields = told.fields | nonce
            body = document.write(fields | {"sign": sign(fields, key, told.sign_type)})
        return Letter({"content-type": answer.XML}, body)

    def taken(self, status: int, body: bytes) -> bool:
        try:
            return status == _OK and document.read(body.strip()).get("return_code", "").strip() == "SUCCESS"
        except Malformed:
            return False

    def _payment(self, notification: GatewayNotification) -> _Plain:
        trade = self._trade(notification.subject_id)
        if is_combined(trade.order):
            return self._signed(trade.order.told, self._combined_head(trade) | self._whole(trade))
        paid = paid_fields(trade, openid_of(self._orders.payers, trade))
        paid["contract_id"] = trade.order.told.get("contract_id", "")
        return self._signed(trade.order.told, self._head(trade) | paid)

    def _failed(self, notification: GatewayNotification) -> _Plain:
        """What was to be taken under an agreement, and was not."""
        trade = self._trade(notification.subject_id)
        charge = trade.charge
        assert charge is not None, "it is the charge that failed"
        fault = fault_named(charge.reason, charge.iso_code)
        fields = {
            **self._head(trade),
            **answer.refused(fault),
            "trade_type": trade.order.product,
            "total_fee": str(trade.amount),
            "fee_type": "CNY",
            "out_trade_no": trade.order.out_trade_no,
            "attach": trade.order.told.get("attach", ""),
            "contract_id": trade.order.told.get("contract_id", ""),
        }
        return self._signed(trade.order.told, fields)

    def _agreement(self, notification: GatewayNotification) -> _Plain:
        agreement = self._agreements.offered(notification.subject_id)
        offering, payee = self._accounts.account(agreement.account_id), self._accounts.account(agreement.payee_id)
        fields = {
            "return_code": "SUCCESS",
            "return_msg": "OK",
            "result_code": "SUCCESS",
            "mch_id": offering.row.number,
            "sub_mch_id": payee.row.number if payee.row.id != offering.row.id else "",
            **change_fields(agreement, self._orders.payers, has_ended=notification.kind == News.AGREEMENT_ENDED),
        }
        return self._signed(agreement.told, fields)

    def _trade(self, order_id: int) -> Trade:
        order = self._orders.orders.get(order_id)
        assert order is not None, "it is of an order that there is news"
        return self._orders.trade(order)

    def _head(self, trade: Trade) -> Fields:
        return {
            "return_code": "SUCCESS",
            "return_msg": "OK",
            **self._parties(trade),
            "device_info": trade.order.told.get("device_id", ""),
            "result_code": "SUCCESS",
        }

    def _combined_head(self, trade: Trade) -> Fields:
        head = {"return_code": "SUCCESS", "return_msg": "OK", "result_code": "SUCCESS"}
        number = self._orders.caller_of(trade.order).account.row.number
        return head | {"combine_appid": trade.order.told.get("appid", ""), "combine_mch_id": number}

    def _whole(self, trade: Trade) -> Fields:
        """A combined order as it was paid, whatever was given back since."""
        order_id, service = trade.order.id, self._combined
        combined = service.combined.get(order_id)
        assert combined is not None, "a combined order is written down with its order"
        parts = [msgspec.structs.replace(part, refunded=0) for part in service.parts.find("combined_id", order_id)]
        return combined_fields(CombinedTrade(trade=trade, combined=combined, parts=parts), self._orders)

    def _signed(self, kept: dict[str, Any], fields: Fields) -> _Plain:
        sign_type = SignType(kept.get("sign_type", SignType.MD5))
        if sign_type is not SignType.MD5:
            fields = fields | {"sign_type": sign_type.value}
        return _Plain(_sayable(fields), kept.get("is_sandbox", False), sign_type)

    def _refund(self, notification: GatewayNotification) -> _Plain:
        row = self._refunds.rows.get(notification.subject_id)
        assert row is not None
        trade = self._trade(row.order_id)
        taking = self._part_refunds.taking_of(row)
        part = None if taking is None else self._combined.parts.get(taking.part_id)
        parties = self._parties(trade)
        if part is not None:  # Who asked for it, and whose it is; the order's own parties took the whole.
            asking, own = (self._accounts.account(id_).row.number for id_ in (row.account_id, part.payee_id))
            parties = {
                "appid": part.told.get("appid", ""),
                "mch_id": asking,
                "sub_appid": part.told.get("sub_appid", ""),
                "sub_mch_id": own if own != asking else "",
            }
        fields = parties | notified_fields(self._refunds.state(row), Sold(trade, part))
        return _Plain(_sayable(fields), row.told.get("is_sandbox", False))

    def _parties(self, trade: Trade) -> Fields:
        caller = self._orders.caller_of(trade.order)
        kept = trade.order.told
        partner = caller.payee.row.number if caller.payee.row.id != caller.account.row.id else ""
        return {
            "appid": kept.get("appid", ""),
            "mch_id": caller.account.row.number,
            "sub_appid": kept.get("sub_appid", ""),
            "sub_mch_id": partner,
        }


def _sayable(fields: Fields) -> Fields:
    return {name: document.sayable(text) for name, text in fields.items() if text}
