"""
The cashier: what a payment is paid from, and what makes it cheaper.

Two small protocols, wired in `app`: products know the cashier, never the reverse. Both follow the one shape of a
reservation, reserve -> commit -> release. Each step may be repeated with the same payment id and then changes nothing.
All looking-up (`Cold`) and refusing is in `account`, `offer` and `look_up`, which append nothing: they are called in the
same decision, before anything is written, so that a reservation never has to be taken back because something else says no.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from hutong.institution.payments.matrix import Shares
from hutong.institution.payments.payment import HELD, HELD_ELSEWHERE, Payment, claimant
from hutong.institution.payments.ports import Payer
from hutong.institution.payments.reasons import PaymentReason
from hutong.institution.payments.receipt import Receipt
from hutong.kernel.errors import Refusal
from hutong.scheme.messages import Channel, MerchantFacts


class FundingSource(Protocol):
    """
    Where the payer's money is: the balance, a money fund, a credit line.

    The hold itself is the pending transfer of the account this names: the account refuses what it does not cover.
    """

    @property
    def name(self) -> str: ...

    def account(self, payer: Payer, amount: int) -> int:
        """The account to debit; refuses who has none."""
        ...

    def reserve(self, payer: Payer, payment_id: int, amount: int) -> None: ...

    def commit(self, payment: Payment) -> None: ...

    def release(self, payment: Payment) -> None: ...


class Occasion(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A payment that may become cheaper: who would pay whom, how much and how, as far as this node knows."""

    payer_id: int = 0  # A person of ours; 0: of another institution, or nobody knows yet.
    debtor_agent: str  # Empty: of a payment code of who knows whose wallet.
    creditor_agent: str
    request_id: int
    merchant_id: int = 0  # Of ours; 0 elsewhere, or a person's.
    shop_id: int = 0
    said: MerchantFacts | None = None  # Of a merchant elsewhere, what its institution says; None: nothing.
    mcc: str
    channel: Channel
    amount: int
    currency: str
    now_ns: int
    chosen: tuple[int, ...] | None = None  # What the payer picked of what he has; None: whatever is best.


class DiscountPart(msgspec.Struct, frozen=True, gc=False):
    """One of several things a discount is made of, as the payer is shown it."""

    label: str
    amount: int
    about: int = 0  # The coupon or campaign.


class Grant(msgspec.Struct, frozen=True, gc=False):
    """What a discount is and which budgets it counts in, to be said by the payment's own row: then no other one says it."""

    campaign_id: int
    version: int  # Of the campaign's terms.
    row: int  # Of its rules; 0: it has none.
    day: int  # In the institution's own zone.
    place: str


class Discount(msgspec.Struct, frozen=True, gc=False):
    """What somebody else pays of a payment, from a budget account on this node's ledger."""

    amount: int
    budget_account: int
    label: str  # Shown to the payer.
    parts: tuple[DiscountPart, ...] = ()
    grant: Grant | None = None  # None: its adjuster writes down what it is.


class Weighed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One thing that could make a payment cheaper: what it gives, and why it was taken or was not."""

    label: str
    source: str  # What kind of thing: "campaign", "draw", "coupon".
    could_give: int  # By itself.
    gives: int  # Now, beside what else was chosen; 0: it was not.
    why: str  # A key that clients have words for.
    threshold: int = 0  # What must be left to pay for it to be good,
    missing: int = 0  # what the payment lacks of that,
    left: int = 0  # and what those before it leave.
    together: int = 0  # What was chosen instead gives in all,
    instead: str = ""  # and the one of which it is either or.


class PriceAdjuster(Protocol):
    """What makes a payment cheaper for its payer: a coupon, a red packet, a random discount, a merchant's own offer."""

    @property
    def name(self) -> str: ...

    def offer(self, occasion: Occasion) -> Discount | None:
        """What this payer (or, from a sponsor, this merchant) gets now: shown before confirming, and asked again when it is to be reserved."""
        ...

    def still_gives(self, discount: Discount, occasion: Occasion, now_ns: int) -> bool:
        """
        Whether what was offered for this is given as it is at a later time; no: `offer` is to be asked again. It may be said
        of a `Grant` alone. May raise `Cold`.
        """
        ...

    def explain(self, occasion: Occasion) -> Sequence[Weighed]:
        """All that was weighed for what `offer` says. Asked by whoever wants to know, never for a payment itself."""
        ...

    def reserve(self, payment_id: int, occasion: Occasion, discount: Discount, paid_id: int = 0) -> None:
        """
        Set aside what was just offered. In the same decision follows `keep`, or `commit` or `release` where the payment is
        decided at once. `paid_id`: the payment's own id, where `payment_id` is a name that only this node has for it.
        """
        ...

    def keep(self, payment_id: int) -> None:
        """Write down what was set aside: the payment is not decided yet."""
        ...

    def look_up(self, payment_id: int) -> None:
        """Bring into memory what the others need. May raise `Cold`."""
        ...

    def commit(self, payment_id: int) -> None: ...

    def release(self, payment_id: int) -> None: ...

    def returned(self, payment_id: int, refund_id: int, amount: int) -> None:
        """A refund brought so much of the discount back to its budget account."""
        ...


