"""
Who is this code? Asked before a payer confirms; answered by the code's owner.

Our own codes are recognised here; whatever else goes through the switch to its owner. What the payer is shown becomes a
quote, and it is the quote that is paid.
"""

import asyncio
from collections.abc import Callable

import msgspec

from hutong.institution.payments.cashier import Cashier, Weighed
from hutong.institution.payments.describer import Describer, Silence
from hutong.institution.payments.mandate import (
    MANDATE_PREFIX,
    account_asked,
    bank_of,
    mandate_id,
    proof_of,
    read_proof,
)
from hutong.institution.payments.mandate_service import MandateService
from hutong.institution.payments.payment import check_amount
from hutong.institution.payments.ports import Payer, People, Requests, Resolved
from hutong.institution.payments.quotes import (
    QUOTE_LIFE_NS,
    Quote,
    QuoteBook,
    Terms,
    fee_of,
    payee_occasion,
    terms_of_answer,
    terms_on_us,
)
from hutong.institution.payments.reasons import PaymentReason
from hutong.institution.payments.wording import network_reason, network_text
from hutong.institution.policy.policy import Policies
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.errors import Refusal
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import warmed
from hutong.scheme.messages import Channel, CodeConsult, CodeResolve, ConsultStatus, hex_id, id_hex

CONSULT_WAIT_S = 5
CODE_LENGTH_MAX = 512

Answered = Callable[[Terms | Refusal], None]


