"""
The lines of bills, from what the ledger moved: so their sums are the ledger's.

A bill is read a page at a time, and what it was about is looked up page by page: a day of many trades is many short pauses,
not a long one.
"""

from collections.abc import AsyncIterator, Sequence
from functools import partial
from itertools import groupby

import msgspec

from hutong.gateways.account import Account, AlipayAccount, Caller, WechatAccount
from hutong.gateways.account_service import AccountService
from hutong.gateways.bills.line import FundKind, FundLine, TradeKind, TradeLine, yuan
from hutong.gateways.bills.part_lines import part_funds, part_refund, part_refund_fund, part_trade
from hutong.gateways.combined.combined import CombinedPart, PartTaking, TakingState
from hutong.gateways.combined.combined_service import CombinedService, is_combined
from hutong.gateways.combined.part_refund_service import PartRefundService
from hutong.gateways.order import Closed, GatewayOrder, payer_discount
from hutong.gateways.order_service import OrderService
from hutong.gateways.refund import GatewayRefund
from hutong.gateways.refund_service import GatewayRefundService
from hutong.gateways.splits.split_service import SplitService
from hutong.institution import chart
from hutong.institution.bills.bill import BillDay
from hutong.institution.merchants.staff_key import Right
from hutong.institution.node import InstitutionNode
from hutong.institution.payments.payment import Payment, Why
from hutong.institution.payments.receipt import Receipt
from hutong.institution.payments.refund import Refund
from hutong.institution.payments.statement import Subject
from hutong.kernel.ids import id_text
from hutong.ledger.transfer import AccountQuery, Transfer, TransferFlag
from hutong.runtime.shelf import warmed

_PAGE = 1_000  # Transfers.
_MOVES_NOTHING = TransferFlag.PENDING | TransferFlag.VOID_PENDING
_KINDS = {
    Why.RECEIPT: FundKind.PAYMENT,
    Why.PAYMENT_ON_US: FundKind.PAYMENT,
    Why.REFUND_HELD: FundKind.REFUND,
    Why.REFUND_ON_US: FundKind.REFUND,
    Why.PAYMENT_HELD: FundKind.WITHDRAWAL,
    Why.PAID_IN: FundKind.PAID_IN,
    Why.DISPUTED: FundKind.DISPUTED,
    Why.DISPUTE_ENDED: FundKind.DISPUTED,
    Why.FROZEN: FundKind.FROZEN,
    Why.UNFROZEN: FundKind.UNFROZEN,
    Why.SPLIT: FundKind.SPLIT,
    Why.SPLIT_RETURNED: FundKind.SPLIT_RETURNED,
    Why.COMBINED: FundKind.COMBINED,
    Why.COMBINED_RETURNED: FundKind.COMBINED_RETURNED,
    Why.SENT: FundKind.TRANSFER,
    Why.SUBSIDISED: FundKind.SUBSIDY,
    Why.SUBSIDY_RETURNED: FundKind.SUBSIDY_RETURNED,
}
_SALES = (FundKind.PAYMENT, FundKind.REFUND, FundKind.COMBINED, FundKind.COMBINED_RETURNED)


class Movement(msgspec.Struct, frozen=True):
    """Transfers of one account that happened together, for one thing."""

    kind: FundKind
    about: int
    at_ns: int
    change: int


class _About(msgspec.Struct, frozen=True):
    """What the movements of a page were about, by their `about`."""

    subjects: dict[int, Subject]
    orders: dict[int, GatewayOrder]  # Of payments and refunds.
    refunds: dict[int, GatewayRefund]
    frozen: dict[int, GatewayOrder]  # Of what is frozen and unfrozen.
    parts: dict[int, CombinedPart]  # Of what was handed on, of takings, and of what is frozen of a part.
    takings: dict[int, PartTaking]