class ReturnTaker(Protocol):
    """Whose an account is that paid, and is no person's: what a return brings back to it goes on from there."""

    def look_up(self, payment: Payment) -> None:
        """Bring into memory what `returned` changes. May raise `Cold`."""
        ...

    def returned(self, payment: Payment, return_id: int, amount: int) -> None:
        """So much of a payment came back to the account that it was paid from, in this decision."""
        ...


BALANCE = "balance"
MERCHANT = "merchant"
RED_PACKET = "red packet"
ELSEWHERE = frozenset({MERCHANT, RED_PACKET})  # Of what is admitted elsewhere, and counts towards no limit here.


class Balance:
    """The payer's own balance."""

    name = BALANCE

    def account(self, payer: Payer, _amount: int) -> int:
        return payer.wallet_account

    def reserve(self, payer: Payer, payment_id: int, amount: int) -> None:
        """The ledger holds it: nothing else is to be done."""

    def commit(self, payment: Payment) -> None: ...

    def release(self, payment: Payment) -> None: ...


class MerchantBalance(Balance):
    """What a merchant's withdrawal is paid from: it is admitted elsewhere, and no person pays from it."""

    name = MERCHANT

    def account(self, payer: Payer, _amount: int) -> int:  # noqa: ARG002  # It says no to everybody.
        raise Refusal(PaymentReason.FUNDING_UNKNOWN, field="funding")


class RedPacketBalance(MerchantBalance):
    """What a share of a red packet is paid from that crosses to another institution."""

    name = RED_PACKET


class Sponsor(PriceAdjuster, Protocol):
    """A price adjuster on the payee's side, which is asked before anybody knows how much is paid."""

    def asks_amount(self, occasion: Occasion) -> bool:
        """Whether it would give something for some amount; the occasion's own is not known yet. Appends nothing."""
        ...


