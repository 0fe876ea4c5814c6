"""Payments of one institution as a whole: what it does with each message, with time, and after a restart."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, assert_never

from hutong.institution.chart import Chart
from hutong.institution.payments.bank_link_service import BankLinkService
from hutong.institution.payments.cashier import Cashier
from hutong.institution.payments.charge_service import ChargeService
from hutong.institution.payments.consult_service import ConsultService
from hutong.institution.payments.creditor_service import CreditorService
from hutong.institution.payments.debtor_service import DebtorService
from hutong.institution.payments.describer import Describer
from hutong.institution.payments.history_service import HistoryService
from hutong.institution.payments.mandate import HOLD_PREFIX, MANDATE_PREFIX, bank_of
from hutong.institution.payments.mandate_service import MandateService
from hutong.institution.payments.oversight_service import OversightService
from hutong.institution.payments.payment import Why, check_amount, check_new_id
from hutong.institution.payments.ports import Notices, People, Requests
from hutong.institution.payments.pursuit import Pursuit
from hutong.institution.payments.quotes import QuoteBook
from hutong.institution.payments.refund_service import RefundService
from hutong.institution.payments.request_to_pay import REQUESTS_TO_PAY
from hutong.institution.payments.return_service import ReturnService
from hutong.institution.payments.statement_service import StatementService
from hutong.institution.payments.to_pay_service import ToPayService
from hutong.institution.payments.top_up_service import TopUpService
from hutong.institution.policy.policy import Policies
from hutong.kernel.ids import PARTS_MAX, derive
from hutong.ledger import recipes
from hutong.ledger.engine import LedgerEngine
from hutong.ledger.transfer import TransferStatus
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import UNFINISHED_WITHIN, Shelf
from hutong.scheme.complaint_messages import (
    ComplaintMessage,
    ComplaintPictureAsked,
    ComplaintPiece,
    ComplaintSaid,
    ComplaintTurn,
)
from hutong.scheme.hold import HoldReport, HoldRequest
from hutong.scheme.messages import (
    AccountStatement,
    AnyMessage,
    CodeConsult,
    CodeResolve,
    CreditTransfer,
    PaymentReturn,
    PaymentStatus,
    RecallAnswer,
    RecallRequest,
    RequestStatus,
    RequestToPay,
    StatementRequest,
    StatusRequest,
    TraceAnswer,
    TraceRequest,
    TransactionStatus,
    hex_id,
)

SWITCH = "switch"
PAYMENT_CODE_LENGTH = 18


class PaymentService:
    """All of payments, wired: the one thing `app` builds and a node's transport, timer and API talk to."""

    def __init__(
        self,
        node: NodeRuntime,
        ledger: LedgerEngine,
        chart: Chart,
        policies: Policies,
        people: People,
        requests: Requests,
        notices: Notices,
        cashier: Cashier | None = None,
        *,
        switch: str = SWITCH,
        code_prefix: str = "",
        mandate_key: bytes = b"",
    ) -> None:
        self.cashier = cashier = cashier if cashier is not None else Cashier()
        self.node = node
        self.ledger = ledger
        self.chart = chart
        self.switch = switch
        self._pursuit = pursuit = Pursuit(node.clock)
        quotes, currency = QuoteBook(), chart.currency.alpha
        self.top_ups = top_ups = TopUpService(node)
        asked = Shelf(REQUESTS_TO_PAY, node.journal, node.store, by=("waiting_user_id",), timed=True)
        self.mandates = MandateService(node, policies, asked, currency, mandate_key or node.randomness.randbytes(32))
        self.consults = ConsultService(
            node, policies, people, requests, quotes, cashier, self.mandates, switch, chart.currency.alpha
        )
        self.charges = charges = ChargeService(
            node, policies, pursuit, switch, is_ours=self.is_ours, ask_ourselves=self._ask_ourselves, cashier=cashier
        )
        self.debtor = debtor = DebtorService(
            node,
            ledger,
            chart,
            policies,
            people,
            requests,
            top_ups,
            notices,
            quotes,
            cashier,
            self.mandates,
            charges,
            pursuit,
            switch,
        )
        self.creditor = CreditorService(
            node, ledger, chart, policies, requests, top_ups, charges, notices, cashier, pursuit, switch
        )
        self.refunds = RefundService(node, ledger, chart, debtor, self.creditor, notices, cashier, pursuit, switch)
        self.returns = ReturnService(node, ledger, chart, debtor, notices, cashier, pursuit, switch)
        self.to_pays = ToPayService(node, people, debtor, self.consults, self.mandates, notices, asked, switch)
        self.to_pays.tell_ourselves = charges.answered
        self.bank_link = BankLinkService(node, people, self.consults, self.mandates, debtor, charges, top_ups, currency)
        charges.on_rejected = self.bank_link.refused
        self.statements = StatementService(ledger, debtor, self.creditor, self.refunds, self.returns, currency)
        self.history = HistoryService(
            node, ledger, self.statements, debtor, self.creditor, self.refunds, self.returns, self.to_pays
        )
        self.oversight = OversightService(node, debtor, self.creditor, self.refunds, self.returns, switch)
        self.on_statement: Callable[[AccountStatement], None] = lambda _: None
        # Told at a start, when what was decided has let go of what it held, and before anything else is held.
        self.on_let_go: list[Callable[[], None]] = []
        self._code_prefix = code_prefix
        # Recalls, complaints and holds are built upon payments, and hear what is theirs.
        self.on_recall: Callable[[RecallRequest | RecallAnswer | TraceRequest | TraceAnswer], None] = lambda _: None
        self.on_complaint: Callable[[ComplaintMessage], None] = lambda _: None
        self.on_hold: Callable[[HoldRequest | HoldReport], None] = lambda _: None
        self._people = people

    def describe_merchants(self, describer: Describer) -> None:
        """From now on other institutions are told what kind of merchant is paid; before the institution starts."""
        self.consults.describer = self.charges.describer = describer

    async def start(self) -> None:
        """Open the node's own accounts, and take up what was undecided when it stopped."""
        self.chart.open(self.ledger)
        self.node.journal.seal()
        for part in (
            self.debtor,
            self.creditor,
            self.refunds,
            self.returns,
            self.charges,
            self.to_pays,
            self.top_ups,
        ):
            await part.start()
        await self._resume()

    def receive(self, sender: str, messages: Sequence[AnyMessage]) -> None:
        """Decide on each message of a batch from the switch; all of it shares a commit. Nobody else is heard."""
        if sender != self.switch:
            return
        self.node.decide_each(partial(self._receive, message) for message in messages)

    def tick(self) -> None:
        """What time alone brings about: asking again. The node's timer calls it a few times a second."""
        self.node.decide_each(partial(undecided.again, undecided) for undecided in self._pursuit.due())

    def pay_in(self, pay_in_id: int, user_id: int, amount: int, answer: Callable[[str], None]) -> None:
        """
        Credit a user with money that came from outside of all nodes into the reserve.

        Moves:    reserve -> wallet; posted.
        Refuses:  AMOUNT_NOT_POSITIVE, ID_FROM_THE_FUTURE; who may not receive.
        Repeats:  nothing. `answer` is told the field that differs from what came under this id before; empty: done.
        """
        now_ns = self.node.clock.now_ns()
        check_amount(amount)
        check_new_id("pay_in_id", pay_in_id, now_ns)
        user = self._people.user(user_id)
        user.may_receive(now_ns)
        transfer = recipes.top_up(
            derive(pay_in_id, f"{self.node.node_id}/pay-in"),
            reserve=self.chart.reserve,
            account=user.wallet_account,
            amount=amount,
            ledger=self.chart.currency.ledger,
            code=Why.PAID_IN,
        )
        self.ledger.create_transfers(
            [transfer], lambda statuses: self.node.journal.effect(partial(answer, _PAID_IN[statuses[0]]))
        )

    def _receive(self, message: AnyMessage) -> None:
        match message:
            case PaymentStatus():
                self._told(message)
            case CreditTransfer():
                self.creditor.offered(message)
            case PaymentReturn():
                self.returns.offered(message)
            case RequestToPay():
                self.to_pays.asked(message)
            case RequestStatus():
                self.charges.answered(message)
            case CodeConsult():
                self.consults.consulted(message)
            case CodeResolve():
                self.consults.answered(message)
            case RecallRequest() | RecallAnswer() | TraceRequest() | TraceAnswer():
                self.on_recall(message)
            case ComplaintSaid() | ComplaintTurn() | ComplaintPictureAsked() | ComplaintPiece():
                self.on_complaint(message)
            case HoldRequest() | HoldReport():
                self.on_hold(message)
            case AccountStatement():
                self.on_statement(message)
            case StatusRequest() | StatementRequest():
                pass  # Only the switch is asked how things stand.
            case _:
                assert_never(message)

    def is_ours(self, code: str) -> bool:
        """Whether a payment code, mandate or hold is of this node: then nobody else need be asked."""
        if code.startswith((MANDATE_PREFIX, HOLD_PREFIX)):
            return bank_of(code) == self.node.node_id
        return bool(self._code_prefix) and code.startswith(self._code_prefix) and len(code) == PAYMENT_CODE_LENGTH

    def _ask_ourselves(self, message: RequestToPay) -> None:
        self.to_pays.asked(message)

    def _told(self, status: PaymentStatus) -> None:
        """Ids are unique per originator: of our own, a payment's ends in a zero byte and a refund's does not."""
        id_ = hex_id(status.payment_id)
        if status.originator == self.node.node_id:
            (self.debtor if id_ % PARTS_MAX == 0 else self.refunds).told(status)
        elif id_ in self.returns.undecided:
            self.returns.told(status)
        elif id_ in self.creditor.undecided:
            self.creditor.told(status)
        elif status.status is TransactionStatus.REJECTED:
            # What neither side has seen both remember as rejected: the id of a stranger does not say what it is of.
            is_return, is_payment = self.returns.knows(id_), self.creditor.knows(id_)
            if is_payment or not is_return:
                self.creditor.told(status)
            if is_return or not is_payment:
                self.returns.told(status)

    async def _resume(self) -> None:
        """Everything undecided has its holds pending on the ledger, under its own id."""
        pending: dict[int, set[int]] = {}
        for transfer in await self.ledger.pending_transfers():
            pending.setdefault(transfer.code, set()).add(transfer.user_data_128)
        await _take_up(self.debtor, self.debtor.payments, pending.get(Why.PAYMENT_HELD))
        await _take_up(self.creditor, self.creditor.receipts, pending.get(Why.RECEIPT))
        await _take_up(self.refunds, self.refunds.refunds, pending.get(Why.REFUND_HELD))
        await _take_up(self.returns, self.returns.returns, pending.get(Why.RETURN))
        for let_go in self.on_let_go:
            let_go()
        self.node.journal.seal()
        await self._take_up_unheld(self.debtor, self.debtor.payments)
        await self._take_up_unheld(self.creditor, self.creditor.receipts)
        await self._take_up_unheld(self.refunds, self.refunds.refunds)
        await self._take_up_unheld(self.returns, self.returns.returns)

    async def _take_up_unheld(self, side: Any, shelf: Shelf[Any]) -> None:
        """
        What was written down and not held: a ledger that had to look an account up was cut off before it answered.

        A hold follows its row by one look-up, so whatever a crash kept apart is among the last rows.
        """
        recent = await shelf.load_since(max(0, self.node.journal.position - UNFINISHED_WITHIN))
        await side.outcomes.load([row.id for row in recent])
        unheld = [row for row in recent if row.id not in side.undecided and side.outcomes.get(row.id) is None]
        if side is self.debtor:
            for row in unheld:
                self.debtor.usages.expect(row)
        for row in unheld:
            self.node.decide(partial(_take_up_if_open, side, row))


_PAID_IN = {
    TransferStatus.CREATED: "",
    TransferStatus.EXISTS: "",
    TransferStatus.EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT_ID: "user_id",
    TransferStatus.EXISTS_WITH_DIFFERENT_AMOUNT: "amount",
}


def _take_up_if_open(side: Any, row: Any) -> None:
    """Whoever asked for it again may have been quicker, while this decision waited for what it needs."""
    if row.id not in side.undecided and side.outcomes.get(row.id) is None:
        side.take_up(row)


async def _take_up(side: Any, shelf: Shelf[Any], pending: set[int] | None) -> None:
    ids = sorted(pending or ())
    await shelf.load(ids)
    await side.outcomes.load(ids)
    for id_ in ids:
        row = shelf.get(id_)
        assert row is not None, "a hold is never durable without what it is held for"
        side.resume(row)
