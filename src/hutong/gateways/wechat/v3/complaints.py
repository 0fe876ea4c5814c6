"""
Complaints (消费者投诉): `/v3/merchant-service/complaints-v2`, and where the merchant is told of them.

A service provider may name in `complainted_mchid` for whom it acts. Unless it does it is shown the complaints of every merchant that
lets it act, and it is called back for all of them.
"""

from collections.abc import Awaitable, Sequence
from datetime import date, timedelta
from typing import Any

from hutong.gateways import keys
from hutong.gateways.account import Caller
from hutong.gateways.complaints.complaint_service import ComplaintsService, File, name_of
from hutong.gateways.payer import PayerIds
from hutong.gateways.wechat.v3 import authorization, cipher, moment
from hutong.gateways.wechat.v3.bills import origin
from hutong.gateways.wechat.v3.complaint_shapes import (
    COMPLETE,
    HISTORY,
    IMMEDIATE,
    LIST,
    NOTIFICATION,
    REFUND_PROGRESS,
    RESPONSE,
)
from hutong.gateways.wechat.v3.endpoint import Call, Endpoint, no_content, ok
from hutong.gateways.wechat.v3.errors import Code, Fault, param_error
from hutong.gateways.wechat.v3.orders import check_notify_url
from hutong.gateways.wechat.v3.parties import Parties
from hutong.gateways.wechat.v3.shape import missing, read_body, read_query
from hutong.gateways.wechat.v3.uploads import IMAGES
from hutong.gateways.wire import WireAnswer
from hutong.institution.complaints.complaint import Complaint
from hutong.institution.complaints.reasons import ComplaintReason
from hutong.institution.complaints.turn import Turn
from hutong.kernel.errors import Refusal
from hutong.kernel.money import Currency, format_amount
from hutong.scheme.complaint import ComplaintAct, ComplaintKind, ComplaintParty, ComplaintStatus

PRODUCT = "complaints"
_BEFORE = "/v3/merchant-service"
_DAYS_MAX = 30  # Of one list.
_LIMIT, _LIMIT_MAX = 10, 50
_HISTORY_LIMIT, _HISTORY_LIMIT_MAX = 100, 300
_STATES = {
    ComplaintStatus.PENDING.value: "PENDING",
    ComplaintStatus.PROCESSING.value: "PROCESSING",
    ComplaintStatus.PROCESSED.value: "PROCESSED",
}
_KINDS = {
    ComplaintKind.REFUND.value: ("REFUND", "申请退款"),
    ComplaintKind.SERVICE.value: ("SERVICE_NOT_WORK", "服务权益未生效"),
    ComplaintKind.OTHER.value: ("OTHERS", "其他类型"),
}
_SPOKEN = {
    ComplaintParty.PAYER.value: ("USER_RESPONSE", "USER_RESPONSE"),
    ComplaintParty.PAYEE.value: ("MERCHANT_RESPONSE", "MERCHANT_RESPONSE"),
    ComplaintParty.AGENT.value: ("PLATFORM_RESPONSE", "RESPONSE_BY_PLATFORM"),
}
# What was done: in the history, and as it is called back.
_DONE = {
    ComplaintAct.OPEN.value: ("USER_CREATE_COMPLAINT", "CREATE_COMPLAINT"),
    ComplaintAct.CONTINUE.value: ("USER_CONTINUE_COMPLAINT", "CONTINUE_COMPLAINT"),
    ComplaintAct.WITHDRAW.value: ("USER_REVOKE_COMPLAINT", "USER_REVOKE_COMPLAINT"),
    ComplaintAct.CONFIRM.value: ("USER_COMFIRM_COMPLAINT", "USER_COMFIRM_COMPLAINT"),  # As the vendor spells it.
    ComplaintAct.COMPLETE.value: ("MERCHANT_CONFIRM_COMPLETE", "MERCHANT_CONFIRM_COMPLETE"),
    ComplaintAct.APPROVE.value: ("MERCHANT_APPROVE_REFUND", "MERCHANT_APPROVE_REFUND"),
    ComplaintAct.REFUSE.value: ("MERCHANT_REFUSE_RERUND", "MERCHANT_REJECT_REFUND"),  # As the vendor spells it.
    ComplaintAct.REFUND.value: ("COMPLAINT_PARTIAL_REFUNDED_SYSTEM_MESSAGE", "SELLER_REFUND"),
}
_WHOLE = "COMPLAINT_FULL_REFUNDED_SYSTEM_MESSAGE"
_OPERATORS = {
    ComplaintParty.PAYER.value: "投诉人",
    ComplaintParty.PAYEE.value: "商家",
    ComplaintParty.AGENT.value: "平台",
}


