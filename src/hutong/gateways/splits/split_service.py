"""
Splitting what an order brought.

PROCESSING (the row, and the transfers asked for in the same decision) -> FINISHED (the ledger's answer). A crash between
the two is mended by asking for the same transfers again.
"""

from collections.abc import Callable, Sequence
from functools import partial

import msgspec
import structlog
from msgspec.structs import replace

from hutong.gateways.account import Caller
from hutong.gateways.ports import Notices
from hutong.gateways.splits.hold import Hold, HoldState
from hutong.gateways.splits.hold_service import FROZEN_DAYS_MAX, HoldService
from hutong.gateways.splits.reasons import SplitReason
from hutong.gateways.splits.receiver_service import ReceiverService
from hutong.gateways.splits.split import (
    SPLITS,
    Part,
    PartDraft,
    PartState,
    Split,
    SplitDraft,
    SplitState,
    part_id,
    rest_id,
    split_number_key,
)
from hutong.institution import chart
from hutong.institution.merchants.staff_key import Right
from hutong.institution.payments.payment import Payment, Why
from hutong.institution.payments.receipt import Receipt
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text
from hutong.kernel.money import Currency
from hutong.ledger import sharing_recipes
from hutong.ledger.engine import LedgerEngine
from hutong.ledger.transfer import TRANSFER_DONE, Transfer, TransferStatus
from hutong.runtime.daily import DueDays
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import UNFINISHED_WITHIN, Shelf, decided, warmed

log = structlog.get_logger()
RATIO_BPS_MAX = 3000  # What of an order may go to others, where nothing else was agreed.
_DAYS_AGAIN = 2  # Of those before the node was last seen alive: what came due then may not have been unfrozen.


