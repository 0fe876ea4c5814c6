"""Money to people in v2: transfers to their balance (企业付款), which move at once, and red packets, which they open."""

from hutong.gateways.order import Dialect
from hutong.gateways.payer import PayerIds
from hutong.gateways.transfers.reasons import TransferReason
from hutong.gateways.transfers.transfer import PersonTransfer, TransferDraft, TransferState
from hutong.gateways.transfers.transfer_service import TransferService
from hutong.gateways.wechat.v2 import answer, shape
from hutong.gateways.wechat.v2.document import Fields, write
from hutong.gateways.wechat.v2.endpoint import Call, Endpoint, Proof
from hutong.gateways.wechat.v2.errors import Code, Fault
from hutong.gateways.wechat.v2.moment import wire_clock
from hutong.gateways.wechat.v2.orders import plain
from hutong.gateways.wechat.v2.refusals import fault_named
from hutong.gateways.wire import WireAnswer
from hutong.kernel.errors import Refusal

_PACKET = "HB"  # Before a red packet's number: transfers have numbers of their own.
_PACKET_MIN, _PACKET_MAX = 100, 200_00
_OWN = (shape.must("appid"), shape.must("mch_id"))
_TRANSFER = (
    shape.must("mch_appid"),
    shape.must("mchid"),
    shape.must("partner_trade_no", shape.OWN_NUMBER),
    shape.must("openid", length_max=128),
    shape.must("check_name", shape.one_of("NO_CHECK", "FORCE_CHECK", "OPTION_CHECK")),
    shape.may("re_user_name", length_max=64),
    shape.must("amount", shape.AMOUNT),
    shape.must("desc", length_max=100),
    shape.may("spbill_create_ip", length_max=64),
)
_PACKET_SENT = (
    shape.must("wxappid"),
    shape.must("mch_id"),
    shape.must("mch_billno", shape.OWN_NUMBER, 28),
    shape.must("send_name", length_max=32),
    shape.must("re_openid", length_max=128),
    shape.must("total_amount", shape.AMOUNT),
    shape.must("total_num", shape.one_of("1")),
    shape.must("wishing", length_max=128),
    shape.must("act_name", length_max=32),
    shape.must("remark", length_max=256),
    shape.must("client_ip", length_max=64),
)
_STATUS = {
    TransferState.ACCEPTED: "PROCESSING",
    TransferState.WAITING: "PROCESSING",
    TransferState.SUCCESS: "SUCCESS",
    TransferState.FAILED: "FAILED",
    TransferState.CANCELLED: "FAILED",
}
_PACKET_STATUS = {
    TransferState.ACCEPTED: "SENDING",
    TransferState.WAITING: "SENT",
    TransferState.SUCCESS: "RECEIVED",
    TransferState.FAILED: "REFUND",
    TransferState.CANCELLED: "REFUND",
}


