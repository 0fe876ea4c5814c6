"""Profit sharing: receivers, splits of what an order brought, what they give back, and the rest."""

from typing import Any

from hutong.gateways.account import Caller, WechatAccount
from hutong.gateways.account_service import AccountService
from hutong.gateways.order import Dialect, trade_key
from hutong.gateways.order_service import OrderService
from hutong.gateways.reasons import GatewayReason
from hutong.gateways.sharing import Sharing
from hutong.gateways.splits.reasons import SplitReason
from hutong.gateways.splits.receiver import Receiver
from hutong.gateways.splits.split import Part, PartDraft, PartState, Split, SplitDraft, SplitReturn, SplitReturnDraft
from hutong.gateways.splits.split_news import Listener, SplitShare, listening
from hutong.gateways.wechat.v3 import moment
from hutong.gateways.wechat.v3.endpoint import Call, Endpoint, ok
from hutong.gateways.wechat.v3.errors import Code, Fault, param_error
from hutong.gateways.wechat.v3.parties import Parties, check_appid
from hutong.gateways.wechat.v3.profit_shapes import (
    GIVEN_BACK,
    GIVEN_BACK_QUERY,
    RECEIVER,
    RECEIVER_GONE,
    SPLIT,
    SPLIT_QUERY,
    UNFREEZE,
)
from hutong.gateways.wechat.v3.sensitive import Sensitive
from hutong.gateways.wechat.v3.shape import missing, read_body, read_query
from hutong.gateways.wire import WireAnswer
from hutong.kernel.errors import Refusal
from hutong.runtime.journal import Journal
from hutong.runtime.shelf import warmed

PREFIX = "/v3/profitsharing"
PRODUCT = "profitsharing"
_FAIL_REASONS = {
    SplitReason.RECEIVER_ABNORMAL.name: "ACCOUNT_ABNORMAL",
    SplitReason.RECEIVER_BALANCE_INSUFFICIENT.name: "BALANCE_NOT_ENOUGH",
}


