"""
Refunds of parts: what one costs goes back to whoever took the payment first, and from there to the payer.

WANTED (the row) -> TAKEN (the ledger's answer) -> the refund of the whole order's payment, which stays or is PUT_BACK. A crash
before there is a refund puts back what was taken; behind that the refund's own outcome decides.
"""

from functools import partial
from typing import Any

import structlog
from msgspec.structs import replace

from hutong.gateways.account import Caller
from hutong.gateways.account_service import AccountService
from hutong.gateways.combined.combined import (
    PART_TAKINGS,
    CombinedPart,
    CombinedState,
    PartTaking,
    TakingState,
    taking_key,
)
from hutong.gateways.combined.combined_service import CombinedService
from hutong.gateways.order import GatewayOrder
from hutong.gateways.order_service import OrderService
from hutong.gateways.reasons import GatewayReason
from hutong.gateways.refund import GatewayRefund, RefundDraft, RefundState
from hutong.gateways.refund_service import GatewayRefundService
from hutong.gateways.splits.hold_service import HoldService
from hutong.institution import chart
from hutong.institution.merchants.staff_key import Right
from hutong.institution.payments.payment import Outcome, Why, check_amount
from hutong.institution.payments.reasons import PaymentReason
from hutong.institution.payments.refund import Refund, RefundOrder
from hutong.institution.payments.refund_service import RefundService
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive
from hutong.kernel.money import Currency
from hutong.ledger import sharing_recipes
from hutong.ledger.engine import LedgerEngine
from hutong.ledger.transfer import TRANSFER_DONE, TransferStatus
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf, decided, warmed

log = structlog.get_logger()
TAKING, NUMBER = "combined_taking", "out_refund_no"  # In the facts of a refund.
_UNMOVED_WITHIN = 1_000_000  # Positions.


