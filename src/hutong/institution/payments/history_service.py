"""A person's history, read from the ledger, which has every account indexed by time, and joined with what it was for."""

import heapq
from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from hutong.institution.payments.creditor_service import CreditorService
from hutong.institution.payments.debtor_service import DebtorService
from hutong.institution.payments.history import (
    DayFlow,
    Entry,
    EntryKind,
    HistoryPage,
    Life,
    Month,
    MonthSummary,
    Search,
    Step,
    StepKind,
    kind_of,
    midnight_ns,
    state_of,
)
from hutong.institution.payments.payment import Outcome, Payment, PaymentState, Why
from hutong.institution.payments.receipt import Receipt
from hutong.institution.payments.refund import REFUNDS, RETURNS, Refund, Return
from hutong.institution.payments.refund_service import RefundService
from hutong.institution.payments.request_to_pay import ASKED_FOR, to_pay_id
from hutong.institution.payments.return_service import ReturnService
from hutong.institution.payments.statement import Direction, Subject, moves_money, statement_line
from hutong.institution.payments.statement_service import PAGE_MAX, StatementService
from hutong.institution.payments.to_pay_service import ToPayService
from hutong.kernel.ids import parse_id
from hutong.ledger.engine import LedgerEngine
from hutong.ledger.recipes import Leg
from hutong.ledger.transfer import AccountQuery, Transfer, TransferFlag
from hutong.runtime.node import NodeRuntime

# How many transfers one request looks at: who searches a longer past goes on from there, and nobody waits for long.
SCANNED_MAX = 4_000
_REFUND_CODES = (int(Why.RETURN), int(Why.REFUND_ON_US))
_LEG_MASK = 0x3F
_DEBITED = frozenset({None, EntryKind.PAID, EntryKind.WITHDRAWAL, EntryKind.RED_PACKET, EntryKind.OTHER})


class _Given(NamedTuple):
    """What was given back of a payment, or is to be."""

    row: Refund | Return
    outcome: Outcome | None

    @property
    def amount(self) -> int:
        return self.row.shares.paid


