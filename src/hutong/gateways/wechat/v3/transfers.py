"""Transfers to people: one that its person confirms, and batches that move at once."""

import base64
from functools import partial
from typing import Any

from hutong.gateways.account import Caller
from hutong.gateways.order import Dialect
from hutong.gateways.payer import PayerIds
from hutong.gateways.sharing import Sharing
from hutong.gateways.transfers.reasons import TransferReason
from hutong.gateways.transfers.transfer import (
    BatchDraft,
    PersonTransfer,
    TransferBatch,
    TransferDraft,
    TransferState,
)
from hutong.gateways.wechat.v3 import moment
from hutong.gateways.wechat.v3.endpoint import Call, Endpoint, ok
from hutong.gateways.wechat.v3.errors import Code, Fault
from hutong.gateways.wechat.v3.orders import check_notify_url, words
from hutong.gateways.wechat.v3.parties import check_appid
from hutong.gateways.wechat.v3.sensitive import Sensitive
from hutong.gateways.wechat.v3.shape import read_body, read_query
from hutong.gateways.wechat.v3.transfer_shapes import BATCH, BATCH_QUERY, BILL
from hutong.gateways.wire import WireAnswer

BILLS, BATCHES = "/v3/fund-app/mch-transfer/transfer-bills", "/v3/transfer/batches"
PRODUCT = "transfer"
_NUMBER_START = "133"  # Before an id of ours, in digits: the vendor's numbers of transfers begin so.
_ID_DIGITS = 39
_LIMIT = 20
_STATES = {
    TransferState.ACCEPTED: "ACCEPTED",
    TransferState.WAITING: "WAIT_USER_CONFIRM",
    TransferState.SUCCESS: "SUCCESS",
    TransferState.FAILED: "FAIL",
    TransferState.CANCELLED: "CANCELLED",
}
_DETAIL_STATES = _STATES | {TransferState.ACCEPTED: "PROCESSING"}
_FAIL_REASONS = {
    TransferReason.TRANSFER_NAME_DIFFERS.name: "NAME_NOT_CORRECT",
    TransferReason.TRANSFER_PAYEE_UNKNOWN.name: "OPENID_INVALID",
    TransferReason.TRANSFER_PAYEE_ABNORMAL.name: "PAYEE_ACCOUNT_ABNORMAL",
    TransferReason.TRANSFER_BALANCE_INSUFFICIENT.name: "PAYER_ACCOUNT_ABNORMAL",
    TransferReason.TRANSFER_LAPSED.name: "OVERDUE_CLOSE",
}


