"""Entrusted deduction (委托代扣) in v2: signing is the person's affair, in their wallet; taking is an order paid at once."""

from typing import Any

import msgspec

from hutong.gateways.agreements.agreement import OFFERED_FACT, Agreement, AgreementDraft, AgreementState, EndedBy
from hutong.gateways.agreements.agreement_service import AgreementService
from hutong.gateways.agreements.reasons import AgreementReason
from hutong.gateways.order import Dialect, OrderDraft
from hutong.gateways.order_service import OrderService
from hutong.gateways.payer import PayerIds
from hutong.gateways.wechat.v2 import shape
from hutong.gateways.wechat.v2.document import Fields
from hutong.gateways.wechat.v2.endpoint import Call, Endpoint, Proof
from hutong.gateways.wechat.v2.errors import Code, Fault
from hutong.gateways.wechat.v2.moment import wire_clock
from hutong.gateways.wechat.v2.orders import Orders, order_draft
from hutong.gateways.wechat.v2.refusals import fault_of
from hutong.gateways.wire import WireAnswer
from hutong.kernel.errors import Refusal

_PRODUCT = "委托代扣"
_PLAN = (*shape.PAYEE, shape.must("plan_id", shape.DIGITS), shape.must("contract_code", length_max=64))
_OFFER = (
    *_PLAN,
    shape.must("request_serial", shape.DIGITS, 32),
    shape.must("contract_display_account", length_max=64),
    shape.must("notify_url", shape.URL, 256),
    shape.must("version", length_max=8),
    shape.must("timestamp", shape.DIGITS, 10),
)
_WHICH = (
    *shape.PAYEE,
    shape.may("contract_id", shape.DIGITS, 64),
    shape.may("plan_id", shape.DIGITS),
    shape.may("contract_code", length_max=64),
    shape.may("openid", length_max=128),
    shape.must("version", length_max=8),
)
_TAKE = (
    *shape.PAYEE,
    *shape.GOODS,
    shape.must("notify_url", shape.URL, 256),
    shape.must("trade_type", shape.one_of("PAP")),
    shape.must("contract_id", shape.DIGITS, 64),
)
_CONTRACT_ORDER = (
    *shape.UNIFIEDORDER,
    shape.must("contract_mchid"),
    shape.must("contract_appid"),
    shape.must("plan_id", shape.DIGITS),
    shape.must("contract_code", length_max=64),
    shape.must("request_serial", shape.DIGITS, 32),
    shape.must("contract_display_account", length_max=64),
    shape.must("contract_notify_url", shape.URL, 256),
)
_ENDINGS = {EndedBy.PERSON: "2", EndedBy.MERCHANT: "3"}
# What of the call that offers it is given back.
_KEPT = ("appid", "sub_appid", "request_serial")


