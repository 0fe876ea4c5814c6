"""Payment codes (付款码) as the institution answers about them; how they are made is in `hutong.codes.payment_code`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PaymentCodeHolder:
    """Whose phone showed a payment code; or who is to be asked, because a number that never changes was shown."""

    user_id: int
    device_id: int  # 0: no phone did.
    is_to_be_asked: bool = False


@dataclass(frozen=True, slots=True)
class PaymentCodeKeys:
    """What a phone needs to make payment codes offline: see `hutong.codes.payment_code`."""

    head_today: str
    head_tomorrow: str
    today_ends_ns: int
    seed: bytes
