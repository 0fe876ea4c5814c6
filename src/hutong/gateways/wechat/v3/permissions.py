"""
Pay score's permissions (授权服务): a person agrees to a service once, and its orders need no confirmation of their own.

A permission is an agreement with the merchant; what is taken for an order is at most its risk fund, and all of it together
within the agreement's limit a day.
"""

from typing import Any

from hutong.gateways.account import Caller
from hutong.gateways.agreements.agreement import Agreement, AgreementDraft, AgreementState
from hutong.gateways.agreements.agreement_service import AgreementService
from hutong.gateways.agreements.reasons import AgreementReason
from hutong.gateways.order import Dialect
from hutong.gateways.payer import PayerIds
from hutong.gateways.wechat.v3 import moment
from hutong.gateways.wechat.v3.endpoint import Call, Endpoint, no_content, ok
from hutong.gateways.wechat.v3.errors import Code, Fault
from hutong.gateways.wechat.v3.orders import check_notify_url
from hutong.gateways.wechat.v3.parties import check_appid
from hutong.gateways.wechat.v3.payscore_shapes import SERVICE_ID
from hutong.gateways.wechat.v3.shape import Field, Group, Text, read_body, read_query
from hutong.gateways.wire import WireAnswer
from hutong.kernel.errors import Refusal

PATH, PRODUCT = "/v3/payscore/permissions", "payscore"
_PLAN = "payscore-permission/"  # Before the service's id: the kind of agreement.
_WHICH: dict[str, Field] = {"service_id": SERVICE_ID, "appid": Text("应用ID", 32)}
# Who is named by an openid is named together with the application that knows them by it.
_WHOSE = _WHICH | {"appid": Text("应用ID", 32, required=True)}
_APPLY = Group(
    "请求",
    _WHICH
    | {
        "appid": Text("应用ID", 32, required=True),
        "authorization_code": Text("授权协议号", 64, required=True, pattern=r"[0-9A-Za-z_\-|*]+"),
        "notify_url": Text("通知地址", 255),
    },
)
_REASON: dict[str, Field] = {"reason": Text("撤销原因", 50, required=True)}


class Permissions:
    """By the merchant's number of it, or by who gave it."""

    def __init__(self, agreements: AgreementService, payers: PayerIds, *, private_urls: bool) -> None:
        self._agreements = agreements
        self._payers = payers
        self._private_urls = private_urls

    def endpoints(self) -> list[Endpoint]:
        found = [Endpoint("POST", PATH, PRODUCT, self._apply)]
        for one in ("authorization-code/{authorization_code}", "openid/{openid}"):
            found += [
                Endpoint("GET", f"{PATH}/{one}", PRODUCT, self._query),
                Endpoint("POST", f"{PATH}/{one}/terminate", PRODUCT, self._terminate),
            ]
        return found

    async def _apply(self, call: Call) -> WireAnswer:
        body = read_body(_APPLY, call.signed)
        check_appid(call.account, body["appid"])
        if body.get("notify_url"):
            check_notify_url(body["notify_url"], private_allowed=self._private_urls)
        draft = AgreementDraft(
            number=body["authorization_code"],
            dialect=Dialect.WECHATPAY_V3.value,
            plan=f"{_PLAN}{body['service_id']}",
            shown=f"先享后付服务 {body['service_id']}",
            notify_url=body.get("notify_url", ""),
            facts={"appid": body["appid"]},
        )
        agreement = await self._agreements.offer(_own(call), draft)
        return ok({"apply_permissions_token": agreement.creditor})

    async def _query(self, call: Call) -> WireAnswer:
        told = read_query(Group("请求", _fields(call)), call.query)
        agreement = await self._found(call, told)
        shown = permission_object(agreement, call.account.row.number, self._payers)
        shown["authorization_state"] = "AVAILABLE" if agreement.state == AgreementState.SIGNED else "UNAVAILABLE"
        if agreement.signed_ns:
            shown["authorization_success_time"] = moment.told(agreement.signed_ns)
        if agreement.ended_ns:
            shown["cancel_authorization_time"] = moment.told(agreement.ended_ns)
        return ok(shown)

    async def _terminate(self, call: Call) -> WireAnswer:
        body = read_body(Group("请求", _fields(call) | _REASON), call.signed)
        await self._agreements.terminate(_own(call), await self._found(call, body))
        return no_content()

    async def of(self, call: Call, service_id: str, openid: str) -> Agreement:
        """The one in force by which this person's orders need no confirmation. Refuses NO_AUTH."""
        try:
            return await self._given(call, service_id, openid)
        except Refusal as refusal:
            if refusal.reason is not AgreementReason.AGREEMENT_UNKNOWN:
                raise
            raise Fault(Code.NO_AUTH, "用户未授权该服务，不能免确认下单") from None

    async def _found(self, call: Call, told: dict[str, Any]) -> Agreement:
        """Refuses RESOURCE_NOT_EXISTS."""
        check_appid(call.account, told.get("appid", ""))
        if "openid" in call.path:
            return await self._given(call, told["service_id"], call.path["openid"])
        plan, number = f"{_PLAN}{told['service_id']}", call.path["authorization_code"]
        return await self._agreements.find(_own(call), plan=plan, number=number)

    async def _given(self, call: Call, service_id: str, openid: str) -> Agreement:
        """Refuses AGREEMENT_UNKNOWN, for a person of another institution too."""
        for appid in call.account.facts.appids:
            user_id = self._payers.person(appid, openid)
            if user_id is not None:
                return await self._agreements.of_person(_own(call), f"{_PLAN}{service_id}", user_id)
        raise Refusal(AgreementReason.AGREEMENT_UNKNOWN)


def is_permission(agreement: Agreement) -> bool:
    """Whether an agreement is one of these."""
    return agreement.plan.startswith(_PLAN)


def permission_object(agreement: Agreement, mchid: str, payers: PayerIds) -> dict[str, Any]:
    """A permission as queries and notifications begin."""
    appid = agreement.told.get("appid", "")
    shown = {
        "appid": appid,
        "mchid": mchid,
        "service_id": agreement.plan.removeprefix(_PLAN),
        "authorization_code": agreement.number,
    }
    return shown | ({"openid": payers.openid(appid, agreement.payer)} if agreement.payer else {})


def changed(agreement: Agreement, mchid: str, payers: PayerIds, *, has_ended: bool) -> dict[str, Any]:
    """What a notification says of it: given, or taken back."""
    return permission_object(agreement, mchid, payers) | {
        "user_service_status": "USER_CLOSE_SERVICE" if has_ended else "USER_OPEN_SERVICE",
        "openorclose_time": moment.compact(agreement.ended_ns if has_ended else agreement.signed_ns),
    }


def _fields(call: Call) -> dict[str, Field]:
    return _WHOSE if "openid" in call.path else _WHICH


def _own(call: Call) -> Caller:
    return Caller(call.account, call.account)
