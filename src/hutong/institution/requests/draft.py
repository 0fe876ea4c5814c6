"""What a merchant says when it asks to be paid."""

import msgspec

from hutong.institution.merchants.merchant import REFERENCE_LENGTH_MAX, REMARK_LENGTH_MAX, reference_key
from hutong.institution.requests.reasons import RequestReason
from hutong.institution.requests.request import PaymentRequest, RequestLimits
from hutong.kernel.errors import Refusal
from hutong.kernel.money import currency_of
from hutong.kernel.text import check_text
from hutong.scheme.messages import Channel

PAYER_CODE_LENGTH_MAX = 512
# What a merchant may ask for; static codes make their own, and the rest is between people and banks.
_REQUESTABLE = (Channel.DYNAMIC_CODE, Channel.PAYMENT_CODE, Channel.REQUEST)


class RequestDraft(msgspec.Struct, frozen=True, kw_only=True):
    """One asking. The same reference with the same draft is the same request."""

    reference: str  # The merchant's own: an order number.
    amount: int
    currency: str = "CNY"
    channel: Channel = Channel.DYNAMIC_CODE
    shop_id: int = 0
    remark: str = ""
    payer_code: str = ""  # Of a payment-code charge: what was scanned off the payer's phone.
    lifetime_s: int | None = None
    door: str = ""  # Each door has references of its own.

    def found_by(self, merchant_id: int) -> int:
        """By what the request is found again."""
        return reference_key(merchant_id, behind_door(self.door, self.reference))

    def check(self, limits: RequestLimits) -> None:
        """
        Refuses:  the text refusals, naming the field; CURRENCY_UNKNOWN; AMOUNT_OUT_OF_LIMITS; LIFETIME_OUT_OF_LIMITS;
                  CHANNEL_NOT_REQUESTABLE; PAYER_CODE_MISPLACED.
        """
        check_text("reference", self.reference, length_max=REFERENCE_LENGTH_MAX)
        check_text("remark", self.remark, length_max=REMARK_LENGTH_MAX, empty=True)
        check_text("payer_code", self.payer_code, length_max=PAYER_CODE_LENGTH_MAX, empty=True)
        currency_of(self.currency)
        limits.check_amount(self.amount)
        limits.lifetime_for(self.channel, self.lifetime_s)
        if self.channel not in _REQUESTABLE:
            raise Refusal(RequestReason.CHANNEL_NOT_REQUESTABLE, field="channel")
        if bool(self.payer_code) != (self.channel is Channel.PAYMENT_CODE):
            raise Refusal(RequestReason.PAYER_CODE_MISPLACED, field="payer_code")

    def check_same(self, known: PaymentRequest, limits: RequestLimits) -> None:
        """Whether `known`, of the same reference, was asked for in these words. Refuses REFERENCE_REUSED, naming the field."""
        for field, ours, theirs in (
            ("amount", known.amount, self.amount),
            ("currency", known.currency, self.currency),
            ("channel", known.channel, self.channel.value),
            ("shop_id", known.shop_id, self.shop_id),
            ("remark", known.remark, self.remark),
            ("payer_code", known.payer_code, self.payer_code),
            ("lifetime_s", known.lifetime_s, limits.lifetime_for(self.channel, self.lifetime_s)),
        ):
            if ours != theirs:
                raise Refusal(RequestReason.REFERENCE_REUSED, field=field, reference=self.reference)


def behind_door(door: str, reference: str) -> str:
    """The reference as no other door has it."""
    return f"{door}\0{reference}" if door else reference
