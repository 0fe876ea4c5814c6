"""Money to people, and the merchant's balance: `alipay.fund.*`, on the institution's own transfers."""

import json
from typing import Any

from hutong.gateways.alipay.asked import notify_url
from hutong.gateways.alipay.beijing import beijing_text
from hutong.gateways.alipay.call import Call, Endpoint, Reply
from hutong.gateways.alipay.errors import AlipayError
from hutong.gateways.alipay.identities import Identities
from hutong.gateways.alipay.long_number import id_of, long_number
from hutong.gateways.alipay.postman import Told
from hutong.gateways.alipay.refusals import transfer_failed
from hutong.gateways.alipay.trade import yuan
from hutong.gateways.balance_service import BalanceService
from hutong.gateways.notification import GatewayNotification
from hutong.gateways.order import Dialect
from hutong.gateways.transfers.transfer import PersonTransfer, TransferDraft, TransferState
from hutong.gateways.transfers.transfer_service import TransferService
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import warmed

INVALID = "INVALID_PARAMETER"
CHANGED = "alipay.fund.trans.order.changed"
_NO_PASSWORD = "TRANS_ACCOUNT_NO_PWD"  # noqa: S105  # A product's name.
_RED_PACKET = "STD_RED_PACKET"
_STATUSES = {
    TransferState.ACCEPTED: "DEALING",
    TransferState.WAITING: "DEALING",
    TransferState.SUCCESS: "SUCCESS",
    TransferState.FAILED: "FAIL",
    TransferState.CANCELLED: "CLOSED",
}
_OLD_TYPES = {"ALIPAY_USERID": "ALIPAY_USER_ID", "ALIPAY_LOGONID": "ALIPAY_LOGON_ID"}


