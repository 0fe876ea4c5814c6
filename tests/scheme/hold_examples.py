"""The examples of `docs/scheme/hold.md`: a hotel asks, is told, lets some go, and is told no."""

from hutong.scheme.hold import HoldAct, HoldReport, HoldRequest, HoldStatus

_NOW_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z.
_HOLD = "019b7748-8c00-7bbb-8333-222333444500".replace("-", "")
_ACT = "019b7748-8a10-7bbb-8222-333444555600".replace("-", "")

HOLD_ASKED = HoldRequest(
    hold_id=_HOLD,
    creditor_agent="wei",
    number=0,
    act=HoldAct.OPEN,
    amount=50_000,
    currency="CNY",
    code="310000000000000000",
    creditor_name="胡同客栈",
    remittance="押金",
    expires_at_ms=_NOW_MS + 900_000,
    at_ms=_NOW_MS,
)
HOLD_TOLD = HoldReport(
    hold_id=_HOLD,
    creditor_agent="wei",
    debtor_agent="jing",
    number=3,
    status=HoldStatus.HELD,
    amount=50_000,
    taken=20_000,
    currency="CNY",
    code=f"hold:jing:{_HOLD}:8f14e45fceea167a5a36dedd4bea2543",
    debtor_name="*明",
    debtor_ref="019b76daa8009c1b7d5e2f3a4b5c6d7e",
    lapses_at_ms=_NOW_MS + 30 * 86_400_000,
    at_ms=_NOW_MS + 3_600_000,
)
HOLD_RELEASE = HoldRequest(
    hold_id=_HOLD,
    creditor_agent="wei",
    debtor_agent="jing",
    number=3,
    act=HoldAct.RELEASE,
    act_id=_ACT,
    amount=10_000,
    currency="CNY",
    at_ms=_NOW_MS + 7_200_000,
)
HOLD_REFUSED = HoldReport(
    hold_id=_HOLD,
    creditor_agent="wei",
    number=0,
    status=HoldStatus.REJECTED,
    currency="CNY",
    at_ms=_NOW_MS,
    reason="NARR",
    reason_name="CODE_UNKNOWN",
)