class GatewayBillService:
    """Scoped to the caller's payee: its trades, and whatever moved on its merchant's money."""

    def __init__(
        self,
        institution: InstitutionNode,
        accounts: AccountService,
        orders: OrderService,
        refunds: GatewayRefundService,
        splits: SplitService,
        combined: CombinedService,
        part_refunds: PartRefundService,
    ) -> None:
        self._institution = institution
        self._journal = institution.node.journal
        self._ledger = institution.ledger
        self._accounts = accounts
        self._orders = orders
        self._refunds = refunds
        self._splits = splits
        self._combined = combined
        self._part_refunds = part_refunds
        self.page = _PAGE

    async def trades(self, caller: Caller, day: BillDay) -> list[TradeLine]:
        """What was paid and given back of the account's orders on a day, in order. Refuses ROLE_MAY_NOT."""
        caller.key.check_right(Right.READ)
        fee_bps = -1  # A merchant has none before its first day, when nobody pays it either.
        lines = []
        async for page in self._movements(caller, day):
            sales = [each for each in page if each.kind in _SALES]
            about = await self._about(sales)
            for sale in sales:
                for line, id_ in await warmed(self._journal, partial(self._trades, caller, sale, about)):
                    if fee_bps < 0:
                        fee_bps = await self._fee_bps(caller, day)
                    lines.append(msgspec.structs.replace(line, fee_bps=fee_bps, shared=await self._shared(line, id_)))
        return lines

    def _trades(self, caller: Caller, sale: Movement, about: _About) -> list[tuple[TradeLine, int]]:
        """The lines of a sale, with the id of what was sold: mostly one; none of what is another account's."""
        payee_id = caller.payee.row.id
        part, taking = about.parts.get(sale.about), about.takings.get(sale.about)
        if part is not None:
            order = self._orders.orders.get(part.combined_id)
            if order is None or part.payee_id != payee_id or (taking is not None and not _lasts(taking)):
                return []
            line = part_trade(self._line(caller, sale, order), part)
            if taking is None:
                return [(line, part.id)]
            return [(part_refund(line, taking, about.refunds.get(taking.refund_id), sale.at_ns), part.id)]
        order = about.orders.get(sale.about)
        if order is None or order.payee_id != payee_id or sale.kind not in (FundKind.PAYMENT, FundKind.REFUND):
            return []
        if not is_combined(order):
            return [(self._trade(caller, sale, about, order), order.id)]
        # Who takes a combined payment has a line of it only for a part of its own.
        own = [each for each in self._combined.parts.find("combined_id", order.id) if each.payee_id == payee_id]
        whole = self._line(caller, sale, order)
        if sale.kind is FundKind.PAYMENT:
            return [(part_trade(whole, each), each.id) for each in own]
        row = about.refunds.get(sale.about)
        taking = self._part_refunds.taking_of(row) if row is not None else None
        return [
            (part_refund(part_trade(whole, each), taking, row, sale.at_ns), each.id)
            for each in own
            if taking is not None and taking.part_id == each.id
        ]

    async def _fee_bps(self, caller: Caller, day: BillDay) -> int:
        """What the merchant paid of each payment at the end of the day."""
        at_ns, merchants = day.until_ns - 1, self._institution.merchants
        fee = await warmed(self._journal, lambda: merchants.fee(caller.key.merchant_id, at_ns))
        return fee.fee_bps

    async def funds(self, caller: Caller, day: BillDay) -> list[FundLine]:
        """
        All that moved on the merchant's money on a day, in order; the first line's balance is on that of the night before.

        Refuses:  ROLE_MAY_NOT; SHOP_NOT_YOURS, to an account of one shop.
        """
        caller.key.check_right(Right.READ)
        caller.key.check_whole_merchant()
        account = chart.merchant_account(caller.key.merchant_id, self._institution.chart.currency)
        balance = await self._institution.payments.statements.balance_at(account, day.from_ns - 1)
        lines: list[FundLine] = []
        async for page in self._movements(caller, day):
            about = await self._about(page)
            for movement in page:
                for line in self._fund(movement, about, balance):
                    lines.append(line)
                    balance = line.balance
        return lines

    # The ledger's side.

    async def _movements(self, caller: Caller, day: BillDay) -> AsyncIterator[list[Movement]]:
        """What moved, what happened together in one; a page of the ledger never ends within one."""
        account = chart.merchant_account(caller.key.merchant_id, self._institution.chart.currency)
        since_ns, held = day.from_ns, list[Transfer]()
        while True:
            query = AccountQuery(account, timestamp_min=since_ns, timestamp_max=day.until_ns - 1, limit=self.page)
            page = await self._ledger.account_transfers(query) if since_ns < day.until_ns else []
            held += [each for each in page if not each.flags & _MOVES_NOTHING]
            if len(page) < self.page:
                yield _together(held, account)
                return
            since_ns = page[-1].timestamp + 1
            whole = len(held)
            while whole and _thing(held[whole - 1]) == _thing(held[-1]):
                whole -= 1
            yield _together(held[:whole], account)
            held = held[whole:]

    # What it was about.

    async def _about(self, movements: Sequence[Movement]) -> _About:
        payments = self._institution.payments
        of = {kind: [each.about for each in movements if each.kind is kind] for kind in FundKind}
        await payments.refunds.refunds.load(of[FundKind.REFUND])
        refunds = {id_: payments.refunds.refunds.get(id_) for id_ in of[FundKind.REFUND]}
        paid = [*of[FundKind.PAYMENT], *(each.payment_id for each in refunds.values() if each is not None)]
        await payments.creditor.receipts.load(paid)
        await payments.debtor.payments.load(paid)
        sold: dict[int, Receipt | Payment] = {}
        for id_ in paid:
            found = payments.creditor.receipts.get(id_) or payments.debtor.payments.get(id_)
            if found is not None:
                sold[id_] = found
        frozen = [*of[FundKind.FROZEN], *of[FundKind.UNFROZEN]]
        taken = of[FundKind.COMBINED_RETURNED]
        await self._part_refunds.takings.load(taken)
        takings = {id_: gone for id_ in taken if (gone := self._part_refunds.takings.get(id_)) is not None}
        handed_on = [*of[FundKind.COMBINED], *(each.part_id for each in takings.values()), *frozen]
        await self._combined.parts.load(handed_on)
        found_parts = {id_: part for id_ in handed_on if (part := self._combined.parts.get(id_)) is not None}
        parts = found_parts | {
            id_: found_parts[each.part_id] for id_, each in takings.items() if each.part_id in found_parts
        }
        back = [*of[FundKind.REFUND], *(each.refund_id for each in takings.values() if each.refund_id)]
        await self._refunds.rows.load(back)
        wanted = [*(each.request_id for each in sold.values()), *(each.combined_id for each in parts.values()), *frozen]
        await self._orders.orders.load(wanted)
        orders: dict[int, GatewayOrder] = {}
        for id_ in of[FundKind.PAYMENT]:
            order = self._orders.orders.get(sold[id_].request_id) if id_ in sold else None
            if order is not None:
                orders[id_] = order
        for id_, refund in refunds.items():
            payment = sold.get(refund.payment_id) if refund is not None else None
            order = self._orders.orders.get(payment.request_id) if payment is not None else None
            if order is not None:
                orders[id_] = order
        return _About(
            {**sold, **refunds},
            orders,
            {id_: row for id_ in back if (row := self._refunds.rows.get(id_)) is not None},
            {id_: held for id_ in frozen if (held := self._orders.orders.get(id_)) is not None},
            parts,
            takings,
        )

    # Lines.

    def _line(self, caller: Caller, sale: Movement, order: GatewayOrder) -> TradeLine:
        """What is told of every order alike."""
        told = order.told
        placed = self._accounts.account(order.account_id) if order.account_id != order.payee_id else caller.payee
        appid = str(told.get("appid") or _application(placed))
        return TradeLine(
            kind=TradeKind.PAYMENT,
            at_ns=sale.at_ns,
            appid=appid,
            number=placed.row.number,
            sub_number=caller.payee.row.number if placed is not caller.payee else "",
            device=str(told.get("device_id") or told.get("device_info") or ""),
            trade_no=order.trade_no,
            out_trade_no=order.out_trade_no,
            payer=self._payer(caller, appid, order),
            product=order.product,
            amount=0,
            description=str(told.get("description") or told.get("body") or told.get("subject") or ""),
            attach=str(told.get("attach") or ""),
            created_ns=order.created_ns,
            shop_no=str(told.get("store_id") or ""),
            operator=str(told.get("operator_id") or ""),
            terminal=str(told.get("terminal_id") or ""),
        )

    def _trade(self, caller: Caller, sale: Movement, about: _About, order: GatewayOrder) -> TradeLine:
        subject, line = about.subjects[sale.about], self._line(caller, sale, order)
        if isinstance(subject, Refund):
            row = about.refunds.get(sale.about)
            return msgspec.structs.replace(
                line,
                kind=TradeKind.REVERSED if order.closed == Closed.REVERSED else TradeKind.REFUND,
                amount=subject.gross,
                discount=subject.gross - subject.shares.paid,
                fee=subject.fee,
                refund_no=row.refund_no if row is not None else id_text("rfd", subject.refund_id),
                out_refund_no=row.out_refund_no if row is not None else "",
                ended_ns=sale.at_ns,
            )
        assert isinstance(subject, Receipt | Payment)
        discount = subject.payee_discount + payer_discount(subject)
        return msgspec.structs.replace(line, amount=subject.gross, fee=subject.fee, discount=discount)

    async def _shared(self, line: TradeLine, order_id: int) -> int:
        """What of a payment was split among others so far."""
        if line.is_refund:
            return 0
        return sum(split.total for split in await warmed(self._journal, lambda: self._splits.shared_of(order_id)))

    def _payer(self, caller: Caller, appid: str, order: GatewayOrder) -> str:
        if isinstance(caller.payee, AlipayAccount):
            people = self._institution.people
            return self._orders.payers.number(order.payer, lambda user_id: people.user(user_id).number)
        return self._orders.payers.openid(appid, order.payer)

    def _fund(self, movement: Movement, about: _About, balance: int) -> list[FundLine]:
        subject, order = about.subjects.get(movement.about), about.orders.get(movement.about)
        row = about.refunds.get(movement.about)
        frozen = about.frozen.get(movement.about)
        line = FundLine(
            at_ns=movement.at_ns,
            kind=movement.kind,
            trade_no=f"{movement.about:039d}",
            flow_no=f"{movement.at_ns}0",
            change=movement.change,
            balance=balance + movement.change,
        )
        part, taking = about.parts.get(movement.about), about.takings.get(movement.about)
        if part is not None and taking is not None:
            return [part_refund_fund(line, taking, part, about.refunds.get(taking.refund_id))]
        if part is not None and movement.kind is FundKind.COMBINED:
            return part_funds(line, part) if movement.change > 0 else [line]
        if part is not None:
            return [msgspec.structs.replace(line, trade_no=part.trade_no, voucher=part.out_trade_no)]
        if frozen is not None:
            return [msgspec.structs.replace(line, trade_no=frozen.trade_no, voucher=frozen.out_trade_no)]
        if order is not None:
            description = order.told.get("description") or order.told.get("body") or order.told.get("subject") or ""
            line = msgspec.structs.replace(
                line, trade_no=order.trade_no, voucher=order.out_trade_no, description=str(description)
            )
        if isinstance(subject, Refund):
            if row is not None:
                line = msgspec.structs.replace(line, trade_no=row.refund_no, voucher=row.out_refund_no)
            remark = f"退款总金额{yuan(subject.gross)}元;含手续费{yuan(subject.fee)}元"
            return [msgspec.structs.replace(line, remark=remark)]
        if isinstance(subject, Receipt | Payment) and subject.fee and movement.change == subject.gross - subject.fee:
            gross = msgspec.structs.replace(line, change=subject.gross, balance=balance + subject.gross)
            return [
                gross,
                msgspec.structs.replace(line, kind=FundKind.FEE, flow_no=f"{movement.at_ns}1", change=-subject.fee),
            ]
        return [line]


def _lasts(taking: PartTaking) -> bool:
    """Whether what was given for a refund did not come back."""
    return taking.state == TakingState.TAKEN


def _thing(transfer: Transfer) -> tuple[int, int]:
    return transfer.code, transfer.user_data_128


def _together(transfers: Sequence[Transfer], account: int) -> list[Movement]:
    """What happened together follows upon one another: a chain is decided at once."""
    movements = []
    for (code, about), group in groupby(transfers, _thing):
        together = list(group)
        change = sum(each.amount if each.credit_account_id == account else -each.amount for each in together)
        kind = _KINDS.get(Why(code), FundKind.OTHER) if code in Why.__members__.values() else FundKind.OTHER
        if change:
            movements.append(Movement(kind, about, together[0].timestamp, change))
    return movements


def _application(account: Account) -> str:
    return account.facts.appids[0] if isinstance(account, WechatAccount) else account.row.number
