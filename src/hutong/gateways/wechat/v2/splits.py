"""Profit sharing in v2: the third version's splits, with receivers as JSON within the XML."""

from typing import Any

import msgspec

from hutong.gateways.account import WechatAccount
from hutong.gateways.account_service import AccountService
from hutong.gateways.order import Trade
from hutong.gateways.order_service import OrderService
from hutong.gateways.reasons import GatewayReason
from hutong.gateways.sharing import Sharing
from hutong.gateways.splits.receiver import Receiver
from hutong.gateways.splits.split import Part, PartDraft, PartState, Split, SplitDraft, SplitReturn, SplitReturnDraft
from hutong.gateways.wechat.v2 import shape
from hutong.gateways.wechat.v2.document import Fields
from hutong.gateways.wechat.v2.endpoint import Call, Endpoint
from hutong.gateways.wechat.v2.errors import Code, Fault
from hutong.gateways.wechat.v2.moment import wire_time
from hutong.kernel.errors import Refusal
from hutong.runtime.journal import Journal
from hutong.runtime.shelf import warmed

_PRODUCT = "分账"
_FACTS_ALONE = ("appid", "result_code")  # What two look-ups leave out.
_FAIL_REASONS = {"RECEIVER_ABNORMAL": "ACCOUNT_ABNORMAL", "RECEIVER_BALANCE_INSUFFICIENT": "BALANCE_NOT_ENOUGH"}
_TRANSACTION = (*shape.PARTIES, shape.must("transaction_id"))
_WHICH = (*_TRANSACTION, shape.must("out_order_no", shape.OWN_NUMBER, 64))
_SPLIT = (*_WHICH, shape.must("appid"))
_WITH_RECEIVERS = (*_SPLIT, shape.must("receivers", length_max=10_240))
_RECEIVER = (*shape.PAYEE, shape.must("receiver", length_max=2_048))
_RETURN = (
    *shape.PAYEE,
    shape.may("order_id", shape.DIGITS, 64),
    shape.may("out_order_no", shape.OWN_NUMBER, 64),
    shape.must("out_return_no", shape.OWN_NUMBER, 64),
)
_GIVE_BACK = (
    *_RETURN,
    shape.must("return_account_type", shape.one_of("MERCHANT_ID")),
    shape.must("return_account"),
    shape.must("return_amount", shape.AMOUNT),
    shape.must("description", length_max=80),
)


class _Told(msgspec.Struct, frozen=True):
    """One receiver as it is named in a request."""

    type: str
    account: str
    amount: int = 0
    description: str = ""
    name: str = ""
    relation_type: str = ""
    custom_relation: str = ""


