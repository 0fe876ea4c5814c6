"""What the desk calls things: every name that books, cases and policies may hold has words."""

import pytest

from hutong.institution.chart import AccountCode
from hutong.institution.merchants.application import ApplicationState
from hutong.institution.merchants.merchant import MerchantStatus
from hutong.institution.payments.payment import Why
from hutong.institution.people.user import Evidence
from hutong.institution.policy.policy import TABLES
from hutong.institution.recalls.dispute import DisputeState, Stance
from hutong.institution.recalls.reasons import ANSWERS as ANSWER_REASONS
from hutong.institution.recalls.recall import RecallState
from hutong.institution.reconciliation.case import CaseState
from hutong.institution.reconciliation.difference import DifferenceKind, Proposal, Standing
from hutong.kernel.errors import Refusal
from hutong.ledger.recipes import Leg
from hutong.scheme.messages import Channel, EntryKind, RecallReason
from hutong.web.form import Form
from hutong.web.institution_desk import wordings
from hutong.web.institution_desk.merchants import percent, read_bps


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([*AccountCode], wordings.ACCOUNTS),
        ([int(each) for each in Why], wordings.WHYS),
        ([*Leg], wordings.LEGS),
        ([*Evidence], wordings.EVIDENCES),
        ([each.value for each in MerchantStatus], wordings.MERCHANT_STATES),
        ([each.value for each in ApplicationState], wordings.APPLICATION_STATES),
        ([each.value for each in CaseState], wordings.CASE_STATES),
        ([each.value for each in DifferenceKind], wordings.DIFFERENCES),
        ([each.value for each in Standing], wordings.STANDINGS),
        ([each.value for each in Proposal], wordings.PROPOSALS),
        ([each.value for each in RecallState], wordings.RECALL_STATES),
        ([each.value for each in DisputeState], wordings.DISPUTE_STATES),
        ([each.value for each in Stance], wordings.STANCES),
        ([each.value for each in RecallReason], wordings.RECALL_REASONS),
        ([*ANSWER_REASONS], wordings.ANSWERS),
        ([each.value for each in Channel], wordings.CHANNELS),
        ([each.value for each in EntryKind], wordings.ENTRIES),
        ([*TABLES], wordings.POLICY_TABLES),
    ],
)
def test_every_name_has_words(names: list[object], words: dict[object, object]) -> None:
    assert set(names) - set(words) == set()


@pytest.mark.parametrize(("typed", "bps"), [("0.60", 60), ("0.6", 60), ("10", 1000), ("0", 0), ("1.5 %", 150)])
def test_a_fee_is_read_to_the_basis_point(typed: str, bps: int) -> None:
    assert read_bps(Form({"fee": typed}), "fee") == bps


@pytest.mark.parametrize("typed", ["", "10.01", "0.605", "-1", "1e2", "½", ".", "1,5"])
def test_what_is_no_fee_is_refused(typed: str) -> None:
    with pytest.raises(Refusal, match="FIELD_"):
        read_bps(Form({"fee": typed}), "fee")


def test_a_fee_is_written_with_two_decimals() -> None:
    assert [percent(bps) for bps in (0, 5, 60, 1000)] == ["0.00 %", "0.05 %", "0.60 %", "10.00 %"]
