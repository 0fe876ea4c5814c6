"""
Clearing: reserve, offer, decide, tell. `docs/scheme/payment.md` is the rule; invariant 3 rests on this file.

The decision is the first durable post or void of the reservation. It is taken in `_post` and `_void` and nowhere
else, and the ledger itself arbitrates: what was posted cannot be voided any more, nor the reverse.
"""

import heapq
from functools import partial

import msgspec
import structlog

from hutong.kernel.errors import Reason, Refusal
from hutong.kernel.money import currency_of
from hutong.ledger import recipes
from hutong.ledger.engine import LedgerEngine
from hutong.ledger.transfer import Transfer, TransferStatus, chain_status
from hutong.runtime.figures import Outcomes
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf
from hutong.scheme.messages import (
    CreditTransfer,
    PaymentReturn,
    PaymentStatus,
    StatusRequest,
    TransactionStatus,
    hex_id,
    id_hex,
)
from hutong.switch import chart
from hutong.switch.admission import AdmissionService
from hutong.switch.enquiry import EnquiryLimiter, is_from_the_future
from hutong.switch.payment import (
    ClearedPayment,
    Decision,
    Instruction,
    Returned,
    check_payment,
    check_return,
    originator_of,
    own_id,
    reserved,
    row_id,
)
from hutong.switch.policy import ClearingPolicy
from hutong.switch.reason import SwitchReason
from hutong.switch.repository import DECISIONS, PAYMENTS, RETURNED
from hutong.switch.settlement.window_service import WindowService

log = structlog.get_logger()
_encode = msgspec.json.Encoder().encode
_DECODER = msgspec.json.Decoder(CreditTransfer | PaymentReturn)


def reservation(payment: ClearedPayment) -> list[Transfer]:
    """
    The reservation a payment or return makes on the switch's ledger, the same each time it is built.

    The row keeps what crosses between the positions, so the recipe is given that as the whole.
    """
    currency = currency_of(payment.currency)
    recipe = recipes.reserve_refund if payment.is_return else recipes.reserve
    return recipe(
        payment.id,
        payment.id,
        debtor_position=chart.position_account(payment.debtor_agent, currency),
        creditor_position=chart.position_account(payment.creditor_agent, currency),
        scheme_income=chart.income_account(currency),
        gross=payment.settlement_minor + payment.switch_fee_minor,
        switch_fee=payment.switch_fee_minor,
        ledger=currency.ledger,
        code=chart.CODE_RETURN if payment.is_return else chart.CODE_CLEARING,
    )


