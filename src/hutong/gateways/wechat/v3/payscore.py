"""Pay score (支付分): a service now, its price afterwards. What beneath it is missing is the score: merchants judge for themselves."""

from datetime import datetime
from typing import Any

import msgspec

from hutong.gateways.account import Caller
from hutong.gateways.agreements.agreement_service import AgreementService
from hutong.gateways.order import Dialect
from hutong.gateways.payer import PayerIds
from hutong.gateways.services.service_order import ServiceDraft, ServiceStanding, ServiceState
from hutong.gateways.services.service_order_service import ServiceOrderService
from hutong.gateways.wechat.v3 import moment
from hutong.gateways.wechat.v3.endpoint import Call, Endpoint, ok
from hutong.gateways.wechat.v3.errors import param_error
from hutong.gateways.wechat.v3.orders import check_notify_url, words
from hutong.gateways.wechat.v3.parties import check_appid
from hutong.gateways.wechat.v3.payscore_shapes import CANCEL, COMPLETE, CREATE, MODIFY, PAY, QUERY, SYNC
from hutong.gateways.wechat.v3.permissions import Permissions
from hutong.gateways.wechat.v3.shape import Group, missing, read_body, read_query
from hutong.gateways.wechat.v3.trade_view import BANK_TYPE
from hutong.gateways.wire import WireAnswer
from hutong.kernel.clock import instant_ns

PATH, PRODUCT = "/v3/payscore/serviceorder", "payscore"
_KEPT = (
    "appid",
    "service_introduction",
    "post_payments",
    "post_discounts",
    "time_range",
    "location",
    "risk_fund",
    "attach",
)
_LATER = ("post_payments", "post_discounts", "time_range", "location")
_PAID_FORMAT = "%Y%m%d%H%M%S"


class Payscore:
    """Service orders that their person confirms."""

    def __init__(
        self,
        services: ServiceOrderService,
        agreements: AgreementService,
        permissions: Permissions,
        payers: PayerIds,
        *,
        private_urls: bool,
    ) -> None:
        self._permissions = permissions
        self._services = services
        self._agreements = agreements
        self._payers = payers
        self._private_urls = private_urls

    def endpoints(self) -> list[Endpoint]:
        one = f"{PATH}/{{out_order_no}}"
        return [
            Endpoint("POST", PATH, PRODUCT, self._create),
            Endpoint("GET", PATH, PRODUCT, self._query),
            Endpoint("POST", f"{one}/complete", PRODUCT, self._complete),
            Endpoint("POST", f"{one}/modify", PRODUCT, self._modify),
            Endpoint("POST", f"{one}/cancel", PRODUCT, self._cancel),
            Endpoint("POST", f"{one}/pay", PRODUCT, self._pay),
            Endpoint("POST", f"{one}/sync", PRODUCT, self._sync),
        ]

    async def _create(self, call: Call) -> WireAnswer:
        body = _read(CREATE, call)
        check_notify_url(body["notify_url"], private_allowed=self._private_urls)
        permission = None
        if body.get("need_user_confirm") is False:
            if not body.get("openid"):
                raise missing("/body/openid", "用户标识")
            permission = await self._permissions.of(call, body["service_id"], body["openid"])
        draft = ServiceDraft(
            service_id=body["service_id"],
            number=body["out_order_no"],
            most=body["risk_fund"]["amount"],
            dialect=Dialect.WECHATPAY_V3.value,
            shown=words(body["service_introduction"]),
            notify_url=body["notify_url"],
            permission=permission,
            facts={name: body[name] for name in _KEPT if name in body},
            content=msgspec.json.encode(body, order="sorted"),
        )
        standing = await self._services.create(_own(call), draft)
        link = self._agreements.link(standing.agreement)
        package = {"package": link} if permission is None else {}
        return ok(_without(self._shown(call, standing), "openid") | package)

    async def _query(self, call: Call) -> WireAnswer:
        told = read_query(QUERY, call.query)
        check_appid(call.account, told["appid"])
        # What a page comes back with is the merchant's number, too: no other is given out.
        number = told.get("out_order_no") or told.get("query_id", "")
        if not number:
            raise missing("/query/out_order_no", "商户服务订单号")
        return ok(self._shown(call, await self._services.find(_own(call), told["service_id"], number)))

    async def _complete(self, call: Call) -> WireAnswer:
        body = _read(COMPLETE, call)
        total = _total(body)
        facts = _later(body) | ({"profit_sharing": True} if body.get("profit_sharing") else {})
        number = call.path["out_order_no"]
        standing = await self._services.complete(_own(call), body["service_id"], number, total, facts)
        return ok(_without(self._shown(call, standing), "attach", "collection", "notify_url", "openid"))

    async def _modify(self, call: Call) -> WireAnswer:
        body = _read(MODIFY, call)
        total, number = _total(body), call.path["out_order_no"]
        standing = await self._services.modify(_own(call), body["service_id"], number, total, _later(body))
        return ok(_without(self._shown(call, standing), "openid"))

    async def _cancel(self, call: Call) -> WireAnswer:
        body = _read(CANCEL, call)
        return ok(_named(call, await self._services.cancel(_own(call), body["service_id"], call.path["out_order_no"])))

    async def _pay(self, call: Call) -> WireAnswer:
        body = _read(PAY, call)
        number = call.path["out_order_no"]
        return ok(_named(call, await self._services.take_again(_own(call), body["service_id"], number)))

    async def _sync(self, call: Call) -> WireAnswer:
        body, number = _read(SYNC, call), call.path["out_order_no"]
        text = body["detail"]["paid_time"]
        try:
            paid_ns = instant_ns(datetime.strptime(text, _PAID_FORMAT).replace(tzinfo=moment.BEIJING))
        except ValueError:
            raise param_error(
                "/body/detail/paid_time", "format", "收款成功时间格式错误，须为yyyyMMddHHmmss", text
            ) from None
        standing = await self._services.settled(_own(call), body["service_id"], number, paid_ns)
        shown = self._shown(call, standing)
        for detail in shown.get("collection", {}).get("details", ()):
            del detail["seq"]  # A query numbers what was collected; this answer does not.
        return ok(shown)

    def _shown(self, call: Call, standing: ServiceStanding) -> dict[str, Any]:
        return service_object(standing, call.account.row.number, self._payers)


