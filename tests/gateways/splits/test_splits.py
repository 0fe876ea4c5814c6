"""Splits: never more than was frozen, to the fen, whatever is split, given back, refunded or unfrozen, and in what order."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.gateways.splits.hold import HoldState
from hutong.gateways.splits.reasons import SplitReason
from hutong.gateways.splits.receiver import Receiver
from hutong.gateways.splits.split import PartDraft, PartState, Split, SplitDraft, SplitReturn, SplitReturnDraft
from hutong.institution import chart
from hutong.institution.payments.reasons import PaymentReason
from hutong.institution.payments.refund import RefundOrder
from hutong.institution.recalls.recall import RecallOrder
from hutong.kernel.errors import Reason, Refusal
from hutong.scheme.messages import PaymentStatus, TransactionStatus, id_hex
from tests.gateways.sharing import Sharing, SharingWorld, Sold, caller, person, sell, shop
from tests.institution.recalls.cases import do

DAY_S = 86_400


class Scene:
    """A merchant with two receivers it has named, and an order of 100 yuan that is paid."""

    def __init__(
        self, *, on_us: bool = True, amount: int = 10_000, immediate: bool = True, ratio: int = 10_000
    ) -> None:
        self.world = SharingWorld(immediate=immediate)
        self.wei = wei = self.world.wei
        wei.splits.ratio_bps_max = ratio
        self.merchant = wei.merchant()
        self.partner = wei.merchant()
        self.courier = wei.user()
        self.caller = caller(self.merchant)
        for receiver in (shop(self.partner), person(self.courier.id)):
            wei.ask(wei.receivers.add(self.caller, receiver, relation="PARTNER"))
        self.sold = sell(self.world, self.merchant, amount, on_us=on_us)

    def split(self, number: str, *parts: tuple[Receiver, int], finish: bool = False, order_id: int = 0) -> Split:
        return self.wei.ask(
            self.wei.splits.split(self.caller, order_id or self.sold.order.id, draft(number, *parts, finish=finish))
        )

    def give_back(self, split_number: str, number: str, receiver: Receiver, amount: int) -> SplitReturn:
        asked = SplitReturnDraft(number=number, receiver=receiver.account, amount=amount)
        return self.wei.ask(self.wei.returns.give_back(self.caller, split_number, asked))

    def balances(self) -> tuple[int, int, int, int]:
        """Merchant, frozen, partner, courier."""
        return (
            self.wei.balance(chart.merchant_account(self.merchant)),
            self.wei.frozen(self.sold.order.id),
            self.wei.balance(chart.merchant_account(self.partner)),
            self.wei.balance(self.courier.wallet_account),
        )

    def refusal(self, *arguments: Any, **more: Any) -> Reason:
        with pytest.raises(Refusal) as refused:
            self.split(*arguments, **more)
        return refused.value.reason


def draft(number: str, *parts: tuple[Receiver, int], finish: bool = False) -> SplitDraft:
    return SplitDraft(
        number=number, parts=tuple(PartDraft(receiver=each, amount=amount) for each, amount in parts), finish=finish
    )


@pytest.mark.parametrize("on_us", [True, False])
def test_what_the_merchant_got_of_a_paid_order_is_frozen(on_us: bool) -> None:
    scene = Scene(on_us=on_us)
    assert scene.sold.payment.fee == (60 if on_us else 0)
    assert scene.balances() == (0, 9_940, 0, 0)
    assert scene.wei.ask(scene.wei.splits.unsplit(scene.caller, scene.sold.order.id)) == 9_940


def test_parts_reach_their_receivers_and_the_rest_the_merchant() -> None:
    scene = Scene()
    split = scene.split("S1", (shop(scene.partner), 2_000), (person(scene.courier.id), 500))
    assert [part.state for part in split.told] == [PartState.SUCCESS, PartState.SUCCESS]
    assert scene.balances() == (0, 7_440, 2_000, 500)
    finished = scene.split("S2", (shop(scene.partner), 40), finish=True)
    assert finished.rest == 7_400
    assert scene.balances() == (7_400, 0, 2_040, 500)
    assert scene.refusal("S3", (shop(scene.partner), 1)) is SplitReason.SPLIT_FINISHED
    assert ("split.received", scene.partner) in [(type_, to) for to, type_, _ in scene.wei.neighbours.said]


def test_the_rest_can_be_unfrozen_without_a_part() -> None:
    scene = Scene()
    assert scene.split("U1", finish=True).rest == 9_940
    assert scene.split("U1", finish=True).rest == 9_940
    assert scene.balances() == (9_940, 0, 0, 0)


def test_all_that_is_frozen_can_be_split_and_not_a_fen_more() -> None:
    scene = Scene()
    assert scene.refusal("S1", (shop(scene.partner), 9_941)) is SplitReason.SPLIT_EXCEEDS_FROZEN
    scene.split("S1", (shop(scene.partner), 9_940))
    assert scene.refusal("S2", (shop(scene.partner), 1)) is SplitReason.SPLIT_EXCEEDS_FROZEN
    assert scene.balances() == (0, 0, 9_940, 0)


def test_others_get_no_more_of_an_order_than_was_agreed() -> None:
    scene = Scene(ratio=3_000)
    assert scene.refusal("S1", (shop(scene.partner), 3_001)) is SplitReason.SPLIT_RATIO_EXCEEDED
    scene.split("S1", (shop(scene.partner), 3_000))
    assert scene.refusal("S2", (shop(scene.partner), 1)) is SplitReason.SPLIT_RATIO_EXCEEDED


def test_the_same_split_again_is_the_same_split_and_another_under_its_number_is_refused() -> None:
    scene = Scene()
    first = scene.split("S1", (shop(scene.partner), 100))
    assert scene.split("S1", (shop(scene.partner), 100)) == first
    assert scene.refusal("S1", (shop(scene.partner), 101)) is SplitReason.SPLIT_DIFFERS
    assert scene.refusal("S1", (shop(scene.partner), 100), finish=True) is SplitReason.SPLIT_DIFFERS
    assert scene.balances()[2] == 100


def test_a_receiver_must_have_been_named_and_not_removed() -> None:
    scene = Scene()
    stranger = shop(scene.wei.merchant())
    assert scene.refusal("S1", (stranger, 1)) is SplitReason.RECEIVER_NOT_NAMED
    scene.wei.ask(scene.wei.receivers.remove(scene.caller, shop(scene.partner)))
    scene.wei.ask(scene.wei.receivers.remove(scene.caller, shop(scene.partner)))
    assert scene.refusal("S1", (shop(scene.partner), 1)) is SplitReason.RECEIVER_NOT_NAMED
    scene.wei.ask(scene.wei.receivers.add(scene.caller, shop(scene.partner), relation="STORE"))
    scene.split("S1", (shop(scene.partner), 1))


@pytest.mark.parametrize(
    ("receiver", "name", "reason"),
    [
        (Receiver(type="MERCHANT_ID", account="nobody"), "", SplitReason.RECEIVER_UNKNOWN),
        (None, "", SplitReason.RECEIVER_IS_ONESELF),
        ("partner", "王小明", SplitReason.RECEIVER_NAME_DIFFERS),
    ],
)
def test_a_receiver_that_is_nobody_oneself_or_of_another_name_is_refused(
    receiver: Any, name: str, reason: SplitReason
) -> None:
    scene = Scene()
    named = (
        shop(scene.merchant if receiver is None else scene.partner) if not isinstance(receiver, Receiver) else receiver
    )
    with pytest.raises(Refusal) as refused:
        scene.wei.ask(scene.wei.receivers.add(scene.caller, named, relation="PARTNER", name=name))
    assert refused.value.reason is reason


def test_a_receiver_that_takes_nothing_is_a_closed_part_and_its_money_stays_frozen() -> None:
    scene = Scene()
    scene.wei.merchants.closed.add(scene.partner)
    split = scene.split("S1", (shop(scene.partner), 2_000), (person(scene.courier.id), 500))
    assert [part.state for part in split.told] == [PartState.CLOSED, PartState.SUCCESS]
    assert split.told[0].reason == SplitReason.RECEIVER_ABNORMAL.name
    assert scene.balances() == (0, 9_440, 0, 500)


def test_an_order_of_another_merchant_or_one_not_to_be_split_is_refused() -> None:
    scene = Scene()
    other = caller(scene.partner)
    with pytest.raises(Refusal) as refused:
        scene.wei.ask(scene.wei.splits.split(other, scene.sold.order.id, draft("S1", finish=True)))
    assert refused.value.reason is SplitReason.ORDER_NOT_TO_BE_SPLIT
    assert scene.refusal("S1", finish=True, order_id=scene.wei.node.mint.mint()) is SplitReason.ORDER_NOT_TO_BE_SPLIT


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (draft("S1"), SplitReason.SPLIT_PARTS_MISSING),
        (draft("S1", *[(shop(1), 1)] * 51), SplitReason.SPLIT_PARTS_TOO_MANY),
        (draft("S1", (shop(1), 0)), SplitReason.SPLIT_AMOUNT_NOT_POSITIVE),
    ],
)
def test_a_split_that_makes_no_sense_is_refused(asked: SplitDraft, reason: SplitReason) -> None:
    scene = Scene()
    with pytest.raises(Refusal) as refused:
        scene.wei.ask(scene.wei.splits.split(scene.caller, scene.sold.order.id, asked))
    assert refused.value.reason is reason


def test_fifty_receivers_get_their_parts_in_one_split() -> None:
    scene = Scene()
    shops = [shop(scene.wei.merchant()) for _ in range(50)]
    for each in shops:
        scene.wei.ask(scene.wei.receivers.add(scene.caller, each, relation="STORE"))
    scene.split("S1", *[(each, 7) for each in shops], finish=True)
    assert {scene.wei.balance(chart.merchant_account(each.merchant_id)) for each in shops} == {7}
    assert scene.balances()[:2] == (9_940 - 350, 0)


# Giving back.


def test_a_part_comes_back_to_the_merchant_and_no_more_than_it_was() -> None:
    scene = Scene()
    scene.split("S1", (shop(scene.partner), 2_000), (person(scene.courier.id), 500))
    first = scene.give_back("S1", "R1", shop(scene.partner), 1_500)
    assert first.state == "SUCCESS"
    assert scene.give_back("S1", "R1", shop(scene.partner), 1_500) == first
    for receiver, number, amount, reason in (
        (shop(scene.partner), "R2", 501, SplitReason.SPLIT_RETURN_EXCEEDS_PART),
        (shop(scene.partner), "R1", 1_499, SplitReason.SPLIT_RETURN_DIFFERS),
        (shop(scene.partner), "R2", 0, SplitReason.SPLIT_AMOUNT_NOT_POSITIVE),
        (person(scene.courier.id), "R2", 1, SplitReason.RECEIVER_IS_A_PERSON),
        (shop(scene.merchant), "R2", 1, SplitReason.RECEIVER_NOT_NAMED),
    ):
        with pytest.raises(Refusal) as refused:
            scene.give_back("S1", number, receiver, amount)
        assert refused.value.reason is reason
    scene.give_back("S1", "R2", shop(scene.partner), 500)
    assert scene.balances() == (2_000, 7_440, 0, 500)


def test_what_a_receiver_has_spent_does_not_come_back_and_may_be_asked_for_again() -> None:
    scene = Scene()
    scene.split("S1", (shop(scene.partner), 2_000))
    scene.wei.pay_out(chart.merchant_account(scene.partner), 1_000)
    failed = scene.give_back("S1", "R1", shop(scene.partner), 2_000)
    assert (failed.state, failed.reason) == ("FAILED", SplitReason.RECEIVER_BALANCE_INSUFFICIENT.name)
    assert scene.give_back("S1", "R2", shop(scene.partner), 1_000).state == "SUCCESS"


def test_after_half_a_year_nothing_comes_back() -> None:
    scene = Scene()
    scene.split("S1", (shop(scene.partner), 2_000))
    scene.world.clock.advance(seconds=181 * DAY_S)
    with pytest.raises(Refusal) as refused:
        scene.give_back("S1", "R1", shop(scene.partner), 1)
    assert refused.value.reason is SplitReason.SPLIT_RETURN_TOO_LATE


# Refunds.


@pytest.mark.parametrize("on_us", [True, False])
def test_a_refund_takes_from_what_is_frozen(on_us: bool) -> None:
    scene = Scene(on_us=on_us)
    _, outcome = scene.wei.refund(scene.merchant, scene.sold.payment.id, 10_000)
    assert outcome is not None
    assert outcome.completed
    assert scene.balances() == (0, 0, 0, 0)
    assert scene.wei.hold(scene.sold.order.id).remaining == 0


@pytest.mark.parametrize("on_us", [True, False])
def test_a_refund_that_neither_the_frozen_nor_the_balance_covers_fails_and_leaves_it_frozen(on_us: bool) -> None:
    scene = Scene(on_us=on_us)
    scene.split("S1", (shop(scene.partner), 2_000))
    before = scene.balances()
    _, outcome = scene.wei.refund(scene.merchant, scene.sold.payment.id, 10_000)
    assert outcome is not None
    assert outcome.reason == PaymentReason.MERCHANT_BALANCE_INSUFFICIENT.name
    assert scene.balances() == before
    scene.give_back("S1", "R1", shop(scene.partner), 2_000)
    _, outcome = scene.wei.refund(scene.merchant, scene.sold.payment.id, 10_000)
    assert outcome is not None
    assert outcome.completed
    assert scene.balances() == (0, 0, 0, 0)


@pytest.mark.parametrize("accepted", [True, False])
def test_a_recall_reaches_what_is_frozen(accepted: bool) -> None:
    scene = Scene(on_us=False)
    scene.split("S1", (shop(scene.partner), 2_000))
    jing, disputes = scene.world["jing"], scene.wei.recalls.disputes
    net = scene.wei.hold(scene.sold.order.id).net
    order = RecallOrder(recall_id=jing.node.mint.mint(), payment_id=scene.sold.payment.id, amount=5_000, reason="FRAD")
    do(jing, lambda: jing.recalls.recalls.open("duty", order))
    (dispute,) = disputes.disputes.everything()
    assert dispute.blocked == 5_000 - 30
    assert scene.balances()[:2] == (0, net - 2_000 - dispute.blocked)
    if accepted:
        do(scene.wei, lambda: disputes.accept("desk", dispute.id))
    else:
        do(scene.wei, lambda: disputes.reject("desk", dispute.id, "LEGL"))
    assert scene.balances()[:2] == (0 if accepted else dispute.blocked, net - 2_000 - dispute.blocked)
    hold = scene.wei.hold(scene.sold.order.id)
    assert hold.remaining == scene.wei.frozen(hold.id)
    assert scene.wei.balanced()


def test_what_is_left_is_unfrozen_after_thirty_days() -> None:
    scene = Scene()
    scene.split("S1", (shop(scene.partner), 2_000))
    scene.world.tick(29 * DAY_S)
    assert scene.balances()[1] == scene.sold.net - 2_000
    scene.world.tick(2 * DAY_S)
    assert scene.balances() == (scene.sold.net - 2_000, 0, 2_000, 0)
    assert scene.wei.hold(scene.sold.order.id).state == HoldState.FINISHED
    scene.world.restart("wei")
    scene.world.tick(DAY_S)
    assert scene.balances()[0] == scene.sold.net - 2_000


def test_what_came_due_while_the_node_was_down_is_unfrozen_when_it_is_back() -> None:
    scene = Scene()
    scene.world.clock.advance(seconds=80 * DAY_S)
    scene.world.restart("wei")
    scene.world.tick(1)
    assert scene.balances()[:2] == (scene.sold.net, 0)


def test_a_refund_that_the_network_rejects_is_frozen_again_whatever_was_split_meanwhile() -> None:
    scene = Scene(on_us=False)
    net = scene.wei.hold(scene.sold.order.id).net
    scene.world.posting = True  # What is sent lies there.
    order = RefundOrder(refund_id=scene.wei.node.mint.mint(), payment_id=scene.sold.payment.id, amount=4_000)
    refunds = scene.wei.payments.refunds
    scene.wei.decide(lambda: refunds.refund(scene.merchant, order))
    ((refund, outcome),) = refunds.of_payment(scene.sold.payment.id)
    assert outcome is None
    left = net - (4_000 - refund.fee)
    assert scene.refusal("S1", (shop(scene.partner), left + 1)) is SplitReason.SPLIT_EXCEEDS_FROZEN
    scene.split("S1", (shop(scene.partner), left))
    assert scene.balances()[1] == 0
    told = PaymentStatus(
        payment_id=id_hex(refund.id),
        originator="wei",
        status=TransactionStatus.REJECTED,
        reason="AM04",
        reason_name="NET_DEBIT_CAP_EXCEEDED",
    )
    for _ in range(2):
        scene.wei.decide(lambda: refunds.told(told))
    assert scene.balances() == (0, net - left, left, 0)
    assert scene.wei.hold(scene.sold.order.id).remaining == net - left
    scene.split("S2", finish=True)
    assert scene.balances() == (net - left, 0, left, 0)


def test_an_order_that_was_not_frozen_is_split_from_the_balance() -> None:
    scene = Scene()
    wei = scene.wei
    order_id, merchant = wei.node.mint.mint(), caller(scene.merchant)
    wei.ask(wei.splits.open(merchant, order_id, scene.sold.payment))
    wei.ask(wei.splits.open(merchant, order_id, scene.sold.payment))
    assert scene.refusal("S1", (shop(scene.partner), 1), order_id=order_id) is SplitReason.SPLIT_EXCEEDS_FROZEN
    wei.pay_in(chart.merchant_account(scene.merchant), 300)
    scene.split("S1", (shop(scene.partner), 200), order_id=order_id)
    scene.split("S2", finish=True, order_id=order_id)
    assert scene.refusal("S3", (shop(scene.partner), 1), order_id=order_id) is SplitReason.SPLIT_FINISHED
    assert scene.balances() == (100, 9_940, 200, 0)


# Everything, in any order.

ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("split"), st.integers(1, 700), st.integers(0, 300), st.booleans()),
        st.tuples(st.just("back"), st.integers(0, 5), st.integers(1, 700)),
        st.tuples(st.just("refund"), st.integers(1, 1_100)),
        st.tuples(st.just("spend"), st.integers(1, 500)),
        st.tuples(st.just("restart")),
        st.tuples(st.just("again"), st.integers(0, 5)),
    ),
    max_size=12,
)


@settings(max_examples=60)
@given(ACTS, st.booleans(), st.sampled_from([0, 60, 600]))
def test_whatever_happens_no_more_is_split_than_was_frozen_and_every_fen_is_somewhere(
    acts: list[tuple[Any, ...]], on_us: bool, fee_bps: int
) -> None:
    scene = Scene(amount=1)  # Another order beside it, whose money is nobody else's.
    sold = sell(scene.world, scene.merchant, 997, on_us=on_us, fee_bps=fee_bps)
    run = Run(scene, sold)
    for number, act in enumerate(acts):
        with suppress(Refusal):
            getattr(run, act[0])(number, *act[1:])
        run.check()


class Run:
    """One history, and what must hold after each act of it."""

    def __init__(self, scene: Scene, sold: Sold) -> None:
        self.scene, self.sold = scene, sold
        self.splits: list[tuple[str, tuple[tuple[Receiver, int], ...], bool]] = []
        self.spent = 0

    @property
    def wei(self) -> Sharing:
        return self.scene.wei

    def split(self, number: int, partner: int, courier: int, finish: bool) -> None:
        parts = ((shop(self.scene.partner), partner),) + (
            ((person(self.scene.courier.id), courier),) if courier else ()
        )
        self.splits.append((f"S{number}", parts, finish))
        self.again(number, len(self.splits) - 1)

    def again(self, _number: int, which: int) -> None:
        if which < len(self.splits):
            name, parts, finish = self.splits[which]
            self.scene.split(name, *parts, finish=finish, order_id=self.sold.order.id)

    def back(self, number: int, which: int, amount: int) -> None:
        if which < len(self.splits):
            self.scene.give_back(self.splits[which][0], f"R{number}", shop(self.scene.partner), amount)

    def refund(self, _number: int, amount: int) -> None:
        self.wei.refund(self.scene.merchant, self.sold.payment.id, amount)

    def spend(self, _number: int, amount: int) -> None:
        account = chart.merchant_account(self.scene.merchant)
        amount = min(amount, self.wei.balance(account))
        if amount:
            self.wei.pay_out(account, amount)

    def restart(self, _number: int) -> None:
        self.scene.world.restart("wei")

    def check(self) -> None:
        hold = self.wei.hold(self.sold.order.id)
        assert hold.remaining == self.wei.frozen(self.sold.order.id)
        assert not self.wei.holds._under_way
        known = [each for each in self.wei.splits.splits.everything() if each.order_id == hold.id]
        returned = sum(each.amount for each in self.wei.returns.returns.everything() if each.state == "SUCCESS")
        given = sum(split.total for split in known)
        assert given <= hold.net
        assert given - returned <= hold.net
        got = self.wei.balance(chart.merchant_account(self.scene.partner)) + self.wei.balance(
            self.scene.courier.wallet_account
        )
        assert got == given - returned
        assert self.wei.frozen(self.scene.sold.order.id) == 1
        assert self.wei.balanced()