class PartRefundService:
    """Scoped to the merchant of the part."""

    def __init__(
        self,
        node: NodeRuntime,
        ledger: LedgerEngine,
        currency: Currency,
        accounts: AccountService,
        orders: OrderService,
        combined: CombinedService,
        holds: HoldService,
        gateway_refunds: GatewayRefundService,
        refunds: RefundService,
    ) -> None:
        self._node = node
        self._journal = node.journal
        self._ledger = ledger
        self._currency = currency
        self._accounts = accounts
        self._orders = orders
        self._combined = combined
        self._holds = holds
        self._gateway_refunds = gateway_refunds
        self._refunds = refunds
        self.takings = Shelf(
            PART_TAKINGS, node.journal, node.store, by=("number_key", "part_id", "refund_id"), timed=True
        )

    async def start(self) -> None:
        await self.takings.start()

    async def resume(self) -> None:
        """After a restart, behind the holds and the combined orders."""
        for taking in await self.takings.load_since(max(0, self._journal.position - _UNMOVED_WITHIN)):
            await warmed(self._journal, partial(self._look_up, taking))
            match taking.state:
                case TakingState.WANTED | TakingState.TAKEN if not taking.refund_id:
                    self._take(taking)  # To know whether it was; then, since nobody asks for the refund any more:
                    self._give_up(taking.id)
                case TakingState.PUTTING_BACK:
                    self._put_back(taking)
        self._journal.seal()

    async def refund(self, caller: Caller, part: CombinedPart, draft: RefundDraft, *, wait: bool) -> RefundState:
        """
        Give back some or all of a part. The refund is of the whole order's payment, and its facts name the part's own number.

        Moves:    the part's merchant, what is frozen of it first -> who took the payment; then as every refund.
        Refuses:  ROLE_MAY_NOT; ORDER_UNKNOWN for another's part; ORDER_NOT_PAID; REFUND_TOO_LATE; REFUND_TOTAL_DIFFERS; REFUND_DIFFERS;
                  AMOUNT_NOT_POSITIVE; REFUND_EXCEEDS_REMAINDER; MERCHANT_BALANCE_INSUFFICIENT; what a refund refuses.
        Repeats:  the refund as it is. One that failed moved nothing, and its number may be tried again.
        """
        caller.key.check_right(Right.REFUND)
        if part.payee_id != caller.payee.row.id:
            raise Refusal(GatewayReason.ORDER_UNKNOWN)
        key = taking_key(part.merchant_id, draft.out_refund_no)
        promised, taking_id = self._journal.promise(), self._node.mint.mint()

        def taken() -> tuple[PartTaking, GatewayOrder, bool]:
            order = self._orders.orders.get(part.combined_id)
            assert order is not None
            for known in self.takings.find("number_key", key):
                if known.state in (TakingState.SHORT, TakingState.PUT_BACK, TakingState.PUTTING_BACK):
                    continue
                if (known.part_id, known.gross) != (part.id, draft.amount):
                    raise Refusal(GatewayReason.REFUND_DIFFERS, out_refund_no=draft.out_refund_no)
                return known, order, True
            return self._begin(taking_id, part.id, order, draft, key, promised), order, False

        taking, order, is_known = await decided(self._journal, taken)
        if not is_known:
            await promised
        taking = self._taking(taking.id)
        if taking.state == TakingState.SHORT:
            raise Refusal(PaymentReason.MERCHANT_BALANCE_INSUFFICIENT, field="amount")
        taker = Caller(caller.account, await warmed(self._journal, lambda: self._accounts.account(order.payee_id)))
        whole = replace(
            draft,
            out_refund_no=f"{taking.id:032x}",
            total=None,
            facts=draft.facts | {TAKING: f"{taking.id:032x}", NUMBER: draft.out_refund_no},
        )
        try:
            return await self._gateway_refunds.refund(taker, order, whole, wait=wait)
        except Refusal:
            await decided(self._journal, lambda: self._give_up(taking.id))
            raise

    async def find(self, caller: Caller, out_refund_no: str) -> tuple[CombinedPart, RefundState]:
        """A part's refund, and whose it is, by its merchant's number. Refuses REFUND_UNKNOWN."""

        def find() -> tuple[CombinedPart, RefundState]:
            key = taking_key(caller.key.merchant_id, out_refund_no)
            for taking in reversed(self.takings.find("number_key", key)):
                if taking.refund_id:
                    row = self._gateway_refunds.rows.get(taking.refund_id)
                    part = self._combined.parts.get(taking.part_id)
                    if row is not None and part is not None and part.payee_id == caller.payee.row.id:
                        return part, self._gateway_refunds.state(row)
            raise Refusal(GatewayReason.REFUND_UNKNOWN, out_refund_no=out_refund_no)

        return await decided(self._journal, find)

    # Refunds of the whole order's payment (`payments.holding.Holdings`).

    def look_up(self, _payment_id: int, refund_id: int) -> None:
        """
        May raise `Cold`: also of a refund that is about to begin, whose row is not written yet, and which asks for what was
        taken for it as soon as it is.
        """
        row = self._gateway_refunds.row_of(refund_id)
        if row is not None and TAKING.encode() in row.facts:
            self._look_up(self._taking(int(row.told[TAKING], 16)))

    def release(self, refund: Refund) -> None:
        """The refund that a taking was for has begun: from now on its outcome decides."""
        taking = self._of(refund)
        if taking is not None and not taking.refund_id:
            self._put(taking, refund_id=refund.id)

    def concluded(self, refund: Refund, outcome: Outcome) -> None:
        """
        What was taken for a refund that failed is the part's merchant's again.

        Moves:    who took the payment -> the part's merchant; what was frozen is frozen again.
        """
        taking = self._of(refund) if not outcome.completed else None
        if taking is not None:
            self._give_up(taking.id)

    def set_aside(self, payment_id: int, merchant_id: int, id_: int, amount: int) -> None:
        """A recall of a combined payment is between the payer and who took it: parts that went on are theirs."""

    # Taking.

    def _begin(
        self, taking_id: int, part_id: int, order: GatewayOrder, draft: RefundDraft, key: int, promised: Any
    ) -> PartTaking:
        part, combined = self._combined.parts.get(part_id), self._combined.combined.get(order.id)
        assert part is not None
        assert combined is not None
        if combined.state != CombinedState.HANDED_ON:
            raise Refusal(GatewayReason.ORDER_NOT_PAID)
        order.check_refundable(self._node.clock.now_ns())
        if draft.total is not None and draft.total != part.amount:
            raise Refusal(GatewayReason.REFUND_TOTAL_DIFFERS, field="total", total=part.amount)
        check_amount(draft.amount)
        if draft.amount > part.amount - part.refunded:
            left = part.amount - part.refunded
            raise Refusal(PaymentReason.REFUND_EXCEEDS_REMAINDER, field="amount", left=left)
        asked = RefundOrder(refund_id=self._node.mint.mint(), payment_id=combined.payment_id, amount=draft.amount)
        left_of_all = self._refunds.look_up(combined.merchant_id, asked)
        if draft.amount > left_of_all.gross:  # Whoever took the payment has given it back by itself.
            raise Refusal(PaymentReason.REFUND_EXCEEDS_REMAINDER, field="amount", left=left_of_all.gross)
        share = left_of_all.share(draft.amount)
        hold = self._holds.holds.get(part.id) if part.to_be_split else None
        self._holds.takings.get(taking_id)
        now_ns = self._node.clock.now_ns()
        taking = PartTaking(
            id=taking_id,
            part_id=part.id,
            number_key=key,
            refund_id=0,
            gross=draft.amount,
            # Rounding may make it a fen more or less than the part's own share of the fee: that is the taker's.
            amount=min(share.gross - share.fee, part.net - part.taken),
            state=TakingState.WANTED.value,
            changed_ns=now_ns,
        )
        self.takings.put(taking)
        self._combined.parts.put(
            replace(part, refunded=part.refunded + taking.gross, taken=part.taken + taking.amount, changed_ns=now_ns)
        )
        if hold is not None:
            self._holds.take_from(hold, taking.id, taking.amount)
        self._take(taking, promised)
        return taking

    def _take(self, taking: PartTaking, promised: Any = None) -> None:
        part, taker = self._sides(taking)
        if part.merchant_id == taker or not taking.amount:
            self._taken(taking.id, promised, None)
            return
        transfer = sharing_recipes.give_back(
            derive(taking.id, "take"),
            taking.id,
            receiver=chart.merchant_account(part.merchant_id, self._currency),
            merchant=chart.merchant_account(taker, self._currency),
            amount=taking.amount,
            ledger=self._currency.ledger,
            code=Why.COMBINED_RETURNED,
        )
        self._ledger.create_transfers([transfer], partial(self._taken, taking.id, promised))

    def _taken(self, taking_id: int, promised: Any, statuses: list[TransferStatus] | None) -> None:
        taking = self._taking(taking_id)
        if taking.state == TakingState.WANTED:
            if statuses is None or statuses[0] in TRANSFER_DONE:
                self._put(taking, state=TakingState.TAKEN.value)
            else:
                self._put(taking, state=TakingState.SHORT.value)
                self._forget(taking)
        if promised is not None:
            self._journal.effect(lambda: promised.done() or promised.set_result(None))

    # Putting back.

    def _give_up(self, taking_id: int) -> None:
        taking = self._taking(taking_id)
        if taking.state == TakingState.TAKEN:
            self._put_back(self._put(taking, state=TakingState.PUTTING_BACK.value))

    def _put_back(self, taking: PartTaking) -> None:
        part, taker = self._sides(taking)
        if part.merchant_id == taker or not taking.amount:
            self._was_put_back(taking.id, None)
            return
        transfer = sharing_recipes.give_back(
            derive(taking.id, "put-back"),
            taking.id,
            receiver=chart.merchant_account(taker, self._currency),
            merchant=chart.merchant_account(part.merchant_id, self._currency),
            amount=taking.amount,
            ledger=self._currency.ledger,
            code=Why.COMBINED_RETURNED,
        )
        self._ledger.create_transfers([transfer], partial(self._was_put_back, taking.id))

    def _was_put_back(self, taking_id: int, statuses: list[TransferStatus] | None) -> None:
        taking = self._taking(taking_id)
        if taking.state != TakingState.PUTTING_BACK:
            return
        if statuses is not None and statuses[0] not in TRANSFER_DONE:
            # Whoever took the payment spent it while the ledger looked something up: an operator sees to it.
            log.error("combined_taking_not_put_back", taking=taking_id, ledger=statuses[0].name)
            return
        self._put(taking, state=TakingState.PUT_BACK.value)
        self._forget(taking)

    def _forget(self, taking: PartTaking) -> None:
        """The part is as if it had never been asked for."""
        part = self._combined.parts.get(taking.part_id)
        assert part is not None
        now_ns = self._node.clock.now_ns()
        self._combined.parts.put(
            replace(part, refunded=part.refunded - taking.gross, taken=part.taken - taking.amount, changed_ns=now_ns)
        )
        if part.to_be_split:
            self._holds.put_back(taking.id)

    # What they share.

    def _look_up(self, taking: PartTaking) -> None:
        part = self._combined.parts.get(taking.part_id)
        assert part is not None
        self._combined.combined.get(part.combined_id)
        if part.to_be_split:
            self._holds.holds.get(part.id)
            self._holds.takings.get(taking.id)

    def _sides(self, taking: PartTaking) -> tuple[CombinedPart, int]:
        """The part, and the merchant that took the payment."""
        part = self._combined.parts.get(taking.part_id)
        assert part is not None
        combined = self._combined.combined.get(part.combined_id)
        assert combined is not None
        return part, combined.merchant_id

    def _of(self, refund: Refund) -> PartTaking | None:
        row = self._gateway_refunds.rows.get(refund.id) if refund.door else None
        return self.taking_of(row) if row is not None else None

    def taking_of(self, row: GatewayRefund) -> PartTaking | None:
        """What a part's merchant gave for a refund, if it is one of a part. May raise `Cold`."""
        return self._taking(int(row.told[TAKING], 16)) if TAKING.encode() in row.facts else None

    def _taking(self, taking_id: int) -> PartTaking:
        taking = self.takings.get(taking_id)
        assert taking is not None, "nothing is taken that is not written down"
        return taking

    def _put(self, taking: PartTaking, **changes: object) -> PartTaking:
        taking = replace(taking, changed_ns=self._node.clock.now_ns(), **changes)
        self.takings.put(taking)
        return taking
