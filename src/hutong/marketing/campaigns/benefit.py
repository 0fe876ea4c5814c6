"""What one campaign or coupon would give a payment, and what it stands together with."""

from typing import Any

import msgspec


class Benefit(msgspec.Struct, frozen=True, kw_only=True):
    """One offer to one payment: nothing is set aside yet."""

    campaign_id: int
    amount: int
    label: str
    source: str  # "campaign", "draw" or "coupon".
    source_id: int = 0
    priority: int = 0  # The higher is applied first: what it leaves is what the others' thresholds look at.
    exclusive: bool = False  # It stands alone.
    group: str = ""  # Of those in one group, at most one.
    threshold: int = 0  # At least so much must be left to pay when it is applied.
    facts: dict[str, Any] = {}  # Kept with the award: the terms' version, a draw's number.
