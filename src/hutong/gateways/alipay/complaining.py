"""
Complaints: `alipay.merchant.tradecomplain.*`, and the newer `alipay.security.risk.complaint.*`, of the same complaints.

Where a merchant finishes with its feedback, it has answered and completed: the payer may be content, or go on.
"""

import hashlib
import json
from pathlib import PurePosixPath
from typing import Any

from hutong.gateways.account import AlipayAccount
from hutong.gateways.account_service import AccountService
from hutong.gateways.alipay.beijing import beijing_ns, beijing_text
from hutong.gateways.alipay.call import Call, Endpoint, Reply
from hutong.gateways.alipay.charset import UTF8
from hutong.gateways.alipay.errors import AlipayError
from hutong.gateways.alipay.fields import Fields
from hutong.gateways.alipay.postman import Told
from hutong.gateways.alipay.trade import yuan
from hutong.gateways.complaints.complaint_service import ComplaintsService, File, name_of
from hutong.gateways.notification import GatewayNotification
from hutong.institution.complaints.complaint import Complaint
from hutong.institution.complaints.turn import TEXT_LENGTH_MAX, Turn
from hutong.scheme.complaint import ComplaintAct, ComplaintKind, ComplaintParty, ComplaintStatus

INVALID = "INVALID_PARAMETER"
CHANGED = "alipay.merchant.tradecomplain.changed"
_PAGE, _PAGE_MAX = 20, 100
_IDS_MAX = 20
_EVER_NS = 2**62
_KINDS = {
    ComplaintKind.REFUND.value: "申请退款",
    ComplaintKind.SERVICE.value: "未提供商品或服务",
    ComplaintKind.OTHER.value: "其他",
}
_STATUSES = ("MERCHANT_PROCESSING", "MERCHANT_FEEDBACKED", "FINISHED", "CANCELLED")
_ENDED = {
    ComplaintAct.COMPLETE.value: "MERCHANT_FEEDBACKED",
    ComplaintAct.CONFIRM.value: "FINISHED",
    ComplaintAct.WITHDRAW.value: "CANCELLED",
}
_REPLIERS = {
    ComplaintParty.PAYER.value: ("USER", "用户"),
    ComplaintParty.PAYEE.value: ("MERCHANT", "商家"),
    ComplaintParty.AGENT.value: ("SYSTEM", "平台"),
}
_DONE = {
    ComplaintAct.CONTINUE.value: "用户继续投诉",
    ComplaintAct.WITHDRAW.value: "用户撤销投诉",
    ComplaintAct.CONFIRM.value: "用户确认解决",
    ComplaintAct.COMPLETE.value: "商家处理完成",
    ComplaintAct.APPROVE.value: "商家同意退款",
    ComplaintAct.REFUSE.value: "商家拒绝退款",
}
_RISK_STATUSES = {
    "WAIT_PROCESS": "待处理",
    "PROCESSING": "处理中",
    "OVERDUE": "逾期未处理",
    "PROCESSED": "已处理",
    "DROP_COMPLAIN": "用户已撤诉",
}


