"""Pre-authorisation: `alipay.fund.auth.*`, on money that is really held, and paying out of it."""

from typing import Any

from hutong.codes.plate import hold_plate_id
from hutong.gateways.account import AlipayAccount
from hutong.gateways.account_service import AccountService
from hutong.gateways.alipay.asked import notify_url, order_draft
from hutong.gateways.alipay.beijing import beijing_text
from hutong.gateways.alipay.call import Call, Endpoint, Reply
from hutong.gateways.alipay.errors import PENDING, AlipayError
from hutong.gateways.alipay.identities import Identities, masked
from hutong.gateways.alipay.long_number import id_of, long_number
from hutong.gateways.alipay.postman import Told
from hutong.gateways.alipay.refusals import in_alipays_words
from hutong.gateways.alipay.trade import yuan
from hutong.gateways.notification import GatewayNotification
from hutong.gateways.order import Dialect, Trade
from hutong.gateways.payer import PayerIds, payer_here
from hutong.gateways.preauth.preauth import (
    OFFER_LIFE_S,
    OperationState,
    Preauth,
    PreauthDraft,
    PreauthOperation,
    PreauthState,
)
from hutong.gateways.preauth.preauth_service import PreauthService
from hutong.gateways.preauth.reasons import PreauthReason
from hutong.institution.node import InstitutionNode
from hutong.kernel.errors import Reason, Refusal
from hutong.runtime.shelf import warmed

INVALID = "ILLEGAL_ARGUMENT"
PRODUCTS = ("PREAUTH_PAY", "PRE_AUTH_ONLINE", "PRE_AUTH", "PRE_AUTH_ONLINE_DEPOSIT")
_FREEZE, _UNFREEZE = "FREEZE", "UNFREEZE"
_STATUSES = {
    PreauthState.OFFERED: ("INIT", "INIT"),  # The operation's, and the whole authorisation's.
    PreauthState.HOLDING: ("INIT", "INIT"),
    PreauthState.HELD: ("SUCCESS", "AUTHORIZED"),
    PreauthState.ENDED: ("SUCCESS", "FINISH"),
    PreauthState.CLOSED: ("CLOSED", "CLOSED"),
    PreauthState.FAILED: ("CLOSED", "CLOSED"),
}
# An operation's; INIT while the payer's institution has not answered.
_DONE = {OperationState.WANTED: "INIT", OperationState.DONE: "SUCCESS", OperationState.REFUSED: "CLOSED"}
# Of a payment out of it the same are said in other words.
_IN_A_PAYMENT: dict[Reason, tuple[str, str]] = {
    PreauthReason.PREAUTH_UNKNOWN: ("ACQ.AUTH_NO_ERROR", "支付授权号错误"),
    PreauthReason.PREAUTH_EXCEEDS_HELD: ("ACQ.AUTH_AMOUNT_NOT_ENOUGH", "授权金额不足"),
}


