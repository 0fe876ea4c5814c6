"""
What is to be paid: many attempts, at most one success.

    OPEN --claim--> CLAIMED --paid--> PAID
      ^               |
      +----release----+        OPEN --cancel--> CANCELLED        OPEN, its time over: EXPIRED

A request is claimed in the same durable step that holds the money, so two payers can't both be under way. Expiry is no
event: an open request whose time is over refuses claims, and that is all it is.
"""

from enum import StrEnum

import msgspec

from hutong.institution.requests.reasons import RequestReason
from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.runtime.tables import BigInt, Text, Uuid
from hutong.scheme.messages import Channel


class RequestState(StrEnum):
    OPEN = "OPEN"
    CLAIMED = "CLAIMED"
    PAID = "PAID"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"  # Never kept: what `state_at` says of an open request whose time is over.


class PaymentRequest(msgspec.Struct, frozen=True, kw_only=True):
    """
    One version of a payment request.

    Made by a merchant, who gave it a `reference`. A payment id here is the node's own name of a payment: two debtor
    agents may use one id.
    """

    id: Uuid
    merchant_id: Uuid
    user_id: Uuid  # 0; as `code_id` kept for nodes of the version before, which write it.
    shop_id: Uuid  # 0: no shop in particular.
    code_id: Uuid  # 0.
    reference: Text
    reference_key: Uuid | None
    amount: BigInt
    currency: Text
    channel: Text
    payer_code: Text  # What the merchant scanned off the payer's phone.
    remark: Text
    state: Text
    claimed_by: Uuid  # The payment that claims or paid it; 0 for none.
    created_ns: BigInt
    expires_ns: BigInt  # 0: never.
    changed_ns: BigInt
    # Whose lists it is in, in the first version alone: so paging by them meets every request once.
    listed_merchant: Uuid | None
    listed_shop: Uuid | None
    door: Text = ""  # Through which gateway it came, and for whom there; empty: our own API or pages.

    def state_at(self, now_ns: int) -> RequestState:
        """How it stands: the kept state, or EXPIRED."""
        if self.state == RequestState.OPEN and self.expires_ns and now_ns >= self.expires_ns:
            return RequestState.EXPIRED
        return RequestState(self.state)

    @property
    def lifetime_s(self) -> int:
        """How long it could be paid, from its making on; 0 for ever."""
        return (self.expires_ns - self.created_ns) // NS_PER_S if self.expires_ns else 0

    def check_payable(self, now_ns: int) -> None:
        """Refuses:  REQUEST_ALREADY_PAID, REQUEST_CANCELLED, REQUEST_EXPIRED, REQUEST_CLAIMED."""
        match self.state_at(now_ns):
            case RequestState.OPEN:
                return
            case RequestState.PAID:
                raise Refusal(RequestReason.REQUEST_ALREADY_PAID)
            case RequestState.CANCELLED:
                raise Refusal(RequestReason.REQUEST_CANCELLED)
            case RequestState.EXPIRED:
                raise Refusal(RequestReason.REQUEST_EXPIRED)
            case RequestState.CLAIMED:
                raise Refusal(RequestReason.REQUEST_CLAIMED)

    def claim(self, payment_id: int, now_ns: int) -> "PaymentRequest":
        """
        Let this payment, and no other, be the one that may pay it.

        Refuses:  as `check_payable`, to any other payment.
        Repeats:  itself, to the payment that claims it or paid it.
        """
        assert payment_id
        if self.claimed_by == payment_id:
            return self
        self.check_payable(now_ns)
        return self._next(RequestState.CLAIMED, now_ns, claimed_by=payment_id)

    def release(self, payment_id: int, now_ns: int) -> "PaymentRequest":
        """
        The payment failed: let others try.

        Repeats:  itself; just so for a payment that never claimed it.
        """
        if self.claimed_by != payment_id:
            return self
        assert self.state == RequestState.CLAIMED, "a payment that completed fails no more"
        return self._next(RequestState.OPEN, now_ns, claimed_by=0)

    def paid(self, payment_id: int, now_ns: int) -> "PaymentRequest":
        """The payment, which claims it, completed. Repeats: itself."""
        assert self.claimed_by == payment_id, "only the payment that claims a request pays it"
        if self.state == RequestState.PAID:
            return self
        return self._next(RequestState.PAID, now_ns, claimed_by=payment_id)

    def cancel(self, now_ns: int) -> "PaymentRequest":
        """
        Take it back for good; just so when its time is over.

        Refuses:  REQUEST_CLAIMED while a payment is under way, which may complete; REQUEST_ALREADY_PAID.
        Repeats:  itself.
        """
        match self.state:
            case RequestState.OPEN:
                return self._next(RequestState.CANCELLED, now_ns, claimed_by=0)
            case RequestState.CLAIMED:
                raise Refusal(RequestReason.REQUEST_CLAIMED)
            case RequestState.PAID:
                raise Refusal(RequestReason.REQUEST_ALREADY_PAID)
            case _:
                return self

    def _next(self, state: RequestState, now_ns: int, *, claimed_by: int) -> "PaymentRequest":
        return msgspec.structs.replace(
            self, state=state, claimed_by=claimed_by, changed_ns=now_ns, listed_merchant=None, listed_shop=None
        )


class RequestLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What the institution lets a merchant ask for, in minor units and seconds."""

    amount_max: int = 5_000_000_00
    lifetime_s: int = 7200  # Of a dynamic code that says nothing else.
    lifetime_min_s: int = 30
    lifetime_max_s: int = 7 * 86_400
    charge_lifetime_s: int = 60  # Of a payment-code charge: the payer stands at the till, and the code lives as long.

    def lifetime_for(self, channel: Channel, wanted_s: int | None) -> int:
        """How long a request may be paid. Refuses LIFETIME_OUT_OF_LIMITS."""
        if wanted_s is None:
            return self.charge_lifetime_s if channel is Channel.PAYMENT_CODE else self.lifetime_s
        if not self.lifetime_min_s <= wanted_s <= self.lifetime_max_s:
            raise Refusal(
                RequestReason.LIFETIME_OUT_OF_LIMITS,
                field="lifetime_s",
                lifetime_min_s=self.lifetime_min_s,
                lifetime_max_s=self.lifetime_max_s,
            )
        return wanted_s

    def check_amount(self, amount: int) -> None:
        """Refuses AMOUNT_OUT_OF_LIMITS: zero, negative, or more than one request may be."""
        if not 0 < amount <= self.amount_max:
            raise Refusal(RequestReason.AMOUNT_OUT_OF_LIMITS, field="amount", amount_max=self.amount_max)
