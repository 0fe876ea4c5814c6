"""The life of a recall, on us and across: asked, set aside, answered, returned; and every no."""

import msgspec
import pytest

from hutong.institution import chart
from hutong.institution.payments.refund import REFUNDS, RefundOrder
from hutong.institution.recalls.dispute import DisputeState, Stance
from hutong.institution.recalls.recall import RecallState
from hutong.kernel.errors import Refusal
from hutong.ledger import recipes
from hutong.ledger.transfer import TransferStatus
from tests.institution.recalls.cases import Case, do, paid

WAYS = pytest.mark.parametrize("on_us", [True, False], ids=["on us", "across"])
WHO = pytest.mark.parametrize("person", [True, False], ids=["person", "merchant"])
DAY_S = 86_400


def balanced(case: Case) -> None:
    """The books of every node balance, and clearing mirrors the positions."""
    assert all(place.balanced() for place in case.world.places.values())
    for name in ("jing", "wei"):
        place = case.world[name]
        assert place.balance(place.chart.clearing) == 100_000_000 - case.world.switch.position(name)


def refused(case: Case, reason: str, **fields: object) -> None:
    with pytest.raises(Refusal) as no:
        case.ask(case.order(**fields))  # type: ignore[arg-type]
    assert no.value.reason.name == reason


@WAYS
@WHO
def test_a_recall_that_is_accepted_brings_all_of_it_back(on_us: bool, person: bool) -> None:
    case = paid(on_us=on_us, person=person)
    recall = case.open()
    dispute = case.dispute(recall)
    assert (dispute.state, dispute.amount) == (DisputeState.OPEN, 10_000)
    assert dispute.blocked == case.held(recall) == (10_000 if person else 9_940)
    assert case.creditor.balance(case.payee_account) == 0
    assert case.recall(recall.id).state == RecallState.PENDING
    assert case.accept(recall).state == DisputeState.RETURNED
    case.world.tick(10)
    assert case.recall(recall.id).state == RecallState.RETURNED
    assert case.recall(recall.id).accepted == 10_000
    assert case.debtor.balance(case.payer.wallet_account) == 1_000_000
    assert case.held(recall) == case.creditor.balance(case.payee_account) == 0
    assert case.creditor.balance(case.creditor.chart.fee_income) == 0
    balanced(case)


@WAYS
def test_a_recall_that_is_rejected_gives_the_payee_everything_back(on_us: bool) -> None:
    case = paid(on_us=on_us)
    recall = case.open()
    assert case.reject(recall, "LEGL").state == DisputeState.REJECTED
    told = case.recall(recall.id)
    assert (told.state, told.answer_code, told.answer_name) == (RecallState.REJECTED, "LEGL", "FORBIDDEN_BY_LAW")
    assert case.held(recall) == 0
    assert case.creditor.balance(case.payee_account) == 9_940
    assert case.dispute(recall).released
    balanced(case)


@WAYS
@WHO
def test_of_money_that_was_spent_what_is_left_is_set_aside_and_given_back(on_us: bool, person: bool) -> None:
    case = paid(on_us=on_us, person=person)
    case.spend(6_000)
    recall = case.open()
    blocked = case.dispute(recall).blocked
    assert blocked == (4_000 if person else 3_940)
    with pytest.raises(Refusal, match="DISPUTED_AMOUNT_NOT_THERE"):
        case.accept(recall, 5_000)
    dispute = case.accept(recall)
    assert dispute.accepted == (4_000 if person else 3_964)  # The fee's share comes back with it.
    case.world.tick(10)
    told = case.recall(recall.id)
    assert (told.state, told.accepted) == (RecallState.RETURNED, dispute.accepted)
    assert case.debtor.balance(case.payer.wallet_account) == 990_000 + dispute.accepted
    assert case.held(recall) == 0
    assert case.creditor.balance(case.payee_account) <= 1
    balanced(case)


@WAYS
def test_where_nothing_is_left_nothing_is_set_aside_and_nothing_can_be_accepted(on_us: bool) -> None:
    case = paid(on_us=on_us, person=True)
    case.spend(10_000)
    recall = case.open()
    assert (case.dispute(recall).state, case.held(recall)) == (DisputeState.OPEN, 0)
    with pytest.raises(Refusal, match="DISPUTED_AMOUNT_NOT_THERE"):
        case.accept(recall)
    case.reject(recall, "AM04")
    assert case.recall(recall.id).answer_code == "AM04"
    balanced(case)


