"""How often codes of coupons may be guessed wrong, by one person and at one node."""

from hutong.codes.guesses import Allowance
from hutong.kernel.clock import NS_PER_HOUR, NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.marketing.coupons.reasons import CouponReason

PER_PERSON = Allowance(burst=10, interval_ns=NS_PER_HOUR)
"""Ten slips of the finger at once, and one an hour: at that pace a code is found in some hundred million years."""

PER_NODE = Allowance(burst=2_000, interval_ns=NS_PER_S)
"""All persons together: whoever has many accounts to guess with gains nothing by it."""

_NODE = 0  # No person has this id.
_SWEEP_MIN = 1024


class CodeGuesses:
    """Counts wrong codes per person and for the node. It forgets at a restart, which nobody outside can bring about."""

    def __init__(self) -> None:
        # When all that was missed will have been made good: the whole state of a leaky bucket (GCRA).
        self._good_at: dict[int, int] = {}
        self._sweep_at = _SWEEP_MIN

    def check(self, person_id: int, now_ns: int) -> None:
        """Call before reading a code. Refuses COUPON_GUESSES_EXHAUSTED, with `of` and `retry_after_s`."""
        for key, allowance, whose in ((person_id, PER_PERSON, "person"), (_NODE, PER_NODE, "node")):
            wait = self._good_at.get(key, now_ns) - now_ns - allowance.interval_ns * (allowance.burst - 1)
            if wait > 0:
                raise Refusal(CouponReason.COUPON_GUESSES_EXHAUSTED, of=whose, retry_after_s=-(-wait // NS_PER_S))

    def note_wrong(self, person_id: int, now_ns: int) -> None:
        """Count a code that was never made."""
        for key, allowance in ((person_id, PER_PERSON), (_NODE, PER_NODE)):
            self._good_at[key] = max(self._good_at.get(key, now_ns), now_ns) + allowance.interval_ns
        if len(self._good_at) >= self._sweep_at:
            self._good_at = {key: at for key, at in self._good_at.items() if at > now_ns}
            self._sweep_at = max(_SWEEP_MIN, 2 * len(self._good_at))