class Holding:
    """An authorisation's number is the merchant's `out_order_no`, an operation's its `out_request_no`, and ours besides."""

    def __init__(
        self,
        institution: InstitutionNode,
        accounts: AccountService,
        preauths: PreauthService,
        identities: Identities,
        payers: PayerIds,
    ) -> None:
        self._journal = institution.node.journal
        self._site = institution.plates.site
        self._accounts = accounts
        self._preauths = preauths
        self._identities = identities
        self._payers = payers

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(method=f"alipay.fund.auth.{name}", product="pre-authorisation", handler=handler, invalid=INVALID)
            for name, handler in (
                ("order.freeze", self.freeze),
                ("order.voucher.create", self.offer),
                ("order.app.freeze", self.offer_to_app),
                ("order.unfreeze", self.unfreeze),
                ("operation.detail.query", self.query),
                ("operation.cancel", self.cancel),
            )
        ]

    async def freeze(self, call: Call) -> Reply:
        """Hold money of who shows this payment code; 10003 while they are asked."""
        call.fields.choice("auth_code_type", ("bar_code",))
        code = call.fields.text("auth_code", 64, required=True)
        preauth = await self._preauths.hold_by_code(call.caller, self._draft(call), code)
        match preauth.state_at(call.now_ns):
            case PreauthState.HELD | PreauthState.ENDED:
                return Reply(await self._told(call, preauth))
            case PreauthState.FAILED:
                raise AlipayError("PAYER_BALANCE_NOT_ENOUGH", said="付款方余额不足")
            case PreauthState.CLOSED:
                raise AlipayError("ORDER_ALREADY_CLOSED", said="订单已关闭")
            case _:
                return Reply(await self._told(call, preauth), PENDING)

    async def offer(self, call: Call) -> Reply:
        """Something to show: whoever scans it may agree, with any wallet of the network."""
        preauth = await self._preauths.offer(call.caller, self._draft(call))
        link = self._site.url(hold_plate_id(preauth.id))
        return Reply(
            {
                "out_order_no": preauth.number,
                "out_request_no": preauth.told["request_number"],
                "code_type": "QR_CODE",
                "code_value": link,
                "code_url": link,
            }
        )

    async def offer_to_app(self, call: Call) -> Reply:
        """What the merchant's app hands to the payer's: the wallet posts it here, and learns what to agree to."""
        preauth = await self._preauths.offer(call.caller, self._draft(call))
        return Reply(await self._told(call, preauth) | {"preauth_id": preauth.creditor})

    async def unfreeze(self, call: Call) -> Reply:
        """Give back some of what is held."""
        fields = call.fields
        auth_no = fields.text("auth_no", 64, required=True)
        number = fields.text("out_request_no", 64, required=True)
        amount = fields.amount("amount")
        remark = fields.text("remark", 100, required=True)
        preauth = await self._preauths.find(call.caller, auth_no=auth_no)
        done = await self._preauths.let_go(call.caller, preauth, number=number, amount=amount, remark=remark)
        told = {name: value for name, value in _operation(done).items() if name != "remark"}
        return Reply({"auth_no": preauth.auth_no, "out_order_no": preauth.number, **told})

    async def query(self, call: Call) -> Reply:
        """One operation, and how the authorisation stands behind all of them."""
        fields = call.fields
        preauth, number = await self._found(call), fields.text("out_request_no", 64)
        standing = await self._preauths.standing(preauth)
        preauth = standing.preauth
        kind = fields.choice("operation_type", (_FREEZE, _UNFREEZE))
        told = await self._told(call, preauth)
        if kind == _UNFREEZE or (number and number != preauth.told["request_number"]):
            told |= _operation(await self._preauths.operation(preauth, number))
        _, order_status = _STATUSES[preauth.state_at(call.now_ns)]
        held = preauth.amount if preauth.held_ns else 0
        return Reply(
            told
            | {
                "operation_type": kind or (_FREEZE if "remark" not in told else _UNFREEZE),
                "order_title": preauth.title,
                "order_status": order_status,
                "total_freeze_amount": yuan(held),
                "rest_amount": yuan(standing.left),
                "total_pay_amount": yuan(standing.taken),
                "gmt_create": beijing_text(preauth.created_ns),
            }
        )

    async def cancel(self, call: Call) -> Reply:
        """Take it back: `action` says whether money that was held goes back, too."""
        call.fields.text("remark", 100, required=True)
        preauth = await self._found(call)
        was_held = preauth.state == PreauthState.HELD
        preauth = await self._preauths.cancel(call.caller, preauth)
        told = await self._told(call, preauth)
        kept = ("auth_no", "out_order_no", "operation_id", "out_request_no")
        return Reply({name: told[name] for name in kept} | {"action": "unfreeze" if was_held else "close"})

    async def pay(self, call: Call) -> Trade:
        """
        Take some of what is held; with `auth_confirm_mode` COMPLETE the rest goes back.

        Refuses:  ACQ.AUTH_NO_ERROR, ACQ.AUTH_AMOUNT_NOT_ENOUGH, ACQ.AUTH_ORDER_HAS_FINISHED; as `order_draft`.
        """
        fields = call.fields
        auth_no = fields.text("auth_no", 64, required=True)
        mode = fields.choice("auth_confirm_mode", ("COMPLETE", "NOT_COMPLETE"))
        draft = order_draft(call, "PREAUTH", PRODUCTS)
        try:
            preauth = await self._preauths.find(call.caller, auth_no=auth_no)
            trade = await self._preauths.take(call.caller, preauth, draft)
        except Refusal as refusal:
            words = _IN_A_PAYMENT.get(refusal.reason)
            if words is not None:
                raise AlipayError(words[0], said=words[1]) from None
            if refusal.reason is PreauthReason.PREAUTH_NOT_HELD:
                raise _not_held(refusal) from None
            raise
        if mode == "COMPLETE":
            await self._preauths.cancel(call.caller, preauth)
        return trade

    # What is told.

    def held(self, notification: GatewayNotification) -> Told:
        """Money is held. May raise `Cold`."""
        preauth = self._preauths.offered(notification.subject_id)
        values = {"operation_type": _FREEZE, **self._hold(preauth, self._account(preauth))}
        return self._letter(preauth, "fund_auth_freeze", values)

    def let_go(self, notification: GatewayNotification) -> Told:
        """Some of it went back. May raise `Cold`."""
        operation = self._preauths.operations.get(notification.subject_id)
        assert operation is not None
        preauth = self._preauths.offered(operation.preauth_id)
        values = {"operation_type": _UNFREEZE, **self._hold(preauth, self._account(preauth)), **_operation(operation)}
        return self._letter(preauth, "fund_auth_unfreeze", values)

    def _letter(self, preauth: Preauth, notify_type: str, values: dict[str, Any]) -> Told:
        facts = preauth.told
        told = {
            "notify_type": notify_type,
            "charset": facts["codec"],
            "version": "1.0",
            "app_id": facts["app_id"],
            "auth_app_id": self._account(preauth).row.number,
            "payee_user_id": self._account(preauth).facts.seller_id,
            "order_title": preauth.title,
            "total_freeze_amount": yuan(preauth.amount),
            "gmt_create": beijing_text(preauth.created_ns),
            **values,
        }
        return Told({name: value for name, value in told.items() if value}, facts["sign_type"], facts["codec"])

    def _account(self, preauth: Preauth) -> AlipayAccount:
        account = self._accounts.account(preauth.payee_id)
        assert isinstance(account, AlipayAccount)
        return account

    def _draft(self, call: Call) -> PreauthDraft:
        fields = call.fields
        if fields.text("payee_user_id", 32) not in {"", call.payee.facts.seller_id}:
            raise fields.invalid("payee_user_id", "不是收款方")
        title = fields.text("order_title", 100, required=True)
        return PreauthDraft(
            number=fields.text("out_order_no", 64, required=True),
            request_number=fields.text("out_request_no", 64, required=True),
            dialect=Dialect.ALIPAY.value,
            amount=fields.amount("amount"),
            title=" ".join(title.split()),
            notify_url=notify_url(call),
            lifetime_s=fields.lifetime_s(call.now_ns) or OFFER_LIFE_S,
            facts={"app_id": call.account.row.number, "codec": call.codec, "sign_type": call.sign_type},
            content=title.encode(),
        )

    async def _found(self, call: Call) -> Preauth:
        """By our number of it, or of its first operation, or by the merchant's. Refuses AUTH_ORDER_NOT_EXIST."""
        fields = call.fields
        auth_no, number = fields.text("auth_no", 64), fields.text("out_order_no", 64)
        if auth_no:
            return await self._preauths.find(call.caller, auth_no=auth_no)
        if number:
            return await self._preauths.find(call.caller, number=number)
        id_ = id_of(fields.text("operation_id", 64, required=True))
        found = await warmed(self._journal, lambda: self._preauths.all.get(id_))
        if found is None or found.payee_id != call.payee.row.id:
            raise Refusal(PreauthReason.PREAUTH_UNKNOWN)
        return found

    async def _told(self, call: Call, preauth: Preauth) -> dict[str, Any]:
        return await warmed(
            self._journal, lambda: self._hold(preauth, call.payee, _STATUSES[preauth.state_at(call.now_ns)][0])
        )

    def _hold(self, preauth: Preauth, account: AlipayAccount, status: str = "SUCCESS") -> dict[str, Any]:
        """The hold itself, and whose money it is, once that is known. May raise `Cold`."""
        told = {
            "auth_no": preauth.auth_no,
            "out_order_no": preauth.number,
            "operation_id": long_number(preauth.id, preauth.created_ns),
            "out_request_no": preauth.told["request_number"],
            "amount": yuan(preauth.amount),
            "status": status,
            "credit_amount": "0.00",
            "fund_amount": yuan(preauth.amount),
        }
        if preauth.held_ns:
            told["gmt_trans"] = beijing_text(preauth.held_ns)
        if preauth.held_ns and (preauth.user_id or preauth.payer):
            payer = preauth.payer or payer_here(preauth.user_id)
            is_here = bool(preauth.user_id)
            number = self._identities.number_of(preauth.user_id) if is_here else self._payers.number_elsewhere(payer)
            told |= {
                "payer_user_id": number,
                "payer_logon_id": masked(number),
                "payer_open_id": self._payers.openid(account.row.number, payer),
            }
        return told


def _operation(operation: PreauthOperation) -> dict[str, Any]:
    """Money that went back."""
    return {
        "operation_id": long_number(operation.id, operation.created_ns),
        "out_request_no": operation.number,
        "amount": yuan(operation.amount),
        "status": _DONE[OperationState(operation.state)],
        "gmt_trans": beijing_text(operation.created_ns),
        "credit_amount": "0.00",
        "fund_amount": yuan(operation.amount),
        "remark": operation.remark,
    }


def _not_held(refusal: Refusal) -> AlipayError:
    match refusal.facts.get("state"):
        case "ENDED":
            return AlipayError("ACQ.AUTH_ORDER_HAS_FINISHED", said="授权单已经完结")
        case "CLOSED" | "FAILED":
            return AlipayError("ACQ.AUTH_ORDER_HAS_CLOSE", said="授权单已经关闭")
        case "OFFERED" | "HOLDING":
            return AlipayError("ACQ.AUTH_ORDER_NOT_PAID", said="授权单未支付")
        case _:
            return in_alipays_words(refusal)
