"""
The cashier: what a payment is paid from, and what makes it cheaper.

Two small protocols, wired in `app`: products know the cashier, never the reverse. Both follow the one shape of a
reservation, reserve -> commit -> release. Each step may be repeated with the same payment id and then changes nothing.
All looking-up (`Cold`) and refusing is in `account` and `offer`, which append nothing: the cashier calls them in the same
decision right before `reserve`, so that a reservation never has to be taken back because something else says no.
"""

from typing import Protocol

import msgspec

from hutong.institution.payments.payment import HELD
from hutong.institution.payments.ports import Payer
from hutong.institution.payments.reasons import PaymentReason
from hutong.kernel.errors import Refusal


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

    def commit(self, payment_id: int) -> None: ...

    def release(self, payment_id: int) -> None: ...


class Discount(msgspec.Struct, frozen=True, gc=False):
    """What somebody else pays of a payment, from a budget account on this node's ledger."""

    amount: int
    budget_account: int
    label: str  # Shown to the payer.


class PriceAdjuster(Protocol):
    """What makes a payment cheaper for its payer: a coupon, a red packet, a random discount, a merchant's own offer."""

    @property
    def name(self) -> str: ...

    def offer(self, party_id: int, creditor: str, amount: int, now_ns: int) -> Discount | None:
        """What this payer (or, from a sponsor, this merchant) gets now: shown before confirming, and asked again when it is to be reserved."""
        ...

    def reserve(self, party_id: int, payment_id: int, discount: Discount) -> None:
        """Set aside what was just offered."""
        ...

    def commit(self, payment_id: int) -> None: ...

    def release(self, payment_id: int) -> None: ...


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

    def commit(self, payment_id: int) -> None: ...

    def release(self, payment_id: int) -> None: ...


class MerchantBalance(Balance):
    """What a merchant's withdrawal is paid from: it is admitted elsewhere, and no person pays from it."""

    name = MERCHANT

    def account(self, payer: Payer, _amount: int) -> int:  # noqa: ARG002  # It says no to everybody.
        raise Refusal(PaymentReason.FUNDING_UNKNOWN, field="funding")


class RedPacketBalance(MerchantBalance):
    """What a share of a red packet is paid from that crosses to another institution."""

    name = RED_PACKET


class Cashier:
    """
    What is plugged in, by name.

    `adjusters` give payers of ours a discount; `sponsors` give one on what is paid to merchants of ours, whoever pays.
    """

    def __init__(
        self,
        sources: tuple[FundingSource, ...] = (),
        adjusters: tuple[PriceAdjuster, ...] = (),
        sponsors: tuple[PriceAdjuster, ...] = (),
    ) -> None:
        own: tuple[FundingSource, ...] = (Balance(), MerchantBalance(), RedPacketBalance())
        self._sources = {source.name: source for source in (*own, *sources)}
        self._adjusters = {adjuster.name: adjuster for adjuster in adjusters}
        self._sponsors = {sponsor.name: sponsor for sponsor in sponsors}

    def source(self, name: str) -> FundingSource:
        """Refuses FUNDING_UNKNOWN. What is held for a merchant is in the balance by the time that it is paid."""
        source = self._sources.get(BALANCE if name.startswith(HELD) else name)
        if source is None:
            raise Refusal(PaymentReason.FUNDING_UNKNOWN, field="funding", known=sorted({*self._sources} - ELSEWHERE))
        return source

    def payer_offer(self, payer_id: int, creditor: str, amount: int, now_ns: int) -> tuple[str, Discount] | None:
        """The best discount for this payer, and who gives it."""
        return _best(self._adjusters, payer_id, creditor, amount, now_ns)

    def payee_offer(self, merchant_id: int, creditor: str, amount: int, now_ns: int) -> tuple[str, Discount] | None:
        """The best discount on what is paid to this merchant, and who sponsors it."""
        return _best(self._sponsors, merchant_id, creditor, amount, now_ns)

    def adjuster(self, name: str) -> PriceAdjuster:
        return self._adjusters[name]

    def sponsor(self, name: str) -> PriceAdjuster:
        return self._sponsors[name]


def _best(
    adjusters: dict[str, PriceAdjuster], party_id: int, creditor: str, amount: int, now_ns: int
) -> tuple[str, Discount] | None:
    best: tuple[str, Discount] | None = None
    for name, adjuster in adjusters.items():
        offer = adjuster.offer(party_id, creditor, amount, now_ns)
        if offer is not None and (best is None or offer.amount > best[1].amount):
            best = name, offer
    return best
