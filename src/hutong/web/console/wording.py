"""How the console says what the services call by a name."""

from hutong.institution.bills.sale import REFUNDED
from hutong.institution.payments.payment import PaymentState
from hutong.scheme.messages import Channel
from hutong.web.language import Words, phrase

STATES = {
    PaymentState.COMPLETED.value: phrase("Completed"),
    PaymentState.PENDING.value: phrase("Not decided yet"),
    PaymentState.REJECTED.value: phrase("Rejected"),
    REFUNDED: phrase("Refunded"),
}
_TAGS = {PaymentState.COMPLETED: "good", PaymentState.PENDING: "warn", PaymentState.REJECTED: "bad"}
_CHANNELS = {
    Channel.STATIC_CODE.value: phrase("Plate"),
    Channel.DYNAMIC_CODE.value: phrase("Code on the screen"),
    Channel.PAYMENT_CODE.value: phrase("Payer's code"),
}


def state_tag(state: PaymentState) -> str:
    """The colour of a state."""
    return _TAGS[state]


def state_name(_: Words, state: str) -> str:
    """A payment's state in the reader's words."""
    return _(STATES.get(state, state))


def channel_name(_: Words, channel: str) -> str:
    """How the payer met the merchant, in the reader's words."""
    return _(_CHANNELS.get(channel, channel))