class ProfitSharing:
    """Endpoints below `/v3/profitsharing`; a service provider names the merchant in `sub_mchid`."""

    def __init__(
        self,
        journal: Journal,
        parties: Parties,
        accounts: AccountService,
        orders: OrderService,
        sharing: Sharing,
        sensitive: Sensitive,
    ) -> None:
        self._journal = journal
        self._parties = parties
        self._accounts = accounts
        self._orders = orders
        self._combined = sharing.combined
        self._splits = sharing.splits
        self._receivers = sharing.receivers
        self._returns = sharing.split_returns
        self._sensitive = sensitive

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint("POST", f"{PREFIX}/orders", PRODUCT, self._split),
            Endpoint("GET", f"{PREFIX}/orders/{{out_order_no}}", PRODUCT, self._query),
            Endpoint("POST", f"{PREFIX}/orders/unfreeze", PRODUCT, self._unfreeze),
            Endpoint("POST", f"{PREFIX}/receivers/add", PRODUCT, self._add),
            Endpoint("POST", f"{PREFIX}/receivers/delete", PRODUCT, self._remove),
            Endpoint("POST", f"{PREFIX}/return-orders", PRODUCT, self._give_back),
            Endpoint("GET", f"{PREFIX}/return-orders/{{out_return_no}}", PRODUCT, self._given_back),
            Endpoint("GET", f"{PREFIX}/transactions/{{transaction_id}}/amounts", PRODUCT, self._unsplit),
            Endpoint("GET", f"{PREFIX}/merchant-configs/{{sub_mchid}}", PRODUCT, self._ratio),
        ]

    async def _split(self, call: Call) -> WireAnswer:
        body = read_body(SPLIT, call.signed)
        caller = await self._caller(call, body)
        hold = await self._hold(caller, body["transaction_id"])
        receivers = body.get("receivers") or []
        parts = []
        for number, told in enumerate(receivers):
            self._sensitive.opened(call, f"/body/receivers/{number}/name", told.get("name"))
            receiver = await self._receiver(caller, told, body, f"/body/receivers/{number}/account")
            parts.append(PartDraft(receiver=receiver, amount=told["amount"], description=told["description"]))
        listeners = await warmed(self._journal, lambda: self._listeners(caller, parts))
        # What a notification says beside the part itself.
        facts = {"transaction_id": body["transaction_id"], "parties": _parties(caller)} if listeners else {}
        draft = SplitDraft(
            number=body["out_order_no"],
            parts=tuple(parts),
            finish=body["unfreeze_unsplit"],
            facts=facts | listening(listeners),
        )
        return ok(split_object(await self._splits.split(caller, hold, draft), body))

    def _listeners(self, caller: Caller, parts: list[PartDraft]) -> list[Listener]:
        """Who hears of which part: who splits of all, a merchant of what it gets. May raise `Cold`."""
        found = []
        for number, part in enumerate(parts):
            accounts = {caller.account.row.id: caller.account, caller.payee.row.id: caller.payee}
            if part.receiver.merchant_id:
                receiver = self._accounts.wechatpay(part.receiver.account)
                accounts[receiver.row.id] = receiver
            for account in accounts.values():
                assert isinstance(account, WechatAccount)
                if url := account.facts.sharing_url:
                    found.append(Listener(number, f"{account.row.id:032x}", Dialect.WECHATPAY_V3.value, url))
        return found

    async def _unfreeze(self, call: Call) -> WireAnswer:
        body = read_body(UNFREEZE, call.signed)
        caller = await self._caller(call, body)
        hold = await self._hold(caller, body["transaction_id"])
        draft = SplitDraft(number=body["out_order_no"], finish=True, facts={"unfrozen": body["description"]})
        return ok(split_object(await self._splits.split(caller, hold, draft), body))

    async def _query(self, call: Call) -> WireAnswer:
        told = read_query(SPLIT_QUERY, call.query)
        caller = await self._caller(call, told)
        hold = await self._hold(caller, told["transaction_id"])
        split = await self._splits.find(caller, call.path["out_order_no"])
        if split.order_id != hold:
            raise Fault(Code.RESOURCE_NOT_EXISTS, "分账单不存在")
        return ok(split_object(split, told))

    async def _add(self, call: Call) -> WireAnswer:
        body = read_body(RECEIVER, call.signed)
        caller = await self._caller(call, body)
        name = self._sensitive.opened(call, "/body/name", body.get("name"))
        if body["relation_type"] == "CUSTOM" and not body.get("custom_relation"):
            raise missing("/body/custom_relation", "自定义的分账关系")
        receiver = await self._receiver(caller, body, body, "/body/account")
        custom = body.get("custom_relation", "")
        await self._receivers.add(caller, receiver, relation=body["relation_type"], custom_relation=custom, name=name)
        shown = ("sub_mchid", "type", "account", "name", "relation_type", "custom_relation")
        return ok({field: body[field] for field in shown if body.get(field)})

    async def _remove(self, call: Call) -> WireAnswer:
        body = read_body(RECEIVER_GONE, call.signed)
        caller = await self._caller(call, body)
        await self._receivers.remove(caller, Receiver(type=body["type"], account=body["account"]))
        return ok({field: body[field] for field in ("sub_mchid", "type", "account") if body.get(field)})

    async def _give_back(self, call: Call) -> WireAnswer:
        body = read_body(GIVEN_BACK, call.signed)
        caller = await self._caller(call, body)
        number = body.get("out_order_no") or await self._number(caller, body.get("order_id", ""))
        draft = SplitReturnDraft(
            number=body["out_return_no"],
            receiver=body["return_mchid"],
            amount=body["amount"],
            description=body["description"],
        )
        returned = await self._returns.give_back(caller, number, draft)
        return ok(return_object(returned, number, body))

    async def _given_back(self, call: Call) -> WireAnswer:
        told = read_query(GIVEN_BACK_QUERY, call.query)
        caller = await self._caller(call, told)
        split = await self._splits.find(caller, told["out_order_no"])
        returned = await self._returns.find(caller, call.path["out_return_no"])
        if returned.split_id != split.id:
            raise Fault(Code.RESOURCE_NOT_EXISTS, "回退单不存在")
        return ok(return_object(returned, split.number, told))

    async def _unsplit(self, call: Call) -> WireAnswer:
        number = call.path["transaction_id"]
        caller = await warmed(self._journal, lambda: self._placed_by(call, number))
        left = await self._splits.unsplit(caller, await self._hold(caller, number))
        return ok({"transaction_id": number, "unsplit_amount": left})

    def _placed_by(self, call: Call, number: str) -> Caller:
        """For whom this is asked: the merchant of an order that a service provider placed is not named in the call."""
        for order in self._orders.orders.find("trade_key", trade_key(number)):
            if order.account_id == call.account.row.id:
                return self._orders.caller_of(order)
        return Caller(call.account, call.account)

    async def _ratio(self, call: Call) -> WireAnswer:
        caller = await self._parties.acting(call, call.path["sub_mchid"])
        return ok({"sub_mchid": caller.payee.row.number, "max_ratio": self._splits.ratio_bps_max})

    async def _caller(self, call: Call, told: dict[str, Any]) -> Caller:
        caller = await self._parties.for_whom(call, told.get("sub_mchid", ""))
        check_appid(call.account, told.get("appid", ""))
        assert isinstance(caller.payee, WechatAccount)
        check_appid(caller.payee, told.get("sub_appid", ""))
        return caller

    async def _hold(self, caller: Caller, transaction_id: str) -> int:
        """What is split: an order, or a merchant's part of a combined one. Refuses RESOURCE_NOT_EXISTS."""
        try:
            return (await self._orders.find(caller, trade_no=transaction_id)).order.id
        except Refusal as refusal:
            if refusal.reason is not GatewayReason.ORDER_UNKNOWN:
                raise
        try:
            return (await self._combined.part(caller, trade_no=transaction_id)).id
        except Refusal as refusal:
            if refusal.reason is not GatewayReason.ORDER_UNKNOWN:
                raise
            raise Fault(Code.RESOURCE_NOT_EXISTS, "微信订单号不存在") from None

    async def _receiver(self, caller: Caller, told: dict[str, Any], body: dict[str, Any], pointer: str) -> Receiver:
        """Who that is. Refuses PARAM_ERROR: nobody of this institution."""
        kind, account = told["type"], told["account"]
        if kind == "MERCHANT_ID":
            try:
                merchant = await warmed(self._journal, lambda: self._accounts.wechatpay(account))
            except Refusal as refusal:
                if refusal.reason is not GatewayReason.ACCOUNT_UNKNOWN:
                    raise
                raise param_error(pointer, "unknown", "分账接收方商户号不存在", account) from None
            return Receiver(type=kind, account=account, merchant_id=merchant.row.merchant_id)
        owner = caller.account if kind == "PERSONAL_OPENID" else caller.payee
        assert isinstance(owner, WechatAccount)
        appid = body.get("appid" if kind == "PERSONAL_OPENID" else "sub_appid") or owner.facts.appids[0]
        user_id = self._orders.payers.person(appid, account)
        if user_id is None:
            raise param_error(pointer, "unknown", "分账接收方openid不存在，或与appid不匹配", account)
        return Receiver(type=kind, account=account, user_id=user_id)

    async def _number(self, caller: Caller, order_id: str) -> str:
        """The merchant's number of a split, by ours."""
        if not order_id:
            raise missing("/body/out_order_no", "商户分账单号")
        split = None
        if order_id.isascii() and order_id.isdecimal() and int(order_id) < 1 << 128:
            split = await warmed(self._journal, lambda: self._splits.splits.get(int(order_id)))
        if split is None or split.merchant_id != caller.key.merchant_id:
            raise Fault(Code.RESOURCE_NOT_EXISTS, "分账单不存在")
        return split.number


