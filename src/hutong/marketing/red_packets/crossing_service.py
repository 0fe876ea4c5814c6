"""
Claims from other institutions, of packets here.

Their institution consults the packet's link with whom it claims for and where the money is to go; the answer says how much it
is, and a payment brings it: `docs/scheme/red-packet.md`. What is answered is durable, with the payment that pays it, so a
share is promised once and paid once, whatever is lost or repeated on the way.
"""

from collections import deque
from functools import partial

import structlog
from msgspec.structs import replace

from hutong.codes.code import CodeReason
from hutong.codes.plate import PATH, PlateKind, read_plate_id
from hutong.institution.payments.cashier import RED_PACKET
from hutong.institution.payments.consult_service import ConsultService
from hutong.institution.payments.debtor_service import DebtorService
from hutong.institution.payments.own_payment_service import Spender, network_shares, own_payment
from hutong.institution.payments.payment import Outcome, Payment
from hutong.institution.payments.quotes import Terms
from hutong.institution.payments.refund import RETURN_OUTCOMES, Return
from hutong.institution.payments.return_service import ReturnService
from hutong.institution.recalls.recall import Rounds
from hutong.kernel.clock import NS_PER_DAY, NS_PER_MS, NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive
from hutong.kernel.money import Currency
from hutong.marketing.red_packets.claim_link import Claim, read_claim
from hutong.marketing.red_packets.reasons import RedPacketReason
from hutong.marketing.red_packets.red_packet import (
    RED_PACKET_CLAIMS,
    ClaimState,
    RedPacket,
    RedPacketClaim,
    stranger_key,
)
from hutong.marketing.red_packets.red_packet_service import RedPacketService
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import UNFINISHED_WITHIN
from hutong.scheme.messages import Channel, CodeConsult, CodeResolve, ConsultStatus, id_hex

log = structlog.get_logger()
_TRIED_NS = NS_PER_DAY  # So long a share is sent again that its institution refused.
_ANSWER_WITHIN_NS = 60 * NS_PER_S


