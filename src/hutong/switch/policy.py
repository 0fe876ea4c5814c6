"""What the scheme's operator decides about clearing, as one frozen value."""

from dataclasses import dataclass, field
from datetime import time, tzinfo
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class ClearingPolicy:
    """Currencies cleared, the settlement day's zone and cut-off, and how often a participant may enquire."""

    currencies: frozenset[str] = frozenset({"CNY"})
    zone: tzinfo = field(default_factory=lambda: ZoneInfo("Asia/Shanghai"))
    cut_off: time = time(23, 0)
    enquiries_per_s: int = 200
    enquiries_burst: int = 1000
    # How long after a fee schedule was replaced a payment quoted under it is still cleared.
    quote_grace_s: int = 900