def _own(call: Call) -> Caller:
    return Caller(call.account, call.account)


def _read(shape: Group, call: Call) -> dict[str, Any]:
    body = read_body(shape, call.signed)
    check_appid(call.account, body["appid"])
    return body


def _later(body: dict[str, Any]) -> dict[str, Any]:
    return {name: body[name] for name in _LATER if name in body}


def _total(body: dict[str, Any]) -> int:
    """Refuses PARAM_ERROR, unless it is what the lines add up to."""
    payments = sum(line.get("amount", 0) for line in body["post_payments"])
    discounts = sum(line.get("amount", 0) for line in body.get("post_discounts") or ())
    total: int = body["total_amount"]
    if total != payments - discounts:
        text = "输入源“/body/total_amount”映射到数值字段“总金额”规则校验失败，不等于后付费项目之和减去商户优惠之和"
        raise param_error("/body/total_amount", "sum differs", text, total)
    return total


def _without(shown: dict[str, Any], *names: str) -> dict[str, Any]:
    """A service order as an answer shows it that says less of it than a query."""
    return {name: value for name, value in shown.items() if name not in names}


def _named(call: Call, standing: ServiceStanding) -> dict[str, Any]:
    order = standing.order
    return {
        "appid": order.told["appid"],
        "mchid": call.account.row.number,
        "out_order_no": order.number,
        "service_id": order.service_id,
        "order_id": str(order.id),
    }


def state_of(standing: ServiceStanding) -> tuple[str, str]:
    """The vendor's words for how it stands: its state, and what is waited for."""
    match ServiceState(standing.order.state):
        case ServiceState.REVOKED:
            return "REVOKED", ""
        case ServiceState.COMPLETED:
            return ("DONE", "") if standing.is_paid else ("DOING", "MCH_COMPLETE")
        case _ if standing.is_signed:
            return "DOING", "USER_CONFIRM"
        case _:
            return ("EXPIRED", "") if standing.is_lapsed else ("CREATED", "")


def service_object(standing: ServiceStanding, mchid: str, payers: PayerIds) -> dict[str, Any]:
    """A service order as a query and a notification show it."""
    order, told = standing.order, standing.order.told
    state, description = state_of(standing)
    shown = {name: told[name] for name in _KEPT if name in told} | {
        "mchid": mchid,
        "out_order_no": order.number,
        "service_id": order.service_id,
        "order_id": str(order.id),
        "state": state,
        "notify_url": order.notify_url,
    }
    if description:
        shown["state_description"] = description
    if standing.agreement.payer:
        shown["openid"] = payers.openid(told["appid"], standing.agreement.payer)
    if order.state == ServiceState.COMPLETED:
        shown |= {"total_amount": order.total, "need_collection": bool(order.total)}
        if order.total:
            shown["collection"] = _collection(standing)
    return shown


def _collection(standing: ServiceStanding) -> dict[str, Any]:
    order, trade = standing.order, standing.trade
    if not standing.is_paid:
        return {"state": "USER_PAYING", "total_amount": order.total, "paying_amount": order.total, "paid_amount": 0}
    detail: dict[str, Any] = {"seq": 1, "amount": order.total, "paid_type": "MCH"}
    if trade is not None and standing.is_taken:
        paid_ns = trade.order.paid_ns
        detail |= {"paid_type": "NEWTON", "transaction_id": trade.order.trade_no}
    else:
        paid_ns = order.settled_ns
    detail["paid_time"] = moment.compact(paid_ns)
    shown = {"state": "USER_PAID", "total_amount": order.total, "paying_amount": 0, "paid_amount": order.total}
    return shown | {"details": [detail], "bank_type": BANK_TYPE}