class Complaints:
    """Endpoints below `/v3/merchant-service`, but for pictures and for the first version."""

    def __init__(self, names: Parties, complaints: ComplaintsService, payers: PayerIds) -> None:
        self._parties = names
        self._complaints = complaints
        self._payers = payers

    def endpoints(self) -> list[Endpoint]:
        all_, told = f"{_BEFORE}/complaints-v2", f"{_BEFORE}/complaint-notifications"
        one = f"{all_}/{{complaint_id}}"
        return [
            Endpoint("GET", all_, PRODUCT, self._list),
            Endpoint("GET", one, PRODUCT, self._show),
            Endpoint("GET", f"{one}/negotiation-historys", PRODUCT, self._history),
            Endpoint("POST", f"{one}/response", PRODUCT, self._respond),
            Endpoint("POST", f"{one}/response-immediate-service", PRODUCT, self._respond_at_once),
            Endpoint("POST", f"{one}/complete", PRODUCT, self._complete),
            Endpoint("POST", f"{one}/update-refund-progress", PRODUCT, self._refund_progress),
            Endpoint("POST", told, PRODUCT, self._watch),
            Endpoint("GET", told, PRODUCT, self._watched),
            Endpoint("PUT", told, PRODUCT, self._watch_elsewhere),
            Endpoint("DELETE", told, PRODUCT, self._watch_no_more),
        ]

    async def _list(self, call: Call) -> WireAnswer:
        told = read_query(LIST, call.query)
        begin, end = days_of(told)
        limit, offset = page_of(told, _LIMIT, _LIMIT_MAX)
        found = await self._found(call, told.get("complainted_mchid", ""), *span_of(begin, end))
        shown = found[offset : offset + limit]
        files = await self._complaints.files([complaint for _, complaint in shown])
        data = [self._shown(call, caller, file) for (caller, _), file in zip(shown, files, strict=True)]
        return ok({"data": data, "limit": limit, "offset": offset, "total_count": len(found)})

    async def _found(self, call: Call, mchid: str, begin_ns: int, end_ns: int) -> list[tuple[Caller, Complaint]]:
        """Of one merchant, if one is named; else of the caller's own, and of all that it may act for."""
        if not mchid:
            return await self._complaints.of_all(call.account, begin_ns, end_ns)
        caller = await self._parties.for_whom(call, mchid)
        return [(caller, each) for each in self._complaints.of_merchant(caller, begin_ns, end_ns)]

    async def _show(self, call: Call) -> WireAnswer:
        caller, file = await self._file(call)
        shown = self._shown(call, caller, file)
        order = file.order
        if order is not None and order.payer and order.told.get("appid"):
            shown["payer_openid"] = self._payers.openid(order.told["appid"], order.payer)
        return ok(shown)

    async def _history(self, call: Call) -> WireAnswer:
        limit, offset = page_of(read_query(HISTORY, call.query), _HISTORY_LIMIT, _HISTORY_LIMIT_MAX)
        _, file = await self._file(call)
        data = [self._turn(call, file, turn) for turn in file.turns[offset : offset + limit]]
        return ok({"data": data, "limit": limit, "offset": offset, "total_count": len(file.turns)})

    async def _respond(self, call: Call) -> WireAnswer:
        body = read_body(RESPONSE, call.signed)
        text = body["response_content"]
        if body.get("jump_url"):
            text = f"{text}\n{body.get('jump_url_text', '')} {body['jump_url']}".replace("\n ", "\n")
        await self._answer(call, body, ComplaintAct.SAY, text, pictures=body.get("response_images", ()))
        return no_content()

    async def _respond_at_once(self, call: Call) -> WireAnswer:
        body = read_body(IMMEDIATE, call.signed)
        blocks = body["message"]["blocks"]
        text = "\n".join(needed(blocks, at, "text")["text"] for at in _of_type(blocks, "TEXT"))
        pictures = [needed(blocks, at, "image")["media_id"] for at in _of_type(blocks, "IMAGE")]
        turn = await self._answer(call, body, ComplaintAct.SAY, text, body["idempotent_id"], pictures)
        return ok({"log_id": _log_id(turn)})

    async def _complete(self, call: Call) -> WireAnswer:
        await self._answer(call, read_body(COMPLETE, call.signed), ComplaintAct.COMPLETE)
        return no_content()

    async def _refund_progress(self, call: Call) -> WireAnswer:
        body = read_body(REFUND_PROGRESS, call.signed)
        if body["action"] == "REJECT":
            if not body.get("reject_reason"):
                raise missing("/body/reject_reason", "拒绝退款原因")
            said = [body["reject_reason"], body.get("remark", "")]
            pictures = body.get("reject_media_list", ())
            await self._answer(call, body, ComplaintAct.REFUSE, "\n".join(filter(None, said)), pictures=pictures)
        else:
            days = body.get("launch_refund_day")
            said = ["" if days is None else f"预计{days}天内发起退款", body.get("remark", "")]
            await self._answer(call, body, ComplaintAct.APPROVE, "\n".join(filter(None, said)))
        return no_content()

    async def _watch(self, call: Call) -> WireAnswer:
        url = self._url(call)
        if self._complaints.url(call.account) not in ("", url):
            raise Fault(Code.INVALID_REQUEST, "投诉通知回调地址已存在，请使用更新接口")
        return await self._watching(call, url)

    async def _watch_elsewhere(self, call: Call) -> WireAnswer:
        url = self._url(call)
        self._known(call)
        return await self._watching(call, url)

    async def _watched(self, call: Call) -> WireAnswer:
        return ok({"mchid": call.account.row.number, "url": self._known(call)})

    async def _watch_no_more(self, call: Call) -> WireAnswer:
        self._known(call)
        await self._complaints.watch(call.account.authority, call.account, "")
        return no_content()

    async def _watching(self, call: Call, url: str) -> WireAnswer:
        await self._complaints.watch(call.account.authority, call.account, url)
        return ok({"mchid": call.account.row.number, "url": url})

    def _url(self, call: Call) -> str:
        url: str = read_body(NOTIFICATION, call.signed)["url"]
        check_notify_url(url, private_allowed=self._complaints.private_urls)
        return url

    def _known(self, call: Call) -> str:
        """Refuses RESOURCE_NOT_EXISTS."""
        url = self._complaints.url(call.account)
        if not url:
            raise Fault(Code.RESOURCE_NOT_EXISTS, "未设置投诉通知回调地址")
        return url

    async def _answer(  # What one may say, spelled out.
        self,
        call: Call,
        body: dict[str, Any],
        act: ComplaintAct,
        text: str = "",
        number: str = "",
        pictures: Sequence[str] = (),
    ) -> Turn:
        name, mchid = call.path["complaint_id"], body.get("complainted_mchid", "")
        caller = await (self._parties.for_whom(call, mchid) if mchid else self._complaints.acting(call.account, name))
        return await answered(self._complaints.answer(caller, name, act, text, number=number, pictures=pictures))

    async def _file(self, call: Call) -> tuple[Caller, File]:
        name = call.path["complaint_id"]
        caller = await self._complaints.acting(call.account, name)
        return caller, await self._complaints.find(caller, name)

    def _shown(self, call: Call, caller: Caller, file: File) -> dict[str, Any]:
        """A complaint, as lists and the query show it."""
        complaint = file.complaint
        kind, described = _KINDS[complaint.kind]
        shown: dict[str, Any] = {
            "complaint_id": name_of(complaint),
            "complaint_time": moment.told(complaint.created_ns),
            "complaint_detail": file.text,
            "complaint_state": _STATES[complaint.state],
            "complainted_mchid": caller.payee.row.number,
            "complaint_order_info": [
                {
                    "transaction_id": file.trade_no,
                    "out_trade_no": file.out_trade_no,
                    "amount": complaint.paid,
                }
            ],
            "complaint_full_refunded": complaint.is_fully_refunded,
            "incoming_user_response": complaint.waiting,
            "problem_description": described,
            "user_complaint_times": complaint.times,
            "problem_type": kind,
            "in_platform_service": bool(complaint.owner),
            "need_immediate_service": False,
            "is_agent_mode": False,
        }
        if complaint.asked:
            shown["apply_refund_amount"] = complaint.asked
        if complaint.contact:
            shown["payer_phone"] = encrypted(call, complaint.contact)
        pictures = self._links(call, file, file.turns[:1])
        if pictures:
            shown["complaint_media_list"] = [{"media_type": "USER_COMPLAINT_IMAGE", "media_url": pictures}]
        return shown

    def _turn(self, call: Call, file: File, turn: Turn) -> dict[str, Any]:
        shown, pictures = _turn_object(file, turn), self._links(call, file, [turn])
        if pictures:
            by_payer = turn.by == ComplaintParty.PAYER.value
            kind = "USER_COMPLAINT_IMAGE" if by_payer else "OPERATION_IMAGE"
            shown |= {"image_list": pictures, "complaint_media_list": {"media_type": kind, "media_url": pictures}}
        return shown

    def _links(self, call: Call, file: File, turns: list[Turn]) -> list[str]:
        """Where pictures can be fetched, with a signature, by whoever may see the complaint."""
        return [f"{origin(call.request)}{IMAGES}/{each}" for each in self._complaints.shown(file, turns)]


