"""
Tracing of money over our own ledger, and through the switch over the others'.

Within a node it follows transfers; across nodes only the switch knows both ends, so it asks each payee's node in turn and joins
what they say. Nobody learns who another node's people are.
"""

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from hutong.institution import chart
from hutong.institution.chart import Chart
from hutong.institution.payments.creditor_service import CreditorService
from hutong.institution.payments.debtor_service import DebtorService
from hutong.institution.payments.payment import Payment
from hutong.institution.payments.reasons import PaymentReason
from hutong.institution.payments.receipt import Receipt
from hutong.institution.payments.statement import moves_money
from hutong.institution.recalls.dispute_service import DisputeService
from hutong.institution.recalls.trace import ACCOUNTS_MAX, DEBITS_MAX, Lot, Trace, kind_of, pseudonym, spent
from hutong.institution.recalls.views import DISPUTE_PREFIX
from hutong.kernel.clock import NS_PER_MS, NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.ledger.engine import LedgerEngine
from hutong.ledger.transfer import AccountQuery, Transfer
from hutong.runtime.node import NodeRuntime
from hutong.scheme.messages import TRACE_HOPS_MAX, TraceAnswer, TraceHop, TraceKind, TraceRequest, hex_id, id_hex

WAIT_NS = 12 * NS_PER_S  # The switch gives up first, and says what it has.
_PAGE = 500

Answer = Callable[[TraceAnswer | None], None]