class Complaining:
    """Both families of methods."""

    def __init__(self, accounts: AccountService, complaints: ComplaintsService) -> None:
        self._accounts = accounts
        self._complaints = complaints

    def endpoints(self) -> list[Endpoint]:
        trade, risk = "alipay.merchant.tradecomplain", "alipay.security.risk.complaint"
        told: dict[str, Any] = {"product": "complaints", "invalid": INVALID}
        return [
            Endpoint(method=f"{trade}.batchquery", handler=self.page, **told),
            Endpoint(method=f"{trade}.query", handler=self.query, **told),
            Endpoint(method=f"{trade}.feedback.submit", handler=self.feed_back, flat=True, **told),
            Endpoint(method=f"{trade}.reply.submit", handler=self.reply, **told),
            Endpoint(method=f"{trade}.supplement.submit", handler=self.supplement, **told),
            Endpoint(method=f"{risk}.file.upload", handler=self.upload, flat=True, **told),
            Endpoint(method=f"{risk}.info.batchquery", handler=self.risk_page, **told),
            Endpoint(method=f"{risk}.info.query", handler=self.risk_query, **told),
            Endpoint(method=f"{risk}.reply.send", handler=self.risk_reply, **told),
            Endpoint(method=f"{risk}.process.finish", handler=self.risk_finish, **told),
        ]

    # alipay.merchant.tradecomplain.

    async def page(self, call: Call) -> Reply:
        """Complaints of a time, newest first."""
        fields = call.fields
        status = fields.choice("status", _STATUSES)
        found = self._between(call, fields, "begin_time", "end_time")
        found = [each for each in found if status in ("", _status(each))]
        files, number, size = await self._files(found, fields, "page_num")
        return Reply(
            {
                "page_num": number,
                "page_size": size,
                "total_page_num": -(-len(found) // size),
                "total_num": len(found),
                "trade_complain_infos": [self._event(call, file) for file in files],
            }
        )

    async def query(self, call: Call) -> Reply:
        """One, with what was said behind the first word."""
        file = await self._complaints.find(call.caller, call.fields.text("complain_event_id", 64, required=True))
        replies = [self._reply(call, file, turn) for turn in file.turns[1:]]
        return Reply(
            self._event(call, file) | {"trade_amount": yuan(file.complaint.paid), "reply_detail_infos": replies}
        )

    async def feed_back(self, call: Call) -> Reply:
        """The merchant has done what it will do, and says what."""
        fields = call.fields
        name = fields.text("complain_event_id", 64, required=True)
        fields.text("feedback_code", 32, required=True)
        text = fields.text("feedback_content", TEXT_LENGTH_MAX, required=True)
        await self._finish(call, name, text, _names(fields, "feedback_images"))
        return Reply({})

    async def reply(self, call: Call) -> Reply:
        """Answer the payer."""
        return await self._say(call, call.fields.text("complain_event_id", 64, required=True), "reply")

    async def supplement(self, call: Call) -> Reply:
        """Say more."""
        return await self._say(call, call.fields.text("complain_event_id", 64, required=True), "supplement")

    # alipay.security.risk.complaint.

    async def risk_page(self, call: Call) -> Reply:
        """Complaints of a time, newest first, as the newer product tells them."""
        fields = call.fields
        statuses, task, trade_no = fields.texts("status_list"), fields.text("task_id", 64), fields.text("trade_no", 64)
        tasks = [*fields.texts("task_id_list"), *([task] if task else [])]
        found = self._between(call, fields, "gmt_complaint_start", "gmt_complaint_end")
        found = [each for each in found if not statuses or _risk_status(each, call.now_ns) in statuses]
        found = [each for each in found if not tasks or name_of(each) in tasks]
        if trade_no:
            every = await self._complaints.files(found)
            found = [file.complaint for file in every if file.trade_no == trade_no]
        files, number, size = await self._files(found, fields, "current_page_num")
        return Reply(
            {
                "current_page": number,
                "page_size": size,
                "total_size": len(found),
                "complaint_list": [self._risk(call, file) for file in files],
            }
        )

    async def risk_query(self, call: Call) -> Reply:
        """One, by its number or its name."""
        file = await self._complaints.find(call.caller, self._named(call, call.fields, "complain_id"))
        theirs = (turn for turn in file.turns if turn.by != ComplaintParty.PAYEE.value)
        certified = self._complaints.links_to(call.origin, file, theirs)
        return Reply(self._risk(call, file) | ({"certify_info": certified} if certified else {}))

    async def risk_reply(self, call: Call) -> Reply:
        """Answer the payer."""
        return await self._say(call, self._named(call, call.fields, "complaint_id"), "reply")

    async def upload(self, call: Call) -> Reply:
        """A picture, to be said within a day: its key, and a link to look at it for an hour."""
        sent = call.files.get("file_content")
        if sent is None:
            raise call.fields.invalid("file_content", "不能为空")
        key = await self._complaints.give(call.account, sent.content)
        said = sent.name.encode("latin-1", "replace").decode(call.codec, "replace")  # As it was kept: byte for byte.
        name = PurePosixPath(said.replace("\\", "/")).name
        return Reply({"file_key": key, "file_name": name[:64], "file_url": self._complaints.link_to(call.origin, key)})

    async def risk_finish(self, call: Call) -> Reply:
        """The merchant has done what it will do."""
        fields = call.fields
        fields.text("process_code", 64, required=True)
        text = fields.text("reply_content", TEXT_LENGTH_MAX) or fields.text("remark", TEXT_LENGTH_MAX, required=True)
        ids = fields.values.get("id_list")
        if not isinstance(ids, list) or not 0 < len(ids) <= _IDS_MAX:
            raise fields.invalid("id_list", "格式不正确")
        for each in ids:
            name = self._named(call, Fields({"id_list": each}, INVALID), "id_list")
            await self._finish(call, name, text, _keys(fields))
        return Reply({"complaint_process_success": True})

    # Called back.

    def changed(self, notification: GatewayNotification) -> Told:
        """A turn of a complaint: which one it is, and the rest is to be asked for. May raise `Cold`."""
        complaint, _ = self._complaints.turn_of(notification.subject_id)
        account = self._accounts.account(notification.account_id)
        assert isinstance(account, AlipayAccount)
        values = {
            "app_id": account.row.number,
            "msg_method": CHANGED,
            "biz_content": json.dumps({"complain_event_id": name_of(complaint)}, separators=(",", ":")),
            "version": "1.1",
            "charset": UTF8,
        }
        return Told(values)

    # What they share.

    async def _say(self, call: Call, name: str, what: str) -> Reply:
        text = call.fields.text(f"{what}_content", TEXT_LENGTH_MAX, required=True)
        pictures = _names(call.fields, f"{what}_images")
        await self._complaints.answer(call.caller, name, ComplaintAct.SAY, text, pictures=pictures)
        return Reply({})

    async def _finish(self, call: Call, name: str, text: str, pictures: list[str]) -> None:
        """Repeats: as it was done; who lost the answer asks again."""
        file = await self._complaints.find(call.caller, name)
        if file.turns[-1].act == ComplaintAct.COMPLETE.value:
            return
        await self._complaints.answer(call.caller, name, ComplaintAct.SAY, text, pictures=pictures)
        await self._complaints.answer(call.caller, name, ComplaintAct.COMPLETE)

    def _between(self, call: Call, fields: Fields, begin: str, end: str) -> list[Complaint]:
        begin_ns, end_ns = _moment(fields, begin, 0), _moment(fields, end, _EVER_NS)
        return self._complaints.of_merchant(call.caller, begin_ns, end_ns)

    async def _files(self, found: list[Complaint], fields: Fields, page: str) -> tuple[list[File], int, int]:
        number, size = _whole(fields, page, 1, 10**6), _whole(fields, "page_size", _PAGE, _PAGE_MAX)
        return await self._complaints.files(found[(number - 1) * size : number * size]), number, size

    def _named(self, call: Call, fields: Fields, field: str) -> str:
        """The complaint that goes by this number. Refuses COMPLAINT_NOT_EXIST."""
        number = fields.text(field, 64, required=True)
        for each in self._complaints.of_merchant(call.caller, 0, _EVER_NS):
            if number in (str(_number(each)), name_of(each)):
                return name_of(each)
        raise AlipayError("COMPLAINT_NOT_EXIST", said="投诉单不存在")

    def _event(self, call: Call, file: File) -> dict[str, Any]:
        images = self._complaints.links_to(call.origin, file, file.turns[:1])
        return _event(call, file) | ({"images": images} if images else {})

    def _reply(self, call: Call, file: File, turn: Turn) -> dict[str, Any]:
        images = self._complaints.links_to(call.origin, file, [turn])
        return _reply(call, turn) | ({"images": images} if images else {})

    def _risk(self, call: Call, file: File) -> dict[str, Any]:
        ours = (turn for turn in file.turns if turn.by == ComplaintParty.PAYEE.value)
        images = self._complaints.links_to(call.origin, file, ours)
        return _risk(call, file) | ({"process_img_url_list": images} if images else {})


def _status(complaint: Complaint) -> str:
    return "MERCHANT_PROCESSING" if complaint.is_open else _ENDED[complaint.ended]


def _risk_status(complaint: Complaint, now_ns: int) -> str:
    if complaint.ended == ComplaintAct.WITHDRAW.value:
        return "DROP_COMPLAIN"
    if not complaint.is_open:
        return "PROCESSED"
    if complaint.is_overdue(now_ns):
        return "OVERDUE"
    return "WAIT_PROCESS" if complaint.state == ComplaintStatus.PENDING.value else "PROCESSING"


def _number(complaint: Complaint) -> int:
    """A number that fits where clients expect a long: found again among the merchant's own."""
    digest = hashlib.blake2b(complaint.id.to_bytes(16, "big"), digest_size=7, person=b"complaint number").digest()
    return int.from_bytes(digest, "big")


def _event(call: Call, file: File) -> dict[str, Any]:
    complaint = file.complaint
    shown = {
        "complain_event_id": name_of(complaint),
        "status": _status(complaint),
        "trade_no": file.trade_no,
        "merchant_order_no": file.out_trade_no,
        "gmt_create": beijing_text(complaint.created_ns),
        "gmt_modified": beijing_text(complaint.changed_ns),
        "leaf_category_name": _KINDS[complaint.kind],
        "complain_reason": _KINDS[complaint.kind],
        "content": file.text,
        "target_id": call.payee.facts.seller_id,
        "target_type": "PID",
    }
    if complaint.ended_ns:
        shown["gmt_finished"] = beijing_text(complaint.ended_ns)
    if complaint.contact:
        shown["phone_no"] = complaint.contact
    return shown


def _reply(call: Call, turn: Turn) -> dict[str, Any]:
    role, who = _REPLIERS[turn.by]
    if turn.by == ComplaintParty.PAYEE.value:
        who = call.payee.row.name
    text = turn.text or _DONE.get(turn.act, "")
    if turn.act == ComplaintAct.REFUND.value:
        text = f"商家已退款{yuan(turn.amount)}元"
    return {"replier_name": who, "replier_role": role, "gmt_create": beijing_text(turn.at_ns), "content": text}


def _risk(call: Call, file: File) -> dict[str, Any]:
    complaint, order = file.complaint, file.order
    status = _risk_status(complaint, call.now_ns)
    trade_no = file.trade_no
    said = [turn.text for turn in file.turns if turn.by == ComplaintParty.PAYEE.value and turn.text]
    shown: dict[str, Any] = {
        "id": _number(complaint),
        "task_id": name_of(complaint),
        "opposite_pid": call.payee.facts.seller_id,
        "opposite_name": call.payee.row.name,
        "trade_no": trade_no,
        "complain_content": file.text,
        "complain_amount": yuan(complaint.asked or complaint.paid),
        "gmt_complain": beijing_text(complaint.created_ns),
        "status": status,
        "status_description": _RISK_STATUSES[status],
        "complaint_trade_info_list": [
            {
                "id": _number(complaint),
                "complaint_record_id": _number(complaint),
                "trade_no": trade_no,
                "out_no": file.out_trade_no,
                "gmt_trade": beijing_text(order.paid_ns if order is not None else file.request.created_ns),
                "amount": yuan(complaint.paid),
                "status": status,
                "status_description": _RISK_STATUSES[status],
            }
        ],
    }
    if complaint.contact:
        shown["contact"] = complaint.contact
    if complaint.answer_by_ns:
        shown["gmt_overdue"] = beijing_text(complaint.answer_by_ns)
    if complaint.ended_ns:
        shown["gmt_process"] = beijing_text(complaint.ended_ns)
    if said:
        shown["process_message"] = said[-1]
    return shown


def _names(fields: Fields, name: str) -> list[str]:
    """Keys of pictures, as the vendor has them: one text, with commas."""
    return [each.strip() for each in fields.text(name, 1024).split(",") if each.strip()]


def _keys(fields: Fields) -> list[str]:
    """Keys of pictures, each with its link. Refuses INVALID_PARAMETER."""
    listed = fields.values.get("img_file_list") or []
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise fields.invalid("img_file_list", "格式不正确")
    return [Fields(each, INVALID).text("img_url_key", 256, required=True) for each in listed]


def _moment(fields: Fields, name: str, default: int) -> int:
    """Refuses INVALID_PARAMETER."""
    text = fields.text(name, 32)
    ns = beijing_ns(text) if text else default
    if ns is None:
        raise fields.invalid(name, "格式不正确")
    return ns


def _whole(fields: Fields, name: str, default: int, most: int) -> int:
    """Refuses INVALID_PARAMETER."""
    text = fields.text(name, 9)
    if text and not (text.isascii() and text.isdecimal()):
        raise fields.invalid(name, "格式不正确")
    number = int(text) if text else default
    if not 1 <= number <= most:
        raise fields.invalid(name, "超出取值范围")
    return number
