"""
Entrusted deduction (委托代扣): offered here, signed by the person in their wallet, and then taken without asking again.

What is taken is an order; how it ended is told, and asked for as of every other order.
"""

from datetime import date
from functools import partial
from typing import Any

from hutong.gateways.account import Caller
from hutong.gateways.agreements.agreement import (
    DAY_MAX_DEFAULT,
    Agreement,
    AgreementDraft,
    AgreementState,
    EndedBy,
)
from hutong.gateways.agreements.agreement_service import AgreementService
from hutong.gateways.agreements.schedule import Schedule
from hutong.gateways.order import Dialect, OrderDraft, Trade
from hutong.gateways.payer import PayerIds
from hutong.gateways.wechat.v3 import moment
from hutong.gateways.wechat.v3.endpoint import Call, Endpoint, no_content, ok
from hutong.gateways.wechat.v3.errors import Code, Fault, param_error
from hutong.gateways.wechat.v3.orders import check_notify_url, content, order_facts, words
from hutong.gateways.wechat.v3.papay_shapes import ANNOUNCED, ENDED, OFFER, OFFER_IN_SCENE, QUERY, SCHEDULE, TAKE
from hutong.gateways.wechat.v3.parties import Parties, check_appid, check_number
from hutong.gateways.wechat.v3.shape import read_body, read_query
from hutong.gateways.wechat.v3.trade_view import parties
from hutong.gateways.wire import WireAnswer

PRODUCT, TRADE_TYPE = "papay", "PAP"
_PLAN = "plan-id/{plan_id}/out-contract-code/{out_contract_code}"
_SCENE = "scene"  # Of what is signed in an app, or by a code: which, the request says.
_EXPIRES = "2099-12-31T23:59:59+08:00"
_STATES = {AgreementState.SIGNED.value: "SIGNED", AgreementState.ENDED.value: "TERMINATED"}
_ENDINGS = {EndedBy.PERSON.value: "USER_TERMINATE", EndedBy.MERCHANT.value: "MCH_API_TERMINATE"}