class TraceService:
    """Where money went from a payment on."""

    def __init__(
        self,
        node: NodeRuntime,
        ledger: LedgerEngine,
        own: Chart,
        debtor: DebtorService,
        creditor: CreditorService,
        disputes: DisputeService,
        switch: str,
    ) -> None:
        self._node = node
        self._ledger = ledger
        self._chart = own
        self._debtor = debtor
        self._creditor = creditor
        self._disputes = disputes
        self._switch = switch
        self._waiting: dict[str, tuple[int, Answer]] = {}

    async def payment(self, payment_id: int) -> Payment | Receipt:
        """A completed payment from or to one of ours. Refuses PAYMENT_UNKNOWN, PAYMENT_NOT_COMPLETED."""
        for side, shelf in ((self._debtor, self._debtor.payments), (self._creditor, self._creditor.receipts)):
            await shelf.load([payment_id])
            await side.outcomes.load([payment_id])
            found: Any = shelf.get(payment_id)
            if found is not None:
                outcome = side.outcomes.get(payment_id)
                if outcome is None or not outcome.completed:
                    raise Refusal(PaymentReason.PAYMENT_NOT_COMPLETED, field="payment_id")
                return found  # type: ignore[no-any-return]
        raise Refusal(PaymentReason.PAYMENT_UNKNOWN, field="payment_id")

    async def follow(self, payment_id: int, amount: int, depth_max: int) -> Trace:
        """
        Our part: from the payee of a payment to one of ours, over payments on us, until the money leaves the node.

        Refuses:  PAYMENT_UNKNOWN, also where the payee is not ours; PAYMENT_NOT_COMPLETED.
        """
        paid = await self.payment(payment_id)
        account, owner = _payee(paid)
        if not account:
            raise Refusal(PaymentReason.PAYMENT_UNKNOWN, field="payment_id")
        lot = Lot(
            about=paid.id,
            created_ns=paid.created_ns,
            account=account,
            owner=owner,
            traced=amount,
            depth=depth_max,
        )
        people: dict[str, tuple[str, int]] = {}
        hops: list[TraceHop] = []
        queue = deque([lot])
        whole, looked = True, 0
        while queue:
            lot = queue.popleft()
            people[self._pseudonym(lot.owner)] = lot.owner
            if looked == ACCOUNTS_MAX or len(hops) >= TRACE_HOPS_MAX or not lot.depth:
                whole = False
                continue
            looked += 1
            found, here, complete = await self._follow_lot(lot)
            whole = whole and complete
            hops += found
            queue.extend(here)
        return Trace(
            payment_id=payment_id,
            amount=amount,
            holder=self._pseudonym(owner),
            is_whole=whole and len(hops) <= TRACE_HOPS_MAX,
            hops=hops[:TRACE_HOPS_MAX],
            people=people,
        )

    def ask(self, payment_id: int, originator: str, amount: int, depth_max: int, answer: Answer) -> None:
        """Ask the switch where the money of a payment between nodes went; None: it said nothing in time."""
        trace_id = id_hex(self._node.mint.mint())
        self._waiting[trace_id] = self._node.clock.now_ns() + WAIT_NS, answer
        request = TraceRequest(
            trace_id=trace_id,
            payment_id=id_hex(payment_id),
            originator=originator,
            amount=amount,
            depth_max=depth_max,
        )
        self._node.journal.tell(self._switch, request)

    def asked(self, message: TraceRequest) -> None:
        """The switch wants to know what became of a payment to one of ours."""
        self._node.spawn(self._answer(message))

    def answered(self, message: TraceAnswer) -> None:
        """The switch has joined what everybody said."""
        _, answer = self._waiting.pop(message.trace_id, (0, None))
        if answer is not None:
            self._node.journal.effect(partial(answer, message))

    def tick(self) -> None:
        """Whoever waited too long hears that there is no answer."""
        now_ns = self._node.clock.now_ns()
        for trace_id in [id_ for id_, (until_ns, _) in self._waiting.items() if until_ns <= now_ns]:
            _, answer = self._waiting.pop(trace_id)
            self._node.journal.effect(partial(answer, None))

    async def _answer(self, message: TraceRequest) -> None:
        try:
            trace = await self.follow(hex_id(message.payment_id), message.amount, message.depth_max)
        except Refusal as refusal:
            answer = TraceAnswer(trace_id=message.trace_id, is_whole=False, reason_name=refusal.reason.name)
        else:
            answer = TraceAnswer(
                trace_id=message.trace_id, holder=trace.holder, is_whole=trace.is_whole, hops=trace.hops
            )
        self._node.decide(partial(self._node.journal.tell, self._switch, answer))

    async def _follow_lot(self, lot: Lot) -> tuple[list[TraceHop], list[Lot], bool]:
        """What became of the traced money on one account; what of it is elsewhere here now; whether that is all."""
        came = await self._credits(lot)
        if not came:
            return [], [], False
        start = came[0].timestamp
        traced = min(lot.traced, sum(each.amount for each in came))
        balance = await self._ledger.balance_at(lot.account, start - 1)
        before = balance.credits_posted - balance.debits_posted if balance is not None else 0
        debits, complete = await self._debits(lot.account, start, before + traced)
        shares = spent(before, traced, [each.amount for each in debits])
        taken: dict[tuple[TraceKind, int], tuple[int, int]] = {}
        for debit, share in zip(debits, shares, strict=True):
            if share:
                key = kind_of(debit), debit.user_data_128
                sum_, first_ns = taken.get(key, (0, debit.timestamp))
                taken[key] = sum_ + share, first_ns
        await self._debtor.payments.load([about for kind, about in taken if kind is TraceKind.PAYMENT])
        hops: list[TraceHop] = []
        here: list[Lot] = []
        for (kind, about), (amount, at_ns) in taken.items():
            payment = self._debtor.payments.get(about) if kind is TraceKind.PAYMENT else None
            onward = self._onward(lot, kind, about, payment, amount, at_ns)
            here += [onward] if onward is not None else []
            hops.append(
                TraceHop(
                    source=self._pseudonym(lot.owner),
                    target=self._pseudonym(onward.owner) if onward is not None else "",
                    kind=kind,
                    amount=amount,
                    payment_id=id_hex(payment.id) if payment is not None else "",
                    originator=self._node.node_id if payment is not None else None,
                    agent=payment.creditor_agent if payment is not None else None,
                    at_ms=at_ns // NS_PER_MS,
                )
            )
        if traced > sum(shares) and complete:
            kept = traced - sum(shares)
            hops.append(TraceHop(source=self._pseudonym(lot.owner), kind=TraceKind.KEPT, amount=kept))
        return hops, here, complete

    def _onward(
        self, lot: Lot, kind: TraceKind, about: int, payment: Payment | None, amount: int, at_ns: int
    ) -> Lot | None:
        """Where the money is next, if that is an account here: a payee's, or a dispute's and back again."""
        if payment is not None and payment.payee_account:
            account, owner = _payee(payment)
            return Lot(
                about=about,
                created_ns=payment.created_ns,
                account=account,
                owner=owner,
                traced=amount,
                depth=lot.depth - 1,
            )
        if kind not in (TraceKind.DISPUTED, TraceKind.RELEASED):
            return None
        dispute = self._disputes.dispute(about)
        account, owner = (
            dispute.account,
            ("mer", dispute.merchant_id) if dispute.merchant_id else ("usr", dispute.user_id),
        )
        if kind is TraceKind.DISPUTED:
            account, owner = chart.disputed_account(about, self._chart.currency), (DISPUTE_PREFIX, about)
        # In nobody else's hands, so no step deeper.
        return Lot(about=about, created_ns=at_ns, account=account, owner=owner, traced=amount, depth=lot.depth)

    async def _credits(self, lot: Lot) -> list[Transfer]:
        """The transfers by which the money came: a payment's principal and its discounts, or what a dispute moved."""
        after = lot.created_ns
        for _ in range(DEBITS_MAX // _PAGE):
            page = await self._ledger.account_transfers(
                AccountQuery(lot.account, debits=False, timestamp_min=after, limit=_PAGE)
            )
            found = [each for each in page if each.user_data_128 == lot.about and moves_money(each)]
            if found or len(page) < _PAGE:
                return found
            after = page[-1].timestamp + 1
        return []

    async def _debits(self, account: int, after: int, enough: int) -> tuple[list[Transfer], bool]:
        """What left an account from a time on, until `enough` of it did; whether that was all."""
        debits: list[Transfer] = []
        gone = seen = 0
        while gone < enough:
            page = await self._ledger.account_transfers(
                AccountQuery(account, credits=False, timestamp_min=after + 1, limit=_PAGE)
            )
            moved = [each for each in page if moves_money(each)]
            debits += moved
            gone += sum(each.amount for each in moved)
            seen += len(page)
            if len(page) < _PAGE:
                return debits, True
            if seen >= DEBITS_MAX:
                return debits, gone >= enough
            after = page[-1].timestamp
        return debits, True

    def _pseudonym(self, owner: tuple[str, int]) -> str:
        return pseudonym(self._node.node_id, owner[1])


def _payee(paid: Payment | Receipt) -> tuple[int, tuple[str, int]]:
    """The payee's account here, 0 if it is elsewhere, and who that is."""
    if isinstance(paid, Receipt):
        return paid.account, ("mer", paid.merchant_id) if paid.merchant_id else ("usr", paid.user_id)
    return paid.payee_account, ("mer", paid.merchant_id) if paid.merchant_id else ("usr", paid.payee_user_id)
