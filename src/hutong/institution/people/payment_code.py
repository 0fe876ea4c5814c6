"""Payment codes (付款码) as the institution answers about them; how they are made is in `hutong.codes.payment_code`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PaymentCodeHolder:
    """Whose phone showed a payment code."""

    user_id: int
    device_id: int


@dataclass(frozen=True, slots=True)
class PaymentCodeKeys:
    """What a phone needs to make payment codes offline: see `hutong.codes.payment_code`."""

    head_today: str
    head_tomorrow: str
    today_ends_ns: int
    seed: bytes
