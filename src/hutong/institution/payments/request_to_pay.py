"""A request to pay (pain.013): a **charge** at the creditor's side, waiting or decided at the debtor's."""

from enum import StrEnum

import msgspec

from hutong.institution.payments.quotes import Terms
from hutong.kernel.ids import derive
from hutong.runtime.tables import BigInt, Bytes, Integer, Table, Text, Uuid
from hutong.scheme.messages import Channel, MerchantFacts


class ChargeState(StrEnum):
    ASKED = "ASKED"  # The payer's side has not answered yet, or is paying.
    WAITING = "WAITING"  # The payer is asked.
    PAID = "PAID"
    REJECTED = "REJECTED"


class Charge(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One version of our asking to be paid: by payment code, or, for a top-up, under a mandate. Id: the request's."""

    id: Uuid
    merchant_id: Uuid  # 0: a user's top-up.
    shop_id: Uuid
    code: Text
    creditor_name: Text
    mcc: Text
    channel: Text
    amount: BigInt
    currency: Text
    remark: Text
    state: Text
    reason: Text = ""
    iso_code: Text = ""
    created_ns: BigInt
    expires_ns: BigInt
    payee_discount: BigInt = 0  # What our side takes off, as it was when it was first asked.


class ToPayState(StrEnum):
    CLAIMED = "CLAIMED"  # The code is claimed; whether to ask the payer is not decided yet.
    WAITING = "WAITING"
    PAYING = "PAYING"  # Its payment says the rest.
    DECLINED = "DECLINED"
    REJECTED = "REJECTED"


class ToPay(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One version of another's request to pay, at the debtor's side. Id: derived from (creditor agent, request)."""

    id: Uuid
    request_id: Uuid
    creditor_agent: Text
    user_id: Uuid
    waiting_user_id: Uuid | None  # Set while it waits: whose list it is in.
    creditor_name: Text
    mcc: Text
    channel: Text
    amount: BigInt
    currency: Text
    payee_discount: BigInt
    interchange_bps: Integer
    switch_fee_bps: Integer
    fee_version: Text
    mandate_id: Uuid
    remark: Text
    state: Text
    reason: Text = ""
    iso_code: Text = ""
    created_ns: BigInt
    expires_ns: BigInt
    funding: Text = ""  # The hold that it named when it was first asked, and is paid from; empty: the balance.
    merchant_said: Bytes = b""  # What its institution says of a merchant, as JSON; empty: nothing.

    @property
    def payment_id(self) -> int:
        """The id of the payment that answers it: derived, so that it is answered once."""
        return derive(self.id, "payment")

    @property
    def terms(self) -> Terms:
        return Terms(
            creditor_agent=self.creditor_agent,
            request_id=self.request_id,
            payee_name=self.creditor_name,
            shop_name="",
            mcc=self.mcc,
            channel=Channel(self.channel),
            is_static=False,
            amount=self.amount,
            currency=self.currency,
            payee_discount=self.payee_discount,
            interchange_bps=self.interchange_bps,
            switch_fee_bps=self.switch_fee_bps,
            fee_version=self.fee_version,
            remark=self.remark,
            expires_ns=self.expires_ns,
            mandate_id=self.mandate_id,
            said=msgspec.json.decode(self.merchant_said, type=MerchantFacts) if self.merchant_said else None,
        )


# The channels in which the creditor's side asks, and a payment is the answer.
ASKED_FOR = frozenset({Channel.PAYMENT_CODE.value, Channel.TOP_UP.value})
CHARGES = Table("charges", Charge)
REQUESTS_TO_PAY = Table("requests_to_pay", ToPay)


def to_pay_id(creditor_agent: str, request_id: int) -> int:
    """Our own name of another node's request."""
    return derive(request_id, f"{creditor_agent}/to-pay")