def _parties(caller: Caller) -> dict[str, str]:
    if caller.account.row.id == caller.payee.row.id:
        return {"mchid": caller.payee.row.number}
    return {"sp_mchid": caller.account.row.number, "sub_mchid": caller.payee.row.number}


def share_object(split: Split, share: SplitShare) -> dict[str, Any]:
    """A part that has arrived, as a notification shows it."""
    part, told = split.told[share.number], split.given_facts
    parties: dict[str, Any] = told["parties"]
    return parties | {
        "transaction_id": told["transaction_id"],
        "order_id": str(split.id),
        "out_order_no": split.number,
        "receiver": {
            "type": part.receiver.type,
            "account": part.receiver.account,
            "amount": part.amount,
            "description": part.description,
        },
        "success_time": moment.told(part.ended_ns),
    }


def split_object(split: Split, told: dict[str, Any]) -> dict[str, Any]:
    """How a split stands; with `finish` what was left went to the merchant itself, as one of the receivers."""
    shown = {"sub_mchid": told["sub_mchid"]} if told.get("sub_mchid") else {}
    return shown | {
        "transaction_id": told["transaction_id"],
        "out_order_no": split.number,
        "order_id": str(split.id),
        "state": split.state,
        "receivers": [_part(split, number, part) for number, part in enumerate(split.told)],
    }


def _part(split: Split, number: int, part: Part) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "amount": part.amount,
        "description": part.description,
        "type": part.receiver.type,
        "account": part.receiver.account,
        "result": part.state.value,
        "detail_id": f"{split.id}{number:02d}",
        "create_time": moment.told(split.created_ns),
    }
    if part.state is not PartState.PENDING:
        shown["finish_time"] = moment.told(part.ended_ns)
    if part.state is PartState.CLOSED:
        shown["fail_reason"] = _FAIL_REASONS.get(part.reason, "INVALID_REQUEST")
    return shown


def return_object(returned: SplitReturn, out_order_no: str, told: dict[str, Any]) -> dict[str, Any]:
    """How a return stands."""
    shown: dict[str, Any] = {"sub_mchid": told["sub_mchid"]} if told.get("sub_mchid") else {}
    shown |= {
        "order_id": str(returned.split_id),
        "out_order_no": out_order_no,
        "out_return_no": returned.number,
        "return_id": str(returned.id),
        "return_mchid": returned.receiver,
        "amount": returned.amount,
        "description": returned.description,
        "result": returned.state,
        "create_time": moment.told(returned.created_ns),
    }
    if returned.ended_ns:
        shown["finish_time"] = moment.told(returned.ended_ns)
    if returned.reason:
        shown["fail_reason"] = _FAIL_REASONS.get(returned.reason, "INVALID_REQUEST")
    return shown