class Transfers:
    """Endpoints below `/v3/fund-app/mch-transfer/transfer-bills` and `/v3/transfer/batches`."""

    def __init__(self, sharing: Sharing, payers: PayerIds, sensitive: Sensitive, *, private_urls: bool) -> None:
        self._transfers = sharing.transfers
        self._batches = sharing.batches
        self._payers = payers
        self._sensitive = sensitive
        self._private_urls = private_urls

    def endpoints(self) -> list[Endpoint]:
        found = [
            Endpoint("POST", BILLS, PRODUCT, self._send),
            Endpoint("GET", f"{BILLS}/out-bill-no/{{out_bill_no}}", PRODUCT, self._query),
            Endpoint("GET", f"{BILLS}/transfer-bill-no/{{transfer_bill_no}}", PRODUCT, self._query),
            Endpoint("POST", f"{BILLS}/out-bill-no/{{out_bill_no}}/cancel", PRODUCT, self._cancel),
            Endpoint("POST", BATCHES, PRODUCT, self._accept),
        ]
        for batch, detail in (
            ("out-batch-no/{out_batch_no}", "out-detail-no/{out_detail_no}"),
            ("batch-id/{batch_id}", "detail-id/{detail_id}"),
        ):
            found += [
                Endpoint("GET", f"{BATCHES}/{batch}", PRODUCT, self._batch),
                Endpoint("GET", f"{BATCHES}/{batch}/details/{detail}", PRODUCT, self._detail),
            ]
        return found

    async def _send(self, call: Call) -> WireAnswer:
        body = read_body(BILL, call.signed)
        check_appid(call.account, body["appid"])
        self._check_url(body)
        draft = TransferDraft(
            number=body["out_bill_no"],
            user_id=self._payers.person(body["appid"], body["openid"]) or 0,
            payee=body["openid"],
            amount=body["transfer_amount"],
            dialect=Dialect.WECHATPAY_V3,
            remark=words(body["transfer_remark"]),
            name=self._sensitive.opened(call, "/body/user_name", body.get("user_name")),
            confirmed=True,
            notify_url=body.get("notify_url", ""),
            facts={"appid": body["appid"], "transfer_remark": body["transfer_remark"]},
        )
        sent = await self._transfers.send(_own(call), draft)
        shown: dict[str, Any] = {
            "out_bill_no": sent.number,
            "transfer_bill_no": vendor_number(sent.id),
            "create_time": moment.told(sent.created_ns),
            "state": _STATES[TransferState(sent.state)],
        }
        if sent.state == TransferState.WAITING:
            shown["package_info"] = base64.b64encode(b"hutong transfer " + sent.id.to_bytes(16, "big")).decode()
        return ok(shown | failure(sent))

    async def _query(self, call: Call) -> WireAnswer:
        caller = _own(call)
        if "out_bill_no" in call.path:
            found = await self._transfers.find(caller, call.path["out_bill_no"])
        else:
            found = await self._transfers.find_by_id(caller, own_id(call.path["transfer_bill_no"]))
        return ok(bill_object(found, call.account.row.number) | {"appid": found.told.get("appid", "")} | failure(found))

    async def _cancel(self, call: Call) -> WireAnswer:
        cancelled = await self._transfers.cancel(_own(call), call.path["out_bill_no"])
        return ok(
            {
                "out_bill_no": cancelled.number,
                "transfer_bill_no": vendor_number(cancelled.id),
                "state": _STATES[TransferState(cancelled.state)],
                "update_time": moment.told(cancelled.changed_ns),
            }
        )

    async def _accept(self, call: Call) -> WireAnswer:
        body = read_body(BATCH, call.signed)
        check_appid(call.account, body["appid"])
        self._check_url(body)
        opened = partial(self._sensitive.opened, call)
        details = []
        for number, told in enumerate(body["transfer_detail_list"]):
            pointer = f"/body/transfer_detail_list/{number}"
            opened(f"{pointer}/user_id_card", told.get("user_id_card"))
            details.append(
                TransferDraft(
                    number=told["out_detail_no"],
                    user_id=self._payers.person(body["appid"], told["openid"]) or 0,
                    payee=told["openid"],
                    amount=told["transfer_amount"],
                    dialect=Dialect.WECHATPAY_V3,
                    remark=words(told["transfer_remark"]),
                    name=opened(f"{pointer}/user_name", told.get("user_name")),
                    facts={"transfer_remark": told["transfer_remark"]},
                )
            )
        draft = BatchDraft(
            number=body["out_batch_no"],
            name=words(body["batch_name"]),
            remark=words(body["batch_remark"]),
            total=body["total_amount"],
            count=body["total_num"],
            dialect=Dialect.WECHATPAY_V3,
            details=tuple(details),
            notify_url=body.get("notify_url", ""),
            facts={name: body[name] for name in ("appid", "transfer_scene_id") if body.get(name)},
        )
        batch = await self._batches.accept(_own(call), draft)
        return ok(
            {
                "out_batch_no": batch.number,
                "batch_id": vendor_number(batch.id),
                "create_time": moment.told(batch.created_ns),
                "batch_status": batch.state,
            }
        )

    async def _batch(self, call: Call) -> WireAnswer:
        told = read_query(BATCH_QUERY, call.query)
        batch = await self._found(call)
        details = await self._batches.details(batch)
        shown: dict[str, Any] = {"transfer_batch": batch_object(batch, details, call.account.row.number)}
        if told["need_query_detail"]:
            wanted, offset, limit = told.get("detail_status", "ALL"), told.get("offset", 0), told.get("limit", _LIMIT)
            listed = [
                {"detail_id": vendor_number(each.id), "out_detail_no": each.number, "detail_status": state}
                for each in details
                if wanted in {"ALL", state := _DETAIL_STATES[TransferState(each.state)]}
            ]
            shown |= {"transfer_detail_list": listed[offset : offset + limit], "offset": offset, "limit": limit}
        return ok(shown)

    async def _detail(self, call: Call) -> WireAnswer:
        batch = await self._found(call)
        if "out_detail_no" in call.path:
            detail = await self._batches.detail(_own(call), batch, call.path["out_detail_no"])
        else:
            detail = await self._transfers.find_by_id(_own(call), own_id(call.path["detail_id"]))
        if detail.batch_id != batch.id:
            raise Fault(Code.NOT_FOUND)
        return ok(
            {
                "mchid": call.account.row.number,
                "out_batch_no": batch.number,
                "batch_id": vendor_number(batch.id),
                "appid": batch.told.get("appid", ""),
                "out_detail_no": detail.number,
                "detail_id": vendor_number(detail.id),
                "detail_status": _DETAIL_STATES[TransferState(detail.state)],
                "transfer_amount": detail.amount,
                "transfer_remark": detail.told["transfer_remark"],
                "openid": detail.payee,
                "initiate_time": moment.told(detail.created_ns),
                "update_time": moment.told(detail.changed_ns),
            }
            | failure(detail)
        )

    async def _found(self, call: Call) -> TransferBatch:
        if "out_batch_no" in call.path:
            return await self._batches.find(_own(call), call.path["out_batch_no"])
        return await self._batches.find_by_id(_own(call), own_id(call.path["batch_id"]))

    def _check_url(self, body: dict[str, Any]) -> None:
        if body.get("notify_url"):
            check_notify_url(body["notify_url"], private_allowed=self._private_urls)