class ConsultService:
    """Consults of our users, and of other nodes about codes of ours."""

    def __init__(
        self,
        node: NodeRuntime,
        policies: Policies,
        people: People,
        requests: Requests,
        quotes: QuoteBook,
        cashier: Cashier,
        mandates: MandateService,
        switch: str,
        currency: str,
    ) -> None:
        self._node = node
        self._policies = policies
        self._people = people
        self._requests = requests
        self._quotes = quotes
        self._cashier = cashier
        self._mandates = mandates
        self._switch = switch
        self._currency = currency
        self.describer: Describer = Silence()
        self._asked: dict[int, tuple[int, Answered]] = {}  # With the amount that was named.
        self.answerers: list[
            Callable[[CodeConsult], bool]
        ] = []  # Of codes that nobody is paid by: True, it is answered.

    async def consult(
        self, user_id: int, code: str, amount: int = 0, chosen: tuple[int, ...] | None = None, *, explain: bool = False
    ) -> Quote:
        """
        What a payer is shown of a code: whom it pays, how much, at what discount; to be paid by the quote's id.

        `amount` is what the payer means to pay where the code leaves that open, so that discounts can be shown, the payee's
        too: it goes with the consult; `chosen` what he picked of what he has, such as coupons: None, whatever is best.
        `explain`: also tell why it is this discount.
        Refuses:  AMOUNT_OUT_OF_RANGE; what the owner refuses; CODE_NOT_RESOLVED; NETWORK_SILENT.
        """
        if amount:
            check_amount(amount)
        terms = await self.terms(code, amount)

        def shown() -> Quote:
            return self.quote(self._people.user(user_id), terms, amount, chosen, explain=explain)

        return await warmed(self._node.journal, shown)

    async def terms(self, code: str, amount: int = 0) -> Terms:
        """The terms of a code, ours or another's, for a payer who typed this amount. Refuses as `consult`."""
        own = await warmed(self._node.journal, lambda: self._own_terms(code, amount))
        return own if own is not None else await self.terms_from_network(code, amount)

    async def terms_from_network(self, code: str, amount: int = 0) -> Terms:
        """Ask the code's owner, through the switch."""
        answered = self._node.journal.promise()
        consult_id = self.ask(code, lambda answer: None if answered.done() else answered.set_result(answer), amount)
        try:
            async with asyncio.timeout(CONSULT_WAIT_S):
                answer: Terms | Refusal = await answered
        except TimeoutError:
            raise Refusal(PaymentReason.NETWORK_SILENT) from None
        finally:
            self._asked.pop(consult_id, None)
        if isinstance(answer, Refusal):
            raise answer
        return answer

    def ask(self, code: str, answered: Answered, amount: int = 0) -> int:
        """Send a consult; `answered` is called once, if there is an answer. Returns the consult's id."""
        consult_id = self._node.mint.mint()
        self._asked[consult_id] = amount, answered
        self._node.journal.tell(
            self._switch,
            CodeConsult(
                consult_id=id_hex(consult_id),
                code=code,
                debtor_agent=self._node.node_id,
                amount=amount,
                currency=self._currency,
            ),
        )
        return consult_id

    def forget(self, consult_id: int) -> None:
        """Wait for its answer no longer."""
        self._asked.pop(consult_id, None)

    def answered(self, answer: CodeResolve) -> None:
        """The owner's answer, by way of the switch."""
        asked = self._asked.pop(hex_id(answer.consult_id), None)
        if asked is None:
            return
        amount, waiting = asked
        if answer.status is ConsultStatus.FOUND and answer.creditor_agent is not None:
            try:
                waiting(terms_of_answer(answer, amount))
            except Refusal as refusal:
                waiting(refusal)
        else:
            waiting(_not_resolved(answer))

    def quote(
        self,
        payer: Payer,
        terms: Terms,
        amount: int = 0,
        chosen: tuple[int, ...] | None = None,
        *,
        explain: bool = False,
    ) -> Quote:
        """Show these terms to a payer. Refuses SHARES_UNSOUND, where another node's leave nothing to be paid."""
        now_ns = self._node.clock.now_ns()
        wanted = terms.amount or amount
        offer = None
        explained: tuple[Weighed, ...] = ()
        if wanted:
            if terms.payee_discount >= wanted:
                raise Refusal(PaymentReason.SHARES_UNSOUND, amount=wanted)
            occasion = terms.occasion(self._node.node_id, wanted, now_ns, payer_id=payer.id, chosen=chosen)
            offer = self._cashier.payer_offer(occasion, terms.payee_discount)
            if explain:
                explained = self._cashier.explained(offer[2] if offer is not None else occasion)
        life_end_ns = now_ns + QUOTE_LIFE_NS
        quote = Quote(
            id=self._node.mint.mint(),
            user_id=payer.id,
            terms=terms,
            adjuster=offer[0] if offer is not None else "",
            discount=offer[1].amount if offer is not None else 0,
            discount_label=offer[1].label if offer is not None else "",
            discount_parts=offer[1].parts if offer is not None else (),
            explained=explained,
            chosen=chosen,
            shown=offer,
            expires_ns=min(life_end_ns, terms.expires_ns) if terms.expires_ns else life_end_ns,
        )
        self._quotes.keep(quote, now_ns)
        return quote

    def quote_asked(self, payer: Payer, terms: Terms) -> Quote:
        """Show a payer what a till asks for, of a payee of ours as it is now. Refuses as `quote`, and REQUEST_EXPIRED. May raise `Cold`."""
        if terms.creditor_agent == self._node.node_id:
            payee = self._requests.payee(terms.request_id, self._node.clock.now_ns())
            terms = msgspec.structs.replace(terms, merchant_id=payee.merchant_id, shop_id=payee.shop_id)
        return self.quote(payer, terms)

    def consulted(self, consult: CodeConsult) -> None:
        """Another node's user scanned a code of ours: say whom it pays."""
        if any(answered(consult) for answered in self.answerers):
            return
        try:
            if mandate := account_asked(consult.code):
                answer: CodeResolve | None = self._whose_account(consult, mandate)
            else:
                resolved = self._resolve(consult.code, consult.debtor_agent)
                answer = self._answer(consult, resolved) if resolved is not None else None
        except Refusal as refusal:
            answer = _refused(consult, refusal.reason.iso_code, refusal.reason.name)
        if answer is None:
            answer = _refused(consult, PaymentReason.CODE_NOT_RESOLVED.iso_code, "CODE_UNKNOWN")
        self._node.journal.tell(self._switch, answer)

    def _whose_account(self, consult: CodeConsult, mandate: str) -> CodeResolve:
        """Which account a mandate of ours takes from: under a name that says nothing else, and that nothing can be paid to."""
        return CodeResolve(
            consult_id=consult.consult_id,
            debtor_agent=consult.debtor_agent,
            status=ConsultStatus.FOUND,
            creditor_agent=self._node.node_id,
            channel=Channel.WITHDRAWAL,
            request_id=id_hex(self._mandates.account_mark(mandate, consult.debtor_agent)),
            currency=self._currency,
        )

    def _own_terms(self, code: str, amount: int) -> Terms | None:
        if code.startswith(MANDATE_PREFIX) and bank_of(code) != self._node.node_id:
            return None
        resolved = self._resolve(code, self._node.node_id)
        if resolved is None:
            return None
        discount, asks_amount = self._payee_discount(resolved, self._node.node_id, amount)
        return terms_on_us(
            self._node.node_id,
            resolved.request_id,
            resolved.payee,
            discount,
            discounted=amount if discount and not resolved.payee.amount else 0,
            asks_amount=asks_amount,
        )

    def _resolve(self, code: str, debtor_agent: str) -> Resolved | None:
        """
        What a code of ours stands for; for a proof, that it is the code of who granted the mandate and has the name.

        Refuses:  what resolving refuses; MANDATE_MALFORMED, MANDATE_UNKNOWN, MANDATE_OF_ANOTHER, MANDATE_REVOKED;
                  HOLDER_DIFFERS.
        """
        if not code.startswith(MANDATE_PREFIX):
            return self._requests.resolve(code)
        proof = read_proof(code)
        mandate = self._mandates.mandate(mandate_id(proof.mandate))
        mandate.check_usable(debtor_agent)
        resolved = self._requests.resolve(proof.code)
        holder = self._people.user(mandate.user_id)
        if resolved is not None and (
            resolved.payee.user_id != holder.id or proof_of(proof.mandate, holder.name, proof.code) != proof
        ):
            raise Refusal(PaymentReason.HOLDER_DIFFERS)
        return resolved

    def _payee_discount(self, resolved: Resolved, debtor_agent: str, amount: int) -> tuple[int, bool]:
        """What a sponsor carries of what is to be paid; and, where the code leaves that open, whether it is worth saying."""
        payee = resolved.payee
        if not payee.merchant_id:
            return 0, False
        wanted = payee.amount or amount
        occasion = payee_occasion(
            payee, resolved.request_id, self._node.node_id, debtor_agent, wanted, self._node.clock.now_ns()
        )
        fee = fee_of(self._policies.today(occasion.now_ns)[0], payee, wanted)
        offer = self._cashier.payee_offer(occasion, fee) if wanted else None
        asks_amount = not payee.amount and self._cashier.asks_amount(occasion)
        return offer[1].amount if offer is not None else 0, asks_amount

    def _answer(self, consult: CodeConsult, resolved: Resolved) -> CodeResolve:
        payee = resolved.payee
        named = consult.amount if consult.currency == payee.currency else 0
        discount, asks_amount = self._payee_discount(resolved, consult.debtor_agent, named)
        said = self.describer.of(payee.merchant_id, payee.shop_id)
        if said is not None:
            self.describer.tell(payee.merchant_id, payee.shop_id, said)
        return CodeResolve(
            consult_id=consult.consult_id,
            debtor_agent=consult.debtor_agent,
            status=ConsultStatus.FOUND,
            creditor_agent=self._node.node_id,
            creditor_name=payee.name,
            shop_name=payee.shop_name,
            mcc=payee.mcc,
            channel=payee.channel,
            request_id=id_hex(resolved.request_id),
            is_static=payee.is_static,
            amount=payee.amount,
            currency=payee.currency,
            creditor_discount=discount,
            asks_amount=asks_amount,
            remittance=payee.remark,
            expires_at_ms=payee.expires_ns // NS_PER_MS,
            merchant=said,
        )


