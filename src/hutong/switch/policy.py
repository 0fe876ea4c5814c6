"""What the scheme's operator decides about clearing, as one frozen value."""

from dataclasses import dataclass, field

from hutong.switch.lifecycle.policy import LifecyclePolicy
from hutong.switch.settlement.calendar import DEFAULT_CALENDAR, SettlementCalendar


@dataclass(frozen=True, slots=True)
class ClearingPolicy:
    """Currencies cleared, the calendar until one is published, and how often a participant may enquire."""

    currencies: frozenset[str] = frozenset({"CNY"})
    calendar: SettlementCalendar = DEFAULT_CALENDAR
    enquiries_per_s: int = 200
    enquiries_burst: int = 1000
    # Consults and requests to pay: a participant needs about one for each payment.
    questions_per_s: int = 5000
    questions_burst: int = 20_000
    # Pieces of complaints' pictures that a participant asks for: each is answered with up to 64 KiB. A picture has 43 at most.
    pictures_per_s: int = 200
    pictures_burst: int = 1000
    # How long after a fee schedule was replaced a payment quoted under it is still cleared.
    quote_grace_s: int = 900
    lifecycle: LifecyclePolicy = field(default_factory=LifecyclePolicy)
