"""What a payer was shown before confirming: who is paid, how much, and on what terms."""

from collections import deque

import msgspec

from hutong.institution.payments.cashier import Discount, DiscountPart, Occasion, Weighed
from hutong.institution.payments.ports import Payee
from hutong.institution.payments.reasons import PaymentReason
from hutong.institution.payments.wording import network_text
from hutong.institution.policy.policy import Policy
from hutong.kernel.clock import NS_PER_MS, NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.scheme.messages import Channel, CodeResolve, MerchantFacts, hex_id, id_hex

QUOTE_LIFE_NS = 300 * NS_PER_S
_QUOTES_MAX = 500_000


class Terms(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Whom to pay, through which node, at whose cost. A quote is terms shown to one payer."""

    creditor_agent: str
    request_id: int
    payee_name: str
    shop_name: str
    mcc: str
    channel: Channel
    is_static: bool
    amount: int  # 0: the payer says how much.
    currency: str
    payee_discount: int = 0
    discounted: int = 0  # The one amount that discount is of, where the code leaves it open; 0: it is of no other.
    asks_amount: bool = False  # The payee would take something off some amounts: worth asking again with the payer's.
    interchange_bps: int = 0
    switch_fee_bps: int = 0
    fee_version: str = ""
    remark: str = ""
    expires_ns: int = 0  # 0: does not expire.
    mandate_id: int = 0
    merchant_id: int = 0  # Of ours; 0 elsewhere, or a person's.
    shop_id: int = 0
    said: MerchantFacts | None = None  # Of a merchant elsewhere.

    @property
    def creditor(self) -> str:
        """Names the creditor to whoever binds something to it, such as a PIN token."""
        return f"{self.creditor_agent}/{id_hex(self.request_id)}"

    def occasion(
        self,
        debtor_agent: str,
        amount: int,
        now_ns: int,
        *,
        payer_id: int,
        chosen: tuple[int, ...] | None = None,
        payee: Payee | None = None,
    ) -> Occasion:
        """That this payer pays so much on these terms, to a payee of ours as it is now."""
        return Occasion(
            payer_id=payer_id,
            debtor_agent=debtor_agent,
            creditor_agent=self.creditor_agent,
            request_id=self.request_id,
            merchant_id=self.merchant_id if payee is None else payee.merchant_id,
            shop_id=self.shop_id if payee is None else payee.shop_id,
            said=self.said,
            mcc=self.mcc,
            channel=self.channel,
            amount=amount,
            currency=self.currency,
            now_ns=now_ns,
            chosen=chosen,
        )


class Quote(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Terms as shown to one payer at one time. Kept in memory alone: after a restart the payer consults again."""

    id: int
    user_id: int
    terms: Terms
    adjuster: str  # Whose discount was offered; empty: none.
    discount: int
    discount_label: str
    discount_parts: tuple[DiscountPart, ...] = ()
    explained: tuple[Weighed, ...] = ()  # To who asked for it.
    chosen: tuple[int, ...] | None = None  # What the payer picked of what he has, to be reserved with it.
    shown: tuple[str, Discount, Occasion] | None = None  # The offer itself: who gives it, what, and for what.
    expires_ns: int


class QuoteBook:
    """The quotes of the last minutes."""

    def __init__(self) -> None:
        self._quotes: dict[int, Quote] = {}
        self._oldest: deque[Quote] = deque()

    def keep(self, quote: Quote, now_ns: int) -> None:
        """Remember a quote, and forget those too old, or the oldest when there are too many."""
        oldest = self._oldest
        while oldest and (oldest[0].expires_ns <= now_ns or len(oldest) >= _QUOTES_MAX):
            del self._quotes[oldest.popleft().id]
        self._quotes[quote.id] = quote
        oldest.append(quote)

    def quote(self, quote_id: int, user_id: int, now_ns: int) -> Quote:
        """Refuses QUOTE_UNKNOWN: never made, too old, or shown to somebody else."""
        quote = self._quotes.get(quote_id)
        if quote is None or quote.user_id != user_id or quote.expires_ns <= now_ns:
            raise Refusal(PaymentReason.QUOTE_UNKNOWN, field="quote_id")
        return quote


def terms_on_us(
    node_id: str,
    request_id: int,
    payee: Payee,
    payee_discount: int = 0,
    *,
    discounted: int = 0,
    asks_amount: bool = False,
) -> Terms:
    """The terms of a payee of our own: no network, so no interchange and no switch fee."""
    return Terms(
        creditor_agent=node_id,
        request_id=request_id,
        payee_name=payee.name,
        shop_name=payee.shop_name,
        mcc=payee.mcc,
        channel=payee.channel,
        is_static=payee.is_static,
        amount=payee.amount,
        currency=payee.currency,
        payee_discount=payee_discount,
        discounted=discounted,
        asks_amount=asks_amount,
        remark=payee.remark,
        expires_ns=payee.expires_ns,
        merchant_id=payee.merchant_id,
        shop_id=payee.shop_id,
    )


def payee_occasion(
    payee: Payee, request_id: int, node_id: str, debtor_agent: str, amount: int, now_ns: int
) -> Occasion:
    """
    That somebody there pays a payee of ours so much: the same whoever it is, since a consult does not say.

    Whose payment code of another institution a merchant scanned nobody knows when the discount is told, so no rule may know it after.
    """
    is_blind = payee.channel is Channel.PAYMENT_CODE and debtor_agent != node_id
    return Occasion(
        debtor_agent="" if is_blind else debtor_agent,
        creditor_agent=node_id,
        request_id=request_id,
        merchant_id=payee.merchant_id,
        shop_id=payee.shop_id,
        mcc=payee.mcc,
        channel=payee.channel,
        amount=amount,
        currency=payee.currency,
        now_ns=now_ns,
    )


def fee_of(policy: Policy, payee: Payee, amount: int) -> int:
    """What a payee of ours pays us of a payment of this price; nothing, where it is a person."""
    return policy.merchant_fee(payee.channel, merchant=bool(payee.merchant_id)).of(amount, payee.fee_bps)


def terms_of_answer(answer: CodeResolve, consulted: int = 0) -> Terms:
    """
    The terms another node's answer to a consult names; refuses words that show another thing than they are.

    `consulted` is the amount the consult named.
    """
    assert answer.creditor_agent is not None
    return Terms(
        creditor_agent=answer.creditor_agent,
        request_id=hex_id(answer.request_id),
        payee_name=network_text("creditor_name", answer.creditor_name),
        shop_name=network_text("shop_name", answer.shop_name),
        mcc=answer.mcc,
        channel=answer.channel,
        is_static=answer.is_static,
        amount=answer.amount,
        currency=answer.currency,
        payee_discount=answer.creditor_discount,
        discounted=consulted if answer.creditor_discount and not answer.amount else 0,
        asks_amount=answer.asks_amount and not answer.amount,
        interchange_bps=answer.interchange_bps,
        switch_fee_bps=answer.switch_fee_bps,
        fee_version=network_text("fee_version", answer.fee_version),
        remark=network_text("remittance", answer.remittance),
        expires_ns=answer.expires_at_ms * NS_PER_MS,
        said=facts_heard(answer.merchant),
    )


def facts_heard(facts: MerchantFacts | None) -> MerchantFacts | None:
    """What another institution says of its merchant; refuses words that show another thing than they are."""
    if facts is not None:
        for field, text in (("merchant", facts.merchant), ("shop", facts.shop), ("city", facts.city)):
            network_text(field, text)
        for word in facts.words:
            network_text("words", word)
    return facts
