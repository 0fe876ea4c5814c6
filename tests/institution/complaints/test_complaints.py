"""Complaints from the first word to the last, across institutions and at one."""

import pytest

from hutong.institution.complaints.reasons import ComplaintReason
from hutong.institution.payments.payment import check_same  # noqa: F401
from hutong.institution.payments.reasons import PaymentReason
from hutong.kernel.errors import Refusal
from hutong.scheme.messages import ComplaintAct
from tests.institution.complaints.cases import complained

EVERYWHERE = pytest.mark.parametrize("on_us", [False, True], ids=["across", "on us"])
DAY_S = 86_400


@EVERYWHERE
def test_a_payer_complains_and_the_merchant_answers_refunds_and_completes(on_us: bool) -> None:
    case = complained(on_us=on_us)
    grievance = case.open()
    assert (grievance.state, grievance.is_sending, grievance.turns) == ("PDNG", False, 1)
    assert (case.complaint.asked, case.complaint.contact) == (10_000, "13800138000")
    case.answers(ComplaintAct.SAY, "抱歉")
    assert case.grievance.state == "PRCG"
    case.approves(4_000)
    case.refunds(6_000)
    assert case.complaint.is_fully_refunded
    case.answers(ComplaintAct.COMPLETE)
    assert (case.grievance.state, case.grievance.ended) == ("PRCD", "CMPL")
    case.says(ComplaintAct.CONFIRM)
    assert case.grievance.ended == "CNFM"
    assert case.here() == case.there() == [
        ("DBTR", "OPEN", 10_000, "面是凉的"),
        ("CDTR", "SAYS", 0, "抱歉"),
        ("CDTR", "APRV", 4_000, "这就退"),
        ("AGNT", "RFND", 4_000, ""),
        ("AGNT", "RFND", 6_000, ""),
        ("CDTR", "CMPL", 0, ""),
        ("DBTR", "CNFM", 0, ""),
    ]
    assert [news for news in case.case.news(case.case.creditor) if news.startswith("complaint.")][:1] == [
        "complaint.opened"
    ]
    assert "complaint.answered" in case.case.news(case.case.debtor)
