"""Who may get a part of a merchant's orders: named by the merchant beforehand."""

import msgspec

from hutong.gateways.splits.reasons import SplitReason
from hutong.institution import chart
from hutong.institution.merchants.merchant import reference_key
from hutong.kernel.errors import Refusal
from hutong.kernel.money import Currency
from hutong.runtime.tables import BigInt, Table, Text, Uuid

RELATION_LENGTH_MAX = 32


class Receiver(msgspec.Struct, frozen=True, kw_only=True):
    """
    A merchant or a person of this institution, and how the vendor's protocol calls them.

    Who that is, the dialect has found out: a merchant by its account's number, a person by the id the gateway gave.
    """

    type: str  # MERCHANT_ID, PERSONAL_OPENID, userId, ...: the vendor's word.
    account: str
    merchant_id: int = 0
    user_id: int = 0

    def ledger_account(self, currency: Currency) -> int:
        """Where its part goes."""
        if self.merchant_id:
            return chart.merchant_account(self.merchant_id, currency)
        return chart.user_account(self.user_id, currency)

    def check_somebody(self) -> None:
        """Refuses RECEIVER_UNKNOWN: it is nobody of this institution."""
        if not (self.merchant_id or self.user_id):
            raise Refusal(SplitReason.RECEIVER_UNKNOWN, account=self.account)


class SplitReceiver(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a receiver that a merchant named."""

    id: Uuid
    merchant_id: Uuid
    type: Text
    account: Text
    receiver_merchant_id: Uuid
    user_id: Uuid
    relation: Text
    custom_relation: Text
    created_ns: BigInt
    removed_ns: BigInt  # 0: it may be split to.


RECEIVERS = Table("split_receivers", SplitReceiver)


def receiver_key(merchant_id: int, door: str, receiver: Receiver) -> int:
    """By what a merchant's receiver is found: as the protocol calls it, at that door."""
    return reference_key(merchant_id, f"split receiver/{door}/{receiver.type}/{receiver.account}")