@WAYS
def test_the_payee_cannot_spend_what_is_set_aside_and_can_spend_the_rest(on_us: bool) -> None:
    case = paid(on_us=on_us, person=True)
    recall = case.open(4_000)
    assert case.held(recall) == 4_000
    statuses: list[TransferStatus] = []
    case.creditor.user(1_000_000)
    for amount in (6_001, 6_000):
        transfer = recipes.withdraw(
            case.creditor.node.mint.mint(),
            reserve=case.creditor.chart.reserve,
            account=case.payee_account,
            amount=amount,
            ledger=156,
            code=31,
        )
        case.creditor.ledger.create_transfers([transfer], statuses.extend)
    assert statuses == [TransferStatus.EXCEEDS_CREDITS, TransferStatus.CREATED]


@WAYS
def test_nobody_elses_money_is_set_aside(on_us: bool) -> None:
    case = paid(on_us=on_us, person=True)
    others = [case.creditor.user(5_000), case.creditor.user(7_000)]
    case.spend(9_999)
    recall = case.open()
    assert case.held(recall) == 1
    case.accept(recall)
    assert [case.creditor.balance(other.wallet_account) for other in others] == [5_000, 7_000]
    balanced(case)


@WAYS
def test_a_payee_who_consents_gives_what_came_in_since(on_us: bool) -> None:
    case = paid(on_us=on_us, person=True)
    case.spend(8_000)
    recall = case.open()
    assert case.held(recall) == 2_000
    case.creditor.pay_in(case.payee_account, 100_000)
    dispute = case.says(recall, Stance.CONSENTS, "抱歉")
    assert (dispute.blocked, dispute.stance, dispute.stance_remark) == (10_000, Stance.CONSENTS, "抱歉")
    assert case.says(recall, Stance.CONSENTS, "抱歉") == dispute
    assert case.creditor.balance(case.payee_account) == 92_000
    case.accept(recall)
    assert case.debtor.balance(case.payer.wallet_account) == 1_000_000
    assert case.creditor.balance(case.payee_account) == 92_000
    balanced(case)


@WAYS
def test_a_payee_who_objects_is_heard_and_the_operator_decides(on_us: bool) -> None:
    case = paid(on_us=on_us)
    recall = case.open()
    assert case.says(recall, Stance.OBJECTS, "货已发").state == DisputeState.OPEN
    case.reject(recall, "CUST")
    with pytest.raises(Refusal, match="DISPUTE_NOT_OPEN"):
        case.says(recall, Stance.CONSENTS)
    assert case.recall(recall.id).answer_name == "PAYEE_OBJECTED"


@WAYS
def test_unanswered_at_the_deadline_it_is_rejected_and_the_money_is_free(on_us: bool) -> None:
    case = paid(on_us=on_us)
    recall = case.open()
    case.world.tick(3 * DAY_S - 20)
    assert case.dispute(recall).state == DisputeState.OPEN
    case.world.tick(40)
    dispute = case.dispute(recall)
    assert (dispute.state, dispute.answer_code, dispute.operator) == (DisputeState.REJECTED, "NOAS", "")
    assert case.creditor.balance(case.payee_account) == 9_940
    assert case.recall(recall.id).state == RecallState.REJECTED
    with pytest.raises(Refusal, match="DISPUTE_NOT_OPEN"):
        case.accept(recall)


@WAYS
def test_refunds_and_recalls_together_never_exceed_the_payment(on_us: bool) -> None:
    case = paid(on_us=on_us)
    case.creditor.pay_in(case.payee_account, 100_000)  # So that only invariant 6 stands in the way.
    recall = case.open()

    def refund(amount: int) -> None:
        order = RefundOrder(refund_id=case.creditor.node.mint.mint(), payment_id=case.payment.id, amount=amount)
        case.creditor.decide(lambda: case.creditor.payments.refunds.refund(case.merchant, order))

    refund(7_000)
    with pytest.raises(Refusal, match="DISPUTED_AMOUNT_NOT_THERE: field=amount, at_most=3000"):
        case.accept(recall, 3_001)
    case.accept(recall, 2_000)
    with pytest.raises(Refusal, match="REFUND_EXCEEDS_REMAINDER"):
        refund(1_001)
    refund(1_000)
    assert case.debtor.balance(case.payer.wallet_account) == 1_000_000
    balanced(case)


