"""A refund is the merchant's act; a return is what it is at the debtor's side. Both give back shares of a payment."""

import msgspec

from hutong.institution.payments.matrix import Shares
from hutong.institution.payments.payment import Outcome
from hutong.kernel.ids import derive
from hutong.runtime.tables import BigInt, Boolean, Table, Text, Uuid


class RefundOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a merchant gives back. `shop_id` scopes a key of one shop; 0 is the whole merchant."""

    refund_id: int
    payment_id: int
    amount: int
    remark: str = ""
    shop_id: int = 0
    dispute_id: int = 0  # A recall: what is given back is in `account`, where it was set aside.
    account: int = 0
    door: str = ""  # The gateway it came through.


class Refund(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a merchant gives back of a payment: across nodes, or, `on_us`, to a payer of ours."""

    id: Uuid  # The return's id on the network: derived, so that one merchant cannot take another's.
    refund_id: Uuid  # The merchant's own.
    merchant_id: Uuid
    shop_id: Uuid
    payment_id: Uuid
    debtor_agent: Text
    on_us: Boolean
    account: Uuid  # The merchant's.
    payer_account: Uuid  # These three on us alone; 0 elsewhere.
    payer_user_id: Uuid
    budget_account: Uuid
    sponsor_account: Uuid
    currency: Text
    gross: BigInt
    payer_discount: BigInt
    payee_discount: BigInt
    fee: BigInt
    interchange: BigInt
    switch_fee: BigInt
    remark: Text
    created_ns: BigInt
    expires_ns: BigInt
    dispute_id: Uuid = 0  # A recall gives it back, not the merchant: out of what was set aside.
    door: Text = ""  # The gateway it came through, which hears how it ended.

    @property
    def shares(self) -> Shares:
        return Shares(self.gross, self.payer_discount, self.payee_discount, self.fee, self.interchange, self.switch_fee)


class Return(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What another node's merchant gives back of a payment of ours."""

    id: Uuid
    payment_id: Uuid
    creditor_agent: Text
    user_id: Uuid
    account: Uuid
    budget_account: Uuid
    currency: Text
    gross: BigInt
    payer_discount: BigInt
    payee_discount: BigInt
    interchange: BigInt
    switch_fee: BigInt
    payee_name: Text
    remark: Text
    created_ns: BigInt
    expires_ns: BigInt

    @property
    def shares(self) -> Shares:
        """The matrix as this end knows it: the merchant's fee is the other's affair."""
        return Shares(self.gross, self.payer_discount, self.payee_discount, 0, self.interchange, self.switch_fee)

    @property
    def paid_back(self) -> int:
        """What the payer himself gets."""
        return self.shares.paid


REFUNDS = Table("refunds", Refund)
REFUND_OUTCOMES = Table("refund_outcomes", Outcome)
RETURNS = Table("returns", Return)
RETURN_OUTCOMES = Table("return_outcomes", Outcome)


def return_id_of(merchant_id: int, refund_id: int) -> int:
    """The network's id of a merchant's refund. Ends in 1: a payment's id ends in 0, so neither can pass for the other."""
    return derive(refund_id, f"{merchant_id:032x}/refund") | 1
