"""Parts that come back from a receiver to whoever split: PROCESSING (the row) -> SUCCESS | FAILED (the ledger's answer)."""

from functools import partial

from msgspec.structs import replace

from hutong.gateways.account import Caller
from hutong.gateways.splits.reasons import SplitReason
from hutong.gateways.splits.split import (
    SPLIT_RETURNS,
    PartState,
    ReturnState,
    Split,
    SplitReturn,
    SplitReturnDraft,
    return_number_key,
)
from hutong.gateways.splits.split_service import SplitService
from hutong.institution import chart
from hutong.institution.merchants.staff_key import Right
from hutong.institution.payments.payment import Why
from hutong.kernel.clock import NS_PER_DAY
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive
from hutong.kernel.money import Currency
from hutong.ledger import sharing_recipes
from hutong.ledger.engine import LedgerEngine
from hutong.ledger.transfer import TRANSFER_DONE, TransferStatus
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import UNFINISHED_WITHIN, Shelf, decided

RETURN_DAYS_MAX = 180


class ReturnService:
    """Scoped as splits are."""

    def __init__(self, node: NodeRuntime, ledger: LedgerEngine, currency: Currency, splits: SplitService) -> None:
        self._node = node
        self._ledger = ledger
        self._currency = currency
        self._splits = splits
        self.returns = Shelf(SPLIT_RETURNS, node.journal, node.store, by=("split_id", "number_key"), timed=True)

    async def start(self) -> None:
        await self.returns.start()

    async def resume(self) -> None:
        """After a restart: what was written down, and maybe not moved."""
        for returned in await self.returns.load_since(max(0, self._node.journal.position - UNFINISHED_WITHIN)):
            if returned.state == ReturnState.PROCESSING:
                self._move(returned)
        self._node.journal.seal()

    async def give_back(self, caller: Caller, split_number: str, draft: SplitReturnDraft) -> SplitReturn:
        """
        Take a part back from a receiver that is a merchant, or some of it, to the merchant's balance.

        Moves:    receiver -> merchant.
        Refuses:  ROLE_MAY_NOT; SPLIT_AMOUNT_NOT_POSITIVE; SPLIT_RETURN_DIFFERS; SPLIT_UNKNOWN; RECEIVER_NOT_NAMED,
                  for one who got nothing; RECEIVER_IS_A_PERSON; SPLIT_RETURN_TOO_LATE; SPLIT_RETURN_EXCEEDS_PART. That the
                  receiver's balance does not cover it is a return that failed.
        Repeats:  the return as it is.
        """
        caller.key.check_right(Right.REFUND)
        if draft.amount <= 0:
            raise Refusal(SplitReason.SPLIT_AMOUNT_NOT_POSITIVE, field="amount", amount=draft.amount)
        key = return_number_key(caller.key.merchant_id, caller.door, draft.number)

        def give_back() -> SplitReturn:
            split = self._splits.found(caller, split_number)
            for known in self.returns.find("number_key", key):
                _check_same(known, split, draft)
                return known
            returned = self._begin(split, draft, key)
            newest = self.returns.get(returned.id)
            assert newest is not None
            return newest

        return await decided(self._node.journal, give_back)

    async def find(self, caller: Caller, number: str) -> SplitReturn:
        """A return by its number. Refuses SPLIT_RETURN_UNKNOWN, for another's just so."""

        def find() -> SplitReturn:
            for known in self.returns.find(
                "number_key", return_number_key(caller.key.merchant_id, caller.door, number)
            ):
                return known
            raise Refusal(SplitReason.SPLIT_RETURN_UNKNOWN, number=number)

        return await decided(self._node.journal, find)

    def _begin(self, split: Split, draft: SplitReturnDraft, key: int) -> SplitReturn:
        now_ns = self._node.clock.now_ns()
        got = [
            part for part in split.told if part.state is PartState.SUCCESS and part.receiver.account == draft.receiver
        ]
        if not got:
            raise Refusal(SplitReason.RECEIVER_NOT_NAMED, field="account", account=draft.receiver)
        receiver_id = got[0].receiver.merchant_id
        if not receiver_id:
            raise Refusal(SplitReason.RECEIVER_IS_A_PERSON, field="account")
        if now_ns - split.ended_ns > RETURN_DAYS_MAX * NS_PER_DAY:
            raise Refusal(SplitReason.SPLIT_RETURN_TOO_LATE, days_max=RETURN_DAYS_MAX)
        gone = sum(
            each.amount
            for each in self.returns.find("split_id", split.id)
            if each.receiver == draft.receiver and each.state != ReturnState.FAILED
        )
        left = sum(part.amount for part in got) - gone
        if draft.amount > left:
            raise Refusal(SplitReason.SPLIT_RETURN_EXCEEDS_PART, field="amount", left=left)
        returned = SplitReturn(
            id=self._node.mint.mint(),
            split_id=split.id,
            merchant_id=split.merchant_id,
            number=draft.number,
            number_key=key,
            receiver=draft.receiver,
            receiver_merchant_id=receiver_id,
            amount=draft.amount,
            description=draft.description,
            state=ReturnState.PROCESSING,
            reason="",
            created_ns=now_ns,
            ended_ns=0,
        )
        self.returns.put(returned)
        self._move(returned)
        return returned

    def _move(self, returned: SplitReturn) -> None:
        transfer = sharing_recipes.give_back(
            derive(returned.id, "give-back"),
            returned.id,
            receiver=chart.merchant_account(returned.receiver_merchant_id, self._currency),
            merchant=chart.merchant_account(returned.merchant_id, self._currency),
            amount=returned.amount,
            ledger=self._currency.ledger,
            code=Why.SPLIT_RETURNED,
        )
        self._ledger.create_transfers([transfer], partial(self._moved, returned.id))

    def _moved(self, return_id: int, statuses: list[TransferStatus]) -> None:
        returned = self.returns.get(return_id)
        assert returned is not None
        if returned.state != ReturnState.PROCESSING:
            return
        done = statuses[0] in TRANSFER_DONE
        self.returns.put(
            replace(
                returned,
                state=(ReturnState.SUCCESS if done else ReturnState.FAILED).value,
                reason="" if done else SplitReason.RECEIVER_BALANCE_INSUFFICIENT.name,
                ended_ns=self._node.clock.now_ns(),
            )
        )


def _check_same(known: SplitReturn, split: Split, draft: SplitReturnDraft) -> None:
    for field, ours, theirs in (
        ("out_order_no", known.split_id, split.id),
        ("return_mchid", known.receiver, draft.receiver),
        ("amount", known.amount, draft.amount),
    ):
        if ours != theirs:
            raise Refusal(SplitReason.SPLIT_RETURN_DIFFERS, field=field, number=draft.number)