class Splits:
    """The endpoints of profit sharing."""

    def __init__(self, accounts: AccountService, orders: OrderService, sharing: Sharing, journal: Journal) -> None:
        self._accounts = accounts
        self._orders = orders
        self._splits = sharing.splits
        self._receivers = sharing.receivers
        self._returns = sharing.split_returns
        self._journal = journal

    def endpoints(self) -> tuple[Endpoint, ...]:
        finishing = (*_SPLIT, shape.must("description", length_max=80))
        table = (
            ("/secapi/pay/profitsharing", _WITH_RECEIVERS, self.profitsharing, ()),
            ("/secapi/pay/multiprofitsharing", _WITH_RECEIVERS, self.multiprofitsharing, ("status",)),
            ("/secapi/pay/profitsharingfinish", finishing, self.profitsharingfinish, ("status", "receivers")),
            ("/secapi/pay/profitsharingreturn", _GIVE_BACK, self.profitsharingreturn, ()),
            ("/pay/profitsharingquery", _WHICH, self.profitsharingquery, ()),
            ("/pay/profitsharingreturnquery", _RETURN, self.profitsharingreturnquery, ()),
            ("/pay/profitsharingaddreceiver", _RECEIVER, self.profitsharingaddreceiver, ()),
            ("/pay/profitsharingremovereceiver", _RECEIVER, self.profitsharingremovereceiver, ()),
            ("/pay/profitsharingorderamountquery", _TRANSACTION, self.profitsharingorderamountquery, _FACTS_ALONE),
            ("/pay/profitsharingmerchantratioquery", shape.PARTIES, self.profitsharingmerchantratioquery, _FACTS_ALONE),
        )
        return tuple(
            Endpoint(
                path=path,
                product=_PRODUCT,
                parameters=parameters,
                handler=handler,
                unsaid=frozenset(unsaid),
                is_hmac=True,
            )
            for path, parameters, handler, unsaid in table
        )

    async def profitsharing(self, call: Call) -> Fields:
        """Split once: what is left is the merchant's own again."""
        return await self._split(call, finish=True)

    async def multiprofitsharing(self, call: Call) -> Fields:
        """Split, and perhaps again later."""
        return await self._split(call, finish=False)

    async def profitsharingfinish(self, call: Call) -> Fields:
        """Nothing more is split of an order."""
        trade = await self._trade(call)
        draft = SplitDraft(number=call.text("out_order_no"), finish=True, facts={"unfrozen": call.text("description")})
        return split_fields(trade, await self._splits.split(call.caller, trade.order.id, draft))

    async def profitsharingquery(self, call: Call) -> Fields:
        """How a split stands."""
        trade = await self._trade(call)
        split = await self._splits.find(call.caller, call.text("out_order_no"))
        if split.order_id != trade.order.id:
            raise Fault(Code.NOT_FOUND)
        shown = split_fields(trade, split)
        if "unfrozen" in split.given_facts:
            shown |= {"amount": str(split.rest), "description": split.given_facts["unfrozen"]}
        return shown

    async def profitsharingreturn(self, call: Call) -> Fields:
        """Take a part back."""
        draft = SplitReturnDraft(
            number=call.text("out_return_no"),
            receiver=call.text("return_account"),
            amount=call.number("return_amount"),
            description=call.text("description"),
        )
        split = await self._named(call)
        return return_fields(split, await self._returns.give_back(call.caller, split.number, draft))

    async def profitsharingreturnquery(self, call: Call) -> Fields:
        """How what is taken back stands."""
        split = await self._named(call)
        returned = await self._returns.find(call.caller, call.text("out_return_no"))
        if returned.split_id != split.id:
            raise Fault(Code.NOT_FOUND)
        return return_fields(split, returned)

    async def profitsharingaddreceiver(self, call: Call) -> Fields:
        """Name somebody to split to."""
        told = _read(call.text("receiver"), _Told)
        receiver = await self._receiver(call, told)
        await self._receivers.add(
            call.caller,
            receiver,
            relation=told.relation_type,
            custom_relation=told.custom_relation,
            name=told.name,
        )
        return {"receiver": call.text("receiver")}

    async def profitsharingremovereceiver(self, call: Call) -> Fields:
        """Split to them no more."""
        told = _read(call.text("receiver"), _Told)
        await self._receivers.remove(call.caller, Receiver(type=told.type, account=told.account))
        return {"receiver": call.text("receiver")}

    async def profitsharingorderamountquery(self, call: Call) -> Fields:
        """What is left to split of an order."""
        trade = await self._trade(call)
        left = await self._splits.unsplit(call.caller, trade.order.id)
        return {"transaction_id": trade.order.trade_no, "unsplit_amount": str(left)}

    async def profitsharingmerchantratioquery(self, _: Call) -> Fields:
        """How much of an order may be split, in hundredths of a percent."""
        return {"max_ratio": str(self._splits.ratio_bps_max)}

    async def _split(self, call: Call, *, finish: bool) -> Fields:
        trade = await self._trade(call)
        parts = [
            PartDraft(receiver=await self._receiver(call, told), amount=told.amount, description=told.description)
            for told in _read(call.text("receivers"), list[_Told])
        ]
        draft = SplitDraft(number=call.text("out_order_no"), parts=tuple(parts), finish=finish)
        return split_fields(trade, await self._splits.split(call.caller, trade.order.id, draft))

    async def _trade(self, call: Call) -> Trade:
        return await self._orders.find(call.caller, trade_no=call.text("transaction_id"))

    async def _named(self, call: Call) -> Split:
        """The split that something is taken back of, by the merchant's number or ours."""
        shape.check_either(call.fields, "order_id", "out_order_no")
        if call.text("out_order_no"):
            return await self._splits.find(call.caller, call.text("out_order_no"))
        order_id = int(call.text("order_id"))
        split = None
        if order_id < 1 << 128:
            split = await warmed(self._journal, lambda: self._splits.splits.get(order_id))
        if split is None or split.merchant_id != call.caller.key.merchant_id:
            raise Fault(Code.NOT_FOUND)
        return split

    async def _receiver(self, call: Call, told: _Told) -> Receiver:
        """Who that is. Refuses PARAM_ERROR: nobody of this institution."""
        if told.type == "MERCHANT_ID":
            try:
                merchant = await warmed(self._journal, lambda: self._accounts.wechatpay(told.account))
            except Refusal as refusal:
                if refusal.reason is not GatewayReason.ACCOUNT_UNKNOWN:
                    raise
                raise Fault(Code.PARAM_ERROR, "分账接收方商户号不存在") from refusal
            return Receiver(type=told.type, account=told.account, merchant_id=merchant.row.merchant_id)
        of_payee = told.type == "PERSONAL_SUB_OPENID"
        account = call.caller.payee if of_payee else call.account
        assert isinstance(account, WechatAccount)
        appid = call.text("sub_appid" if of_payee else "appid") or account.facts.appids[0]
        user_id = self._orders.payers.person(appid, told.account)
        if user_id is None:
            raise Fault(Code.PARAM_ERROR, "分账接收方openid不存在，或与appid不匹配")
        return Receiver(type=told.type, account=told.account, user_id=user_id)


def split_fields(trade: Trade, split: Split) -> Fields:
    """How a split stands."""
    return {
        "transaction_id": trade.order.trade_no,
        "out_order_no": split.number,
        "order_id": str(split.id),
        "status": split.state,
        "receivers": msgspec.json.encode([_part(part) for part in split.told]).decode(),
    }


def return_fields(split: Split, returned: SplitReturn) -> Fields:
    """How what is taken back stands."""
    return {
        "order_id": str(split.id),
        "out_order_no": split.number,
        "out_return_no": returned.number,
        "return_no": str(returned.id),
        "return_account_type": "MERCHANT_ID",
        "return_account": returned.receiver,
        "return_amount": str(returned.amount),
        "description": returned.description,
        "result": returned.state,
        "fail_reason": _FAIL_REASONS.get(returned.reason, "INVALID_REQUEST") if returned.reason else "",
        "finish_time": wire_time(returned.ended_ns) if returned.ended_ns else "",
    }


def _part(part: Part) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "type": part.receiver.type,
        "account": part.receiver.account,
        "amount": part.amount,
        "description": part.description,
        "result": part.state.value,
    }
    if part.ended_ns:
        shown["finish_time"] = wire_time(part.ended_ns)
    if part.state is PartState.CLOSED:
        shown["fail_reason"] = _FAIL_REASONS.get(part.reason, "INVALID_REQUEST")
    return shown


def _read(text: str, type_: Any) -> Any:
    """JSON within a field. Refuses PARAM_ERROR."""
    try:
        return msgspec.json.decode(text, type=type_)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeError) as error:
        raise Fault(Code.PARAM_ERROR, "receivers格式错误") from error
