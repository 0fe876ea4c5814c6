"""People here open packets of other institutions: their institution is asked, and sends the share as a payment."""

from collections.abc import Mapping

from hutong.institution.payments.consult_service import CODE_LENGTH_MAX, ConsultService
from hutong.institution.payments.creditor_service import CreditorService
from hutong.institution.payments.quotes import Terms
from hutong.institution.payments.reasons import PaymentReason
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.errors import Refusal
from hutong.marketing.red_packets.claim_link import Claim, claim_text
from hutong.marketing.red_packets.foreign_claim import (
    FOREIGN_CLAIMS,
    ForeignClaim,
    claimant_reference,
    foreign_claim_id,
    one_spelling,
)
from hutong.marketing.red_packets.ports import People
from hutong.marketing.red_packets.reasons import RedPacketReason
from hutong.marketing.red_packets.red_packet import ClaimState, PacketState, PersonElsewhere
from hutong.marketing.red_packets.views import ClaimView, LookView
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf, decided, warmed
from hutong.scheme.messages import id_hex

_STATES = {
    "CODE_IS_RED_PACKET": PacketState.OPEN,
    "RED_PACKET_EMPTY": PacketState.EMPTY,
    "RED_PACKET_EXPIRED": PacketState.EXPIRED,
}


class ForeignClaimService:
    """It waits for the network: nothing here is hot."""

    def __init__(self, node: NodeRuntime, people: People, consults: ConsultService, creditor: CreditorService) -> None:
        self._node = node
        self._journal = node.journal
        self._people = people
        self._consults = consults
        self._creditor = creditor
        self._claims = Shelf(FOREIGN_CLAIMS, node.journal, node.store, by=("user_id",))

    async def look(self, user_id: int, link: str) -> LookView:
        """
        What stands on a packet elsewhere.

        Refuses:  what is no link; RED_PACKET_ELSEWHERE for what is no packet; NETWORK_SILENT.
        """
        link = one_spelling(link)

        def looked_up() -> tuple[ForeignClaim | None, Mapping[int, str]]:
            return self._claims.get(foreign_claim_id(user_id, link)), self._people.own_codes(user_id)

        known, codes = await warmed(self._journal, looked_up)
        try:
            await self._consults.terms_from_network(link)
        except Refusal as refusal:
            state = _STATES.get(str(refusal.facts.get("because", "")))
            if refusal.reason is not PaymentReason.CODE_NOT_RESOLVED or state is None:
                raise
            named = str(refusal.facts.get("named", ""))
            return LookView(
                is_for_another=bool(named) and not _named(named, link, codes),
                is_for_me=bool(named and _named(named, link, codes)),
                sender_name=str(refusal.facts.get("payee_name", "")),
                greeting=str(refusal.facts.get("remark", "")),
                state=state,
                institution=known.agent if known is not None else "",
                claimed=await self.view(known) if known is not None else None,
                expires_at_ms=int(refusal.facts.get("expires_at_ms", 0)),
            )
        raise Refusal(RedPacketReason.RED_PACKET_ELSEWHERE)

    async def claim(self, user_id: int, link: str) -> ClaimView:
        """
        Claim a share of a packet elsewhere. It is promised when this answers, and comes as a payment.

        Refuses:  what is no link; USER_FROZEN, USER_CLOSED; by the packet's institution RED_PACKET_EMPTY, _EXPIRED, _NOT_YOURS
                  and such, or RED_PACKET_NOT_CLAIMED with its reason; NETWORK_SILENT.
        Repeats:  the same share.
        """
        link = one_spelling(link)

        def prepared() -> str:
            self._people.user(user_id).may_receive(self._node.clock.now_ns())
            self._claims.get(foreign_claim_id(user_id, link))
            return self._people.own_code(user_id)

        code = await decided(self._journal, prepared)
        try:
            terms = await self._asked(user_id, link, code)
        except Refusal as refusal:
            if refusal.reason is not PaymentReason.CODE_NOT_RESOLVED:
                raise
            terms = await self._asked_as_named(user_id, link, code, refusal)
        if not terms.amount:
            raise Refusal(RedPacketReason.RED_PACKET_ELSEWHERE)
        claim = await decided(self._journal, lambda: self._kept(user_id, link, terms))
        return await self.view(claim)

    async def _asked(self, user_id: int, link: str, code: str) -> Terms:
        text = claim_text(link, Claim(claimant_reference(user_id, link), code))
        if len(text) > CODE_LENGTH_MAX:
            raise Refusal(RedPacketReason.RED_PACKET_CLAIM_MALFORMED, field="link")
        return await self._consults.terms_from_network(text)

    async def _asked_as_named(self, user_id: int, link: str, code: str, refused: Refusal) -> Terms:
        """A packet for one person who has several codes: it is asked once more, by that one which it names."""
        because, named = (str(refused.facts.get(each, "")) for each in ("because", "named"))
        if because == RedPacketReason.RED_PACKET_NOT_YOURS.name and named:
            codes = await warmed(self._journal, lambda: self._people.own_codes(user_id))
            found = _named(named, link, codes)
            if found and found != code:
                try:
                    return await self._asked(user_id, link, found)
                except Refusal as refusal:
                    if refusal.reason is not PaymentReason.CODE_NOT_RESOLVED:
                        raise
                    because = str(refusal.facts.get("because", ""))
        if because in RedPacketReason.__members__:
            raise Refusal(RedPacketReason[because])
        raise Refusal(RedPacketReason.RED_PACKET_NOT_CLAIMED, because=because)

    def _kept(self, user_id: int, link: str, terms: Terms) -> ForeignClaim:
        now_ns = self._node.clock.now_ns()
        id_ = foreign_claim_id(user_id, link)
        known = self._claims.get(id_)
        if known is not None and known.payment_id == terms.request_id:
            return known
        claim = ForeignClaim(
            id=id_,
            user_id=user_id,
            link=link,
            agent=terms.creditor_agent,
            sender_name=terms.payee_name,
            greeting=terms.remark,
            amount=terms.amount,
            currency=terms.currency,
            payment_id=terms.request_id,
            created_ns=known.created_ns if known is not None else now_ns,
            changed_ns=now_ns,
        )
        self._claims.put(claim)
        return claim

    async def received(self, user_id: int) -> list[ClaimView]:
        """What a person claimed elsewhere."""
        found = await warmed(self._journal, lambda: self._claims.find("user_id", user_id))
        return [await self.view(each) for each in found]

    async def view(self, claim: ForeignClaim) -> ClaimView:
        """A claim, and whether its money is here."""
        outcome = await warmed(self._journal, lambda: self._creditor.outcomes.get(claim.payment_id))
        is_here = outcome is not None and outcome.completed
        return ClaimView(
            link=claim.link,
            sender_name=claim.sender_name,
            greeting=claim.greeting,
            amount=claim.amount,
            currency=claim.currency,
            state=ClaimState.PAID if is_here else ClaimState.SENDING,
            institution=claim.agent,
            claimed_at_ms=claim.created_ns // NS_PER_MS,
        )


def _named(named: str, link: str, codes: Mapping[int, str]) -> str:
    """The code of these that a packet is for; empty: it is for somebody else."""
    found = (text for id_, text in codes.items() if id_hex(PersonElsewhere("", id_).key(link)) == named)
    return next(found, "")