class SplitService:
    """Scoped to the merchant that is paid, at the door its software comes through (invariant 8)."""

    def __init__(
        self,
        node: NodeRuntime,
        ledger: LedgerEngine,
        currency: Currency,
        holds: HoldService,
        receivers: ReceiverService,
        notices: Notices,
        *,
        ratio_bps_max: int = RATIO_BPS_MAX,
    ) -> None:
        self._node = node
        self._journal = node.journal
        self._ledger = ledger
        self._currency = currency
        self._holds = holds
        self._receivers = receivers
        self._notices = notices
        self.ratio_bps_max = ratio_bps_max
        self.splits = Shelf(SPLITS, node.journal, node.store, by=("order_id", "number_key"), timed=True)
        self.on_shared: Callable[[Split, int], None] = lambda _split, _number: None
        self._moving: set[int] = set()
        self._due_days = DueDays(node, self._unfreeze_due)

    async def start(self) -> None:
        await self.splits.start()
        self._due_days.were_done(await self._holds.last_day() - _DAYS_AGAIN)

    async def resume(self) -> None:
        """After a restart, behind the holds: what was written down, and maybe not moved."""
        for split in await self.splits.load_since(max(0, self._journal.position - UNFINISHED_WITHIN)):
            if split.state == SplitState.PROCESSING:
                await self._holds.holds.load([split.order_id])
                self._move(split)
        self._journal.seal()

    # For merchants.

    async def split(self, caller: Caller, order_id: int, draft: SplitDraft) -> Split:
        """
        Give parts of what an order brought to receivers, all that can take theirs, or none. With `finish` the rest is the
        merchant's own again; with `finish` and no parts that is all it does.

        Moves:    frozen -> each receiver, frozen -> merchant; of an order that was opened, and not frozen, merchant -> each
                  receiver.
        Refuses:  ROLE_MAY_NOT; what `SplitDraft.check` refuses; SPLIT_DIFFERS; ORDER_NOT_TO_BE_SPLIT; SPLIT_FINISHED;
                  RECEIVER_NOT_NAMED; SPLIT_RATIO_EXCEEDED; SPLIT_EXCEEDS_FROZEN. A receiver that takes nothing is a closed part.
        Repeats:  the split as it is.
        """
        caller.key.check_right(Right.REFUND)
        draft.check()
        key = split_number_key(caller.key.merchant_id, caller.door, draft.number)

        def known() -> Split | None:
            for split in self.splits.find("number_key", key):
                split.check_same(order_id, draft)
                return split
            return None

        found = await warmed(self._journal, known)
        if found is None and draft.parts:
            await self._check_balance(caller, order_id, draft)

        def split() -> Split:
            found = known()
            if found is None:
                found = self._begin(caller, order_id, draft, key)
            newest = self.splits.get(found.id)
            assert newest is not None
            return newest

        return await decided(self._journal, split)

    async def open(self, caller: Caller, order_id: int, payment: Receipt | Payment) -> Hold:
        """
        Let a paid order be split that was not placed as one: its parts come from the merchant's balance.

        Refuses:  ROLE_MAY_NOT. Repeats: what is kept of the order.
        """
        caller.key.check_right(Right.REFUND)

        def begun() -> Hold:
            hold = self._holds.holds.get(order_id)
            if hold is None:
                net = payment.gross - payment.fee
                hold = self._holds.begun(
                    order_id, caller.key.merchant_id, payment.id, payment.gross, net, HoldState.OPEN
                )
            return hold

        return await decided(self._journal, begun)

    async def find(self, caller: Caller, number: str) -> Split:
        """A split by its number. Refuses SPLIT_UNKNOWN, for another's just so."""
        return await decided(self._journal, lambda: self.found(caller, number))

    def found(self, caller: Caller, number: str) -> Split:
        """`find`, within a decision."""
        key = split_number_key(caller.key.merchant_id, caller.door, number)
        for split in self.splits.find("number_key", key):
            return split
        raise Refusal(SplitReason.SPLIT_UNKNOWN, number=number)

    async def of_order(self, caller: Caller, order_id: int) -> list[Split]:
        """All splits of an order, oldest first. Refuses ORDER_NOT_TO_BE_SPLIT."""

        def find() -> list[Split]:
            self._kept(caller, order_id)
            return self.splits.find("order_id", order_id)

        return await decided(self._journal, find)

    def shared_of(self, order_id: int) -> list[Split]:
        """The splits of an order, if it has any, whoever asks. May raise `Cold`."""
        return self.splits.find("order_id", order_id) if self._holds.holds.get(order_id) is not None else []

    async def unsplit(self, caller: Caller, order_id: int) -> int:
        """What is frozen of an order, and promised to nobody. Refuses ORDER_NOT_TO_BE_SPLIT."""
        return await decided(self._journal, lambda: self._holds.available(self._kept(caller, order_id)))

    # Time.

    def tick(self) -> None:
        """Unfreeze what nobody split in time, and nobody unfroze: looked for once a day, and after a restart."""
        self._due_days.tick()

    async def _unfreeze_due(self, day: int) -> None:
        for hold in await warmed(self._journal, partial(self._holds.holds.find, "due_day", day)):
            await warmed(self._journal, partial(self._finish, hold.id))
        self._journal.seal()

    def _finish(self, order_id: int) -> None:
        """As if the merchant had asked for it."""
        hold = self._holds.holds.get(order_id)
        if hold is not None and self._holds.available(hold) > 0:
            key = split_number_key(hold.merchant_id, "", id_text("hold", hold.id))
            self._write(hold, SplitDraft(number=f"{FROZEN_DAYS_MAX} days", finish=True), key, [])

    # Within the decision.

    def _kept(self, caller: Caller, order_id: int) -> Hold:
        hold = self._holds.holds.get(order_id)
        if hold is None or hold.merchant_id != caller.key.merchant_id:
            raise Refusal(SplitReason.ORDER_NOT_TO_BE_SPLIT)
        return hold

    async def _check_balance(self, caller: Caller, order_id: int, draft: SplitDraft) -> None:
        """Of an order that is not frozen: whether the merchant has it. Who is quicker than we meets the ledger's own no."""
        hold = await warmed(self._journal, lambda: self._kept(caller, order_id))
        if hold.state == HoldState.OPEN:
            (account,) = await self._ledger.lookup_accounts([self._source(hold)])
            if account.credits_posted - account.debits_posted - account.debits_pending < draft.total:
                raise Refusal(SplitReason.SPLIT_EXCEEDS_FROZEN, field="amount")

    def _begin(self, caller: Caller, order_id: int, draft: SplitDraft, key: int) -> Split:
        hold, now_ns = self._kept(caller, order_id), self._node.clock.now_ns()
        before = sum(split.total for split in self.splits.find("order_id", order_id))
        for part in draft.parts:
            self._receivers.check_named(caller, part.receiver)
        parts = [self._part(each, now_ns) for each in draft.parts]
        if hold.state in (HoldState.FINISHED, HoldState.FREEZING):
            raise Refusal(SplitReason.SPLIT_FINISHED)
        if before + draft.total > hold.gross * self.ratio_bps_max // 10_000:
            raise Refusal(SplitReason.SPLIT_RATIO_EXCEEDED, field="amount", ratio_bps_max=self.ratio_bps_max)
        if hold.state == HoldState.FROZEN and draft.total > self._holds.available(hold):
            raise Refusal(SplitReason.SPLIT_EXCEEDS_FROZEN, field="amount", left=self._holds.available(hold))
        return self._write(hold, draft, key, parts)

    def _part(self, draft: PartDraft, now_ns: int) -> Part:
        takes = self._receivers.takes(draft.receiver, now_ns)
        return Part(
            receiver=draft.receiver,
            amount=draft.amount,
            description=draft.description,
            state=PartState.PENDING if takes else PartState.CLOSED,
            reason="" if takes else SplitReason.RECEIVER_ABNORMAL.name,
            ended_ns=0 if takes else now_ns,
        )

    def _write(self, hold: Hold, draft: SplitDraft, key: int, parts: list[Part]) -> Split:
        total = sum(part.amount for part in parts if part.state is PartState.PENDING)
        split = Split(
            id=self._node.mint.mint(),
            order_id=hold.id,
            merchant_id=hold.merchant_id,
            number=draft.number,
            number_key=key,
            finish=draft.finish,
            parts=msgspec.json.encode(parts),
            total=total,
            rest=self._holds.available(hold) - total if draft.finish and hold.state != HoldState.OPEN else 0,
            state=SplitState.PROCESSING,
            facts=msgspec.json.encode(draft.facts),
            created_ns=self._node.clock.now_ns(),
            ended_ns=0,
        )
        self.splits.put(split)
        self._move(split)
        return split

    # The money.

    def _source(self, hold: Hold) -> int:
        if hold.state == HoldState.OPEN:
            return chart.merchant_account(hold.merchant_id, self._currency)
        return self._holds.account(hold.id)

    def _move(self, split: Split) -> None:
        if split.id in self._moving:
            return
        hold = self._holds.holds.get(split.order_id)
        assert hold is not None
        transfers = self._transfers(split, hold)
        promised = 0 if hold.state == HoldState.OPEN else split.total + split.rest
        self._moving.add(split.id)
        self._holds.promise(hold.id, promised)
        if transfers:
            self._ledger.create_transfers(transfers, partial(self._moved, split.id, promised))
        else:
            self._conclude(split.id, promised, moved=True)

    def _transfers(self, split: Split, hold: Hold) -> list[Transfer]:
        source = self._source(hold)
        pending = [(each, part) for each, part in enumerate(split.told) if part.state is PartState.PENDING]
        transfers = sharing_recipes.share_out(
            split.id,
            source=source,
            parts=[
                (part_id(split.id, each), part.receiver.ledger_account(self._currency), part.amount)
                for each, part in pending
            ],
            ledger=self._currency.ledger,
            code=Why.SPLIT,
        )
        if split.rest:
            unfrozen = sharing_recipes.unfreeze(
                rest_id(split.id),
                hold.id,
                merchant=chart.merchant_account(hold.merchant_id, self._currency),
                frozen=source,
                amount=split.rest,
                ledger=self._currency.ledger,
                code=Why.UNFROZEN,
            )
            transfers = sharing_recipes.chained([*transfers, unfrozen])
        return transfers

    def _moved(self, split_id: int, promised: int, statuses: Sequence[TransferStatus]) -> None:
        self._conclude(split_id, promised, moved=statuses[0] in TRANSFER_DONE)

    def _conclude(self, split_id: int, promised: int, *, moved: bool) -> None:
        self._moving.discard(split_id)
        split = self.splits.get(split_id)
        assert split is not None
        now_ns = self._node.clock.now_ns()
        self._holds.moved(split.order_id, promised, promised if moved else 0, finished=split.finish and moved)
        state, reason = PartState.SUCCESS, ""
        if not moved:
            # Whose balance it was spent it while the ledger looked something up; nothing went to anybody.
            log.warning("split_refused", split=split_id)
            state, reason = PartState.CLOSED, SplitReason.SPLIT_EXCEEDS_FROZEN.name
        parts = [
            replace(part, state=state, reason=reason, ended_ns=now_ns) if part.state is PartState.PENDING else part
            for part in split.told
        ]
        ended = replace(
            split,
            parts=msgspec.json.encode(parts),
            total=split.total if moved else 0,
            rest=split.rest if moved else 0,
            state=SplitState.FINISHED.value,
            ended_ns=now_ns,
        )
        self.splits.put(ended)
        for number, part in enumerate(parts):
            if part.state is PartState.SUCCESS:
                self._tell(ended, part)
                self.on_shared(ended, number)

    def _tell(self, split: Split, part: Part) -> None:
        data = {
            "split_id": id_text("spl", split.id),
            "amount": part.amount,
            "currency": self._currency.alpha,
            "remark": part.description,
            "at_ms": split.ended_ns // NS_PER_MS,
        }
        if part.receiver.merchant_id:
            self._notices.tell_merchant(part.receiver.merchant_id, "split.received", data)
        else:
            self._notices.tell_user(part.receiver.user_id, "split.received", data)