class Transfers:
    """The endpoints of transfers and red packets."""

    def __init__(self, transfers: TransferService, payers: PayerIds) -> None:
        self._transfers = transfers
        self._payers = payers

    def endpoints(self) -> tuple[Endpoint, ...]:
        by_number = (*_OWN, shape.must("partner_trade_no", shape.OWN_NUMBER))
        by_bill = (*_OWN, shape.must("mch_billno", shape.OWN_NUMBER, 28), shape.must("bill_type", shape.one_of("MCHT")))
        table = (
            ("promotion/transfers", "企业付款", _TRANSFER, self.transfers, ()),
            ("gettransferinfo", "企业付款", by_number, self.gettransferinfo, ("nonce_str",)),
            ("sendredpack", "现金红包", _PACKET_SENT, self.sendredpack, ("nonce_str",)),
            ("gethbinfo", "现金红包", by_bill, self.gethbinfo, ("nonce_str",)),
        )
        return tuple(
            Endpoint(
                path=f"/mmpaymkttransfers/{path}",
                product=product,
                parameters=parameters,
                handler=handler,
                proof=Proof.NONE,
                unsaid=frozenset(unsaid),
            )
            for path, product, parameters, handler, unsaid in table
        )

    async def transfers(self, call: Call) -> Fields:
        """Send money to a person's balance, at once."""
        name = call.text("re_user_name") if call.text("check_name") != "NO_CHECK" else ""
        if call.text("check_name") == "FORCE_CHECK" and not name:
            raise Fault(Code.LACK_PARAMS, "缺少参数re_user_name")
        draft = TransferDraft(
            number=call.text("partner_trade_no"),
            user_id=self._person(call.text("mch_appid"), call.text("openid")),
            payee=call.text("openid"),
            amount=call.number("amount"),
            dialect=Dialect.WECHATPAY_V2,
            remark=plain(call.text("desc")),
            name=name,
        )
        transfer = await self._transfers.send(call.caller, draft)
        _check_not_failed(transfer)
        return {
            "partner_trade_no": transfer.number,
            "payment_no": str(transfer.id),
            "payment_time": wire_clock(transfer.changed_ns),
        }

    async def gettransferinfo(self, call: Call) -> Fields:
        """How a transfer stands."""
        transfer = await self._found(call, call.text("partner_trade_no"))
        return {
            "partner_trade_no": transfer.number,
            "detail_id": str(transfer.id),
            "status": _STATUS[TransferState(transfer.state)],
            "reason": fault_named(transfer.reason, "").text if transfer.reason else "",
            "openid": transfer.payee,
            "payment_amount": str(transfer.amount),
            "transfer_time": wire_clock(transfer.created_ns),
            "payment_time": wire_clock(transfer.changed_ns) if transfer.is_ended else "",
            "desc": transfer.remark,
        }

    async def sendredpack(self, call: Call) -> Fields:
        """Send a red packet: the money is held until the person opens it, or it lapses."""
        amount = call.number("total_amount")
        if not _PACKET_MIN <= amount <= _PACKET_MAX:
            raise Fault(Code.MONEY_LIMIT, "每个红包的平均金额必须在1.00元到200.00元之间.")
        draft = TransferDraft(
            number=_PACKET + call.text("mch_billno"),
            user_id=self._person(call.text("wxappid"), call.text("re_openid")),
            payee=call.text("re_openid"),
            amount=amount,
            dialect=Dialect.WECHATPAY_V2,
            remark=plain(call.text("wishing")),
            confirmed=True,
            facts={name: call.text(name) for name in ("send_name", "act_name", "remark")},
        )
        transfer = await self._transfers.send(call.caller, draft)
        _check_not_failed(transfer)
        return {
            "mch_billno": call.text("mch_billno"),
            "re_openid": transfer.payee,
            "total_amount": str(transfer.amount),
            "send_listid": str(transfer.id),
        }

    async def gethbinfo(self, call: Call) -> WireAnswer:
        """How a red packet stands; the one field of v2 that has fields within it says who opened it."""
        transfer = await self._found(call, _PACKET + call.text("mch_billno"))
        told = transfer.told
        status = _PACKET_STATUS[TransferState(transfer.state)]
        fields = {
            "mch_billno": call.text("mch_billno"),
            "mch_id": call.text("mch_id"),
            "detail_id": str(transfer.id),
            "status": status,
            "send_type": "API",
            "hb_type": "NORMAL",
            "total_num": "1",
            "total_amount": str(transfer.amount),
            "send_time": wire_clock(transfer.created_ns),
            "wishing": transfer.remark,
            "remark": told.get("remark", ""),
            "act_name": told.get("act_name", ""),
        }
        inner = b""
        if status == "REFUND":
            fields |= {"refund_time": wire_clock(transfer.changed_ns), "refund_amount": str(transfer.amount)}
        elif status == "RECEIVED":
            opened = {
                "openid": transfer.payee,
                "amount": str(transfer.amount),
                "rcv_time": wire_clock(transfer.changed_ns),
            }
            inner = b"<hblist>" + write(opened, "hbinfo") + b"</hblist>"
        return answer.told_with({"result_code": "SUCCESS", **fields}, inner)

    async def _found(self, call: Call, number: str) -> PersonTransfer:
        try:
            return await self._transfers.find(call.caller, number)
        except Refusal as refusal:
            if refusal.reason is TransferReason.TRANSFER_UNKNOWN:
                raise Fault(Code.NOT_FOUND) from refusal
            raise

    def _person(self, appid: str, openid: str) -> int:
        """Who that is. Refuses OPENID_ERROR: nobody of this institution."""
        person = self._payers.person(appid, openid)
        if person is None:
            raise Fault(Code.OPENID_ERROR)
        return person


def _check_not_failed(transfer: PersonTransfer) -> None:
    if transfer.state == TransferState.FAILED:
        raise fault_named(transfer.reason, "")