def _own(call: Call) -> Caller:
    return Caller(call.account, call.account)


def vendor_number(id_: int) -> str:
    """The vendor's number of a transfer, a batch or a detail."""
    return f"{_NUMBER_START}{id_:0{_ID_DIGITS}d}"


def own_id(number: str) -> int:
    """Our id in a number of ours. Refuses NOT_FOUND."""
    digits = number.removeprefix(_NUMBER_START)
    if len(number) != len(_NUMBER_START) + _ID_DIGITS or not (digits.isascii() and digits.isdecimal()):
        raise Fault(Code.NOT_FOUND)
    id_ = int(digits)
    if id_ >> 128:
        raise Fault(Code.NOT_FOUND)
    return id_


def failure(transfer: PersonTransfer) -> dict[str, str]:
    """Why it failed, if it did."""
    if transfer.state != TransferState.FAILED:
        return {}
    return {"fail_reason": _FAIL_REASONS.get(transfer.reason, "OTHER_FAIL_REASON_TYPE")}


def bill_object(transfer: PersonTransfer, mchid: str) -> dict[str, Any]:
    """A transfer as a query and a notification show it."""
    return {
        "mch_id": mchid,
        "out_bill_no": transfer.number,
        "transfer_bill_no": vendor_number(transfer.id),
        "state": _STATES[TransferState(transfer.state)],
        "transfer_amount": transfer.amount,
        "transfer_remark": transfer.told.get("transfer_remark", transfer.remark),
        "openid": transfer.payee,
        "create_time": moment.told(transfer.created_ns),
        "update_time": moment.told(transfer.changed_ns),
    }


def batch_object(batch: TransferBatch, details: list[PersonTransfer], mchid: str) -> dict[str, Any]:
    """A batch as a query and a notification show it."""
    done = [each.amount for each in details if each.state == TransferState.SUCCESS]
    failed = [each.amount for each in details if each.state in (TransferState.FAILED, TransferState.CANCELLED)]
    return {
        "mchid": mchid,
        "out_batch_no": batch.number,
        "batch_id": vendor_number(batch.id),
        "appid": batch.told.get("appid", ""),
        "batch_status": batch.state,
        "batch_type": "API",
        "batch_name": batch.name,
        "batch_remark": batch.remark,
        "total_amount": batch.total,
        "total_num": batch.count,
        "create_time": moment.told(batch.created_ns),
        "update_time": moment.told(batch.changed_ns),
        "success_amount": sum(done),
        "success_num": len(done),
        "fail_amount": sum(failed),
        "fail_num": len(failed),
    }
