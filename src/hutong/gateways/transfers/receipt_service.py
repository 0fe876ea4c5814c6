"""Receipts of what merchants sent to people: of what arrived, and as the ledger has it."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from hutong.gateways.account import Caller
from hutong.gateways.transfers.batch_service import BatchService
from hutong.gateways.transfers.reasons import TransferReason
from hutong.gateways.transfers.receipt import Receipt, receipt_pdf
from hutong.gateways.transfers.transfer import PersonTransfer, TransferBatch, TransferState, money_id
from hutong.institution.node import InstitutionNode
from hutong.kernel.clock import instant
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text
from hutong.kernel.money import format_amount
from hutong.runtime.shelf import warmed

_ZONE = ZoneInfo("Asia/Shanghai")
_TIME = "%Y-%m-%d %H:%M:%S"


class ReceiptService:
    """Documents are drawn beside the loop."""

    def __init__(self, institution: InstitutionNode, batches: BatchService, name: str) -> None:
        self._journal = institution.node.journal
        self._ledger = institution.ledger
        self._currency = institution.chart.currency
        self._merchants = institution.merchants
        self._people = institution.people
        self._pool = institution.pool
        self._batches = batches
        self._name = name

    async def of_transfer(self, caller: Caller, transfer: PersonTransfer, number: str) -> bytes:
        """The receipt of one transfer; `number` is the vendor's. Refuses RECEIPT_NOT_READY before its money has arrived."""
        (moved,) = await self._moved([transfer])
        facts = (
            *await self._head(caller, number, transfer.number),
            ("收款人", "Payee", await self._payee(transfer)),
            ("收款账号", "Payee's account", transfer.payee),
            ("转账金额", "Amount", self._money(moved)),
            ("转账备注", "Remark", transfer.remark),
            ("发起时间", "Asked at", _time(transfer.created_ns)),
            ("到账时间", "Received at", _time(transfer.changed_ns)),
            ("账务流水号", "Ledger transfer", id_text("txn", money_id(transfer.id))),
        )
        receipt = Receipt(title=("转账电子回单", "Receipt of a transfer"), facts=facts, at=instant(transfer.changed_ns))
        return await self._pool.run(lambda: receipt_pdf(receipt))

    def check(self, transfer: PersonTransfer) -> None:
        """Refuses RECEIPT_NOT_READY."""
        if transfer.state != TransferState.SUCCESS:
            raise Refusal(TransferReason.RECEIPT_NOT_READY)

    async def of_batch(self, caller: Caller, batch: TransferBatch, number: str) -> bytes:
        """The receipt of a batch: all of it that arrived. Refuses RECEIPT_NOT_READY before the batch is over."""
        details = await self._batches.details(batch)
        arrived = [each for each in details if each.state == TransferState.SUCCESS]
        if any(not each.is_ended for each in details) or not arrived:
            raise Refusal(TransferReason.RECEIPT_NOT_READY)
        amounts = await self._moved(arrived)
        facts = (
            *await self._head(caller, number, batch.number),
            ("批次名称", "Name", batch.name),
            ("成功笔数", "Transfers", str(len(arrived))),
            ("成功金额", "Amount", self._money(sum(amounts))),
        )
        lines = tuple(
            (each.number, each.payee, self._money(amount), _time(each.changed_ns))
            for each, amount in zip(arrived, amounts, strict=True)
        )
        receipt = Receipt(
            title=("批量转账电子回单", "Receipt of a batch"),
            facts=facts,
            heads=(("明细单号", "Number"), ("收款账号", "Account"), ("金额", "Amount"), ("到账时间", "Received at")),
            lines=lines,
            at=instant(max(each.changed_ns for each in arrived)),
        )
        return await self._pool.run(lambda: receipt_pdf(receipt))

    async def _moved(self, transfers: Sequence[PersonTransfer]) -> list[int]:
        """What the ledger moved for each. Refuses RECEIPT_NOT_READY."""
        for each in transfers:
            self.check(each)
        moved = await self._ledger.lookup_transfers([money_id(each.id) for each in transfers])
        assert len(moved) == len(transfers), "what arrived is on the ledger"
        return [each.amount for each in moved]

    async def _head(self, caller: Caller, number: str, own_number: str) -> list[tuple[str, str, str]]:
        merchant = await warmed(self._journal, lambda: self._merchants.merchant(caller.key.merchant_id))
        return [
            ("出具机构", "Issued by", self._name),
            ("电子回单号", "Number", number),
            ("商户单号", "Merchant's number", own_number),
            ("付款商户", "Payer", merchant.legal_name),
            ("商户号", "Payer's account", caller.payee.row.number),
        ]

    async def _payee(self, transfer: PersonTransfer) -> str:
        """As strangers see the name."""
        user = await warmed(self._journal, lambda: self._people.user(transfer.user_id))
        return user.masked_name

    def _money(self, amount: int) -> str:
        return f"{self._currency.alpha} {format_amount(amount, self._currency)}"


def _time(ns: int) -> str:
    return instant(ns).astimezone(_ZONE).strftime(_TIME)