@WAYS
def test_what_was_refunded_in_full_is_not_asked_back(on_us: bool) -> None:
    case = paid(on_us=on_us)
    order = RefundOrder(refund_id=case.creditor.node.mint.mint(), payment_id=case.payment.id, amount=10_000)
    case.creditor.decide(lambda: case.creditor.payments.refunds.refund(case.merchant, order))
    refused(case, "NOTHING_LEFT_TO_RETURN")


@WAYS
def test_the_return_says_that_it_follows_a_recall_and_the_merchant_refunds_as_ever(on_us: bool) -> None:
    case = paid(on_us=on_us)
    recall = case.open(3_000)
    case.accept(recall)
    (row,) = [row for _, row in case.creditor.store.rows[REFUNDS.name]]
    assert (row.gross, row.dispute_id) == (3_000, case.dispute(recall).id)
    if not on_us:
        (cleared,) = [
            row for _, row in case.world.switch.store.rows["cleared_payment"] if row.originator == row.creditor_agent
        ]
        assert msgspec.json.decode(cleared.message)["RtrRsnCd"] == "FOCR"
    assert "refund.completed" not in case.news(case.creditor)


@WAYS
def test_both_sides_hear_the_news(on_us: bool) -> None:
    case = paid(on_us=on_us)
    recall = case.open()
    case.accept(recall)
    case.world.tick(10)
    payer = [type_ for to, type_, _ in case.debtor.neighbours.said if to == case.payer.id]
    merchant = [type_ for to, type_, _ in case.creditor.neighbours.said if to == case.merchant]
    assert sorted(set(payer) & {"recall.asked", "recall.accepted", "recall.returned", "payment.refunded"}) == [
        "payment.refunded",
        "recall.accepted",
        "recall.asked",
        "recall.returned",
    ]
    assert merchant[-2:] == ["dispute.opened", "dispute.returned"]


@WAYS
def test_a_payers_report_waits_for_the_desk(on_us: bool) -> None:
    case = paid(on_us=on_us)
    order = case.order()
    assert case.report(order).state == RecallState.REPORTED
    assert case.report(order).state == RecallState.REPORTED
    assert not case.creditor.recalls.disputes.disputes.everything()
    do(case.debtor, lambda: case.debtor.recalls.recalls.approve("desk", order.recall_id))
    assert case.recall(order.recall_id).state == RecallState.PENDING
    do(case.debtor, lambda: case.debtor.recalls.recalls.approve("desk", order.recall_id))
    with pytest.raises(Refusal, match="RECALL_NOT_WAITING"):
        do(case.debtor, lambda: case.debtor.recalls.recalls.decline("desk", order.recall_id))


def test_a_report_that_the_desk_declines_sends_nothing_and_another_may_come() -> None:
    case = paid()
    order = case.order()
    case.report(order)
    do(case.debtor, lambda: case.debtor.recalls.recalls.decline("desk", order.recall_id))
    assert case.recall(order.recall_id).state == RecallState.DECLINED
    assert not case.creditor.recalls.disputes.disputes.everything()
    assert case.report(case.order()).state == RecallState.REPORTED


@WAYS
def test_the_same_recall_again_is_the_same_and_other_content_is_a_conflict(on_us: bool) -> None:
    case = paid(on_us=on_us)
    order = case.order(4_000)
    case.ask(order)
    assert case.ask(order).state == RecallState.PENDING
    assert case.held(case.recall(order.recall_id)) == 3_976
    for changes in ({"amount": 4_001}, {"reason": "DUPL"}, {"remark": "x"}, {"payment_id": 1 << 100}):
        with pytest.raises(Refusal, match="ID_TAKEN"):
            case.ask(msgspec.structs.replace(order, **changes))
    with pytest.raises(Refusal, match="ID_TAKEN"):
        case.report(order)


def test_somebody_elses_payment_is_unknown() -> None:
    case = paid()
    with pytest.raises(Refusal, match="PAYMENT_UNKNOWN"):
        case.report(case.order(), user_id=case.debtor.user().id)
    refused(case, "PAYMENT_UNKNOWN", payment_id=case.debtor.node.mint.mint())