class Cashier:
    """
    What is plugged in, by name.

    `adjusters` give payers of ours a discount; `sponsors` give one on what is paid to merchants of ours, whoever pays.
    """

    def __init__(
        self,
        sources: tuple[FundingSource, ...] = (),
        adjusters: tuple[PriceAdjuster, ...] = (),
        sponsors: tuple[Sponsor, ...] = (),
    ) -> None:
        own: tuple[FundingSource, ...] = (Balance(), MerchantBalance(), RedPacketBalance())
        self._sources = {source.name: source for source in (*own, *sources)}
        self._adjusters = {adjuster.name: adjuster for adjuster in adjusters}
        self._sponsors = {sponsor.name: sponsor for sponsor in sponsors}
        self.takers: dict[str, ReturnTaker] = {}  # Of what comes back, by what the payment was paid from.
        self.hold_of: Callable[[int], FundingSource] | None = None  # What a merchant elsewhere holds, by its id.

    def plug_in(self, *, adjuster: PriceAdjuster | None = None, sponsor: Sponsor | None = None) -> None:
        """What is built upon an institution comes after it; before the institution starts."""
        if adjuster is not None:
            self._adjusters[adjuster.name] = adjuster
        if sponsor is not None:
            self._sponsors[sponsor.name] = sponsor

    def source(self, name: str) -> FundingSource:
        """Refuses FUNDING_UNKNOWN. What is held for a merchant is in the balance by the time that it is paid."""
        source = self._sources.get(BALANCE if name.startswith(HELD) else name)
        if source is None and name.startswith(HELD_ELSEWHERE) and self.hold_of is not None:
            return self.hold_of(int(name[len(HELD_ELSEWHERE) :], 16))
        if source is None:
            raise Refusal(PaymentReason.FUNDING_UNKNOWN, field="funding", known=sorted({*self._sources} - ELSEWHERE))
        return source

    def payer_offer(self, occasion: Occasion, payee_discount: int = 0) -> tuple[str, Discount, Occasion] | None:
        """The best discount for this payer beside what the payee's side takes off; who gives it, and of what."""
        best: tuple[str, Discount, Occasion] | None = None
        for name in self._adjusters:
            offer = self.offer_of(name, occasion, payee_discount)
            if offer is not None and (best is None or offer[0].amount > best[1].amount):
                best = name, *offer
        return best

    def offer_of(self, name: str, occasion: Occasion, payee_discount: int = 0) -> tuple[Discount, Occasion] | None:
        """
        What one adjuster gives this payer, and of what: of the price.

        Where nothing would be left to pay beside what the payee's side takes off, of what that leaves.
        """
        adjuster = self._adjusters[name]
        offer = adjuster.offer(occasion)
        if offer is not None and payee_discount and offer.amount + payee_discount >= occasion.amount:
            occasion = msgspec.structs.replace(occasion, amount=occasion.amount - payee_discount)
            offer = adjuster.offer(occasion) if occasion.amount > 0 else None
        return None if offer is None else (offer, occasion)

    def explained(self, occasion: Occasion) -> tuple[Weighed, ...]:
        """Why this payer gets what `payer_offer` says. May raise `Cold`."""
        return tuple(each for adjuster in self._adjusters.values() for each in adjuster.explain(occasion))

    def payee_offer(self, occasion: Occasion, fee: int) -> tuple[str, Discount] | None:
        """
        The best discount on what is paid to this merchant, and who sponsors it.

        None that would leave less than the merchant's fee, which is of the whole price and taken from what is paid.
        """
        best: tuple[str, Discount] | None = None
        for name, sponsor in self._sponsors.items():
            offer = sponsor.offer(occasion)
            if offer is None or occasion.amount - offer.amount < fee:
                continue
            if best is None or offer.amount > best[1].amount:
                best = name, offer
        return best

    def asks_amount(self, occasion: Occasion) -> bool:
        """Whether who pays this merchant would get something off some amount."""
        return any(sponsor.asks_amount(occasion) for sponsor in self._sponsors.values())

    def adjuster(self, name: str) -> PriceAdjuster:
        return self._adjusters[name]

    def sponsor(self, name: str) -> PriceAdjuster:
        return self._sponsors[name]

    # What was given, by what it was given for: a payment of ours, or what another node's payer paid to us.

    # Most are asked of every payment: nothing is gathered first.

    def look_up(self, paid: Payment | Receipt) -> None:
        """Bring into memory what a decision about it changes. May raise `Cold`."""
        if isinstance(paid, Payment) and paid.adjuster:
            self._adjusters[paid.adjuster].look_up(paid.id)
        if paid.sponsor:
            self._sponsors[paid.sponsor].look_up(self._claimant(paid))

    def keep(self, paid: Payment | Receipt) -> None:
        """The decision that reserved it ends, and it is neither paid nor not."""
        if isinstance(paid, Payment) and paid.adjuster:
            self._adjusters[paid.adjuster].keep(paid.id)
        if paid.sponsor:
            self._sponsors[paid.sponsor].keep(self._claimant(paid))

    def commit(self, paid: Payment | Receipt) -> None:
        """It was paid."""
        if isinstance(paid, Payment) and paid.adjuster:
            self._adjusters[paid.adjuster].commit(paid.id)
        if paid.sponsor:
            self._sponsors[paid.sponsor].commit(self._claimant(paid))

    def release(self, paid: Payment | Receipt) -> None:
        """It was not paid."""
        if isinstance(paid, Payment) and paid.adjuster:
            self._adjusters[paid.adjuster].release(paid.id)
        if paid.sponsor:
            self._sponsors[paid.sponsor].release(self._claimant(paid))

    def returned(self, paid: Payment | Receipt, refund_id: int, shares: Shares) -> None:
        """So much of it was given back."""
        if isinstance(paid, Payment) and paid.adjuster and shares.payer_discount:
            self._adjusters[paid.adjuster].returned(paid.id, refund_id, shares.payer_discount)
        if paid.sponsor and shares.payee_discount:
            self._sponsors[paid.sponsor].returned(self._claimant(paid), refund_id, shares.payee_discount)

    def _claimant(self, paid: Payment | Receipt) -> int:
        """What a sponsor reserves for: two debtor agents may use one payment id."""
        return claimant(paid.creditor_agent if isinstance(paid, Payment) else paid.debtor_agent, paid.id)