class ClearingService:
    """Every use case of a payment or a return between two nodes, as the switch sees it."""

    def __init__(
        self,
        node: NodeRuntime,
        ledger: LedgerEngine,
        admission: AdmissionService,
        windows: WindowService,
        policy: ClearingPolicy,
    ) -> None:
        self._node = node
        self._ledger = ledger
        self._admission = admission
        self._windows = windows
        self._policy = policy
        self.enquiries = EnquiryLimiter(policy.enquiries_per_s, policy.enquiries_burst)
        self.payments = Shelf(PAYMENTS, node.journal, node.store, timed=True, rows_max=200_000)
        self.decisions = Shelf(DECISIONS, node.journal, node.store, timed=True, rows_max=200_000)
        self._returned = Shelf(RETURNED, node.journal, node.store, timed=True, rows_max=200_000)
        self._returning: dict[int, dict[int, PaymentReturn]] = {}  # By payment: its returns that are undecided.
        self.figures = Outcomes()
        self.undecided: dict[int, ClearedPayment] = {}  # Reserved, offered, and neither posted nor voided.
        self._reservations: dict[int, list[Transfer]] = {}  # Of those in `undecided`, but for what a restart took up.
        self._reserving: set[int] = set()  # Written down, and the ledger has yet to answer.
        self._deadlines: list[tuple[int, int]] = []

    @property
    def currencies(self) -> tuple[str, ...]:
        """What is cleared here."""
        return tuple(self._policy.currencies)

    async def start(self) -> None:
        """Take up what was undecided when the node stopped: its reservations are still pending on the ledger."""
        await self.payments.start()
        await self.decisions.start()
        await self._returned.start()
        ids = sorted({transfer.user_data_128 for transfer in await self._ledger.pending_transfers()})
        await self.payments.load(ids)
        for id_ in ids:
            payment = self.payments.get(id_)
            assert payment is not None, "a reservation is committed together with its payment"
            self._watch(payment)

    def clear(self, sender: str, instruction: Instruction) -> None:
        """
        pacs.008 or pacs.004: reserve liquidity, once, and offer the payment to the other agent.

        Moves:    the paying agent's position to the paid agent's, and the switch fee; pending.
        Refuses:  with a durable pacs.002 RJCT: what `check_payment` and `check_return` refuse,
                  PARTICIPANT_SUSPENDED, PARTICIPANT_LEAVING, PARTICIPANT_LEFT, NET_DEBIT_CAP_EXCEEDED.
        Repeats:  offers again while undecided, tells the decision afterwards. Other content under the same
                  id changes nothing: the sender is told so and how the first one stands.
        """
        originator = originator_of(instruction)
        if sender != originator:
            log.warning("instruction for another", sender=sender, originator=originator)
            return
        payment_id = own_id(instruction)
        if is_from_the_future(payment_id, sender, self._node.clock.now_ns()):
            return
        id_ = row_id(payment_id, originator)
        decision = self.decisions.get(id_)
        known = self.payments.get(id_)
        if known is None and decision is None:
            self._admit(id_, instruction)
        elif known is not None and known.message != _encode(instruction):
            self._tell_standing(sender, payment_id, originator, decision, SwitchReason.SAME_ID_OTHER_CONTENT)
        elif decision is not None:
            self._node.journal.tell(sender, decision.message())
        else:
            assert known is not None
            self._offer(known, instruction)

    def conclude(self, sender: str, status: PaymentStatus) -> None:
        """pacs.002 from the agent asked to accept: ACSP posts, RJCT voids; after the decision it is told the decision."""
        id_ = row_id(status.payment_id, status.originator)
        decision = self.decisions.get(id_)
        payment = self.payments.get(id_)
        if payment is None or sender != payment.paid_agent:
            log.warning("status from a stranger", sender=sender, payment_id=status.payment_id)
        elif decision is not None:
            self._node.journal.tell(sender, decision.message())
        elif id_ not in self.undecided:
            log.warning("status of what was not offered", sender=sender, payment_id=status.payment_id)
        elif status.status is TransactionStatus.ACCEPTED:
            if payment.is_return:
                self._returned.get(_original_of(payment))  # Looked up now: the ledger's answer comes too late for it.
            self._post(payment)
        elif status.status is TransactionStatus.REJECTED:
            name = status.reason_name or SwitchReason.CREDITOR_AGENT_REJECTED.name
            self._void(payment, status.reason or SwitchReason.CREDITOR_AGENT_REJECTED.iso_code, name)

    def enquire(self, sender: str, request: StatusRequest) -> None:
        """
        pacs.028: say how it stands; what was never seen becomes a durable rejection first (a tombstone).

        An enquiry over the sender's rate is dropped: it will ask again, and payments go first.
        """
        if not self.enquiries.admit(sender, self._node.clock.now_ns()):
            return
        if is_from_the_future(request.payment_id, sender, self._node.clock.now_ns()):
            return
        id_ = row_id(request.payment_id, request.originator)
        decision = self.decisions.get(id_)
        payment = self.payments.get(id_)
        if payment is not None and sender not in (payment.originator, payment.paid_agent):
            log.warning("enquiry by a stranger", sender=sender, payment_id=request.payment_id)
        elif decision is not None:
            self._node.journal.tell(sender, decision.message())
        elif payment is not None:
            self._tell_standing(sender, request.payment_id, request.originator, None)
            self._offer(payment, _DECODER.decode(payment.message))
        elif sender == request.originator:
            self._reject(id_, hex_id(request.payment_id), sender, SwitchReason.NEVER_SEEN)

    def look_up(self, originator: str, payment_id: int) -> tuple[ClearedPayment | None, Decision | None]:
        """What was reserved and how it was decided; a decision alone is a tombstone. Refuses PAYMENT_UNKNOWN."""
        id_ = row_id(id_hex(payment_id), originator)
        found = self.payments.get(id_), self.decisions.get(id_)
        if found == (None, None):
            raise Refusal(SwitchReason.PAYMENT_UNKNOWN, originator=originator)
        return found

    def returned(self, id_: int) -> Returned | None:
        """What has gone back of a payment, by its row."""
        return self._returned.get(id_)

    def offer_again(self, id_: int) -> None:
        """Send what is undecided to the agent asked to accept once more."""
        payment = self.undecided[id_]
        self._offer(payment, _DECODER.decode(payment.message))

    def expire(self) -> None:
        """Void what is undecided past its deadline. The node's timer calls it."""
        now_ns = self._node.clock.now_ns()
        while self._deadlines and self._deadlines[0][0] <= now_ns:
            _, id_ = heapq.heappop(self._deadlines)
            payment = self.undecided.get(id_)
            if payment is not None:
                reason = SwitchReason.DEADLINE_PASSED
                self._void(payment, reason.iso_code, reason.name)
                self._node.journal.seal()

    def _admit(self, id_: int, instruction: Instruction) -> None:
        now_ns = self._node.clock.now_ns()
        try:
            self._check(instruction, now_ns)
        except Refusal as refusal:
            payment_id = own_id(instruction)
            self._reject(id_, hex_id(payment_id), originator_of(instruction), refusal.reason)
            return
        payment = reserved(instruction, id_, _encode(instruction), now_ns)
        self.payments.put(payment)
        self._reserve(payment, instruction)

    def _check(self, instruction: Instruction, now_ns: int) -> None:
        if instruction.currency not in self._policy.currencies:
            raise Refusal(SwitchReason.CURRENCY_NOT_CLEARED_HERE, currency=instruction.currency)
        agents = instruction.debtor_agent, instruction.creditor_agent
        if isinstance(instruction, CreditTransfer):
            for agent in agents:
                self._admission.participant(agent).check_active()
            fees = self._admission.fees(instruction.fee_version, instruction.mcc, instruction.channel, now_ns)
            check_payment(instruction, fees, now_ns)
            return
        for agent in agents:
            self._admission.participant(agent).check_returning(now_ns)
        original = row_id(instruction.payment_id, instruction.debtor_agent)
        returned = self._returned.get(original) or Returned(original, 0, 0)
        for refund in self._returning.get(original, {}).values():
            returned = returned.plus(refund)
        check_return(instruction, self.payments.get(original), self.decisions.get(original), returned, now_ns)

    def _offer(self, payment: ClearedPayment, instruction: Instruction) -> None:
        """Offer what is undecided again; reserve first what a crash left without its reservation."""
        if payment.id in self.undecided:
            self._node.journal.tell(payment.paid_agent, instruction)
        elif payment.id not in self._reserving:
            self._reserve(payment, instruction)

    def _reserve(self, payment: ClearedPayment, instruction: Instruction) -> None:
        self._reserving.add(payment.id)
        if isinstance(instruction, PaymentReturn):
            self._note_return(payment, instruction)
        transfers = reservation(payment)
        self._ledger.create_transfers(transfers, then=partial(self._reserved, payment, instruction, transfers))

    def _reserved(
        self,
        payment: ClearedPayment,
        instruction: Instruction,
        transfers: list[Transfer],
        statuses: list[TransferStatus],
    ) -> None:
        """Take the ledger's answer to the reservation."""
        self._reserving.discard(payment.id)
        match chain_status(statuses):
            case TransferStatus.CREATED:
                self._watch(payment)
                self._reservations[payment.id] = transfers
                self._node.journal.tell(payment.paid_agent, instruction)
            case TransferStatus.EXCEEDS_CREDITS:
                self._not_reserved(payment, SwitchReason.NET_DEBIT_CAP_EXCEEDED)
            case TransferStatus.ID_ALREADY_FAILED:
                # A crash ate the first answer. It was a no; which no is lost.
                self._not_reserved(payment, SwitchReason.REFUSED_EARLIER)
            case status:
                raise AssertionError(status)  # We built the transfers: any other no is our bug.

    def _not_reserved(self, payment: ClearedPayment, reason: Reason) -> None:
        if payment.is_return:
            self._forget_return(payment)
        self._reject(payment.id, payment.payment_id, payment.originator, reason)

    def _post(self, payment: ClearedPayment) -> None:
        transfers = self._reservations.get(payment.id) or reservation(payment)
        self._ledger.create_transfers(recipes.post(transfers), then=partial(self._posted, payment))

    def _posted(self, payment: ClearedPayment, statuses: list[TransferStatus]) -> None:
        match chain_status(statuses):
            case TransferStatus.CREATED | TransferStatus.EXISTS:
                self._decide(payment, TransactionStatus.COMPLETED, "", "")
            case TransferStatus.PENDING_TRANSFER_ALREADY_VOIDED:
                pass  # The deadline was first: its answer decides.
            case status:
                raise AssertionError(status)

    def _void(self, payment: ClearedPayment, reason_code: str, reason_name: str) -> None:
        then = partial(self._voided, payment, reason_code, reason_name)
        self._ledger.create_transfers(recipes.void(reservation(payment)), then=then)

    def _voided(self, payment: ClearedPayment, code: str, name: str, statuses: list[TransferStatus]) -> None:
        match chain_status(statuses):
            case TransferStatus.CREATED | TransferStatus.EXISTS:
                self._decide(payment, TransactionStatus.REJECTED, code, name)
            case TransferStatus.PENDING_TRANSFER_ALREADY_POSTED:
                pass  # The acceptance was first: its answer decides.
            case status:
                raise AssertionError(status)

    def _decide(self, payment: ClearedPayment, status: TransactionStatus, code: str, name: str) -> None:
        """Write the decision down, once, and tell both agents."""
        if self.undecided.pop(payment.id, None) is None:
            return  # An engine that answers later was asked twice.
        self._reservations.pop(payment.id, None)
        if payment.is_return:
            self._return_decided(payment, status)
        decision = self._decision(payment.id, payment.payment_id, payment.originator, status, code, name)
        completed = status is TransactionStatus.COMPLETED
        self.figures.ended(
            payment.payment_id, payment.reserved_ns, decision.decided_ns, completed=completed, reason=name
        )
        message = decision.message()
        self._node.journal.tell(payment.originator, message)
        self._node.journal.tell(payment.paid_agent, message)

    def _return_decided(self, payment: ClearedPayment, status: TransactionStatus) -> None:
        refund = self._forget_return(payment)
        if status is TransactionStatus.COMPLETED:
            original = _original_of(payment)
            self._returned.put((self._returned.get(original) or Returned(original, 0, 0)).plus(refund))

    def _note_return(self, payment: ClearedPayment, refund: PaymentReturn) -> None:
        """From now on it counts against its payment."""
        self._returning.setdefault(_original_of(payment), {})[payment.id] = refund

    def _forget_return(self, payment: ClearedPayment) -> PaymentReturn:
        original = _original_of(payment)
        refund = self._returning[original].pop(payment.id)
        if not self._returning[original]:
            del self._returning[original]
        return refund

    def _reject(self, id_: int, payment_id: int, originator: str, reason: Reason) -> None:
        """Refuse what nobody was offered: the originator alone hears of it."""
        rejected = TransactionStatus.REJECTED
        self.figures.refused(reason.name)
        decision = self._decision(id_, payment_id, originator, rejected, reason.iso_code, reason.name)
        self._node.journal.tell(originator, decision.message())

    def _decision(  # The row, field by field.
        self, id_: int, payment_id: int, originator: str, status: TransactionStatus, code: str, name: str
    ) -> Decision:
        now_ns = self._node.clock.now_ns()
        # Read in the decision that writes it: closing a window in between is not possible.
        window, day = self._windows.at(now_ns) if status is TransactionStatus.COMPLETED else ("", "")
        decision = Decision(
            id=id_,
            payment_id=payment_id,
            originator=originator,
            status=status.value,
            reason_code=code,
            reason_name=name,
            settles_on=day,
            decided_ns=now_ns,
            window=window,
        )
        self.decisions.put(decision)
        return decision

    def _tell_standing(
        self, to: str, payment_id: str, originator: str, decision: Decision | None, conflict: Reason | None = None
    ) -> None:
        """How it stands, where that is not final, or where the question was wrong."""
        standing = PaymentStatus(
            payment_id=payment_id,
            originator=originator,
            status=TransactionStatus(decision.status) if decision else TransactionStatus.PENDING,
            reason=conflict.iso_code if conflict else "",
            reason_name=conflict.name if conflict else "",
            settles_on=decision.settles_on if decision else "",
            window=decision.window if decision else "",
        )
        self._node.journal.tell(to, standing)

    def _watch(self, payment: ClearedPayment) -> None:
        self.undecided[payment.id] = payment
        heapq.heappush(self._deadlines, (payment.expires_ns, payment.id))
        if payment.is_return:
            refund = _DECODER.decode(payment.message)
            assert isinstance(refund, PaymentReturn)
            self._note_return(payment, refund)


def _original_of(payment: ClearedPayment) -> int:
    """The row of the payment that a return gives back."""
    refund = _DECODER.decode(payment.message)
    assert isinstance(refund, PaymentReturn)
    return row_id(refund.payment_id, refund.debtor_agent)