def news_object(complaint: Complaint, turn: Turn) -> tuple[str, str, dict[str, Any]]:
    """A turn as it is called back: the event, its summary, and the resource."""
    _, action = _words_of(turn)
    is_new = turn.act == ComplaintAct.OPEN.value
    event, summary = ("CREATE", "产生新投诉") if is_new else ("STATE_CHANGE", "投诉单状态变化")
    return f"COMPLAINT.{event}", summary, {"complaint_id": name_of(complaint), "action_type": action}


def _turn_object(file: File, turn: Turn) -> dict[str, Any]:
    kind, _ = _words_of(turn)
    details = turn.text
    if turn.act == ComplaintAct.REFUND.value:
        details = f"商户已退款{format_amount(turn.amount, Currency.CNY)}元"
        if file.refunded_by(turn) >= file.complaint.paid:
            kind = _WHOLE
    shown: dict[str, Any] = {
        "log_id": _log_id(turn),
        "operator": _OPERATORS[turn.by],
        "operate_time": moment.told(turn.at_ns),
        "operate_type": kind,
        "operate_details": details,
    }
    return shown


def _words_of(turn: Turn) -> tuple[str, str]:
    return _SPOKEN[turn.by] if turn.act == ComplaintAct.SAY.value else _DONE[turn.act]