class Papay:
    """The endpoints of entrusted deduction; a service provider's are its merchants'."""

    def __init__(self, agreements: AgreementService, orders: OrderService, ordering: Orders) -> None:
        self._agreements = agreements
        self._orders = orders
        self._ordering = ordering

    def endpoints(self) -> tuple[Endpoint, ...]:
        table = (
            ("/papay/preentrustweb", _OFFER, self.preentrustweb, ()),
            ("/papay/querycontract", _WHICH, self.querycontract, ("nonce_str",)),
            ("/papay/deletecontract", _WHICH, self.deletecontract, ("nonce_str",)),
        )
        return (
            tuple(
                Endpoint(
                    path=path.replace("/papay/", f"/papay/{partner}"),
                    product=_PRODUCT,
                    parameters=parameters,
                    handler=handler,
                    has_nonce=False,
                    unsaid=frozenset(unsaid),
                )
                for path, parameters, handler, unsaid in table
                for partner in ("", "partner/")
            )
            + self._by_get()
            + self._taking()
            + (
                Endpoint(
                    path="/pay/contractorder",
                    product="支付中签约",
                    parameters=_CONTRACT_ORDER,
                    handler=self.contractorder,
                ),
            )
        )

    def _by_get(self) -> tuple[Endpoint, ...]:
        """Where a browser is sent, with what is signed in the address."""
        table = (
            ("entrustweb", _OFFER, self.entrustweb),
            ("h5entrustweb", (*_OFFER, shape.must("clientip", length_max=64)), self.h5entrustweb),
        )
        return tuple(
            Endpoint(
                path=f"/papay/{partner}{name}",
                product=_PRODUCT,
                parameters=parameters,
                handler=handler,
                proof=Proof.NONE,
                has_nonce=False,
                method="GET",
            )
            for name, parameters, handler in table
            for partner in ("", "partner/")
        )

    def _taking(self) -> tuple[Endpoint, ...]:
        table = (("pappayapply", _TAKE, self.pappayapply), ("paporderquery", shape.ORDERQUERY, self.paporderquery))
        return tuple(
            Endpoint(path=f"/pay/{partner}{name}", product=_PRODUCT, parameters=parameters, handler=handler)
            for name, parameters, handler in table
            for partner in ("", "partner/")
        )

    async def preentrustweb(self, call: Call) -> Fields:
        """Offer an agreement; a mini program opens it by this number."""
        return {"pre_entrustweb_id": (await self._offer(call)).creditor}

    async def entrustweb(self, call: Call) -> WireAnswer:
        """Offer an agreement, and lead the browser to where it is signed."""
        link = self._agreements.page_url(await self._offer(call))
        return WireAnswer(status=302, content_type="text/plain", headers=(("location", link),))

    async def h5entrustweb(self, call: Call) -> Fields:
        """Offer an agreement, and tell where it is signed."""
        return {"redirect_url": self._agreements.page_url(await self._offer(call))}

    async def querycontract(self, call: Call) -> Fields:
        """How an agreement stands."""
        agreement = await self._found(call)
        return contract_fields(agreement, self._orders.payers)

    async def deletecontract(self, call: Call) -> Fields:
        """Take nothing more under it."""
        shape.must("contract_termination_remark", length_max=256).check(call.fields)
        agreement = await self._agreements.terminate(call.caller, await self._found(call))
        return {
            "contract_id": agreement.contract_no,
            "plan_id": agreement.plan,
            "contract_code": agreement.number,
        }

    async def pappayapply(self, call: Call) -> Fields:
        """Take money under an agreement. How that ends is told, and can be asked for."""
        try:
            agreement = await self._agreements.find(call.caller, contract_no=call.text("contract_id"))
            await self._agreements.deduct(call.caller, agreement, self._draft(call))
        except Refusal as refusal:
            if refusal.reason is AgreementReason.AGREEMENT_UNKNOWN:
                raise Fault(Code.CONTRACT_NOT_EXIST) from refusal
            raise
        return {}

    async def paporderquery(self, call: Call) -> Fields | WireAnswer:
        """How what was to be taken stands."""
        return await self._ordering.orderquery(call)

    async def contractorder(self, call: Call) -> Fields:
        """
        An order, and an agreement for who pays it: they are asked to sign in their wallet, once they have paid.

        That the agreement is refused does not keep the order from being placed: `contract_result_code` says so.
        """
        if (call.text("contract_mchid"), call.text("contract_appid")) != (call.text("mch_id"), call.text("appid")):
            raise Fault(Code.PARAM_ERROR, "contract_mchid、contract_appid须与下单的商户号、appid一致")
        told = {name: call.text(name) for name in ("plan_id", "contract_code", "request_serial")}
        told["contract_display_account"] = call.text("contract_display_account")
        try:
            agreement = await self._offer(call, "contract_notify_url")
        except Refusal as refusal:
            fault = fault_of(refusal)
            told |= {"contract_err_code": fault.code.name, "contract_err_code_des": fault.text}
            more: dict[str, Any] = {}
        else:
            more = {OFFERED_FACT: f"{agreement.id:032x}"}
        placed = await self._ordering.place(call, more)
        told["contract_result_code"] = "SUCCESS" if more else "FAIL"
        return placed | told | {"out_trade_no": call.text("out_trade_no")}

    def _draft(self, call: Call) -> OrderDraft:
        draft = order_draft(call, "PAP", None)
        return msgspec.structs.replace(draft, facts=draft.facts | {"contract_id": call.text("contract_id")})

    async def _offer(self, call: Call, notify_url: str = "notify_url") -> Agreement:
        facts: dict[str, Any] = {name: text for name in _KEPT if (text := call.text(name))}
        draft = AgreementDraft(
            number=call.text("contract_code"),
            dialect=Dialect.WECHATPAY_V2.value,
            plan=call.text("plan_id"),
            shown=call.text("contract_display_account"),
            notify_url=call.text(notify_url),
            facts=facts | {"is_sandbox": call.is_sandbox, "sign_type": call.sign_type.value},
            content=call.text("request_serial").encode(),
        )
        return await self._agreements.offer(call.caller, draft)

    async def _found(self, call: Call) -> Agreement:
        if call.text("contract_id"):
            return await self._agreements.find(call.caller, contract_no=call.text("contract_id"))
        shape.must("plan_id").check(call.fields)
        shape.check_either(call.fields, "contract_code", "openid")
        if call.text("contract_code"):
            plan, number = call.text("plan_id"), call.text("contract_code")
            return await self._agreements.find(call.caller, plan=plan, number=number)
        person = self._orders.payers.person(call.text("appid"), call.text("openid"))
        if person is None:
            raise Fault(Code.CONTRACT_NOT_EXIST)
        return await self._agreements.of_person(call.caller, call.text("plan_id"), person)


def contract_fields(agreement: Agreement, payers: PayerIds) -> Fields:
    """An agreement as a query tells it."""
    told = agreement.told
    fields = {
        "contract_id": agreement.contract_no,
        "plan_id": agreement.plan,
        "request_serial": told.get("request_serial", ""),
        "contract_code": agreement.number,
        "contract_display_account": agreement.shown,
        "contract_state": "0" if agreement.state == AgreementState.SIGNED else "1",
    }
    if agreement.signed_ns:
        fields["contract_signed_time"] = wire_clock(agreement.signed_ns)
        fields["contract_expired_time"] = "2099-12-31 23:59:59"
        fields["openid"] = payers.openid(told.get("appid", ""), agreement.payer)
    if agreement.ended_ns:
        fields["contract_terminated_time"] = wire_clock(agreement.ended_ns)
        fields["contract_termination_mode"] = _ENDINGS[EndedBy(agreement.ended_by)]
    return fields


def change_fields(agreement: Agreement, payers: PayerIds, *, has_ended: bool) -> Fields:
    """An agreement as its notification tells it: signed, or ended, whatever has become of it meanwhile."""
    told = agreement.told
    fields = {
        "contract_code": agreement.number,
        "plan_id": agreement.plan,
        "openid": payers.openid(told.get("appid", ""), agreement.payer),
        "change_type": "DELETE" if has_ended else "ADD",
        "operate_time": wire_clock(agreement.ended_ns if has_ended else agreement.signed_ns),
        "contract_id": agreement.contract_no,
        "contract_expired_time": "2099-12-31 23:59:59",
        "request_serial": told.get("request_serial", ""),
    }
    if has_ended:
        fields["contract_termination_mode"] = _ENDINGS[EndedBy(agreement.ended_by)]
    return fields
