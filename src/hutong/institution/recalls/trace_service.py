"""
Tracing of money over our own ledger, and through the switch over the others'.

Within a node it follows transfers; across nodes only the switch knows both ends, so it asks each payee's node in turn and joins
what they say. Nobody learns who another node's people are.
"""

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from hutong.institution.chart import Chart
from hutong.institution.payments.creditor_service import CreditorService
from hutong.institution.payments.debtor_service import DebtorService
from hutong.institution.payments.payment import Payment
from hutong.institution.payments.reasons import PaymentReason
from hutong.institution.payments.receipt import Receipt
from hutong.institution.payments.refund_service import RefundService
from hutong.institution.payments.statement import moves_money
from hutong.institution.recalls.trace import (
    ACCOUNTS_MAX,
    DEBITS_MAX,
    Trace,
    kind_of,
    pseudonym,
    spent,
)
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
        refunds: RefundService,
        switch: str,
    ) -> None:
        self._node = node
        self._ledger = ledger
        self._chart = own
        self._debtor = debtor
        self._creditor = creditor
        self._refunds = refunds
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
        people: dict[str, tuple[str, int]] = {}
        hops: list[TraceHop] = []
        queue = deque([(paid, account, owner, amount, depth_max)])
        whole, looked = True, 0
        while queue:
            paid, account, owner, traced, depth = queue.popleft()
            if looked == ACCOUNTS_MAX or len(hops) >= TRACE_HOPS_MAX or not depth:
                whole = False
                continue
            looked += 1
            found, on_us, complete = await self._follow_account(paid, account, owner, traced)
            whole = whole and complete
            people[self._pseudonym(owner)] = owner
            hops += found
            queue.extend((*each, depth - 1) for each in on_us)
            for _, _, target, _ in on_us:
                people[self._pseudonym(target)] = target
        return Trace(
            payment_id=payment_id,
            amount=amount,
            holder=self._pseudonym(_payee(await self.payment(payment_id))[1]),
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

    async def _follow_account(
        self, paid: Payment | Receipt, account: int, owner: tuple[str, int], traced: int
    ) -> tuple[list[TraceHop], list[tuple[Payment, int, tuple[str, int], int]], bool]:
        """What left one account of the traced money; the payments on us among it, to go on with; whether that is all."""
        credit = await self._credit(paid, account)
        if credit is None:
            return [], [], False
        traced = min(traced, credit.amount)
        balance = await self._ledger.balance_at(account, credit.timestamp - 1)
        before = balance.credits_posted - balance.debits_posted if balance is not None else 0
        debits, complete = await self._debits(account, credit.timestamp, before + traced)
        shares = spent(before, traced, [each.amount for each in debits])
        taken: dict[tuple[TraceKind, int], tuple[int, int]] = {}
        for debit, share in zip(debits, shares, strict=True):
            if share:
                key = kind_of(debit), debit.user_data_128
                taken[key] = taken.get(key, (0, 0))[0] + share, debit.timestamp // NS_PER_MS
        source = self._pseudonym(owner)
        hops, on_us = [], []
        payments = [about for kind, about in taken if kind is TraceKind.PAYMENT]
        await self._debtor.payments.load(payments)
        for (kind, about), (amount, at_ms) in taken.items():
            payment = self._debtor.payments.get(about) if kind is TraceKind.PAYMENT else None
            target = ""
            if payment is not None and payment.payee_account:
                next_account, next_owner = _payee(payment)
                on_us.append((payment, next_account, next_owner, amount))
                target = self._pseudonym(next_owner)
            hops.append(
                TraceHop(
                    source=source,
                    target=target,
                    kind=kind,
                    amount=amount,
                    payment_id=id_hex(payment.id) if payment is not None else "",
                    originator=self._node.node_id if payment is not None else None,
                    agent=payment.creditor_agent if payment is not None else None,
                    at_ms=at_ms,
                )
            )
        if traced > sum(shares) and complete:
            hops.append(TraceHop(source=source, kind=TraceKind.KEPT, amount=traced - sum(shares)))
        return hops, on_us, complete

    async def _credit(self, paid: Payment | Receipt, account: int) -> Transfer | None:
        """The transfer by which the payee got it."""
        after = paid.created_ns
        for _ in range(DEBITS_MAX // _PAGE):
            page = await self._ledger.account_transfers(
                AccountQuery(account, debits=False, timestamp_min=after, limit=_PAGE)
            )
            for each in page:
                if each.user_data_128 == paid.id and moves_money(each):
                    return each
            if len(page) < _PAGE:
                break
            after = page[-1].timestamp + 1
        return None

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