class Papay:
    """Endpoints below `/v3/papay`, but for insurance."""

    def __init__(self, agreements: AgreementService, names: Parties, payers: PayerIds, *, private_urls: bool) -> None:
        self._agreements = agreements
        self._parties = names
        self._payers = payers
        self._private_urls = private_urls

    def endpoints(self) -> list[Endpoint]:
        found = [
            Endpoint("POST", "/v3/papay/sign/contracts/pre-entrust-sign", PRODUCT, self._place(self._offer, _SCENE)),
            Endpoint("POST", "/v3/papay/contracts/{contract_id}/notify", PRODUCT, self._announce),
        ]
        for is_partner, part in ((False, ""), (True, "partner/")):
            signing = f"/v3/papay/scheduled-deduct-sign/{part}contracts/pre-entrust-sign"
            found += [
                Endpoint("POST", f"{signing}/{kind}", PRODUCT, self._place(self._offer, kind, is_partner=is_partner))
                for kind in ("app", "h5", "jsapi", "mini-program")
            ]
            contract = f"/v3/papay/sign/{part}contracts/{_PLAN}"
            found += [
                Endpoint("GET", contract, PRODUCT, partial(self._query, is_partner=is_partner)),
                Endpoint("POST", f"{contract}/terminate", PRODUCT, partial(self._terminate, is_partner=is_partner)),
                Endpoint(
                    "POST",
                    f"/v3/papay/pay/{part}transactions/apply",
                    PRODUCT,
                    partial(self._take, is_partner=is_partner),
                ),
            ]
            scheduled = f"/v3/papay/pay/{part}schedules/contract-id/{{contract_id}}"
            found += [
                Endpoint("GET", scheduled, PRODUCT, partial(self._look, is_partner=is_partner)),
                Endpoint("POST", f"{scheduled}/schedule", PRODUCT, partial(self._schedule, is_partner=is_partner)),
            ]
        return found

    def _place(self, handler: Any, kind: str, *, is_partner: bool = False) -> Any:
        return partial(handler, kind=kind, is_partner=is_partner)

    async def _offer(self, call: Call, *, kind: str, is_partner: bool) -> WireAnswer:
        body = read_body(OFFER_IN_SCENE if kind == _SCENE else OFFER[is_partner], call.signed)
        caller = await self._caller(call, body, is_partner=is_partner)
        check_notify_url(
            body["contract_notify_url"], private_allowed=self._private_urls, pointer="/body/contract_notify_url"
        )
        schedule = _schedule_of(body, self._agreements.today())
        kept = ("appid", "sp_appid", "sub_appid", "out_user_code", "openid", "return_url")
        facts = {name: body[name] for name in kept if body.get(name)}
        draft = AgreementDraft(
            number=body["out_contract_code"],
            dialect=Dialect.WECHATPAY_V3.value,
            plan=str(body["plan_id"]),
            shown=words(body["contract_display_account"]),
            day_max=DAY_MAX_DEFAULT if schedule is None else schedule.estimated,
            schedule=schedule,
            notify_url=body["contract_notify_url"],
            facts=facts,
            content=b"",
        )
        agreement = await self._agreements.offer(caller, draft)
        link = self._agreements.page_url(agreement)
        led: dict[str, dict[str, str]] = {
            "app": {"pre_entrustweb_id": agreement.creditor},
            "h5": {"redirect_url": link},
            "jsapi": {"redirect_url": link},
            "mini-program": {
                "pre_entrustweb_id": agreement.creditor,
                "redirect_appid": call.account.facts.appids[0],
                "redirect_path": link,
            },
            _SCENE: {"pre_entrustweb_id": agreement.creditor, "redirect_url": link},
        }
        return ok(led[kind])

    async def _query(self, call: Call, *, is_partner: bool) -> WireAnswer:
        told = read_query(QUERY[is_partner], call.query)
        caller = await self._caller(call, told, is_partner=is_partner)
        agreement = await self._found(caller, call)
        return ok(await self._contract(agreement, caller, partner=is_partner))

    async def _terminate(self, call: Call, *, is_partner: bool) -> WireAnswer:
        told = read_body(ENDED[is_partner], call.signed)
        caller = await self._caller(call, told, is_partner=is_partner)
        agreement = await self._found(caller, call)
        ended = await self._agreements.terminate(caller, agreement)
        shown = await self._contract(ended, caller, partner=is_partner)
        shown["contract_terminate_info"]["contract_termination_remark"] = told["contract_termination_remark"]
        return ok(shown)

    async def _announce(self, call: Call) -> WireAnswer:
        """That something will be taken soon. The person's wallet shows what is taken, when it is."""
        body = read_body(ANNOUNCED, call.signed)
        check_number(call, body["mchid"], "/body/mchid")
        check_appid(call.account, body["appid"])
        caller = Caller(call.account, call.account)
        agreement = await self._agreements.find(caller, contract_no=call.path["contract_id"])
        self._agreements.check_in_force(agreement)
        return no_content()

    async def _take(self, call: Call, *, is_partner: bool) -> WireAnswer:
        body = read_body(TAKE[is_partner], call.signed)
        caller = await self._caller(call, body, is_partner=is_partner)
        pointer = "/body/transaction_notify_url"
        check_notify_url(body["transaction_notify_url"], private_allowed=self._private_urls, pointer=pointer)
        agreement = await self._agreements.find(caller, contract_no=body["contract_id"])
        if not agreement.plan.isdecimal():  # A consent to one service is none to this.
            raise Fault(Code.RESOURCE_NOT_EXISTS, "签约协议不存在")
        draft = OrderDraft(
            out_trade_no=body["out_trade_no"],
            amount=body["amount"]["total"],
            product=TRADE_TYPE,
            description=words(body["description"]),
            dialect=Dialect.WECHATPAY_V3,
            notify_url=body["transaction_notify_url"],
            facts=order_facts(body) | {"contract_id": body["contract_id"]},
            content=content("papay", body),
        )
        await self._agreements.deduct(caller, agreement, draft)
        amount = {"total": body["amount"]["total"], "currency": "CNY"}
        return ok({"out_trade_no": body["out_trade_no"], "amount": amount})

    async def _look(self, call: Call, *, is_partner: bool) -> WireAnswer:
        told = read_query(QUERY[is_partner], call.query)
        caller = await self._caller(call, told, is_partner=is_partner)
        return await self._scheduled(await self._agreed(caller, call), caller)

    async def _schedule(self, call: Call, *, is_partner: bool) -> WireAnswer:
        body = read_body(SCHEDULE[is_partner], call.signed)
        caller = await self._caller(call, body, is_partner=is_partner)
        agreement = await self._agreed(caller, call)
        return await self._scheduled(
            await self._agreements.schedule(caller, agreement, body["schedule_amount"]["total"]), caller
        )

    async def _agreed(self, caller: Caller, call: Call) -> Agreement:
        """The agreement of a path that was made for a day. Refuses RESOURCE_NOT_EXISTS for others."""
        agreement = await self._agreements.find(caller, contract_no=call.path["contract_id"])
        if agreement.schedule is None:
            raise Fault(Code.RESOURCE_NOT_EXISTS, "签约协议不存在，或不是预约扣费协议")
        return agreement

    async def _scheduled(self, agreement: Agreement, caller: Caller) -> WireAnswer:
        schedule = agreement.schedule
        assert schedule is not None
        shown = schedule_object(
            schedule, await self._agreements.taken_once(caller, agreement), self._agreements.today()
        )
        if schedule.scheduled_on is not None:
            shown |= {"deduct_start_date": schedule.start.isoformat(), "deduct_end_date": schedule.end.isoformat()}
        return ok(shown)

    async def _contract(self, agreement: Agreement, caller: Caller, *, partner: bool) -> dict[str, Any]:
        """An agreement as it stands, with what became of the day that was agreed to."""
        shown = contract_object(agreement, caller, self._payers, partner=partner)
        if agreement.schedule is not None:
            taken = await self._agreements.taken_once(caller, agreement)
            shown["deduct_schedule"] |= schedule_object(agreement.schedule, taken, self._agreements.today())
        return shown

    async def _caller(self, call: Call, told: dict[str, Any], *, is_partner: bool) -> Caller:
        return await self._parties.of(call, told, partner=is_partner)

    async def _found(self, caller: Caller, call: Call) -> Agreement:
        """The agreement of a path, once it is signed. Refuses as an unknown one does, before."""
        plan, number = call.path["plan_id"], call.path["out_contract_code"]
        agreement = await self._agreements.find(caller, plan=plan, number=number)
        if not agreement.signed_ns:
            raise Fault(Code.RESOURCE_NOT_EXISTS, "签约协议不存在")
        return agreement