class HistoryService:
    """What people see of their own payments. Whose account it is, the edge has made sure."""

    def __init__(
        self,
        node: NodeRuntime,
        ledger: LedgerEngine,
        statements: StatementService,
        debtor: DebtorService,
        creditor: CreditorService,
        refunds: RefundService,
        returns: ReturnService,
        to_pays: ToPayService,
    ) -> None:
        self._node = node
        self._ledger = ledger
        self._statements = statements
        self._debtor = debtor
        self._creditor = creditor
        self._refunds = refunds
        self._returns = returns
        self._to_pays = to_pays

    async def page(self, account_id: int, search: Search, *, before: int | None = None, limit: int = 20) -> HistoryPage:
        """
        The newest entries before a cursor that are among what is looked for.

        At most SCANNED_MAX transfers are looked at; a page may so be short, or empty, and have a cursor all the same.
        """
        limit = min(limit, PAGE_MAX)
        entries: list[Entry] = []
        scanned = 0
        while True:
            transfers = await self._transfers(account_id, search, before)
            for transfer, entry in zip(transfers, await self._entries(transfers, account_id), strict=True):
                before = transfer.timestamp
                if entry is not None and search.finds(entry):
                    entries.append(entry)
                    if len(entries) == limit:
                        return await self._page_of(entries, before)
            scanned += len(transfers)
            if len(transfers) < PAGE_MAX:
                return await self._page_of(entries, None)
            if scanned >= SCANNED_MAX:
                return await self._page_of(entries, before)

    async def month(self, account_id: int, month: Month, zone: ZoneInfo) -> MonthSummary:
        """A month in sums, and each of its days that has begun."""
        now_ns = self._node.clock.now_ns()
        days = [day for day in month.days() if midnight_ns(day, zone) <= now_ns]
        flows: list[DayFlow] = []
        since_ns, until_ns = month.span_ns(zone)
        before = first = await self._posted(account_id, since_ns)
        for day in days:
            after = await self._posted(account_id, midnight_ns(day + timedelta(days=1), zone))
            flows.append(DayFlow(day, after[0] - before[0], after[1] - before[1]))
            before = after
        refunded = await self._refunded(account_id, since_ns, until_ns)
        return MonthSummary(
            month=month, came=before[0] - first[0], went=before[1] - first[1], refunded=refunded, days=flows
        )

    async def life(self, payment_id: int, account_id: int) -> Life:
        """A payment from or to this account. Refuses PAYMENT_UNKNOWN, also for everybody else's."""
        payment, outcome = await self._statements.payment(payment_id, account_id)
        is_own = isinstance(payment, Payment) and payment.account == account_id
        given = (await self._given([payment_id]))[payment_id] if isinstance(payment, Payment) else []
        # Not by time as a whole: the ledger's is ever a little later than ours, and a cause comes before what it causes.
        steps = [*await self._begun(payment, is_own=is_own), *_ended(outcome), *_given_back(given)]
        return Life(
            payment=payment,
            outcome=outcome,
            direction=Direction.OUT if is_own else Direction.IN,
            steps=steps,
        )

    # Entries.

    async def _transfers(self, account_id: int, search: Search, before: int | None) -> list[Transfer]:
        """The newest transfers before a cursor among which what is looked for may be: a full page unless there are no more."""
        kind = search.kind
        until_ns = min(search.until_ns or before or 0, before or search.until_ns)
        pages = [
            await self._ledger.account_transfers(
                AccountQuery(
                    account_id,
                    debits=kind in _DEBITED,
                    credits=kind not in (EntryKind.PAID, EntryKind.WITHDRAWAL),
                    timestamp_min=search.since_ns,
                    timestamp_max=max(until_ns - 1, 0),
                    code=code,
                    limit=PAGE_MAX,
                    reversed=True,
                )
            )
            for code in (_REFUND_CODES if kind is EntryKind.REFUND else (0,))
        ]
        return list(heapq.merge(*pages, key=lambda transfer: -transfer.timestamp))[:PAGE_MAX]

    async def _entries(self, transfers: list[Transfer], account_id: int) -> list[Entry | None]:
        """What each transfer is in a history: nothing, where another says the same."""
        subjects = await self._statements.subjects(transfers)
        await self._debtor.payments.load(
            {subject.payment_id for subject in subjects.values() if isinstance(subject, Refund)}
        )
        await self._debtor.outcomes.load({id_ for id_, subject in subjects.items() if isinstance(subject, Payment)})
        return [self._entry(each, account_id, subjects.get(each.user_data_128)) for each in transfers]

    def _entry(self, transfer: Transfer, account_id: int, subject: Subject) -> Entry | None:
        line = statement_line(transfer, account_id, subject)
        state = PaymentState.COMPLETED
        if not moves_money(transfer):
            is_hold = transfer.flags & TransferFlag.PENDING and transfer.id & _LEG_MASK == Leg.PRINCIPAL
            if not is_hold or not isinstance(subject, Payment):
                return None
            state = state_of(self._debtor.outcomes.get(subject.id))
            if state is PaymentState.COMPLETED:
                return None  # The post of it is an entry.
        counterparty = line.counterparty
        if isinstance(subject, Refund):
            payment = self._debtor.payments.get(subject.payment_id)
            counterparty = payment.payee_name if payment is not None else ""
        return Entry(
            cursor=transfer.timestamp,
            kind=kind_of(line.kind, line.direction),
            direction=line.direction,
            state=state,
            amount=line.amount,
            payment_id=parse_id("pay", line.payment_id) if line.payment_id else 0,
            counterparty=counterparty,
            remark=line.remark,
        )

    async def _page_of(self, entries: list[Entry], cursor: int | None) -> HistoryPage:
        """With what was given back of each payment."""
        paid = {entry.payment_id for entry in entries if entry.kind is EntryKind.PAID}
        given = await self._given(paid)
        return HistoryPage(entries=[_with_refunds(entry, given) for entry in entries], next_cursor=cursor)

    async def _given(self, payment_ids: Collection[int]) -> Mapping[int, list[_Given]]:
        """What was given back, by payment: one look-up a table, of what is durable."""
        found: dict[int, list[_Given]] = defaultdict(list)
        if not payment_ids:
            return found
        store = self._node.store
        refunds = [row for _, row in await store.find(REFUNDS, "payment_id", payment_ids)]
        returns = [row for _, row in await store.find(RETURNS, "payment_id", payment_ids)]
        await self._refunds.outcomes.load([row.id for row in refunds])
        await self._returns.outcomes.load([row.id for row in returns])
        for refund in refunds:
            found[refund.payment_id].append(_Given(refund, self._refunds.outcomes.get(refund.id)))
        for return_ in returns:
            found[return_.payment_id].append(_Given(return_, self._returns.outcomes.get(return_.id)))
        return found

    # A life.

    async def _begun(self, payment: Payment | Receipt, *, is_own: bool) -> list[Step]:
        """What happened before a payment was decided."""
        steps: list[Step] = []
        if isinstance(payment, Payment):
            if payment.channel in ASKED_FOR:
                asked_id = to_pay_id(payment.creditor_agent, payment.request_id)
                await self._to_pays.rows.load([asked_id])
                asked = self._to_pays.rows.get(asked_id)
                if is_own and asked is not None and asked.payment_id == payment.id:
                    steps.append(Step(kind=StepKind.ASKED, at_ns=asked.created_ns))
            steps.append(Step(kind=StepKind.CONFIRMED, at_ns=payment.created_ns))
            held = [] if payment.payee_account else [self._debtor.hold_id(payment)]
            holds = await self._ledger.lookup_transfers(held)
            steps += [Step(kind=StepKind.HELD, at_ns=hold.timestamp) for hold in holds]
        else:
            steps.append(Step(kind=StepKind.OFFERED, at_ns=payment.created_ns))
        return steps

    # Sums.

    async def _posted(self, account_id: int, until_ns: int) -> tuple[int, int]:
        """All that ever came and went before a time."""
        balance = await self._ledger.balance_at(account_id, until_ns - 1)
        return (balance.credits_posted, balance.debits_posted) if balance is not None else (0, 0)

    async def _refunded(self, account_id: int, since_ns: int, until_ns: int) -> int:
        """What came back in that time of what had been paid."""
        refunded = 0
        for code in _REFUND_CODES:
            timestamp_min = since_ns
            while True:
                page = await self._ledger.account_transfers(
                    AccountQuery(
                        account_id,
                        debits=False,
                        timestamp_min=timestamp_min,
                        timestamp_max=until_ns - 1,
                        code=code,
                        limit=PAGE_MAX,
                    )
                )
                refunded += sum(transfer.amount for transfer in page if moves_money(transfer))
                if len(page) < PAGE_MAX:
                    break
                timestamp_min = page[-1].timestamp + 1
        return refunded


