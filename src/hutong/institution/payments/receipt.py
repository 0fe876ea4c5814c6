"""A receipt: the creditor's side of a payment from another node."""

import msgspec

from hutong.institution.payments.matrix import Shares
from hutong.institution.payments.payment import Outcome
from hutong.runtime.tables import BigInt, Boolean, Table, Text, Uuid


class Receipt(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What was accepted. It is the debtor agent's payment id: the switch lets no one else's in under it."""

    id: Uuid
    debtor_agent: Text
    request_id: Uuid
    account: Uuid  # What is credited.
    merchant_id: Uuid  # 0: a person.
    user_id: Uuid  # 0: a merchant.
    shop_id: Uuid
    mcc: Text
    channel: Text
    is_static: Boolean
    currency: Text
    gross: BigInt
    payee_discount: BigInt
    fee: BigInt
    interchange: BigInt
    switch_fee: BigInt
    sponsor_account: Uuid
    sponsor: Text
    fee_version: Text  # The network's, for interchange and switch fee.
    policy_version: Text  # Ours, for the merchant's fee.
    debtor_name: Text
    debtor_ref: Text
    remark: Text
    created_ns: BigInt
    expires_ns: BigInt

    @property
    def shares(self) -> Shares:
        """The matrix as this end knows it: the debtor agent's own discount is inside what crosses."""
        return Shares(self.gross, 0, self.payee_discount, self.fee, self.interchange, self.switch_fee)


RECEIPTS = Table("receipts", Receipt)
RECEIPT_OUTCOMES = Table("receipt_outcomes", Outcome)
