"""
Batches of transfers: taken on whole, and moved a piece at a time.

A batch and its details are written down in one decision; the node's timer then moves some of them at a time, so that a batch
of a thousand never holds up payments. A detail that fails fails alone.
"""

from functools import partial

import msgspec
from msgspec.structs import replace

from hutong.gateways.account import Caller
from hutong.gateways.notification import News
from hutong.gateways.notification_service import NotificationService
from hutong.gateways.transfers.reasons import TransferReason
from hutong.gateways.transfers.transfer import (
    BATCHES,
    REMARK_LENGTH_MAX,
    BatchDraft,
    BatchState,
    PersonTransfer,
    TransferBatch,
    TransferState,
    batch_number_key,
    transfer_number_key,
)
from hutong.gateways.transfers.transfer_service import TransferService
from hutong.kernel.errors import Refusal
from hutong.kernel.text import check_text
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf, decided, warmed

DETAILS_MAX = 1_000
PIECE = 50  # Details moved at each turn of the timer.
NAME_LENGTH_MAX = 32
_OPEN_WITHIN = 1_000_000  # Positions: what a restart looks through for batches that are not finished.


class BatchService:
    """Scoped as transfers are."""

    def __init__(self, node: NodeRuntime, transfers: TransferService, notifications: NotificationService) -> None:
        self._node = node
        self._journal = node.journal
        self._transfers = transfers
        self._notifications = notifications
        self.batches = Shelf(BATCHES, node.journal, node.store, by=("number_key",), timed=True)
        self._open: dict[int, None] = {}

    async def start(self) -> None:
        await self.batches.start()

    async def resume(self) -> None:
        """After a restart, behind the transfers: go on with what is not finished."""
        for batch in await self.batches.load_since(max(0, self._journal.position - _OPEN_WITHIN)):
            if batch.state != BatchState.FINISHED:
                self._open[batch.id] = None

    async def accept(self, caller: Caller, draft: BatchDraft) -> TransferBatch:
        """
        Take on a batch: its details move soon.

        Refuses:  ROLE_MAY_NOT; SHOP_NOT_YOURS; the text refusals; BATCH_TOO_BIG, BATCH_SUMS_DIFFER, BATCH_NUMBER_TWICE; what
                  `TransferLimits.check` refuses of a detail; BATCH_DIFFERS; TRANSFER_DAILY_LIMIT_EXCEEDED;
                  TRANSFER_BALANCE_INSUFFICIENT for all of it. A person who is nobody here is a detail that fails.
        Repeats:  the batch as it is.
        """
        self._transfers.check_caller(caller)
        self._check(draft)
        key = batch_number_key(caller.key.merchant_id, caller.door, draft.number)

        def known() -> TransferBatch | None:
            for batch in self.batches.find("number_key", key):
                if batch.content != draft.digest:
                    raise Refusal(TransferReason.BATCH_DIFFERS, number=draft.number)
                return batch
            return None

        if await warmed(self._journal, known) is None:
            await self._transfers.check_balance(caller, draft.total)

        def accept() -> TransferBatch:
            return known() or self._written(caller, draft, key)

        return await decided(self._journal, accept)

    async def find(self, caller: Caller, number: str) -> TransferBatch:
        """A batch by its number. Refuses BATCH_UNKNOWN, for another's just so."""

        def find() -> TransferBatch:
            for batch in self.batches.find("number_key", batch_number_key(caller.key.merchant_id, caller.door, number)):
                return batch
            raise Refusal(TransferReason.BATCH_UNKNOWN, number=number)

        return await decided(self._journal, find)

    async def find_by_id(self, caller: Caller, id_: int) -> TransferBatch:
        """The same by our own id."""

        def find() -> TransferBatch:
            batch = self.batches.get(id_)
            if batch is None or batch.merchant_id != caller.key.merchant_id:
                raise Refusal(TransferReason.BATCH_UNKNOWN)
            return batch

        return await decided(self._journal, find)

    async def details(self, batch: TransferBatch) -> list[PersonTransfer]:
        """All of a batch's, in their order."""
        return await decided(self._journal, lambda: self._details(batch.id))

    async def detail(self, caller: Caller, batch: TransferBatch, number: str) -> PersonTransfer:
        """One of a batch's, by its number. Refuses TRANSFER_UNKNOWN."""
        return await decided(self._journal, lambda: self._transfers.found(caller, number, batch.id))

    def tick(self) -> None:
        """Move some more of each batch; a batch that moves no more is finished."""
        self._node.decide_each(partial(self._go_on, batch_id) for batch_id in list(self._open))

    # Within a decision.

    def _check(self, draft: BatchDraft) -> None:
        check_text("batch_name", draft.name, length_max=NAME_LENGTH_MAX)
        check_text("batch_remark", draft.remark, length_max=REMARK_LENGTH_MAX)
        if not 0 < len(draft.details) <= DETAILS_MAX:
            raise Refusal(TransferReason.BATCH_TOO_BIG, field="transfer_detail_list", details_max=DETAILS_MAX)
        for field, told, real in (
            ("total_num", draft.count, len(draft.details)),
            ("total_amount", draft.total, sum(each.amount for each in draft.details)),
        ):
            if told != real:
                raise Refusal(TransferReason.BATCH_SUMS_DIFFER, field=field, told=told, real=real)
        if len({each.number for each in draft.details}) != len(draft.details):
            raise Refusal(TransferReason.BATCH_NUMBER_TWICE, field="out_detail_no")
        for each in draft.details:
            self._transfers.check_draft(each)

    def _written(self, caller: Caller, draft: BatchDraft, key: int) -> TransferBatch:
        merchant_id, now_ns = caller.key.merchant_id, self._node.clock.now_ns()
        wrong = [self._transfers.what_is_wrong(each.user_id, each.name) for each in draft.details]
        daily = self._transfers.daily_max(caller.account.row.id, self._transfers.limits.daily)
        left = daily - self._transfers.sent_on(self._transfers.day_key(merchant_id))
        if draft.total > left:
            raise Refusal(TransferReason.TRANSFER_DAILY_LIMIT_EXCEEDED, left=left)
        batch = TransferBatch(
            id=self._node.mint.mint(),
            merchant_id=merchant_id,
            account_id=caller.account.row.id,
            dialect=draft.dialect.value,
            number=draft.number,
            number_key=key,
            name=draft.name,
            remark=draft.remark,
            total=draft.total,
            count=draft.count,
            content=draft.digest,
            state=BatchState.ACCEPTED.value,
            notify_url=draft.notify_url,
            facts=msgspec.json.encode(draft.facts),
            created_ns=now_ns,
            changed_ns=now_ns,
        )
        self.batches.put(batch)
        for detail, why in zip(draft.details, wrong, strict=True):
            number_key = transfer_number_key(merchant_id, caller.door, detail.number, batch.id)
            self._transfers.written(caller, detail, number_key, why, batch_id=batch.id)
        self._open[batch.id] = None
        return batch

    def _details(self, batch_id: int) -> list[PersonTransfer]:
        return self._transfers.transfers.find("batch_id", batch_id)

    def _go_on(self, batch_id: int) -> None:
        batch = self.batches.get(batch_id)
        details = self._details(batch_id)
        if batch is None or batch.state == BatchState.FINISHED:
            self._open.pop(batch_id, None)
            return
        accepted = [each for each in details if each.state == TransferState.ACCEPTED]
        if accepted:
            if batch.state == BatchState.ACCEPTED:
                self._put(batch, BatchState.PROCESSING)
            for each in accepted[:PIECE]:
                self._transfers.move(each)
        elif all(each.is_ended for each in details):
            self._open.pop(batch_id, None)
            self._put(batch, BatchState.FINISHED)
            if batch.notify_url:
                self._notifications.add(
                    batch.account_id, batch.dialect, News.TRANSFER_BATCH, batch.id, batch.notify_url
                )

    def _put(self, batch: TransferBatch, state: BatchState) -> None:
        self.batches.put(replace(batch, state=state.value, changed_ns=self._node.clock.now_ns()))
