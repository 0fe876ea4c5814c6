"""Holds of one institution as a whole: both sides, what comes from the network, time, and restarts."""

from hutong.codes.code import CodeReason
from hutong.institution.holds.authorisation_service import AuthorisationService
from hutong.institution.holds.hold import Hold
from hutong.institution.holds.hold_service import HoldService
from hutong.institution.holds.reasons import HoldReason
from hutong.institution.payments.consult_service import CODE_LENGTH_MAX
from hutong.institution.payments.ports import Notices, People
from hutong.institution.payments.service import PaymentService
from hutong.institution.policy.policy import Policies
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.errors import Refusal
from hutong.runtime.shelf import decided
from hutong.scheme.hold import HoldReport, HoldRequest
from hutong.scheme.messages import AnyMessage


class HoldDesk:
    """Both sides, wired upon payments. `own_links` is where this institution's links begin."""

    def __init__(
        self, payments: PaymentService, policies: Policies, people: People, notices: Notices, own_links: str
    ) -> None:
        self.node = payments.node
        self._switch = payments.switch
        self._consults = payments.consults
        self.holds = HoldService(
            payments.node, payments.ledger, payments.chart.currency, policies, people, notices, self._send
        )
        self.authorisations = AuthorisationService(payments.node, own_links, self._send)
        payments.on_hold = self._receive
        payments.to_pays.claim_hold = self.holds.claim
        payments.cashier.hold_of = self.holds.source
        self._consults.answerers.append(self.authorisations.consulted)

    async def load(self) -> None:
        """Before payments start: one of them may have been taking some of a hold."""
        await self.holds.load()
        await self.authorisations.load()

    async def resume(self) -> None:
        """After payments started."""
        await self.holds.resume()
        await self.authorisations.resume()

    def tick(self) -> None:
        """What time alone brings about."""
        self.holds.tick()
        self.authorisations.tick()

    async def look(self, user_id: int, link: str) -> Hold:
        """
        What a merchant elsewhere asks to hold, to a person of ours who opened its link: from now on they are asked.

        Refuses:  as `read`; as `HoldService.opened`.
        """
        asked = await self.read(link)
        return await decided(self.node.journal, lambda: self.holds.opened(user_id, asked))

    async def read(self, link: str) -> HoldRequest:
        """
        What a merchant's link elsewhere asks to hold. Nobody is asked by that.

        Refuses:  HOLD_NOT_OPEN and whatever else the link's owner refuses; HOLD_MALFORMED for a code that asks for something else.
        """
        if not 0 < len(link) <= CODE_LENGTH_MAX:
            raise Refusal(HoldReason.HOLD_MALFORMED)
        try:
            await self._consults.terms_from_network(link)
        except Refusal as refusal:
            facts = refusal.facts
            if facts.get("because") == HoldReason.HOLD_NOT_OPEN.name:
                raise Refusal(HoldReason.HOLD_NOT_OPEN) from None
            if facts.get("because") != CodeReason.CODE_ASKS_TO_HOLD.name or "amount" not in facts:
                raise
            return HoldRequest(
                hold_id=str(facts["request_id"]),
                creditor_agent=str(facts["institution"]),
                number=0,
                amount=int(facts["amount"]),
                currency=str(facts["currency"]),
                creditor_name=str(facts.get("payee_name", "")),
                remittance=str(facts.get("remark", "")),
                expires_at_ms=int(facts.get("expires_at_ms", 0)),
                at_ms=self.node.clock.now_ns() // NS_PER_MS,
            )
        raise Refusal(HoldReason.HOLD_MALFORMED)

    def _send(self, message: AnyMessage) -> None:
        self.node.journal.tell(self._switch, message)

    def _receive(self, message: HoldRequest | HoldReport) -> None:
        if isinstance(message, HoldRequest):
            self.holds.asked(message)
        else:
            self.authorisations.told(message)
