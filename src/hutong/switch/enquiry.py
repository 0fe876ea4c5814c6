"""What a participant may ask: how often, because an enquiry storm has taken a national network down; and of which ids."""

from collections import Counter

import structlog

from hutong.kernel.clock import NS_PER_MS, NS_PER_S
from hutong.kernel.ids import minted_ms
from hutong.scheme.messages import hex_id

log = structlog.get_logger()
ID_AHEAD_MAX_MS = 600_000


def is_from_the_future(id_: str, sender: str, now_ns: int) -> bool:
    """
    Whether an id says it was minted later than any clock can be ahead: then the message is dropped.

    Kept, it would make every id minted until then look old, and so cost a query. It is not answered: a no
    that is not written down could be contradicted once the time has come.
    """
    ahead_ms = minted_ms(hex_id(id_)) - now_ns // NS_PER_MS
    if ahead_ms > ID_AHEAD_MAX_MS:
        log.warning("id from the future", sender=sender, id=id_, ahead_ms=ahead_ms)
        return True
    return False


class EnquiryLimiter:
    """At most `per_s` enquiries a second and participant on average, `burst` at once."""

    def __init__(self, per_s: int, burst: int) -> None:
        assert per_s > 0
        assert burst > 0
        self._ns_per_token = NS_PER_S // per_s
        self._burst_ns = burst * self._ns_per_token
        self._full_at_ns: dict[str, int] = {}
        self.dropped: Counter[str] = Counter()  # By participant, since the process began.

    def admit(self, participant: str, now_ns: int) -> bool:
        """Take a token if there is one."""
        # The bucket as one instant: when it would be full again, were nothing more asked.
        known_ns = self._full_at_ns.get(participant, 0)
        if known_ns > now_ns + self._burst_ns:  # The clock was put back: an empty bucket, and no emptier.
            known_ns = self._full_at_ns[participant] = now_ns + self._burst_ns
        full_at_ns = max(known_ns, now_ns) + self._ns_per_token
        if full_at_ns > now_ns + self._burst_ns:
            self.dropped[participant] += 1
            return False
        self._full_at_ns[participant] = full_at_ns
        return True
