"""
The way out: nothing new, then everything decided, settled and paid out, then nothing at all.

What holds a node back is found by looking; nothing here moves money but the caps that were granted by hand, which are taken back
when nothing else is left. The rest is the windows' work, and the operator's who pays the reserve out.
"""

from hutong.kernel.clock import NS_PER_S, instant
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive
from hutong.kernel.money import Currency, currency_of, format_amount
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import decided
from hutong.switch.admission import AdmissionService
from hutong.switch.lifecycle.blocker import Blocker
from hutong.switch.lifecycle.policy import LifecyclePolicy
from hutong.switch.lifecycle.reason import LifecycleReason
from hutong.switch.lifecycle.stage import Stage, Step, next_stage
from hutong.switch.participant import Participant, ParticipantStatus
from hutong.switch.position_service import PositionService
from hutong.switch.recall_service import RecallService
from hutong.switch.service import ClearingService
from hutong.switch.settlement.invoice_service import DUE, InvoiceService
from hutong.switch.settlement.reserve_service import ReserveService
from hutong.switch.settlement.service import SettlementService

_CHART = 1 << 80


class ExitService:
    """For the scheme's operator."""

    def __init__(
        self,
        node: NodeRuntime,
        admission: AdmissionService,
        clearing: ClearingService,
        recalls: RecallService,
        settlement: SettlementService,
        invoices: InvoiceService,
        reserves: ReserveService,
        positions: PositionService,
        policy: LifecyclePolicy,
    ) -> None:
        self._node = node
        self._admission = admission
        self._clearing = clearing
        self._recalls = recalls
        self._settlement = settlement
        self._invoices = invoices
        self._reserves = reserves
        self._positions = positions
        self._policy = policy

    def leave(
        self, node_id: str, *, by: str, reason: str, returns_for_s: int | None, forms_to: str, consented_by: str
    ) -> Participant:
        """
        Begin to leave: no new payment from or to it, its code forms are nobody's or another's; returns for a while.

        Refuses:  PARTICIPANT_UNKNOWN, STEP_OUT_OF_ORDER; of the one that takes the forms over, PARTICIPANT_UNKNOWN and as
                  `check_active`.
        Repeats:  with other `returns_for_s`: another end of the returns.
        """
        known = self._admission.participant(node_id)
        if forms_to:
            self._admission.participant(forms_to).check_active()
        next_stage(node_id, Stage(known.status), Step.LEAVE)
        now_ns = self._node.clock.now_ns()
        until_ns = known.returns_until_ns
        if returns_for_s is not None or known.status != ParticipantStatus.LEAVING.value:
            allowed_s = self._policy.returns_after_leaving_s if returns_for_s is None else returns_for_s
            until_ns = now_ns + allowed_s * NS_PER_S
        left = self._admission.leave(node_id, until_ns, by=by, reason=reason)
        for form in self._admission.forms():
            if form.node_id == node_id and form.active:
                self._admission.withdraw_form(node_id, form.form)
                if forms_to:
                    self._admission.register_form(forms_to, form.form, consented_by=consented_by)
        return left

    async def blockers(self, node_id: str) -> list[Blocker]:
        """What keeps it from departing; nothing, when it may. Refuses PARTICIPANT_UNKNOWN."""
        return [*self._undecided(node_id), *await self._unsettled(node_id), *await self._held(node_id)]

    async def depart(self, node_id: str, *, by: str, reason: str) -> Participant:
        """
        The end: keys retired, caps taken back, accounts with nothing in them; its record stays.

        Moves:    position -> caps, what was granted by hand.
        Refuses:  PARTICIPANT_UNKNOWN, STEP_OUT_OF_ORDER; EXIT_BLOCKED, with everything that is left.
        Repeats:  nothing.
        """
        known = self._admission.participant(node_id)
        if known.has_left:
            return known
        next_stage(node_id, Stage(known.status), Step.DEPART)
        found = await self.blockers(node_id)
        if found:
            raise _blocked(node_id, found)
        caps = {
            alpha: await self._positions.cap_by_hand(node_id, currency_of(alpha)) for alpha in self._clearing.currencies
        }

        def decide() -> Participant:
            # Nothing new can have begun since: it is leaving. But it may have been decided meanwhile not to.
            left = self._undecided(node_id)
            if left:
                raise _blocked(node_id, left)
            departed = self._admission.depart(node_id, by=by, reason=reason)
            for alpha, cap_minor in caps.items():
                if cap_minor:
                    change_id = derive(_CHART, f"cap/exit/{node_id}/{alpha}")
                    self._admission.lower_cap(change_id, node_id, currency_of(alpha), cap_minor, then=lambda _: None)
            return departed

        return await decided(self._node.journal, decide)

    def _undecided(self, node_id: str) -> list[Blocker]:
        """What can be told without asking anybody."""
        found: list[Blocker] = []
        known = self._admission.participant(node_id)
        if known.returns_until_ns > self._node.clock.now_ns():
            until = f"until {instant(known.returns_until_ns):%Y-%m-%d %H:%M} UTC"
            found.append(Blocker("RETURNS_ALLOWED", until, "wait, or end it: leave again with fewer days"))
        undecided = [
            payment
            for payment in self._clearing.undecided.values()
            if node_id in (payment.debtor_agent, payment.creditor_agent)
        ]
        if undecided:
            minor = sum(payment.amount_minor for payment in undecided)
            details = f"{len(undecided)} payments or returns, {minor} minor units"
            found.append(Blocker("UNDECIDED", details, "wait: the creditor agent or the deadline decides"))
        open_recalls = [
            recall
            for recall in self._recalls.recalls.everything()
            if node_id in (recall.debtor_agent, recall.creditor_agent) and not recall.is_final
        ]
        if open_recalls:
            asked = ", ".join(sorted(recall.asker for recall in open_recalls))
            found.append(Blocker("RECALLS_OPEN", f"{len(open_recalls)}, asked by {asked}", "have them answered"))
        due = [each for each in self._invoices.invoices() if each.node_id == node_id and each.state == DUE]
        if due:
            numbers = ", ".join(invoice.number for invoice in due)
            found.append(Blocker("INVOICES_DUE", numbers, "issue the month again: it is taken from the reserve"))
        return found

    async def _unsettled(self, node_id: str) -> list[Blocker]:
        holding = [f"{row.window} {row.state}" for row in await self._settlement.unsettled_windows(node_id)]
        then = "wait for its settlement, or close it: hutong settlement close"
        return [Blocker("WINDOWS_NOT_SETTLED", ", ".join(holding), then)] if holding else []

    async def _held(self, node_id: str) -> list[Blocker]:
        found = []
        for alpha in sorted(self._clearing.currencies):
            currency = currency_of(alpha)
            position = await self._positions.position(node_id, currency)
            contribution = (await self._reserves.means(currency)).contributions[node_id]
            for what, minor, then in (
                ("POSITION_NOT_ZERO", position.net_minor, "it is settled by windows"),
                ("PAYMENTS_PENDING", position.outgoing_minor + position.incoming_minor, "wait for the decision"),
                ("RESERVE_HELD", position.reserve_minor, "pay it out: hutong settlement reserve --withdraw"),
                ("CONTRIBUTION_HELD", contribution, "pay it out of the guarantee fund"),
            ):
                if minor:
                    found.append(Blocker(what, _amount(minor, currency), then))
        return found


def _amount(minor: int, currency: Currency) -> str:
    return f"{'-' * (minor < 0)}{format_amount(abs(minor), currency)} {currency.alpha}"


def _blocked(node_id: str, found: list[Blocker]) -> Refusal:
    left = [f"{each.what}: {each.details}" for each in found]
    return Refusal(LifecycleReason.EXIT_BLOCKED, participant=node_id, left=left)