def _ended(outcome: Outcome | None) -> list[Step]:
    if outcome is None:
        return []
    kind = StepKind.COMPLETED if outcome.completed else StepKind.REJECTED
    return [Step(kind=kind, at_ns=outcome.decided_ns, reason=outcome.reason)]


def _given_back(given: list[_Given]) -> list[Step]:
    steps: list[Step] = []
    for each in given:
        amount, row, outcome = each.amount, each.row, each.outcome
        steps.append(Step(kind=StepKind.REFUND_BEGUN, at_ns=row.created_ns, amount=amount, remark=row.remark))
        if outcome is not None:
            kind = StepKind.REFUNDED if outcome.completed else StepKind.REFUND_REJECTED
            steps.append(Step(kind=kind, at_ns=outcome.decided_ns, amount=amount, reason=outcome.reason))
    return sorted(steps, key=lambda step: step.at_ns)


def _with_refunds(entry: Entry, given: Mapping[int, list[_Given]]) -> Entry:
    if entry.kind is not EntryKind.PAID or entry.payment_id not in given:
        return entry
    of_it = given[entry.payment_id]
    return msgspec.structs.replace(
        entry,
        refunded=sum(each.amount for each in of_it if each.outcome is not None and each.outcome.completed),
        refunding=sum(each.amount for each in of_it if each.outcome is None),
    )