def way_back(agreement: Agreement) -> str:
    """Where a browser goes back to behind the signature; nowhere, if that is no page of the web."""
    url: str = agreement.told.get("return_url", "")
    return url if url.startswith(("https://", "http://")) and url.isprintable() else ""


def contract_object(agreement: Agreement, caller: Caller, payers: PayerIds, *, partner: bool) -> dict[str, Any]:
    """An agreement that was signed, as a query and a notification show it."""
    told = agreement.told
    appid, sub_appid = told.get("sp_appid") or told.get("appid", ""), told.get("sub_appid", "")
    shown = parties(caller, appid, sub_appid, partner=partner) | {
        "contract_id": agreement.contract_no,
        "plan_id": int(agreement.plan),
        "out_contract_code": agreement.number,
        "contract_display_account": agreement.shown,
        "contract_state": _STATES[agreement.state],
        "contract_signed_time": moment.told(agreement.signed_ns),
        "contract_expired_time": _EXPIRES,
        "sp_openid" if partner else "openid": payers.openid(appid, agreement.payer),
    }
    if partner and sub_appid:
        shown["sub_openid"] = payers.openid(sub_appid, agreement.payer)
    if told.get("out_user_code"):
        shown["out_user_code"] = told["out_user_code"]
    if agreement.schedule is not None:
        shown["deduct_schedule"] = {
            "estimated_deduct_date": agreement.schedule.estimated_date.isoformat(),
            "estimated_deduct_amount": _money(agreement.schedule.estimated),
            "schedule_state": agreement.schedule.state_at(date.min, is_paid=False).value,
        }
    if agreement.ended_ns:
        shown["contract_terminate_info"] = {
            "contract_termination_mode": _ENDINGS[agreement.ended_by],
            "contract_terminated_time": moment.told(agreement.ended_ns),
        }
    return shown


def schedule_object(schedule: Schedule, taken: Trade | None, today: date) -> dict[str, Any]:
    """What became of the day that was agreed to."""
    is_paid = taken is not None and taken.payment is not None
    shown: dict[str, Any] = {"schedule_state": schedule.state_at(today, is_paid=is_paid).value}
    if schedule.scheduled_on is not None:
        shown["scheduled_amount"] = _money(schedule.scheduled)
    if taken is not None and is_paid:
        shown |= {"deduct_amount": _money(taken.amount), "deduct_date": moment.told(taken.order.paid_ns)[:10]}
    return shown


def _money(total: int) -> dict[str, Any]:
    return {"total": total, "currency": "CNY"}


def _schedule_of(body: dict[str, Any], today: date) -> Schedule | None:
    """Refuses PARAM_ERROR for what is no day, or one that has gone by."""
    told = body.get("deduct_schedule")
    if told is None:
        return None
    pointer = "/body/deduct_schedule/estimated_deduct_date"
    try:
        day = date.fromisoformat(told["estimated_deduct_date"])
    except ValueError:
        day = date.min
    if day < today or told["estimated_deduct_date"] != day.isoformat():
        text = f"输入源“{pointer}”映射到字段“预计扣费日期”格式错误，须为yyyy-MM-DD，且不早于今天"
        raise param_error(pointer, "format", text, told["estimated_deduct_date"])
    amount = told["estimated_deduct_amount"]["total"]
    return Schedule(estimated_date=day, estimated=amount, description=words(told["description"]))
