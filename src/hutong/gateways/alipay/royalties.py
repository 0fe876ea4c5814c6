"""Royalties: parts of what an order brought go to receivers that the merchant bound before (`alipay.trade.order.settle`)."""

from hutong.gateways.alipay import trade as told
from hutong.gateways.alipay.acquiring import existing
from hutong.gateways.alipay.beijing import beijing_text
from hutong.gateways.alipay.call import Call, Endpoint, Reply
from hutong.gateways.alipay.errors import AlipayError
from hutong.gateways.alipay.fields import Fields
from hutong.gateways.alipay.identities import Identities
from hutong.gateways.alipay.long_number import id_of, long_number
from hutong.gateways.order import Trade, TradeState
from hutong.gateways.order_service import OrderService
from hutong.gateways.sharing import Sharing
from hutong.gateways.splits.reasons import SplitReason
from hutong.gateways.splits.receiver import Receiver
from hutong.gateways.splits.split import (
    PartDraft,
    PartState,
    ReturnState,
    Split,
    SplitDraft,
    SplitReturnDraft,
    SplitState,
)
from hutong.kernel.errors import Refusal
from hutong.kernel.money import share_bps
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import warmed

_RECEIVERS_MAX = 20
_TYPES = ("userId", "loginName", "openId")
_STATES = {PartState.PENDING: "PROCESSING", PartState.SUCCESS: "SUCCESS", PartState.CLOSED: "FAIL"}
_ERRORS = {
    SplitReason.RECEIVER_ABNORMAL.name: "TXN_RESULT_ACCOUNT_STATUS_NOT_VALID",
    SplitReason.SPLIT_EXCEEDS_FROZEN.name: "TXN_RESULT_ACCOUNT_BALANCE_NOT_ENOUGH",
}
_DONE = {"result_code": "SUCCESS"}


