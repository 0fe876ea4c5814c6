"""What either side does not believe: messages that nobody should have sent, late, twice or lying."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.institution.payments.matrix import Shares
from hutong.institution.recalls.dispute import DisputeState, cost, greatest_affordable
from hutong.institution.recalls.recall import RecallState
from hutong.kernel.money import share_bps
from hutong.scheme.messages import RecallAnswer, RecallReason, RecallRequest, RecallStatus
from tests.institution.recalls.cases import Case, do, paid

DAY_S = 86_400


def request(case: Case, **changes: object) -> RecallRequest:
    honest = RecallRequest(
        recall_id=f"{7 << 80:032x}",
        asker="jing",
        payment_id=f"{case.payment.id:032x}",
        debtor_agent="jing",
        creditor_agent="wei",
        amount=10_000,
        currency="CNY",
        reason=RecallReason.FRAUD,
        asked_at_ms=case.world.clock.now_ns() // 1_000_000,
        answer_by_ms=case.world.clock.now_ns() // 1_000_000 + DAY_S * 1000,
    )
    return msgspec.structs.replace(honest, **changes)


NOES = [
    ({}, ""),
    ({"payment_id": "f" * 32}, "RECALLED_PAYMENT_UNKNOWN"),
    ({"debtor_agent": "zhi"}, "RECALLED_PAYMENT_UNKNOWN"),
    ({"creditor_agent": "zhi"}, "RECALLED_PAYMENT_UNKNOWN"),
    ({"amount": 10_001}, "RECALL_DIFFERS_FROM_PAYMENT"),
    ({"currency": "USD"}, "RECALL_DIFFERS_FROM_PAYMENT"),
    ({"answer_by_ms": 1}, "RECALL_TOO_LATE"),
    ({"remark": "a\0b"}, "TEXT_HAS_ODD_CHARACTERS"),
]


@pytest.mark.parametrize(("changes", "reason"), NOES)
def test_the_payees_side_believes_no_recall_it_can_check(changes: dict[str, object], reason: str) -> None:
    """As if the switch had checked nothing; and a no that was said stays a no."""
    case = paid()
    case.world.posting = True
    for _ in range(2):
        case.creditor.receive("switch", [request(case, **changes)])
        ((_, _, said),) = case.world.letters
        case.world.letters.clear()
        assert isinstance(said, RecallAnswer)
        assert said.reason_name == reason
        assert said.status is (RecallStatus.REJECTED if reason else RecallStatus.PENDING)
    (dispute,) = case.creditor.recalls.disputes.disputes.everything()
    assert dispute.blocked == (0 if reason else 9_940)
    case.world.restart("wei")
    assert case.creditor.recalls.disputes.dispute(dispute.id) == dispute


def test_another_recall_under_the_same_id_changes_nothing_and_is_told_so() -> None:
    case = paid()
    case.world.posting = True
    case.creditor.receive("switch", [request(case), request(case, amount=5)])
    said = [message for _, _, message in case.world.letters if isinstance(message, RecallAnswer)]
    assert [(each.status, each.reason) for each in said] == [(RecallStatus.PENDING, ""), (RecallStatus.PENDING, "DUPL")]


def test_a_recall_whose_id_is_from_the_future_is_dropped_until_its_time_has_come() -> None:
    """The ids of its returns come from it: they would make every other look old."""
    case = paid()
    ahead = (case.world.clock.now_ns() // 1_000_000 + 61_000) << 80
    case.creditor.receive("switch", [request(case, recall_id=f"{ahead:032x}")])
    assert not case.creditor.recalls.disputes.disputes.everything()
    case.world.clock.advance(seconds=2)
    case.creditor.receive("switch", [request(case, recall_id=f"{ahead:032x}")])
    (dispute,) = case.creditor.recalls.disputes.disputes.everything()
    do(case.creditor, lambda: case.creditor.recalls.disputes.accept("desk", dispute.id))
    assert case.creditor.recalls.disputes.dispute(dispute.id).state == DisputeState.RETURNED


def test_who_has_an_open_dispute_is_not_without_money() -> None:
    """So the wallet cannot be closed: what is set aside may come back to it."""
    case = paid(person=True)
    assert case.payee is not None
    disputes = case.creditor.recalls.disputes
    recall = case.open(4_000)
    assert disputes.held_of(case.payee.id) == 4_000
    case.reject(recall)
    assert disputes.held_of(case.payee.id) == 0


@given(
    st.integers(1, 10_000),
    st.integers(0, 100),
    st.integers(0, 60),
    st.integers(0, 40),
    st.integers(0, 12_000),
    st.integers(1, 12_000),
)
def test_what_is_accepted_never_costs_more_than_was_set_aside(
    gross: int, fee_bps: int, interchange_bps: int, switch_bps: int, blocked: int, asked: int
) -> None:
    fee, interchange, switch_fee = (share_bps(gross, bps) for bps in (fee_bps, interchange_bps, switch_bps))
    left = Shares(gross, 0, 0, fee, interchange, switch_fee)
    most = greatest_affordable(left, asked, blocked)
    assert 0 <= most <= min(asked, gross)
    if most:
        assert cost(left.share(most)) <= blocked
    if blocked >= gross:
        assert most == min(asked, gross)


def test_nobodys_money_is_set_aside_for_longer_than_its_own_institution_says() -> None:
    case = paid()
    case.creditor.receive("switch", [request(case, answer_by_ms=2**50)])
    (dispute,) = case.creditor.recalls.disputes.disputes.everything()
    assert dispute.answer_by_ns == case.world.clock.now_ns() + 3 * DAY_S * 10**9


@pytest.mark.parametrize(
    "changes",
    [{"amount": 10_001}, {"amount": 0}, {"asker": "wei"}, {"recall_id": "f" * 32}],
)
def test_the_payers_side_believes_no_answer_it_can_check(changes: dict[str, object]) -> None:
    case = paid()
    recall = case.open()
    before = case.recall(recall.id)
    honest = RecallAnswer(recall_id=f"{recall.id:032x}", asker="jing", status=RecallStatus.ACCEPTED, amount=10_000)
    case.debtor.receive("switch", [msgspec.structs.replace(honest, **changes)])
    assert case.recall(recall.id) == before


def test_an_answer_alone_is_no_money() -> None:
    """The case ends when the return it names has completed here, and is one of this payment."""
    case = paid()
    recall = case.open()
    lie = RecallAnswer(
        recall_id=f"{recall.id:032x}", asker="jing", status=RecallStatus.ACCEPTED, amount=10_000, return_id="e" * 32
    )
    case.debtor.receive("switch", [lie])
    case.world.tick(3600)
    assert case.recall(recall.id).state in (RecallState.ACCEPTED, RecallState.PENDING)


def test_a_late_answer_changes_nothing() -> None:
    case = paid()
    recall = case.open()
    case.accept(recall)
    case.world.tick(10)
    ended = case.recall(recall.id)
    for status in RecallStatus:
        late = RecallAnswer(recall_id=f"{recall.id:032x}", asker="jing", status=status, amount=1)
        case.debtor.receive("switch", [late])
    assert case.recall(recall.id) == ended