def test_one_recall_at_a_time_and_another_when_it_has_ended() -> None:
    case = paid()
    recall = case.open(4_000)
    refused(case, "RECALL_ALREADY_OPEN")
    case.accept(recall)
    case.world.tick(10)
    refused(case, "REFUND_EXCEEDS_REMAINDER", amount=6_001)
    again = case.open()
    assert case.dispute(again).amount == 6_000
    case.accept(again)
    assert case.debtor.balance(case.payer.wallet_account) == 1_000_000


@pytest.mark.parametrize(
    ("reason", "by", "days", "no"),
    [
        ("FRAD", "operator", 390, ""),
        ("FRAD", "operator", 397, "RECALL_TOO_LATE"),
        ("FRAD", "payer", 390, ""),
        ("DUPL", "operator", 14, ""),
        ("DUPL", "operator", 15, "RECALL_TOO_LATE"),
        ("AM09", "payer", 14, ""),
        ("CUST", "payer", 15, "RECALL_TOO_LATE"),
        ("TECH", "operator", 14, ""),
        ("TECH", "payer", 1, "RECALL_NOT_ALLOWED"),
    ],
)
def test_the_policy_says_who_may_ask_for_what_and_how_long(reason: str, by: str, days: int, no: str) -> None:
    case = paid()  # On 2026-01-01, a Thursday: ten banking days later is 15 January.
    case.world.clock.advance(seconds=days * DAY_S)
    order = case.order(reason=reason)
    ask = case.ask if by == "operator" else case.report
    if no:
        with pytest.raises(Refusal) as said:
            ask(order)
        assert said.value.reason.name == no
    else:
        ask(order)


def test_a_return_that_the_network_refuses_is_tried_again_and_its_money_stays_set_aside() -> None:
    case = paid()
    case.world.switch.switch.admission.suspend("jing")
    recall = case.open()
    dispute = case.accept(recall)
    assert (dispute.state, dispute.attempts) == (DisputeState.ACCEPTED, 1)
    assert case.held(recall) == 9_940
    case.world.tick(200)
    assert case.dispute(recall).attempts == 2
    assert case.held(recall) == 9_940
    case.world.switch.switch.admission.resume("jing")
    case.world.tick(500)
    assert case.dispute(recall).state == DisputeState.RETURNED
    case.world.tick(3600)
    assert case.recall(recall.id).state == RecallState.RETURNED
    assert case.debtor.balance(case.payer.wallet_account) == 1_000_000
    balanced(case)


def test_while_a_return_waits_the_merchant_may_refund_it_and_then_nothing_comes_twice() -> None:
    case = paid()
    case.creditor.pay_in(case.payee_account, 100_000)
    case.world.switch.switch.admission.suspend("jing")
    recall = case.open()
    case.accept(recall)
    case.world.switch.switch.admission.resume("jing")
    order = RefundOrder(refund_id=case.creditor.node.mint.mint(), payment_id=case.payment.id, amount=10_000)
    case.creditor.decide(lambda: case.creditor.payments.refunds.refund(case.merchant, order))
    case.world.tick(200)
    dispute = case.dispute(recall)
    assert (dispute.state, dispute.answer_code) == (DisputeState.REJECTED, "ARDT")
    case.world.tick(3600)
    assert case.recall(recall.id).state == RecallState.REJECTED
    assert case.held(recall) == 0
    assert case.debtor.balance(case.payer.wallet_account) == 1_000_000
    balanced(case)


@WAYS
def test_a_restart_at_every_state_forgets_nothing(on_us: bool) -> None:
    case = paid(on_us=on_us, person=True)

    def restart() -> None:
        for name in ("jing", "wei", "switch"):
            case.world.restart(name)

    recall = case.open()
    restart()
    assert (case.dispute(recall).state, case.held(recall)) == (DisputeState.OPEN, 10_000)
    case.says(recall, Stance.CONSENTS)
    restart()
    case.accept(recall)
    restart()
    case.world.tick(100)
    assert case.recall(recall.id).state == RecallState.RETURNED
    assert case.debtor.balance(case.payer.wallet_account) == 1_000_000
    assert case.creditor.balance(chart.user_account(case.payee.id if case.payee else 0)) == 0
    restart()
    assert case.recall(recall.id).state == RecallState.RETURNED
    balanced(case)