class Royalties:
    """A split's number is the merchant's `out_request_no`; `settle_no` is its own id behind the day."""

    def __init__(self, node: NodeRuntime, orders: OrderService, sharing: Sharing, identities: Identities) -> None:
        self._journal = node.journal
        self._orders = orders
        self._sharing = sharing
        self._identities = identities

    def endpoints(self) -> list[Endpoint]:
        product = "royalties"
        return [
            Endpoint(method="alipay.trade.royalty.relation.bind", product=product, handler=self.bind),
            Endpoint(method="alipay.trade.royalty.relation.unbind", product=product, handler=self.unbind),
            Endpoint(method="alipay.trade.royalty.relation.batchquery", product=product, handler=self.bound),
            Endpoint(method="alipay.trade.royalty.rate.query", product=product, handler=self.rate),
            Endpoint(method="alipay.trade.order.settle", product=product, handler=self.settle),
            Endpoint(method="alipay.trade.order.settle.query", product=product, handler=self.settled),
            Endpoint(method="alipay.trade.order.onsettle.query", product=product, handler=self.unsettled),
        ]

    async def bind(self, call: Call) -> Reply:
        """From now on parts may go to these."""
        for fields in call.fields.objects("receiver_list", _RECEIVERS_MAX, required=True):
            receiver = await self._receiver(call, fields, "account", "type")
            await self._sharing.receivers.add(
                call.caller, receiver, relation=fields.text("memo", 32), name=fields.text("name", 128)
            )
        return Reply(dict(_DONE))

    async def unbind(self, call: Call) -> Reply:
        """Nothing goes to these any more."""
        for fields in call.fields.objects("receiver_list", _RECEIVERS_MAX, required=True):
            receiver = await self._receiver(call, fields, "account", "type")
            await self._sharing.receivers.remove(call.caller, receiver)
        return Reply(dict(_DONE))

    async def bound(self, call: Call) -> Reply:
        """Who is bound, page by page."""
        page, size = _count(call.fields, "page_num", 1, 10_000), _count(call.fields, "page_size", 20, 100)
        rows = await warmed(self._journal, lambda: self._sharing.receivers.named(call.caller))
        shown = [
            {"type": row.type, "account": row.account, **({"memo": row.relation} if row.relation else {})}
            for row in rows[(page - 1) * size : page * size]
        ]
        return Reply(
            {
                **_DONE,
                "receiver_list": shown,
                "total_page_num": -(-len(rows) // size),
                "total_record_num": len(rows),
                "current_page_num": page,
                "current_page_size": len(shown),
            }
        )

    async def rate(self, call: Call) -> Reply:
        """How much of an order may go to others, in per cent."""
        return Reply(
            {"user_id": call.payee.facts.seller_id, "max_ratio": str(self._sharing.splits.ratio_bps_max // 100)}
        )

    async def settle(self, call: Call) -> Reply:
        """
        Give parts away. Of an order placed with `royalty_freeze` they come from what is frozen, until `royalty_finish`;
        of every other from the merchant's balance.
        """
        fields = call.fields
        number = fields.text("out_request_no", 64, required=True)
        trade = await self._paid(call)
        parts = [await self._part(call, trade, each) for each in fields.objects("royalty_parameters", _RECEIVERS_MAX)]
        finish = fields.object("extend_params").text("royalty_finish", 8) == "true"
        if not parts and not finish:
            raise fields.invalid("royalty_parameters", "不能为空")
        assert trade.payment is not None
        if not trade.order.told.get("split"):
            await self._sharing.splits.open(call.caller, trade.order.id, trade.payment)
        draft = SplitDraft(number=number, parts=tuple(parts), finish=finish)
        split = await self._sharing.splits.split(call.caller, trade.order.id, draft)
        return Reply({"trade_no": trade.order.trade_no, "settle_no": settle_number(split)})

    async def settled(self, call: Call) -> Reply:
        """What became of a settlement: by `settle_no`, or by `out_request_no` and `trade_no`."""
        split = await self._split(call)
        now_ns = split.ended_ns or split.created_ns
        details = [
            {
                "operation_type": "transfer",
                "execute_dt": beijing_text(part.ended_ns or now_ns),
                "trans_out": call.payee.facts.seller_id,
                "trans_out_type": "userId",
                "trans_in": part.receiver.account,
                "trans_in_type": part.receiver.type,
                "amount": told.yuan(part.amount),
                "state": _STATES[part.state],
                "detail_id": f"{settle_number(split)}{each:02d}",
                **({"error_code": _ERRORS.get(part.reason, "SYSTEM_ERROR")} if part.reason else {}),
            }
            for each, part in enumerate(split.told)
        ]
        if split.finish and split.state == SplitState.FINISHED:
            finished = {"operation_type": "royalty_finish", "execute_dt": beijing_text(now_ns), "state": "SUCCESS"}
            details.append(finished | {"amount": told.yuan(split.rest)})
        return Reply(
            {
                "out_request_no": split.number,
                "operation_dt": beijing_text(split.created_ns),
                "royalty_detail_list": details,
            }
        )

    async def unsettled(self, call: Call) -> Reply:
        """What is frozen of an order, and promised to nobody."""
        trade = await self._paid(call)
        if not trade.order.told.get("split"):
            return Reply({"unsettled_amount": "0.00"})
        left = await self._sharing.splits.unsplit(call.caller, trade.order.id)
        return Reply({"unsettled_amount": told.yuan(left)})

    async def take_back(self, call: Call, trade: Trade, number: str) -> None:
        """
        Before a refund: what `refund_royalty_parameters` says that receivers give back.

        Refuses:  ACQ.ALLOC_AMOUNT_VALIDATE_ERROR, where one got less, or has it no more.
        """
        asked = call.fields.objects("refund_royalty_parameters", _RECEIVERS_MAX)
        if not asked:
            return
        splits = await self._sharing.splits.of_order(call.caller, trade.order.id)
        for each, fields in enumerate(asked):
            receiver, amount = fields.text("trans_out", 64, required=True), fields.amount("amount")
            split = next((known for known in splits if _gave(known, receiver) >= amount), None)
            if split is None:
                raise _too_much()
            draft = SplitReturnDraft(
                number=f"{trade.order.trade_no}/{number}/{each}",
                receiver=receiver,
                amount=amount,
                description=fields.text("desc", 64),
            )
            returned = await self._sharing.split_returns.give_back(call.caller, split.number, draft)
            if returned.state == ReturnState.FAILED:
                raise _too_much()

    async def _paid(self, call: Call) -> Trade:
        trade = await existing(self._orders, call)
        if trade.state is not TradeState.PAID:
            raise AlipayError("ACQ.TRADE_STATUS_ERROR", said="交易状态不合法")
        return trade

    async def _split(self, call: Call) -> Split:
        fields = call.fields
        settle_no, number = fields.text("settle_no", 64), fields.text("out_request_no", 64)
        if not settle_no and not number:
            raise fields.invalid("settle_no", "与out_request_no不能同时为空")
        try:
            if not settle_no:
                return await self._sharing.splits.find(call.caller, number)
            split = await warmed(self._journal, lambda: self._sharing.splits.splits.get(id_of(settle_no)))
            if split is not None and split.merchant_id == call.caller.key.merchant_id:
                return split
        except Refusal as refusal:
            if refusal.reason is not SplitReason.SPLIT_UNKNOWN:
                raise
        raise AlipayError("ACQ.TRADE_SETTLE_NOT_EXIST", said="结算单不存在")

    async def _part(self, call: Call, trade: Trade, fields: Fields) -> PartDraft:
        if fields.text("royalty_type", 16) not in {"", "transfer"}:
            raise fields.invalid("royalty_type", "取值不正确")
        if fields.text("trans_out", 64) not in {"", call.payee.facts.seller_id}:
            raise fields.invalid("trans_out", "不是交易的收款方")
        percentage = fields.text("amount_percentage", 3)
        if percentage and not (percentage.isascii() and percentage.isdecimal() and 0 < int(percentage) <= 100):
            raise fields.invalid("amount_percentage", "取值不正确")
        amount = share_bps(trade.amount, int(percentage) * 100) if percentage else fields.amount("amount")
        receiver = await self._receiver(call, fields, "trans_in", "trans_in_type")
        return PartDraft(receiver=receiver, amount=amount, description=fields.text("desc", 1000)[:64])

    async def _receiver(self, call: Call, fields: Fields, name: str, type_name: str) -> Receiver:
        """Who is meant; nobody of this institution is refused by whoever is to give them something."""
        type_ = fields.choice(type_name, _TYPES) or "userId"
        account = fields.text(name, 64) or fields.text("account_open_id", 64)
        if not account:
            raise fields.invalid(name, "不能为空")
        found = await warmed(self._journal, lambda: self._identities.find(call.payee, type_, account))
        if found is None:
            return Receiver(type=type_, account=account)
        return Receiver(type=type_, account=account, merchant_id=found.merchant_id, user_id=found.user_id)


def settle_number(split: Split) -> str:
    """Alipay's number of a split."""
    return long_number(split.id, split.created_ns)


def _gave(split: Split, receiver: str) -> int:
    return sum(
        part.amount for part in split.told if part.receiver.account == receiver and part.state is PartState.SUCCESS
    )


def _too_much() -> AlipayError:
    return AlipayError("ACQ.ALLOC_AMOUNT_VALIDATE_ERROR", said="退分账金额超限")


def _count(fields: Fields, name: str, otherwise: int, max_: int) -> int:
    text = fields.text(name, 6)
    if not text:
        return otherwise
    if not (text.isascii() and text.isdecimal() and 0 < int(text) <= max_):
        raise fields.invalid(name, "取值不正确")
    return int(text)
