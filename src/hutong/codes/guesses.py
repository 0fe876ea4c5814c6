"""How often payment codes may be guessed wrong, by whom and against whom."""

from dataclasses import dataclass

from hutong.codes.code import CodeReason
from hutong.codes.payment_code import HEAD_LENGTH
from hutong.kernel.clock import NS_PER_DAY, NS_PER_S
from hutong.kernel.errors import Refusal


@dataclass(frozen=True, slots=True)
class Allowance:
    """So many at once, and one more after each interval."""

    burst: int
    interval_ns: int


PER_HANDLE = Allowance(burst=5, interval_ns=NS_PER_DAY // 5)
"""An acquirer may miss one handle 5 times at once and 10 times in a day. A scanner reads right or not at all."""

PER_ACQUIRER = Allowance(burst=100, interval_ns=NS_PER_S)
"""All misses of an acquirer: only expired, mistyped and made-up codes miss, and the first are not counted."""

_SWEEP_MIN = 1024


class GuessLimiter:
    """
    Counts wrong payment codes per acquirer and handle, and per acquirer.

    The handle's count is kept per acquirer, so that one acquirer's guessing never locks a user out at another's tills.
    Memory is bounded: misses are, by the acquirer's own allowance, and what has recovered is swept. Who wants counts to
    survive a restart calls `note_wrong` again for the misses it wrote down in the last day.
    """

    def __init__(self, per_handle: Allowance = PER_HANDLE, per_acquirer: Allowance = PER_ACQUIRER) -> None:
        self._per_handle = per_handle
        self._per_acquirer = per_acquirer
        # When all that was missed will have been made good: the whole state of a leaky bucket (GCRA).
        self._good_at: dict[tuple[str, str], int] = {}
        self._sweep_at = _SWEEP_MIN

    def __len__(self) -> int:
        return len(self._good_at)

    def check(self, acquirer: str, code: str, now_ns: int) -> None:
        """Call before verifying. Refuses PAYMENT_CODE_GUESSES_EXHAUSTED, with `retry_after_s`."""
        for key, allowance in self._allowances(acquirer, code):
            owed = self._good_at.get(key, now_ns) - now_ns
            wait = owed - allowance.interval_ns * (allowance.burst - 1)
            if wait > 0:
                raise Refusal(CodeReason.PAYMENT_CODE_GUESSES_EXHAUSTED, retry_after_s=-(-wait // NS_PER_S))

    def note_wrong(self, acquirer: str, code: str, now_ns: int) -> None:
        """Count a code that `verify` called wrong."""
        for key, allowance in self._allowances(acquirer, code):
            self._good_at[key] = max(self._good_at.get(key, now_ns), now_ns) + allowance.interval_ns
        if len(self._good_at) >= self._sweep_at:
            self._good_at = {key: at for key, at in self._good_at.items() if at > now_ns}
            self._sweep_at = max(_SWEEP_MIN, 2 * len(self._good_at))

    def _allowances(self, acquirer: str, code: str) -> tuple[tuple[tuple[str, str], Allowance], ...]:
        return ((acquirer, code[:HEAD_LENGTH]), self._per_handle), ((acquirer, ""), self._per_acquirer)
