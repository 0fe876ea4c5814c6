"""How often a participant may enquire: a token bucket each, because an enquiry storm has taken a national network down."""

from collections import Counter

from hutong.kernel.clock import NS_PER_S


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
