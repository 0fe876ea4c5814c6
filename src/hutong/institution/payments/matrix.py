"""
Who brought a payment's money and who got it, and how a refund takes it back: to the fen, in any order.

Six numbers say the whole source -> sink matrix, because every cell of it follows from them:

| from / to     | payee (merchant) | acquirer's income | interchange | switch fee |
| ------------- | ---------------- | ----------------- | ----------- | ---------- |
| payer, budget | the rest         | f - i - s if > 0  | i           | s          |
| sponsor       | E                |                   |             |            |
| acquirer      | i + s - f if > 0 |                   |             |            |

A refund is split over what *remains* of every cell by largest remainder. Rounding each number by itself would go
negative (A = 100, D = 50, E = 49); this cannot: no cell gives more than it holds, and the last refund takes exactly
what is left.
"""

import msgspec

from hutong.kernel.money import split


class Shares(msgspec.Struct, frozen=True, gc=False):
    """The six numbers of a payment, of one refund, or of what is left of a payment after refunds; minor units."""

    gross: int  # A: what the payee asked for.
    payer_discount: int = 0  # D: from a budget at the debtor agent.
    payee_discount: int = 0  # E: from a sponsor at the creditor's side.
    fee: int = 0  # f: what the merchant pays its acquirer.
    interchange: int = 0  # i: what the acquirer pays the issuer.
    switch_fee: int = 0  # s: what the acquirer pays the scheme.

    @property
    def paid(self) -> int:
        """What the payer himself pays, or gets back."""
        return self.gross - self.payer_discount - self.payee_discount

    @property
    def settlement(self) -> int:
        """What crosses from the debtor agent to the creditor agent: A - E - i - s."""
        return self.gross - self.payee_discount - self.interchange - self.switch_fee

    @property
    def sound(self) -> bool:
        """Every cell of the matrix is zero or more, and somebody pays something."""
        return (
            self.gross > 0
            and self.payer_discount >= 0
            and self.payee_discount >= 0
            and self.fee >= 0
            and self.interchange >= 0
            and self.switch_fee >= 0
            and self.paid >= 0
            and self.settlement > 0
            and self.gross - self.payee_discount - self.fee >= 0
        )

    def less(self, other: "Shares") -> "Shares":
        """What is left of these when `other` is taken from them."""
        return Shares(
            self.gross - other.gross,
            self.payer_discount - other.payer_discount,
            self.payee_discount - other.payee_discount,
            self.fee - other.fee,
            self.interchange - other.interchange,
            self.switch_fee - other.switch_fee,
        )

    def share(self, amount: int) -> "Shares":
        """What a refund of `amount` takes of these, which are what is left of the payment."""
        assert 0 < amount <= self.gross
        acquirer_income = max(self.fee - self.interchange - self.switch_fee, 0)
        payee = self.settlement - acquirer_income
        _, income, interchange, switch_fee, payee_discount = split(
            amount, [payee, acquirer_income, self.interchange, self.switch_fee, self.payee_discount]
        )
        network = interchange + switch_fee
        if acquirer_income:
            fee = income + network
        else:
            # The acquirer paid part of i and s itself. The fee's share is pro rata, as far as what is left of i and s
            # will still cover what is left of the fee, and this refund's i and s cover its own.
            network_left = self.interchange + self.switch_fee - network
            pro_rata = self.fee * amount // self.gross
            fee = min(max(pro_rata, self.fee - network_left), network)
        return Shares(
            amount,
            self._payer_discount_share(amount - payee_discount),
            payee_discount,
            fee,
            interchange,
            switch_fee,
        )

    def returned(self, amount: int, payee_discount: int, interchange: int, switch_fee: int) -> "Shares | None":
        """
        At the debtor agent: what a return of the creditor agent's split takes of these; None if it takes too much.

        The creditor agent knows nothing of our budget, and we nothing of its fee: each splits its own side.
        """
        crossing = amount - payee_discount
        if (
            payee_discount > self.payee_discount
            or interchange > self.interchange
            or switch_fee > self.switch_fee
            or not 0 <= crossing <= self.gross - self.payee_discount
            or interchange + switch_fee > crossing
        ):
            return None
        return Shares(amount, self._payer_discount_share(crossing), payee_discount, 0, interchange, switch_fee)

    def _payer_discount_share(self, crossing: int) -> int:
        if not self.payer_discount or not crossing:
            return 0
        return split(crossing, [self.paid, self.payer_discount])[1]


def left_of(payment: Shares, refunds: list[Shares]) -> Shares:
    """What is left of a payment after these refunds."""
    for refund in refunds:
        payment = payment.less(refund)
    return payment
