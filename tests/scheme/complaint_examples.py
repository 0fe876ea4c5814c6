"""The messages of `docs/scheme/complaint.md`, as examples."""

from hutong.scheme.complaint import ComplaintAct, ComplaintKind, ComplaintParty, ComplaintStatus
from hutong.scheme.complaint_messages import (
    ComplaintMessage,
    ComplaintPictureAsked,
    ComplaintPiece,
    ComplaintSaid,
    ComplaintTurn,
)

NOW_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z.
PAYMENT = "019b76da-a800-7b1c-9d2e-3f4a5b6c7d00".replace("-", "")
COMPLAINT = "019b7748-8a00-7bbb-8111-222333444500".replace("-", "")
PICTURE = "2f1c7bb1d5e24f0f3a1f6a1c0c7b6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c"
ACT = "019b7748-8a10-7bbb-8222-333444555600".replace("-", "")

COMPLAINTS: list[ComplaintMessage] = [
    ComplaintSaid(
        complaint_id=COMPLAINT,
        payment_id=PAYMENT,
        debtor_agent="jing",
        creditor_agent="wei",
        number=1,
        act=ComplaintAct.OPEN,
        act_id=ACT,
        currency="CNY",
        kind=ComplaintKind.REFUND,
        amount=1200,
        contact="13800138000",
        text="汤是凉的，少了一份小菜",
        pictures=[PICTURE],
        at_ms=NOW_MS + 7_200_000,
    ),
    ComplaintTurn(
        complaint_id=COMPLAINT,
        payment_id=PAYMENT,
        debtor_agent="jing",
        creditor_agent="wei",
        number=2,
        by=ComplaintParty.PAYEE,
        act=ComplaintAct.APPROVE,
        status=ComplaintStatus.PROCESSING,
        currency="CNY",
        amount=1200,
        text="抱歉，小菜的钱退给您",
        answer_by_ms=NOW_MS + 7_800_000 + 72 * 3_600_000,
        at_ms=NOW_MS + 7_800_000,
    ),
    ComplaintPictureAsked(
        complaint_id=COMPLAINT,
        payment_id=PAYMENT,
        debtor_agent="jing",
        creditor_agent="wei",
        side=ComplaintParty.PAYEE,
        digest=PICTURE,
        offset=49_152,
    ),
    ComplaintPiece(
        complaint_id=COMPLAINT,
        payment_id=PAYMENT,
        debtor_agent="jing",
        creditor_agent="wei",
        side=ComplaintParty.PAYEE,
        digest=PICTURE,
        offset=49_152,
        size=49_164,
        content="AAAAAElFTkSuQmCC",
    ),
]
COMPLAINT_REFUSED = ComplaintTurn(
    complaint_id=COMPLAINT,
    payment_id=PAYMENT,
    debtor_agent="jing",
    creditor_agent="wei",
    number=0,
    by=ComplaintParty.PAYER,
    act=ComplaintAct.OPEN,
    act_id=ACT,
    status=ComplaintStatus.PENDING,
    currency="CNY",
    at_ms=NOW_MS + 7_200_500,
    reason="NARR",
    reason_name="COMPLAINT_TOO_LATE",
)
