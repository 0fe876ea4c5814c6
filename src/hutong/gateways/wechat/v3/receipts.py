"""
Receipts (电子回单): of a transfer, of a detail of a batch, of a batch; asked for, which gives an address and a hash, then downloaded.

One is there as soon as its money is, so who asks for it hears FINISHED at once, and need not have applied before.
"""

import hashlib
from functools import partial
from typing import Any

from hutong.gateways.account import Caller
from hutong.gateways.sharing import Sharing
from hutong.gateways.transfers.reasons import TransferReason
from hutong.gateways.transfers.receipt_service import ReceiptService
from hutong.gateways.transfers.transfer import PersonTransfer, TransferBatch
from hutong.gateways.wechat.v3 import moment
from hutong.gateways.wechat.v3.bills import BillKind, Bills
from hutong.gateways.wechat.v3.endpoint import Call, Endpoint, ok
from hutong.gateways.wechat.v3.errors import Code, Fault
from hutong.gateways.wechat.v3.shape import Field, Group, Text, missing, read_body, read_query
from hutong.gateways.wechat.v3.transfers import own_id, vendor_number
from hutong.gateways.wire import WireAnswer
from hutong.kernel.errors import Refusal

PRODUCT = "transfer receipts"
_ELECSIGN = "/v3/fund-app/mch-transfer/elecsign"
_BATCH, _DETAIL = "/v3/transfer/bill-receipt", "/v3/transfer-detail/electronic-receipts"
_NUMBERS = {"out-bill-no": "out_bill_no", "transfer-bill-no": "transfer_bill_no"}
_HASH = "SHA256"
_OF_DETAIL: dict[str, Field] = {
    "accept_type": Text(
        "受理类型", 32, required=True, one_of=("BATCH_TRANSFER", "TRANSFER_TO_POCKET", "TRANSFER_TO_BANK")
    ),
    "out_batch_no": Text("商家批次单号", 32),
    "out_detail_no": Text("商家明细单号", 32, required=True),
}


class Receipts:
    """Of the caller's own transfers."""

    def __init__(self, sharing: Sharing, receipts: ReceiptService, bills: Bills) -> None:
        self._transfers = sharing.transfers
        self._batches = sharing.batches
        self._receipts = receipts
        self._bills = bills
        bills.receipt = self.file

    def endpoints(self) -> list[Endpoint]:
        found = []
        for place, name in _NUMBERS.items():
            path = f"{_ELECSIGN}/{place}"
            found += [
                Endpoint("POST", path, PRODUCT, partial(self._apply, name=name)),
                Endpoint("GET", f"{path}/{{{name}}}", PRODUCT, self._query),
            ]
        return [
            *found,
            Endpoint("POST", _BATCH, PRODUCT, self._apply_batch),
            Endpoint("GET", f"{_BATCH}/{{out_batch_no}}", PRODUCT, self._query_batch),
            Endpoint("POST", _DETAIL, PRODUCT, self._apply_detail),
            Endpoint("GET", _DETAIL, PRODUCT, self._query_detail),
        ]

    async def _apply(self, call: Call, *, name: str) -> WireAnswer:
        body = read_body(Group("请求", {name: Text("单号", 64, required=True)}), call.signed)
        transfer = await self._found(call, name, body[name])
        self._receipts.check(transfer)
        return ok({"state": "FINISHED", "create_time": moment.told(transfer.changed_ns)})

    async def _query(self, call: Call) -> WireAnswer:
        ((name, number),) = call.path.items()
        transfer = await self._found(call, name, number)
        at = moment.told(transfer.changed_ns)
        shown = {"state": "FINISHED", "create_time": at, "update_time": at}
        return ok(shown | await self._offered(call, f"{transfer.id:032x}"))

    async def _apply_detail(self, call: Call) -> WireAnswer:
        return await self._told_of_detail(call, read_body(Group("请求", _OF_DETAIL), call.signed))

    async def _query_detail(self, call: Call) -> WireAnswer:
        return await self._told_of_detail(call, read_query(Group("请求", _OF_DETAIL), call.query))

    async def _told_of_detail(self, call: Call, told: dict[str, Any]) -> WireAnswer:
        if told["accept_type"] != "BATCH_TRANSFER":
            raise Fault(Code.NO_AUTH)
        if not told.get("out_batch_no"):
            raise missing("/body/out_batch_no" if call.signed else "/query/out_batch_no", "商家批次单号")
        batch = await self._batch(call, told["out_batch_no"])
        detail = await self._batches.detail(_own(call), batch, told["out_detail_no"])
        shown = {name: told[name] for name in _OF_DETAIL} | {"signature_no": vendor_number(detail.id)}
        return ok(shown | {"signature_status": "FINISHED"} | await self._offered(call, f"{detail.id:032x}"))

    async def _apply_batch(self, call: Call) -> WireAnswer:
        body = read_body(Group("请求", {"out_batch_no": Text("商家批次单号", 32, required=True)}), call.signed)
        return await self._told_of_batch(call, body["out_batch_no"])

    async def _query_batch(self, call: Call) -> WireAnswer:
        return await self._told_of_batch(call, call.path["out_batch_no"])

    async def _told_of_batch(self, call: Call, out_batch_no: str) -> WireAnswer:
        batch = await self._batch(call, out_batch_no)
        at = moment.told(batch.changed_ns)
        shown = {
            "out_batch_no": out_batch_no,
            "signature_no": vendor_number(batch.id),
            "signature_status": "FINISHED",
            "create_time": at,
            "update_time": at,
        }
        return ok(shown | await self._offered(call, f"{_BATCH}{batch.id:032x}"))

    async def _offered(self, call: Call, what: str) -> dict[str, str]:
        """The hash of a document, and where it is."""
        caller = _own(call)
        content = await self.file(caller, what)
        ticket = self._bills.ticket(caller, BillKind.RECEIPT, what)
        return {
            "hash_type": _HASH,
            "hash_value": hashlib.sha256(content).hexdigest(),
            "download_url": self._bills.address(call.request, ticket),
        }

    async def file(self, caller: Caller, what: str) -> bytes:
        """The document that an address leads to."""
        id_ = int(what.removeprefix(_BATCH), 16)
        if what.startswith(_BATCH):
            batch = await self._batches.find_by_id(caller, id_)
            return await self._receipts.of_batch(caller, batch, vendor_number(id_))
        transfer = await self._transfers.find_by_id(caller, id_)
        return await self._receipts.of_transfer(caller, transfer, vendor_number(id_))

    async def _found(self, call: Call, name: str, number: str) -> PersonTransfer:
        """Refuses RESOURCE_NOT_EXISTS."""
        try:
            if name == "out_bill_no":
                return await self._transfers.find(_own(call), number)
            return await self._transfers.find_by_id(_own(call), own_id(number))
        except Refusal as refusal:
            if refusal.reason is TransferReason.TRANSFER_UNKNOWN:
                raise Fault(Code.RESOURCE_NOT_EXISTS, "转账单不存在") from None
            raise

    async def _batch(self, call: Call, number: str) -> TransferBatch:
        """Refuses RESOURCE_NOT_EXISTS."""
        try:
            return await self._batches.find(_own(call), number)
        except Refusal as refusal:
            if refusal.reason is TransferReason.BATCH_UNKNOWN:
                raise Fault(Code.RESOURCE_NOT_EXISTS, "批次单不存在") from None
            raise


def _own(call: Call) -> Caller:
    return Caller(call.account, call.account)
