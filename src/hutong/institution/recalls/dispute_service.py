"""
Disputes: the payee's side of a recall. What is left is set aside at once; an operator, or the deadline, decides.

BLOCKING (the row) -> OPEN (the ledger has set aside what there was) -> ACCEPTED (a return is under way, tried until the
network takes it) -> RETURNED; or REJECTED. Both ends release what did not go back. The first durable answer is the answer.
"""

from functools import partial
from typing import Any

import structlog
from msgspec.structs import replace

from hutong.institution import chart
from hutong.institution.chart import Chart
from hutong.institution.payments.creditor_service import CreditorService
from hutong.institution.payments.debtor_service import DebtorService
from hutong.institution.payments.matrix import Shares
from hutong.institution.payments.payment import REMARK_LENGTH_MAX, Outcome, Payment, Why
from hutong.institution.payments.ports import Notices
from hutong.institution.payments.receipt import Receipt
from hutong.institution.payments.refund import Refund, RefundOrder, return_id_of
from hutong.institution.payments.refund_service import RefundService
from hutong.institution.payments.wording import network_text
from hutong.institution.policy.policy import Policies
from hutong.institution.recalls.dispute import (
    DISPUTES,
    ENDED,
    Dispute,
    DisputeState,
    Stance,
    block_id,
    cost,
    dispute_id_of,
    greatest_affordable,
    refund_id_of,
    refused_at_once,
    release_id,
)
from hutong.institution.recalls.reasons import ANSWERS, RecallRefused
from hutong.institution.recalls.recall import By, Rounds
from hutong.institution.recalls.views import dispute_data
from hutong.kernel.clock import NS_PER_HOUR, NS_PER_MS, NS_PER_S
from hutong.kernel.errors import Reason, Refusal
from hutong.kernel.ids import minted_ms
from hutong.kernel.text import check_text
from hutong.ledger import recipes
from hutong.ledger.engine import LedgerEngine
from hutong.ledger.transfer import TRANSFER_DONE, AccountStatus, TransferStatus
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf
from hutong.scheme.messages import RecallAnswer, RecallRequest, StatusRequest, hex_id

log = structlog.get_logger()
ID_AHEAD_MAX_MS = 60_000
RETRY_NS = 60 * NS_PER_S
RETRY_DOUBLINGS_MAX = 10  # A day at most.
_THERE = frozenset({AccountStatus.CREATED, AccountStatus.EXISTS})