def _log_id(turn: Turn) -> str:
    return f"{turn.id:032x}"


def encrypted(call: Call, text: str) -> str:
    """For the merchant alone: to the key by which it signed this request."""
    claimed = authorization.parse(call.request.headers["authorization"], call.request.path)
    key = call.account.key(claimed.serial_no)
    assert key is not None, "the envelope has checked who signed"
    return cipher.encrypt_field(keys.public_key(key.pem), text)


def _day(text: str, pointer: str) -> date:
    """Refuses PARAM_ERROR."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise param_error(pointer, "format", f"输入源“{pointer}”映射到字段“日期”格式错误", text) from None


def _ns(day: date) -> int:
    found = moment.read(f"{day.isoformat()}T00:00:00+08:00")
    assert found is not None
    return found


def days_of(told: dict[str, Any]) -> tuple[date, date]:
    """The first and the last day of a list. Refuses PARAM_ERROR."""
    begin, end = (_day(told[name], f"/query/{name}") for name in ("begin_date", "end_date"))
    if not begin <= end or end - begin > timedelta(days=_DAYS_MAX):
        raise param_error("/query/end_date", "out of range", f"查询时间跨度不能超过{_DAYS_MAX}天", told["end_date"])
    return begin, end


def span_of(begin: date, end: date) -> tuple[int, int]:
    """From the beginning of one day to the end of another."""
    return _ns(begin), _ns(end + timedelta(days=1))


def _of_type(blocks: Sequence[dict[str, Any]], kind: str) -> list[int]:
    return [at for at, block in enumerate(blocks) if block["type"] == kind]


def needed(blocks: Sequence[dict[str, Any]], at: int, name: str) -> Any:
    """Refuses PARAM_ERROR, for a block that is not what it says."""
    if name not in blocks[at]:
        raise missing(f"/body/message/blocks/{at}/{name}", "消息块内容")
    return blocks[at][name]


async def answered(answer: Awaitable[Turn]) -> Turn:
    """Refuses PARAM_ERROR for a picture that nobody uploaded, or too long ago."""
    try:
        return await answer
    except Refusal as refusal:
        if refusal.reason is not ComplaintReason.PICTURE_UNKNOWN:
            raise
        raise param_error("/body/response_images", "media unknown", "媒体文件标识不存在或已过期", "") from None


def page_of(told: dict[str, Any], usual: int, most: int) -> tuple[int, int]:
    """Refuses PARAM_ERROR."""
    limit, offset = int(told.get("limit") or usual), int(told.get("offset") or 0)
    if not 1 <= limit <= most:
        raise param_error("/query/limit", "out of range", f"分页大小须在1到{most}之间", str(limit))
    return limit, offset