class Sending:
    """The same number again is the same transfer, told as it stands."""

    def __init__(
        self, node: NodeRuntime, transfers: TransferService, balances: BalanceService, identities: Identities
    ) -> None:
        self._journal = node.journal
        self._balances = balances
        self._transfers = transfers
        self._identities = identities

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(method=method, product="transfers", handler=handler, invalid=INVALID)
            for method, handler in (
                ("alipay.fund.trans.uni.transfer", self.send),
                ("alipay.fund.trans.common.query", self.query),
                ("alipay.fund.trans.toaccount.transfer", self.send_as_before),
                ("alipay.fund.trans.order.query", self.query_as_before),
                ("alipay.fund.account.query", self.balance),
            )
        ]

    async def send(self, call: Call) -> Reply:
        """To a person's balance: by 2088 number, open id or telephone number."""
        fields = call.fields
        product = fields.choice("product_code", (_NO_PASSWORD, _RED_PACKET), required=True)
        fields.choice("biz_scene", ("DIRECT_TRANSFER",))
        payee = fields.object("payee_info", required=True)
        transfer = await self._send(
            call,
            number=fields.text("out_biz_no", 64, required=True),
            amount=fields.amount("trans_amount"),
            kind=payee.choice("identity_type", ("ALIPAY_USER_ID", "ALIPAY_OPEN_ID", "ALIPAY_LOGON_ID"), required=True),
            identity=payee.text("identity", 64, required=True),
            name=payee.text("name", 64),
            remark=fields.text("remark", 200) or fields.text("order_title", 128),
            product=product,
        )
        return Reply(
            {
                "out_biz_no": transfer.number,
                **_numbers(transfer),
                "status": _STATUSES[TransferState(transfer.state)],
                "trans_date": beijing_text(transfer.changed_ns),
            }
        )

    async def send_as_before(self, call: Call) -> Reply:
        """The same under the names that it had first."""
        fields = call.fields
        kind = fields.choice("payee_type", (*_OLD_TYPES,), required=True)
        transfer = await self._send(
            call,
            number=fields.text("out_biz_no", 64, required=True),
            amount=fields.amount("amount"),
            kind=_OLD_TYPES[kind],
            identity=fields.text("payee_account", 100, required=True),
            name=fields.text("payee_real_name", 64),
            remark=fields.text("remark", 200),
        )
        numbers = {"out_biz_no": transfer.number, "order_id": _numbers(transfer)["order_id"]}
        return Reply(numbers | {"pay_date": beijing_text(transfer.changed_ns)})

    async def query(self, call: Call) -> Reply:
        """What became of a transfer."""
        transfer = await self._find(call)
        fields = {
            "out_biz_no": transfer.number,
            **_numbers(transfer),
            "status": _STATUSES[TransferState(transfer.state)],
            "trans_amount": yuan(transfer.amount),
            "order_fee": "0.00",
            "pay_date": beijing_text(transfer.changed_ns),
        }
        return Reply(fields | _failure(transfer))

    async def query_as_before(self, call: Call) -> Reply:
        """The same under the names that it had first."""
        transfer = await self._find(call)
        fields = {
            "order_id": _numbers(transfer)["order_id"],
            "out_biz_no": transfer.number,
            "status": _STATUSES[TransferState(transfer.state)],
            "pay_date": beijing_text(transfer.changed_ns),
            "order_fee": "0.00",
        }
        return Reply(fields | _failure(transfer))

    async def balance(self, call: Call) -> Reply:
        """What the merchant has now, and what is held for what is under way."""
        if call.fields.text("alipay_user_id", 32) not in {"", call.payee.facts.seller_id}:
            raise AlipayError("isv.insufficient-isv-permissions")
        call.fields.choice("account_type", ("ACCTRANS_ACCOUNT",))
        now = await self._balances.now(call.caller)
        return Reply(
            {
                "available_amount": yuan(now.available),
                "freeze_amount": yuan(now.pending),
                "total_amount": yuan(now.available + now.pending),
            }
        )

    def ended(self, notification: GatewayNotification) -> Told:
        """A transfer ended: a message, since the product is newer than notifications. May raise `Cold`."""
        transfer = self._transfers.transfers.get(notification.subject_id)
        assert transfer is not None
        content = {
            "out_biz_no": transfer.number,
            "product_code": transfer.told["product"],
            "biz_scene": "DIRECT_TRANSFER",
            **_numbers(transfer),
            "status": _STATUSES[TransferState(transfer.state)],
            "action_type": "FINISH",
            "trans_amount": yuan(transfer.amount),
            "pay_date": beijing_text(transfer.changed_ns),
            **_failure(transfer),
        }
        values = {
            "app_id": transfer.told["app_id"],
            "msg_method": CHANGED,
            "biz_content": json.dumps(content, ensure_ascii=False, separators=(",", ":")),
            "version": "1.1",
            "charset": transfer.told["codec"],
        }
        return Told(values, transfer.told["sign_type"], transfer.told["codec"])

    async def _send(
        self,
        call: Call,
        *,
        number: str,
        amount: int,
        kind: str,
        identity: str,
        name: str,
        remark: str,
        product: str = _NO_PASSWORD,
    ) -> PersonTransfer:
        """Refuses what is wrong with the payee, too: to Alipay such a transfer was never made."""
        found = await warmed(self._journal, lambda: self._identities.find(call.payee, kind, identity))
        draft = TransferDraft(
            number=number,
            user_id=0 if found is None else found.user_id,
            payee=identity,
            amount=amount,
            dialect=Dialect.ALIPAY,
            remark=" ".join(remark.split())[:128].strip(),
            name=name,
            notify_url=notify_url(call),
            facts={
                "app_id": call.account.row.number,
                "codec": call.codec,
                "sign_type": call.sign_type,
                "product": product,
            },
        )
        transfer = await self._transfers.send(call.caller, draft)
        if transfer.state == TransferState.FAILED:
            raise transfer_failed(transfer.reason)
        return transfer

    async def _find(self, call: Call) -> PersonTransfer:
        fields = call.fields
        number = fields.text("out_biz_no", 64)
        ours = fields.text("order_id", 64) or fields.text("pay_fund_order_id", 64)
        if ours:
            return await self._transfers.find_by_id(call.caller, id_of(ours))
        if not number:
            raise fields.invalid("out_biz_no", "与order_id不能同时为空")
        return await self._transfers.find(call.caller, number)


def _numbers(transfer: PersonTransfer) -> dict[str, str]:
    number = long_number(transfer.id, transfer.created_ns)
    return {"order_id": number, "pay_fund_order_id": number}


def _failure(transfer: PersonTransfer) -> dict[str, Any]:
    if transfer.state != TransferState.FAILED:
        return {}
    error = transfer_failed(transfer.reason)
    return {"error_code": error.sub_code, "fail_reason": error.sub_msg}
