"""
Complaints as the vendor's first version has them: `/v3/merchant-service/complaints`, by the payment's number, and feedback.

The same complaints as in `complaints`. Nothing is frozen for one here, so of the states that are about frozen money none is told.
"""

from typing import Any

from hutong.gateways.account import Caller
from hutong.gateways.complaints.complaint_service import ComplaintsService, File
from hutong.gateways.wechat.v3 import moment
from hutong.gateways.wechat.v3.bills import origin
from hutong.gateways.wechat.v3.complaint_shapes import FEEDBACK, OLDER_LIST
from hutong.gateways.wechat.v3.complaints import PRODUCT, answered, days_of, encrypted, page_of, span_of
from hutong.gateways.wechat.v3.endpoint import Call, Endpoint, no_content, ok
from hutong.gateways.wechat.v3.parties import Parties
from hutong.gateways.wechat.v3.shape import read_body, read_query
from hutong.gateways.wechat.v3.uploads import IMAGES
from hutong.gateways.wire import WireAnswer
from hutong.institution.complaints.complaint import Complaint
from hutong.institution.complaints.reasons import ComplaintReason
from hutong.institution.complaints.turn import Turn
from hutong.kernel.errors import Refusal
from hutong.kernel.money import Currency, format_amount
from hutong.scheme.complaint import ComplaintAct, ComplaintParty, ComplaintStatus

_BEFORE = "/v3/merchant-service"
_LIMIT, _LIMIT_MAX = 10, 50
_EVER_NS = 2**62
_USERS = {
    ComplaintParty.PAYER.value: "投诉人",
    ComplaintParty.PAYEE.value: "商家",
    ComplaintParty.AGENT.value: "平台",
}
_SPOKEN = {
    ComplaintParty.PAYER.value: "USER_RESPONSE",
    ComplaintParty.PAYEE.value: "MERCHANT_RESPONSE",
    ComplaintParty.AGENT.value: "RESPONSE_BY_PLATFORM",
}
_DONE = {
    ComplaintAct.OPEN.value: "USER_CREATE_COMPLAINT",
    ComplaintAct.CONTINUE.value: "USER_CONTINUE_COMPLAINT",
    ComplaintAct.WITHDRAW.value: "USER_REVOKE_COMPLAINT",
    ComplaintAct.CONFIRM.value: "USER_CONFIRM_COMPLAINT",
    ComplaintAct.COMPLETE.value: "MERCHANT_LAUNCH_CONFIRM_PROCESS",
    ComplaintAct.REFUND.value: "SELLER_REFUND",
}


class OlderComplaints:
    """Four endpoints; who does not name a merchant is shown all that it may act for."""

    def __init__(self, names: Parties, complaints: ComplaintsService) -> None:
        self._parties = names
        self._complaints = complaints

    def endpoints(self) -> list[Endpoint]:
        all_ = f"{_BEFORE}/complaints"
        one = f"{all_}/{{transaction_id}}"
        return [
            Endpoint("GET", all_, PRODUCT, self._list),
            Endpoint("GET", one, PRODUCT, self._show),
            Endpoint("GET", f"{one}/negotiation-historys", PRODUCT, self._history),
            Endpoint("POST", f"{_BEFORE}/feedbacks", PRODUCT, self._feed_back),
        ]

    async def _list(self, call: Call) -> WireAnswer:
        told = read_query(OLDER_LIST, call.query)
        limit, offset = page_of(told, _LIMIT, _LIMIT_MAX)
        found = await self._found(call, told.get("sub_mchid", ""), *span_of(*days_of(told)))
        shown = found[offset : offset + limit]
        files = await self._complaints.files([complaint for _, complaint in shown])
        data = [_shown(call, caller, file) for (caller, _), file in zip(shown, files, strict=True)]
        return ok({"data": data, "limit": limit, "offset": offset, "total_count": len(found)})

    async def _show(self, call: Call) -> WireAnswer:
        caller, file = await self._of_payment(call, call.path["transaction_id"])
        return ok(_shown(call, caller, file) | {"complaint_handle_state": _handled(file.complaint)})

    async def _history(self, call: Call) -> WireAnswer:
        _, file = await self._of_payment(call, call.path["transaction_id"])
        return ok({"complaint_negotiation_history": [self._turn(call, file, turn) for turn in file.turns]})

    async def _feed_back(self, call: Call) -> WireAnswer:
        """An answer; with `launch_confirm_process` the merchant has done what it will do."""
        body = read_body(FEEDBACK, call.signed)
        caller, file = await self._of_payment(call, body["transaction_id"], body["complainted_mchid"])
        name, pictures = f"{file.complaint.id:032x}", body.get("feedback_images", ())
        text = body["feedback_content"]
        await answered(self._complaints.answer(caller, name, ComplaintAct.SAY, text, pictures=pictures))
        if body.get("launch_confirm_process"):
            await self._complaints.answer(caller, name, ComplaintAct.COMPLETE)
        return no_content()

    async def _found(self, call: Call, mchid: str, begin_ns: int, end_ns: int) -> list[tuple[Caller, Complaint]]:
        if not mchid:
            return await self._complaints.of_all(call.account, begin_ns, end_ns)
        caller = await self._parties.for_whom(call, mchid)
        return [(caller, each) for each in self._complaints.of_merchant(caller, begin_ns, end_ns)]

    async def _of_payment(self, call: Call, transaction_id: str, mchid: str = "") -> tuple[Caller, File]:
        """The newest complaint of a payment. Refuses RESOURCE_NOT_EXISTS."""
        for caller, complaint in await self._found(call, mchid, 0, _EVER_NS):
            (file,) = await self._complaints.files([complaint])  # One by one: most are asked for soon after they came.
            if file.trade_no == transaction_id:
                return caller, file
        raise Refusal(ComplaintReason.COMPLAINT_UNKNOWN)

    def _turn(self, call: Call, file: File, turn: Turn) -> dict[str, Any]:
        details = turn.text
        if turn.act == ComplaintAct.REFUND.value:
            details = f"商户已退款{format_amount(turn.amount, Currency.CNY)}元"
        return {
            "operate_user": _USERS[turn.by],
            "operate_time": moment.told(turn.at_ns),
            "operate_type": _DONE.get(turn.act) or _SPOKEN[turn.by],
            "operate_details": details,
            "image_list": [f"{origin(call.request)}{IMAGES}/{each}" for each in self._complaints.shown(file, [turn])],
        }


def _shown(call: Call, caller: Caller, file: File) -> dict[str, Any]:
    complaint = file.complaint
    shown: dict[str, Any] = {
        "transaction_id": file.trade_no,
        "out_trade_no": file.out_trade_no,
        "complaint_time": moment.told(complaint.created_ns),
        "amount": complaint.paid,
        "complaint_detail": file.text,
        "complaint_state": _state(complaint),
    }
    if complaint.contact:
        shown["payer_phone"] = encrypted(call, complaint.contact)
    if caller.payee.row.number != call.account.row.number:
        shown["sub_mchid"] = caller.payee.row.number
    return shown


def _state(complaint: Complaint) -> str:
    if complaint.ended == ComplaintAct.WITHDRAW.value:
        return "PAYER_CANCELED"
    return "MERCHANT_REFUNDED" if complaint.is_fully_refunded else "PAYER_COMPLAINTED"


def _handled(complaint: Complaint) -> str:
    if complaint.is_open and complaint.waiting:
        return "WAIT_MERCHANT_RESPONSE"
    return "PROCESSED" if complaint.state == ComplaintStatus.PROCESSED.value else "PROCESSING"
