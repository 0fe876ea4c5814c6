"""The rate of enquiries."""

from hutong.kernel.clock import NS_PER_HOUR, NS_PER_S
from hutong.switch.enquiry import EnquiryLimiter

NOW = 1_767_225_600 * NS_PER_S


def test_a_participant_enquires_at_its_rate_and_a_burst_at_once() -> None:
    limiter = EnquiryLimiter(per_s=10, burst=3)
    assert [limiter.admit("jing", NOW) for _ in range(5)] == [True, True, True, False, False]
    assert limiter.admit("wei", NOW)
    assert [limiter.admit("jing", NOW + NS_PER_S // 10) for _ in range(2)] == [True, False]


def test_a_clock_that_was_put_back_does_not_silence_a_participant() -> None:
    limiter = EnquiryLimiter(per_s=10, burst=3)
    assert limiter.admit("jing", NOW + NS_PER_HOUR)
    limiter.admit("jing", NOW)
    assert limiter.admit("jing", NOW + NS_PER_S // 10)