class DisputeService:
    """Recalls of payments to our users and merchants."""

    def __init__(
        self,
        node: NodeRuntime,
        ledger: LedgerEngine,
        own: Chart,
        policies: Policies,
        debtor: DebtorService,
        creditor: CreditorService,
        refunds: RefundService,
        notices: Notices,
        switch: str,
    ) -> None:
        self._node = node
        self._journal = node.journal
        self._ledger = ledger
        self._chart = own
        self._policies = policies
        self._debtor = debtor
        self._creditor = creditor
        self._refunds = refunds
        self._notices = notices
        self._switch = switch
        self.disputes = Shelf(DISPUTES, node.journal, node.store, by=("payment_id", "user_id", "merchant_id"))
        self._rounds = Rounds()
        self.answer_ourselves = _nobody_asked
        refunds.on_recalled = self._returned

    async def load(self) -> None:
        """Every case, before anything of payments goes on: a return that ends concludes its dispute."""
        await self.disputes.load_all()

    def resume(self) -> None:
        """After a restart: go on with each case; the same transfers again are answered `exists`."""
        for dispute in self.disputes.everything():
            if dispute.state == DisputeState.BLOCKING:
                self._node.decide(partial(self._block, dispute))
            elif dispute.state in ENDED and not dispute.released:
                self._release(dispute)
            self._schedule(dispute)
        self._journal.seal()

    def look_up(self, recall_id: int, payment: Payment) -> Shares:
        """What is left of a payment on us. May be cold; afterwards `asked` for it is not."""
        id_ = dispute_id_of(recall_id, self._node.node_id)
        return self._refunds.look_up(payment.merchant_id, self._order(id_, payment.id, 1))

    def asked(self, message: RecallRequest) -> None:
        """
        camt.056: somebody wants a payment to one of ours back. Set aside what is left of it, and say how it stands.

        Moves:    payee -> disputed, at most the payee's share of what is asked, and no more than the payee has.
        Refuses:  with a durable RJCR: RECALLED_PAYMENT_UNKNOWN, RECALLED_PAYMENT_NOT_COMPLETED,
                  RECALL_DIFFERS_FROM_PAYMENT, RECALL_TOO_LATE, RECALL_ALREADY_OPEN, NOTHING_LEFT_TO_RETURN.
        Repeats:  how it stands now. Other content under the same id changes nothing, and is told so (DUPL).

        An id from the future is dropped: the ids of returns come from it. It will be asked again.
        """
        now_ms = self._node.clock.now_ns() // NS_PER_MS
        if minted_ms(hex_id(message.recall_id)) > now_ms + ID_AHEAD_MAX_MS:
            log.warning("recall_from_the_future", asker=message.asker, recall_id=message.recall_id)
            return
        id_ = dispute_id_of(hex_id(message.recall_id), message.asker)
        known = self.disputes.get(id_)
        if known is None:
            self._take(id_, message)
        elif known.differs(message):
            self._say(replace(known.message(), reason="DUPL", reason_name="ID_TAKEN"))
        else:
            self._say(known.message())

    def held_of(self, user_id: int) -> int:
        """What is set aside of a user's money, or may be: at least 1 while a case is open."""
        return sum(max(each.blocked, 1) for each in self.disputes.find("user_id", user_id) if not each.released)

    def dispute(self, id_: int) -> Dispute:
        """One case. Refuses DISPUTE_UNKNOWN."""
        dispute = self.disputes.get(id_)
        if dispute is None:
            raise Refusal(RecallRefused.DISPUTE_UNKNOWN)
        return dispute

    def theirs(self, id_: int, *, merchant_id: int = 0, user_id: int = 0) -> Dispute:
        """A payee's own case. Refuses DISPUTE_UNKNOWN, also for everybody else's."""
        dispute = self.dispute(id_)
        if (dispute.merchant_id, dispute.user_id) != (merchant_id, user_id):
            raise Refusal(RecallRefused.DISPUTE_UNKNOWN)
        return dispute

    def take_stance(self, dispute: Dispute, stance: Stance, remark: str) -> Dispute:
        """
        The payee consents or objects; the operator decides. Who consents gives what came in since, if some is missing.

        Moves:    on consent: payee -> disputed, at most what is missing of the payee's share.
        Refuses:  DISPUTE_NOT_OPEN.
        Repeats:  nothing changes.
        """
        check_text("remark", remark, length_max=REMARK_LENGTH_MAX, empty=True)
        if (dispute.stance, dispute.stance_remark) == (stance, remark):
            return dispute
        if dispute.state != DisputeState.OPEN:
            raise Refusal(RecallRefused.DISPUTE_NOT_OPEN, state=dispute.state)
        missing = self._share(dispute, self._left(dispute)) - dispute.blocked if stance is Stance.CONSENTS else 0
        said = replace(dispute, stance=stance, stance_remark=remark)
        if missing > 0:
            # As at first: until it is known how much there was, nobody can consent again, or decide.
            said = replace(said, state=DisputeState.BLOCKING, blocks=dispute.blocks + 1)
            self._refunds.holdings.look_up(said.payment_id, block_id(said.id, said.blocks))
        self._put(said)
        if missing > 0:
            self._block(said, missing)
        return self.dispute(dispute.id)

    def accept(self, operator: str, id_: int, amount: int = 0) -> Dispute:
        """
        Give back `amount`, or as much as was set aside: CNCL, or PECR for less than was asked; a pacs.004 follows.

        Moves:    disputed -> clearing, as a refund does, held until the switch decides; on us to the payer at once.
        Refuses:  DISPUTE_UNKNOWN, DISPUTE_NOT_OPEN, DISPUTED_AMOUNT_NOT_THERE; NOTHING_LEFT_TO_RETURN after refunds.
        Repeats:  nothing changes.
        """
        dispute = self.dispute(id_)
        if not dispute.is_open and dispute.accepted and amount in (0, dispute.accepted):
            return dispute
        if dispute.state != DisputeState.OPEN:
            raise Refusal(RecallRefused.DISPUTE_NOT_OPEN, state=dispute.state)
        left = self._left(dispute)
        if not left.gross:
            raise Refusal(RecallRefused.NOTHING_LEFT_TO_RETURN)
        most = greatest_affordable(left, dispute.amount, dispute.blocked)
        if not 0 < (amount or most) <= most:
            raise Refusal(RecallRefused.DISPUTED_AMOUNT_NOT_THERE, field="amount", at_most=most)
        now_ns = self._node.clock.now_ns()
        self._give_back(replace(dispute, accepted=amount or most, operator=operator, decided_ns=now_ns))
        return self.dispute(id_)

    def reject(self, operator: str, id_: int, code: str) -> Dispute:
        """
        Nothing comes back, for one of `ANSWERS`: RJCR.

        Moves:    disputed -> payee, all of it.
        Refuses:  DISPUTE_UNKNOWN, DISPUTE_NOT_OPEN.
        Repeats:  nothing changes.
        """
        dispute = self.dispute(id_)
        if dispute.state == DisputeState.REJECTED and dispute.answer_code == code:
            return dispute
        if not dispute.is_open:
            raise Refusal(RecallRefused.DISPUTE_NOT_OPEN, state=dispute.state)
        self._reject(dispute, ANSWERS[code], operator)
        return self.dispute(id_)

    def tick(self) -> None:
        """What time alone brings about: deadlines, and returns that are tried again."""
        now_ns = self._node.clock.now_ns()
        self._node.decide_each(partial(self._due, id_) for id_ in self._rounds.due(now_ns))

    # Taking a case.

    def _take(self, id_: int, message: RecallRequest) -> None:
        payment_id = hex_id(message.payment_id)
        receipt = self._creditor.receipts.get(payment_id)
        if receipt is not None and self._creditor.outcomes.get(payment_id) is None:
            # Its completion is still on its way to us. Ask for it; the recall will come again.
            enquiry = StatusRequest(payment_id=message.payment_id, originator=receipt.debtor_agent)
            self._journal.tell(self._switch, enquiry)
            return
        now_ns = self._node.clock.now_ns()
        blank = refused_at_once(id_, message, now_ns)
        try:
            dispute, left = self._opened(blank, message, now_ns)
        except Refusal as refusal:
            reason = refusal.reason
            refused = replace(blank, answer_code=reason.iso_code, answer_name=reason.name, decided_ns=now_ns)
            self._put(refused)
            self._say(refused.message())
            return
        self._put(dispute)
        self._schedule(dispute)
        self._say(dispute.message())
        self._tell_payee(dispute, "dispute.opened")
        self._block(dispute, self._share(dispute, left))

    def _opened(self, blank: Dispute, message: RecallRequest, now_ns: int) -> tuple[Dispute, Shares]:
        """The case of a recall that can be answered, and what is left of its payment."""
        remark = network_text("remark", message.remark)
        paid, outcome = self._paid(message)
        if outcome is None or not outcome.completed:
            raise Refusal(RecallRefused.RECALLED_PAYMENT_NOT_COMPLETED)
        if paid.currency != message.currency or message.amount > paid.gross:
            raise Refusal(RecallRefused.RECALL_DIFFERS_FROM_PAYMENT)
        policy, today, _ = self._policies.today(now_ns)
        terms = policy.recall(message.reason.value, By.SWITCH if message.asker == self._switch else By.OPERATOR)
        until = terms.until(self._policies.date_of(outcome.decided_ns))
        if today > until.toordinal() or message.answer_by_ms * NS_PER_MS <= now_ns:
            raise Refusal(RecallRefused.RECALL_TOO_LATE, until=until.isoformat())
        if any(other.is_open for other in self.disputes.find("payment_id", paid.id)):
            raise Refusal(RecallRefused.RECALL_ALREADY_OPEN)
        on_us = isinstance(paid, Payment)
        dispute = replace(
            blank,
            merchant_id=paid.merchant_id,
            user_id=paid.payee_user_id if on_us else paid.user_id,
            account=paid.payee_account if on_us else paid.account,
            remark=remark,
            state=DisputeState.BLOCKING,
            # Nobody can have our people's money set aside for longer than our own policy says.
            answer_by_ns=min(blank.answer_by_ns, now_ns + terms.answer_hours * NS_PER_HOUR),
            released=False,
        )
        left = self._left(dispute)
        if not left.gross:
            raise Refusal(RecallRefused.NOTHING_LEFT_TO_RETURN)
        self._refunds.holdings.look_up(paid.id, block_id(dispute.id, dispute.blocks))
        return replace(dispute, amount=min(message.amount, left.gross)), left

    def _paid(self, message: RecallRequest) -> tuple[Any, Outcome | None]:
        """The payment to one of ours: a `Receipt`, or a `Payment` on us."""
        payment_id, here = hex_id(message.payment_id), self._node.node_id
        if message.creditor_agent == here:
            if message.debtor_agent == here:
                payment = self._debtor.payments.get(payment_id)
                if payment is not None and payment.payee_account:
                    return payment, self._debtor.outcomes.get(payment_id)
            else:
                receipt: Receipt | None = self._creditor.receipts.get(payment_id)
                if receipt is not None and receipt.debtor_agent == message.debtor_agent:
                    return receipt, self._creditor.outcomes.get(payment_id)
        raise Refusal(RecallRefused.RECALLED_PAYMENT_UNKNOWN)

    # Setting aside.

    def _block(self, dispute: Dispute, amount: int | None = None) -> None:
        """Set the missing part aside; after a restart without an amount: the stored transfer says it was made."""
        if self.dispute(dispute.id).state != DisputeState.BLOCKING:
            return  # It was answered before a restart came to it, and what was held is released.
        currency, id_ = self._chart.currency, block_id(dispute.id, dispute.blocks)
        if amount is None:
            amount = max(self._share(dispute, self._left(dispute)) - dispute.blocked, 0)
        if dispute.merchant_id:
            self._refunds.holdings.look_up(dispute.payment_id, id_)
            self._refunds.holdings.set_aside(dispute.payment_id, dispute.merchant_id, id_, amount)
        self._ledger.create_accounts([chart.disputed(dispute.id, currency)], _opened)
        transfer = recipes.block(
            id_,
            payee=dispute.account,
            disputed=chart.disputed_account(dispute.id, currency),
            amount=amount,
            ledger=currency.ledger,
            code=Why.DISPUTED,
        )
        transfer = replace(transfer, user_data_128=dispute.id)
        self._ledger.create_transfers([transfer], partial(self._block_made, dispute.id))

    def _block_made(self, id_: int, statuses: list[TransferStatus]) -> None:
        if statuses[0] in TRANSFER_DONE or statuses[0] is TransferStatus.EXISTS_WITH_DIFFERENT_AMOUNT:
            self._learn(id_)  # Set aside, now or before a restart, when more or less was left.
        else:
            self._reject(self.dispute(id_), RecallRefused.ACCOUNT_CLOSED)

    def _learn(self, id_: int) -> None:
        """Ask the ledger how much the case holds, when that is durable."""
        self._journal.effect(lambda: self._node.spawn(self._look(id_)))

    async def _look(self, id_: int) -> None:
        (account,) = await self._ledger.lookup_accounts([chart.disputed_account(id_, self._chart.currency)])
        self._node.decide(partial(self._blocked, id_, account.credits_posted))

    def _blocked(self, id_: int, blocked: int) -> None:
        dispute = self.dispute(id_)
        if dispute.is_open and (dispute.state, dispute.blocked) != (DisputeState.OPEN, blocked):
            self._put(replace(dispute, state=DisputeState.OPEN, blocked=blocked))

    # Ending it.

    def _give_back(self, dispute: Dispute) -> None:
        """Order the next try of the return. What it looks up was looked up by `_left`."""
        number = dispute.attempts + 1
        order = self._order(dispute.id, dispute.payment_id, number, dispute.accepted)
        accepted = replace(
            dispute,
            state=DisputeState.ACCEPTED,
            attempts=number,
            return_id=return_id_of(dispute.merchant_id, order.refund_id),
            retry_ns=0,
        )
        self._put(accepted)
        self._say(accepted.message())
        self._refunds.refund(dispute.merchant_id, order)

    def _returned(self, refund: Refund, outcome: Outcome) -> None:
        """How a return ended; one that the network refused is tried again, and its money stays set aside."""
        dispute = self.dispute(refund.dispute_id)
        if outcome.completed:
            self._end(replace(dispute, state=DisputeState.RETURNED), "dispute.returned")
            return
        wait_ns = RETRY_NS << min(dispute.attempts, RETRY_DOUBLINGS_MAX)
        log.warning("return_refused", dispute=dispute.id, attempts=dispute.attempts, reason=outcome.reason)
        retried = replace(dispute, retry_ns=self._node.clock.now_ns() + wait_ns)
        self._put(retried)
        self._schedule(retried)

    def _retry(self, dispute: Dispute) -> None:
        left = self._left(dispute)
        amount = min(dispute.accepted, left.gross)
        if amount:
            self._give_back(replace(dispute, accepted=amount))
        else:  # The merchant gave it back meanwhile.
            self._reject(replace(dispute, accepted=0), RecallRefused.NOTHING_LEFT_TO_RETURN)

    def _reject(self, dispute: Dispute, reason: Reason, operator: str = "") -> None:
        now_ns = self._node.clock.now_ns()
        rejected = replace(
            dispute,
            state=DisputeState.REJECTED,
            answer_code=reason.iso_code,
            answer_name=reason.name,
            operator=operator or dispute.operator,
            decided_ns=now_ns,
            retry_ns=0,
        )
        self._end(rejected, "dispute.rejected")

    def _end(self, dispute: Dispute, news: str) -> None:
        self._put(dispute)
        self._say(dispute.message())
        self._tell_payee(dispute, news)
        self._release(dispute)

    def _release(self, dispute: Dispute) -> None:
        currency = self._chart.currency
        # A crash may have kept the account from being opened: a release that it refused would be refused for ever.
        self._ledger.create_accounts([chart.disputed(dispute.id, currency)], _opened)
        transfer = recipes.release(
            release_id(dispute.id),
            payee=dispute.account,
            disputed=chart.disputed_account(dispute.id, currency),
            ledger=currency.ledger,
            code=Why.DISPUTE_ENDED,
        )
        transfer = replace(transfer, user_data_128=dispute.id)
        self._ledger.create_transfers([transfer], partial(self._released, dispute.id))

    def _released(self, id_: int, statuses: list[TransferStatus]) -> None:
        if statuses[0] in TRANSFER_DONE:
            self._put(replace(self.dispute(id_), released=True))
        else:  # The payee's account takes nothing any more: the money stays where it is, for the operator.
            log.error("dispute_not_released", dispute=id_, ledger=statuses[0].name)

    def _due(self, id_: int) -> None:
        dispute, now_ns = self.dispute(id_), self._node.clock.now_ns()
        if dispute.is_open and dispute.answer_by_ns <= now_ns:
            self._reject(dispute, RecallRefused.PAYEE_DID_NOT_ANSWER)
        elif dispute.state == DisputeState.ACCEPTED and 0 < dispute.retry_ns <= now_ns:
            self._retry(dispute)

    # What they share.

    def _left(self, dispute: Dispute) -> Shares:
        """What is left of the payment. May be cold; afterwards `_give_back` is not."""
        order = self._order(dispute.id, dispute.payment_id, dispute.attempts + 1)
        return self._refunds.look_up(dispute.merchant_id, order)

    def _order(self, dispute_id: int, payment_id: int, number: int, amount: int = 0) -> RefundOrder:
        return RefundOrder(
            refund_id=refund_id_of(dispute_id, number),
            payment_id=payment_id,
            amount=amount,
            dispute_id=dispute_id,
            account=chart.disputed_account(dispute_id, self._chart.currency),
        )

    def _share(self, dispute: Dispute, left: Shares) -> int:
        """What giving back the disputed amount takes from the payee."""
        amount = min(dispute.amount, left.gross)
        return cost(left.share(amount)) if amount else 0

    def _schedule(self, dispute: Dispute) -> None:
        if dispute.is_open:
            self._rounds.at(dispute.id, dispute.answer_by_ns)
        elif dispute.retry_ns:
            self._rounds.at(dispute.id, dispute.retry_ns)

    def _put(self, dispute: Dispute) -> None:
        self.disputes.put(dispute)

    def _say(self, message: RecallAnswer) -> None:
        if message.asker == self._node.node_id:
            self.answer_ourselves(message)
        else:
            self._journal.tell(self._switch, message)

    def _tell_payee(self, dispute: Dispute, news: str) -> None:
        if dispute.merchant_id:
            self._notices.tell_merchant(dispute.merchant_id, news, dispute_data(dispute))
        else:
            self._notices.tell_user(dispute.user_id, news, dispute_data(dispute))


def _opened(statuses: list[AccountStatus]) -> None:
    assert statuses[0] in _THERE, statuses


def _nobody_asked(message: RecallAnswer) -> None:
    raise AssertionError(message)  # The asking side of the same node hears it.