def _not_resolved(answer: CodeResolve) -> Refusal:
    """The owner's no, with what it says all the same of who is behind the code."""
    because, iso_code = network_reason(answer.reason_name, answer.reason, PaymentReason.CODE_NOT_RESOLVED)
    facts: dict[str, str | int] = {"because": because, "iso_code": iso_code}
    try:
        told = {
            "payee_name": network_text("creditor_name", answer.creditor_name),
            "remark": network_text("remittance", answer.remittance),
            "expires_at_ms": answer.expires_at_ms,
            "named": answer.request_id if answer.request_id.strip("0") and not answer.amount else "",
        }
    except Refusal as refusal:
        return refusal
    if answer.amount and answer.creditor_agent:  # Something is asked for, and not by a payment.
        told |= {"amount": answer.amount, "institution": answer.creditor_agent}
        told |= {"currency": answer.currency, "request_id": answer.request_id}
    return Refusal(PaymentReason.CODE_NOT_RESOLVED, **facts, **{name: fact for name, fact in told.items() if fact})


def _refused(consult: CodeConsult, iso_code: str, name: str) -> CodeResolve:
    return CodeResolve(
        consult_id=consult.consult_id,
        debtor_agent=consult.debtor_agent,
        status=ConsultStatus.REFUSED,
        reason=iso_code,
        reason_name=name,
    )