class CrossingService:
    """Promises shares to people of other institutions, and sends them until they are there."""

    def __init__(
        self,
        node: NodeRuntime,
        currency: Currency,
        consults: ConsultService,
        debtor: DebtorService,
        returns: ReturnService,
        packets: RedPacketService,
        switch: str,
        plate_base: str,
    ) -> None:
        self._node = node
        self._journal = node.journal
        self._currency = currency
        self._consults = consults
        self._debtor = debtor
        self._returns = returns
        self._packets = packets
        self._claims = packets.claims
        self._switch = switch
        self._own_links = f"{plate_base}{PATH}"
        self._rounds = Rounds()
        self._asked: deque[tuple[int, int]] = deque()  # When, and the consult's id: no answer is waited for for ever.
        consults.answerers.append(self.consulted)

    async def start(self) -> None:
        """Take up what is on its way; the packets have started."""
        today = self._node.clock.now_ns() // NS_PER_DAY
        days = range(self._packets.noted_day + 1, today + self._packets.limits.life_ns // NS_PER_DAY + 2)
        found = {row.id for _, row in await self._node.store.find(RED_PACKET_CLAIMS, "sending_day", days)}
        await self._claims.load(found)
        for id_ in sorted(found):
            claim = self._claims.get(id_)
            if claim is not None and claim.state == ClaimState.SENDING:
                self._expect(claim)
        await self._take_up_returns()

    # What other institutions ask.

    def consulted(self, consult: CodeConsult) -> bool:
        """
        Answer a consult of one of our packets; False for every other code. May raise `Cold`.

        Refuses:  by telling the switch: without a claimant CODE_IS_RED_PACKET, or why there is nothing to claim, with who
                  sent it and what it says; RED_PACKET_CLAIM_MALFORMED; what a claim is refused for.
        Repeats:  the same share.
        """
        if not consult.code.startswith(self._own_links):
            return False
        link, asked, query = consult.code.partition("?")
        try:
            plate = read_plate_id(link.removeprefix(self._own_links))
        except Refusal:
            return False
        if plate.kind is not PlateKind.RED_PACKET:
            return False
        packet = None
        try:
            packet = self._packets.found(plate)
            if not asked:
                self._packets.check_open(packet)
                raise Refusal(CodeReason.CODE_IS_RED_PACKET)
            self._claimed(consult, packet, read_claim(query))
        except Refusal as refusal:
            self._refuse(consult, packet, refusal)
        return True

    def _claimed(self, consult: CodeConsult, packet: RedPacket, asked: Claim) -> None:
        """Answer who has a share already; of who has none, ask first where the money is to go."""
        key = stranger_key(packet.id, consult.debtor_agent, asked.reference)
        known = self._packets.known_claim(packet, key)
        if known is not None:
            self._answer(consult, packet, known)
            return
        self._check(packet, consult.debtor_agent)
        told = partial(self._told, consult, packet.id, asked)
        self._asked.append((self._node.clock.now_ns(), self._consults.ask(asked.code, told)))

    def _told(self, consult: CodeConsult, packet_id: int, asked: Claim, terms: Terms | Refusal) -> None:
        """What the code to pay stands for. The share is taken in a decision of its own, which may look things up."""
        self._journal.effect(partial(self._node.decide, partial(self._take, consult, packet_id, asked, terms)))

    def _take(self, consult: CodeConsult, packet_id: int, asked: Claim, terms: Terms | Refusal) -> None:
        packet = self._packets.packet(packet_id)
        key = stranger_key(packet.id, consult.debtor_agent, asked.reference)
        known = self._packets.known_claim(packet, key)
        if known is not None:
            self._answer(consult, packet, known)
            return
        try:
            self._check(packet, consult.debtor_agent)
            if isinstance(terms, Refusal):
                raise terms
            if terms.creditor_agent != consult.debtor_agent:
                raise Refusal(RedPacketReason.RED_PACKET_PAYEE_ELSEWHERE)
            if packet.to_code_id not in (None, terms.request_id):
                raise Refusal(RedPacketReason.RED_PACKET_NOT_YOURS)
            opened = self._packets.opened(packet)
            self._check_terms(terms, opened.next_amount)
        except Refusal as refusal:
            self._refuse(consult, packet, refusal)
            return
        now_ns = self._node.clock.now_ns()
        claim = RedPacketClaim(
            id=self._node.mint.mint(),
            packet_id=packet.id,
            claimant_key=key,
            number=opened.next_number,
            amount=opened.next_amount,
            user_id=0,
            agent=consult.debtor_agent,
            name=terms.payee_name,
            code=asked.code,
            state=ClaimState.SENDING.value,
            attempt=0,
            sending_day=packet.due_day,
            reason="",
            created_ns=now_ns,
            changed_ns=now_ns,
        )
        self._claims.put(claim)
        packet = self._packets.taken(packet, opened, claim)
        self._expect(claim)
        self._send(packet, claim, terms)
        self._answer(consult, packet, claim)

    def _check(self, packet: RedPacket, agent: str) -> None:
        """Refuses RED_PACKET_NOT_YOURS, of one that is for somebody of another institution; what has nothing to claim."""
        if packet.is_for_one and packet.to_agent != agent:
            raise Refusal(RedPacketReason.RED_PACKET_NOT_YOURS)
        packet.check_claimable(self._node.clock.now_ns())

    def _check_terms(self, terms: Terms, amount: int) -> None:
        """Refuses a code that is not a person's, for any amount of this currency."""
        if not is_for_anything(terms) or terms.payee_discount or terms.currency != self._currency.alpha:
            raise Refusal(RedPacketReason.RED_PACKET_CLAIM_MALFORMED, field="to")
        if not network_shares(terms, amount).sound:
            raise Refusal(RedPacketReason.RED_PACKET_CLAIM_MALFORMED, amount=amount)

    def _answer(self, consult: CodeConsult, packet: RedPacket, claim: RedPacketClaim) -> None:
        if claim.state == ClaimState.GIVEN_UP:
            self._refuse(consult, packet, Refusal(RedPacketReason.RED_PACKET_NOT_DELIVERED))
            return
        self._journal.tell(
            self._switch,
            CodeResolve(
                consult_id=consult.consult_id,
                debtor_agent=consult.debtor_agent,
                status=ConsultStatus.FOUND,
                creditor_agent=self._node.node_id,
                creditor_name=packet.sender_name,
                channel=Channel.PERSONAL_CODE,
                request_id=id_hex(claim.payment_id),
                amount=claim.amount,
                currency=packet.currency,
                remittance=packet.greeting,
                expires_at_ms=packet.expires_ns // NS_PER_MS,
            ),
        )

    def _refuse(self, consult: CodeConsult, packet: RedPacket | None, refusal: Refusal) -> None:
        """Say no, with what stands on the packet: whoever has its link may read that."""
        self._journal.tell(
            self._switch,
            CodeResolve(
                consult_id=consult.consult_id,
                debtor_agent=consult.debtor_agent,
                status=ConsultStatus.REFUSED,
                reason=refusal.reason.iso_code,
                reason_name=refusal.reason.name,
                creditor_name=packet.sender_name if packet is not None else "",
                remittance=packet.greeting if packet is not None else "",
                expires_at_ms=packet.expires_ns // NS_PER_MS if packet is not None else 0,
                request_id=id_hex(self._named(consult, packet)),
            ),
        )

    def _named(self, consult: CodeConsult, packet: RedPacket | None) -> int:
        """Whom of the asker's it is for, so that the asker alone can tell; 0 of one for anybody."""
        there = packet.to_elsewhere if packet is not None else None
        link = consult.code.partition("?")[0]
        return there.key(link) if there is not None and there.agent == consult.debtor_agent else 0

    # On its way.

    def _send(self, packet: RedPacket, claim: RedPacketClaim, terms: Terms) -> None:
        self._debtor.send(self._payment(packet, claim, terms), then=partial(self._concluded, claim.id))

    def _concluded(self, claim_id: int, payment: Payment, _outcome: Outcome | None) -> None:
        """An effect: what a crash loses of it, the rounds find."""
        self._node.decide(partial(self._look, claim_id, payment.id))

    def tick(self) -> None:
        """Whatever is on its way is looked at, ever more slowly."""
        now_ns = self._node.clock.now_ns()
        while self._asked and self._asked[0][0] + _ANSWER_WITHIN_NS <= now_ns:
            self._consults.forget(self._asked.popleft()[1])
        self._node.decide_each(partial(self._look, id_) for id_ in self._rounds.due(now_ns))

    def _look(self, claim_id: int, concluded: int = 0) -> None:
        """How a share stands on its way: there, under way, or to be sent again. `concluded`: the payment that just ended."""
        claim = self._claims.get(claim_id)
        assert claim is not None
        if claim.state != ClaimState.SENDING or concluded not in (0, claim.payment_id):
            return
        outcome = self._debtor.outcomes.get(claim.payment_id)
        now_ns = self._node.clock.now_ns()
        if outcome is not None and outcome.completed:
            self._claims.put(_ended(claim, ClaimState.PAID, "", now_ns))
            self._settled(claim)
            return
        if outcome is None:
            self._rounds.again(claim.id, now_ns)
        elif now_ns >= claim.created_ns + _TRIED_NS:
            self._give_up(claim, outcome.reason, now_ns)
        else:
            self._rounds.again(claim.id, now_ns)
            if not concluded:  # Not at once: what was refused a moment ago would be again.
                told = partial(self._told_again, claim.id, claim.attempt)
                self._asked.append((now_ns, self._consults.ask(claim.code, told)))

    def _told_again(self, claim_id: int, attempt: int, terms: Terms | Refusal) -> None:
        self._journal.effect(partial(self._node.decide, partial(self._send_again, claim_id, attempt, terms)))

    def _send_again(self, claim_id: int, attempt: int, terms: Terms | Refusal) -> None:
        claim = self._claims.get(claim_id)
        assert claim is not None
        packet = self._packets.packet(claim.packet_id)
        if claim.state != ClaimState.SENDING or claim.attempt != attempt:
            return
        if isinstance(terms, Refusal) or terms.creditor_agent != claim.agent:
            return  # The next round asks again, until it is given up.
        try:
            self._check_terms(terms, claim.amount)
        except Refusal:
            return
        claim = replace(claim, attempt=attempt + 1, changed_ns=self._node.clock.now_ns())
        self._claims.put(claim)
        self._send(packet, claim, terms)

    def _give_up(self, claim: RedPacketClaim, reason: str, now_ns: int) -> None:
        """
        The share goes back to the sender.

        Moves:    packet -> wallet.
        """
        packet = self._packets.packet(claim.packet_id)
        self._packets.look_up(packet)

        def given_back() -> None:
            self._claims.put(_ended(claim, ClaimState.GIVEN_UP, reason, now_ns))
            self._packets.given_back(packet.id, claim.amount)
            self._settled(claim)

        self._packets.give_back(packet, derive(claim.id, "given up"), claim.amount, given_back)

    # Back again.

    def look_up(self, payment: Payment) -> None:
        """Of a share that comes back: its packet, its claim, its sender. May raise `Cold`."""
        packet = self._packets.packet(payment.user_id)
        self._packets.look_up(packet)
        self._claim_of(payment)
        self._came_back(payment)

    def returned(self, payment: Payment, return_id: int, amount: int) -> None:
        """
        The other institution gives a share back, after a recall, to the packet that paid it: it is the sender's, at once.

        Nobody else is given it: each has what was drawn for them, and the packet may long be over.

        Moves:    packet -> wallet.
        """
        packet = self._packets.packet(payment.user_id)

        def given_back() -> None:
            claim, total = self._claim_of(payment), self._came_back(payment)
            if total > claim.returned:  # After a crash it may have been written down before.
                self._claims.put(replace(claim, returned=total, changed_ns=self._node.clock.now_ns()))
                self._packets.given_back(packet.id, total - claim.returned)

        self._packets.give_back(packet, derive(return_id, "to the sender"), amount, given_back)

    def _claim_of(self, payment: Payment) -> RedPacketClaim:
        """The share that a payment brought. May raise `Cold`."""
        claims = self._claims.find("packet_id", payment.user_id)
        return next(each for each in claims if each.payment_id == payment.id)

    def _came_back(self, payment: Payment) -> int:
        """What returns brought back of a share until now. May raise `Cold`."""
        outcomes = [
            (each, self._returns.outcomes.get(each.id)) for each in self._returns.returns.find("payment_id", payment.id)
        ]
        return sum(each.paid_back for each, outcome in outcomes if outcome is not None and outcome.completed)

    async def _take_up_returns(self) -> None:
        """Send on again what came back shortly before a restart: what was sent on answers that it exists."""
        since = max(0, self._journal.position - UNFINISHED_WITHIN)
        scanned = [row for _, row in await self._node.store.scan(RETURN_OUTCOMES, after=since)]
        ended = {row.id for row in scanned if row.completed}
        returns = self._returns.returns
        await returns.load(ended)
        found = [each for id_ in sorted(ended) if (each := returns.get(id_)) is not None]
        await self._packets.packets.load({each.user_id for each in found})
        for each in found:
            if self._packets.packets.get(each.user_id) is not None:
                self._node.decide(partial(self._send_on, each))

    def _send_on(self, return_: Return) -> None:
        payment = self._debtor.payments.get(return_.payment_id)
        assert payment is not None, "a return is of a payment"
        self.look_up(payment)
        self.returned(payment, return_.id, return_.paid_back)

    def _expect(self, claim: RedPacketClaim) -> None:
        assert claim.sending_day is not None
        self._packets.unfinished[claim.id] = claim.sending_day
        self._rounds.begin(claim.id, self._node.clock.now_ns())

    def _settled(self, claim: RedPacketClaim) -> None:
        self._packets.unfinished.pop(claim.id, None)
        self._rounds.end(claim.id)

    def _payment(self, packet: RedPacket, claim: RedPacketClaim, terms: Terms) -> Payment:
        """As an institution tells it to the network: the packet pays a person elsewhere, in its sender's name."""
        return own_payment(
            claim.payment_id,
            Spender(
                packet.id, packet.account(self._currency), packet.sender_name
            ),  # The sender's limits counted the packet.
            terms,
            network_shares(terms, claim.amount),
            funding=RED_PACKET,
            policy_version=packet.policy_version,
            now_ns=self._node.clock.now_ns(),
            remark=packet.greeting,
        )


def is_for_anything(terms: Terms) -> bool:
    """Whether a code is a person's, for any amount, again and again."""
    return terms.channel is Channel.PERSONAL_CODE and terms.is_static and not terms.amount


def _ended(claim: RedPacketClaim, state: ClaimState, reason: str, now_ns: int) -> RedPacketClaim:
    return replace(claim, state=state.value, reason=reason, sending_day=None, changed_ns=now_ns)
