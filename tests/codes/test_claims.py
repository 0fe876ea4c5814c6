"""A payment code is used once; the charge that has it may ask again."""

import pytest

from hutong.codes.claims import KEPT_NS, Claim, Claimed, PaymentCodeClaims
from hutong.codes.payment_code import EARLY_STEPS, LATE_STEPS, STEP_NS
from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Refusal

CODE, OTHER_CODE = "280000000000000001", "280000000000000002"
NOW_NS = 10**18


def test_a_reused_code_is_refused_and_a_retry_of_its_charge_is_not() -> None:
    claims = PaymentCodeClaims()
    assert claims.claim(CODE, 1, NOW_NS) is Claimed.FIRST
    assert claims.claim(CODE, 1, NOW_NS) is Claimed.RETRY
    with pytest.raises(Refusal) as refused:
        claims.claim(CODE, 2, NOW_NS)
    assert refused.value.reason.name == "PAYMENT_CODE_REUSED"
    assert claims.claim(CODE, 1, NOW_NS + 1) is Claimed.RETRY
    assert claims.claim(OTHER_CODE, 2, NOW_NS) is Claimed.FIRST


def test_a_claim_outlives_its_code() -> None:
    claims = PaymentCodeClaims()
    # Claimed as early as a fast phone allows, a code can be verified for all of its steps.
    last_verifiable = NOW_NS + (EARLY_STEPS + LATE_STEPS + 1) * STEP_NS
    claims.claim(CODE, 1, NOW_NS)
    with pytest.raises(Refusal):
        claims.claim(CODE, 2, last_verifiable)
    with pytest.raises(Refusal):
        claims.claim(CODE, 2, NOW_NS + KEPT_NS - 1)
    assert claims.claim(CODE, 2, NOW_NS + KEPT_NS) is Claimed.FIRST


def test_memory_holds_the_claims_of_two_minutes_only() -> None:
    claims = PaymentCodeClaims()
    for second in range(1000):
        claims.claim(f"{second:018d}", second, NOW_NS + second * NS_PER_S)
    assert len(claims) == KEPT_NS // NS_PER_S


def test_claims_come_back_after_a_restart_in_any_order() -> None:
    claims = PaymentCodeClaims()
    claims.load([Claim(OTHER_CODE, 2, NOW_NS + 5), Claim(CODE, 1, NOW_NS), Claim(CODE, 3, NOW_NS + 9)])
    assert claims.claim(CODE, 1, NOW_NS + 10) is Claimed.RETRY
    with pytest.raises(Refusal):
        claims.claim(OTHER_CODE, 1, NOW_NS + 10)
    assert claims.claim(CODE, 4, NOW_NS + KEPT_NS) is Claimed.FIRST
    with pytest.raises(Refusal):
        claims.claim(OTHER_CODE, 4, NOW_NS + KEPT_NS)
