"""Which payment codes are used up: each is claimed by one charge, once."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

from hutong.codes.code import CodeReason
from hutong.codes.payment_code import EARLY_STEPS, LATE_STEPS, STEP_NS
from hutong.kernel.errors import Refusal

_LIFE_NS = (EARLY_STEPS + LATE_STEPS + 1) * STEP_NS
KEPT_NS = _LIFE_NS + 2 * STEP_NS
"""How long a claim is remembered: as long as its code can be verified, and half a minute for a clock that was set."""


class Claimed(Enum):
    """What a claim answers when it is not refused."""

    FIRST = auto()  # This charge has the code now.
    RETRY = auto()  # It had it already; answer as the first time.


@dataclass(frozen=True, slots=True)
class Claim:
    """A durable row: which charge has a code, since when."""

    code: str
    charge_id: int
    claimed_ns: int


class PaymentCodeClaims:
    """
    The claims on codes that could still be verified.

    Memory is bounded by the claims of `KEPT_NS`: only verified codes are claimed, and older claims are forgotten,
    because `verify` refuses their codes as expired. A charge retried after that is known by its own id, not here.
    After a restart `load` takes back the rows of the last `KEPT_NS`.
    """

    def __init__(self) -> None:
        self._charge_of: dict[str, int] = {}
        self._by_age: deque[tuple[int, str]] = deque()

    def __len__(self) -> int:
        return len(self._charge_of)

    def claim(self, code: str, charge_id: int, now_ns: int) -> Claimed:
        """
        Give the code to the charge.

        Refuses:  PAYMENT_CODE_REUSED, if another charge has it.
        Repeats:  RETRY, to the charge that has it.
        """
        self._forget(now_ns)
        holder = self._charge_of.get(code)
        if holder is None:
            self._keep(Claim(code, charge_id, now_ns))
            return Claimed.FIRST
        if holder != charge_id:
            raise Refusal(CodeReason.PAYMENT_CODE_REUSED)
        return Claimed.RETRY

    def is_claimed(self, code: str) -> bool:
        """Whether any charge has it."""
        return code in self._charge_of

    def load(self, claims: Iterable[Claim]) -> None:
        """Take back what was claimed before a restart, in any order; of two rows of one code the earlier holds."""
        for claim in sorted(claims, key=lambda claim: claim.claimed_ns):
            if claim.code not in self._charge_of:
                self._keep(claim)

    def _keep(self, claim: Claim) -> None:
        self._charge_of[claim.code] = claim.charge_id
        self._by_age.append((claim.claimed_ns, claim.code))

    def _forget(self, now_ns: int) -> None:
        by_age = self._by_age
        while by_age and by_age[0][0] + KEPT_NS <= now_ns:
            del self._charge_of[by_age.popleft()[1]]
