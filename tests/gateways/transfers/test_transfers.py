"""Money from merchants to people: once, whoever repeats it and whatever crashes; what waits is held until its person says."""

from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.gateways.order import Dialect
from hutong.gateways.transfers.batch_service import PIECE
from hutong.gateways.transfers.reasons import TransferReason
from hutong.gateways.transfers.transfer import BatchDraft, BatchState, PersonTransfer, TransferDraft, TransferState
from hutong.institution import chart
from hutong.institution.merchants.reasons import MerchantReason
from hutong.institution.payments.reasons import PaymentReason
from hutong.kernel.errors import Reason, Refusal
from tests.gateways.sharing import Sharing, SharingWorld, caller
from tests.institution.payments.neighbours import Person

DAY_S = 86_400


class Scene:
    """A merchant with 100 yuan and somebody it owes something."""

    def __init__(self, balance: int = 10_000) -> None:
        self.world = SharingWorld()
        self.merchant = self.wei.merchant()
        self.caller = caller(self.merchant)
        self.person = self.wei.user()
        self.wei.pay_in(chart.merchant_account(self.merchant), balance)

    @property
    def wei(self) -> Sharing:
        return self.world.wei

    def draft(self, number: str, amount: int, person: Person | None = None, **more: Any) -> TransferDraft:
        person = person or self.person
        more = {"dialect": Dialect.WECHATPAY_V3, "payee": f"o{person.id}"} | more
        return TransferDraft(number=number, user_id=person.id, amount=amount, **more)

    def send(self, number: str, amount: int, **more: Any) -> PersonTransfer:
        return self.wei.ask(self.wei.transfers.send(self.caller, self.draft(number, amount, **more)))

    def find(self, number: str) -> PersonTransfer:
        return self.wei.ask(self.wei.transfers.find(self.caller, number))

    def refusal(self, number: str, amount: int, **more: Any) -> Reason:
        with pytest.raises(Refusal) as refused:
            self.send(number, amount, **more)
        return refused.value.reason

    def balances(self) -> tuple[int, int, int]:
        """The merchant's, what of it is held, and the person's."""
        (account,) = self.wei.accounts(chart.merchant_account(self.merchant))
        posted = account.credits_posted - account.debits_posted
        return posted, account.debits_pending, self.wei.balance(self.person.wallet_account)


def test_without_confirmation_the_money_is_there_at_once_and_once() -> None:
    scene = Scene()
    sent = scene.send("T1", 2_000, notify_url="https://shop.example/sent")
    assert sent.state == TransferState.SUCCESS
    assert scene.send("T1", 2_000, notify_url="https://shop.example/sent") == sent
    assert scene.balances() == (8_000, 0, 2_000)
    assert [each.kind for each in scene.wei.notifications.all.everything()] == ["TRANSFER"]
    assert ("transfer.received", scene.person.id) in [(type_, to) for to, type_, _ in scene.wei.neighbours.said]
    assert scene.refusal("T1", 2_001) is TransferReason.TRANSFER_DIFFERS


def test_with_confirmation_the_money_is_held_until_the_person_takes_it() -> None:
    scene = Scene()
    wei = scene.wei
    waiting = scene.send("T1", 2_000, confirmed=True)
    assert (waiting.state, scene.balances()) == (TransferState.WAITING, (10_000, 2_000, 0))
    assert wei.ask(wei.transfers.waiting(scene.person.id)) == [waiting]
    assert scene.refusal("T2", 8_001) is TransferReason.TRANSFER_BALANCE_INSUFFICIENT
    taken = wei.ask(wei.transfers.take(scene.person.id, waiting.id))
    assert wei.ask(wei.transfers.take(scene.person.id, waiting.id)) == taken
    assert (taken.state, scene.balances()) == (TransferState.SUCCESS, (8_000, 0, 2_000))
    assert wei.ask(wei.transfers.waiting(scene.person.id)) == []
    for late in (wei.transfers.cancel(scene.caller, "T1"), wei.transfers.decline(scene.person.id, waiting.id)):
        with pytest.raises(Refusal) as refused:
            wei.ask(late)
        assert refused.value.reason is TransferReason.TRANSFER_ENDED


@pytest.mark.parametrize("end", ["cancel", "decline", "lapse"])
def test_what_is_cancelled_declined_or_lapses_is_the_merchants_again(end: str) -> None:
    scene = Scene()
    wei = scene.wei
    waiting = scene.send("T1", 2_000, confirmed=True)
    for _ in range(2):
        match end:
            case "cancel":
                wei.ask(wei.transfers.cancel(scene.caller, "T1"))
            case "decline":
                wei.ask(wei.transfers.decline(scene.person.id, waiting.id))
            case _:
                scene.world.tick(DAY_S + 1)
    ended = scene.find("T1")
    assert ended.state == (TransferState.CANCELLED if end == "cancel" else TransferState.FAILED)
    assert scene.balances() == (10_000, 0, 0)
    with pytest.raises(Refusal) as refused:
        wei.ask(wei.transfers.take(scene.person.id, waiting.id))
    assert refused.value.reason in (TransferReason.TRANSFER_ENDED, TransferReason.TRANSFER_LAPSED)


def test_what_waits_lapses_though_the_node_was_restarted() -> None:
    scene = Scene()
    scene.send("T1", 2_000, confirmed=True)
    scene.world.restart("wei")
    assert scene.balances() == (10_000, 2_000, 0)
    scene.world.tick(DAY_S + 1)
    assert (scene.find("T1").reason, scene.balances()) == (TransferReason.TRANSFER_LAPSED.name, (10_000, 0, 0))


def test_the_last_moment_is_too_late_even_before_the_timer_comes() -> None:
    scene = Scene()
    waiting = scene.send("T1", 2_000, confirmed=True)
    scene.world.clock.advance(seconds=DAY_S)
    with pytest.raises(Refusal) as refused:
        scene.wei.ask(scene.wei.transfers.take(scene.person.id, waiting.id))
    assert refused.value.reason is TransferReason.TRANSFER_LAPSED


@pytest.mark.parametrize(
    ("amount", "more", "reason"),
    [
        (9, {}, TransferReason.TRANSFER_AMOUNT_OUT_OF_LIMITS),
        (5_000_001, {}, TransferReason.TRANSFER_AMOUNT_OUT_OF_LIMITS),
        (20_001, {"confirmed": True}, TransferReason.TRANSFER_AMOUNT_OUT_OF_LIMITS),
        (200_000, {}, TransferReason.TRANSFER_NAME_NEEDED),
        (10_001, {}, TransferReason.TRANSFER_BALANCE_INSUFFICIENT),
    ],
)
def test_a_transfer_out_of_bounds_is_refused_and_nothing_is_written(
    amount: int, more: dict[str, Any], reason: TransferReason
) -> None:
    scene = Scene()
    assert scene.refusal("T1", amount, **more) is reason
    assert scene.wei.transfers.transfers.everything() == []


def test_the_bounds_themselves_are_within() -> None:
    scene = Scene(20_010)
    assert scene.send("T1", 10).state == TransferState.SUCCESS
    assert scene.send("T2", 20_000, confirmed=True).state == TransferState.WAITING


def test_who_is_nobody_here_is_refused_and_who_takes_nothing_or_has_another_name_is_a_failure() -> None:
    scene = Scene()
    nobody = msgspec.structs.replace(scene.draft("T1", 100), user_id=0)
    with pytest.raises(Refusal) as refused:
        scene.wei.ask(scene.wei.transfers.send(scene.caller, nobody))
    assert refused.value.reason is TransferReason.TRANSFER_PAYEE_UNKNOWN
    misnamed = scene.send("T2", 100, name="李四")
    assert (misnamed.state, misnamed.reason) == ("FAILED", TransferReason.TRANSFER_NAME_DIFFERS.name)
    assert scene.send("T3", 100, name=scene.person.name).state == TransferState.SUCCESS
    scene.wei.users[scene.person.id] = msgspec.structs.replace(scene.person, frozen=True)
    assert scene.send("T4", 100).reason == TransferReason.TRANSFER_PAYEE_ABNORMAL.name
    assert scene.balances() == (9_900, 0, 100)


def test_who_was_stopped_meanwhile_takes_nothing() -> None:
    scene = Scene()
    waiting = scene.send("T1", 100, confirmed=True)
    scene.wei.users[scene.person.id] = msgspec.structs.replace(scene.person, frozen=True)
    with pytest.raises(Refusal) as refused:
        scene.wei.ask(scene.wei.transfers.take(scene.person.id, waiting.id))
    assert refused.value.reason is PaymentReason.ACCOUNT_REFUSED
    assert scene.balances() == (10_000, 100, 0)


def test_a_merchant_that_is_closed_sends_nothing() -> None:
    scene = Scene()
    scene.wei.merchants.closed.add(scene.merchant)
    assert scene.refusal("T1", 100) is MerchantReason.MERCHANT_CLOSED


def test_a_day_has_a_limit_which_what_came_back_does_not_count_against() -> None:
    scene = Scene(balance=1_000)
    scene.wei.transfers.limits = msgspec.structs.replace(scene.wei.transfers.limits, daily=500)
    scene.send("T1", 300, confirmed=True)
    assert scene.refusal("T2", 201) is TransferReason.TRANSFER_DAILY_LIMIT_EXCEEDED
    scene.wei.ask(scene.wei.transfers.cancel(scene.caller, "T1"))
    scene.world.restart("wei")
    scene.wei.transfers.limits = msgspec.structs.replace(scene.wei.transfers.limits, daily=500)
    scene.send("T2", 500)
    assert scene.refusal("T3", 10) is TransferReason.TRANSFER_DAILY_LIMIT_EXCEEDED
    scene.world.tick(DAY_S)
    scene.send("T3", 10)


def test_nobody_sees_or_takes_what_is_not_theirs() -> None:
    scene = Scene()
    waiting = scene.send("T1", 100, confirmed=True)
    stranger, other = scene.wei.user(), caller(scene.wei.merchant())
    transfers = scene.wei.transfers
    for errand in (
        transfers.take(stranger.id, waiting.id),
        transfers.decline(stranger.id, waiting.id),
        transfers.of_person(stranger.id, waiting.id),
        transfers.find(other, "T1"),
        transfers.cancel(other, "T1"),
        transfers.find_by_id(other, waiting.id),
    ):
        with pytest.raises(Refusal) as refused:
            scene.wei.ask(errand)
        assert refused.value.reason is TransferReason.TRANSFER_UNKNOWN
    assert scene.wei.ask(transfers.find_by_id(scene.caller, waiting.id)) == waiting


# Batches.


def batch(number: str, *details: TransferDraft, **more: Any) -> BatchDraft:
    told: dict[str, Any] = {
        "total": sum(each.amount for each in details),
        "count": len(details),
        "name": "工资",
        "remark": "十一月",
        "dialect": Dialect.WECHATPAY_V3,
    }
    return BatchDraft(number=number, details=details, **(told | more))


def test_a_batch_is_moved_a_piece_at_a_time_and_ends_once() -> None:
    scene = Scene(balance=100_000)
    people = [scene.wei.user() for _ in range(PIECE + 5)]
    details = [scene.draft(f"D{each}", 100, person) for each, person in enumerate(people)]
    asked = batch("B1", *details, notify_url="https://shop.example/batch")
    taken = scene.wei.ask(scene.wei.batches.accept(scene.caller, asked))
    assert scene.wei.ask(scene.wei.batches.accept(scene.caller, asked)) == taken
    assert taken.state == BatchState.ACCEPTED
    scene.world.tick(1)
    assert sum(scene.wei.balance(person.wallet_account) for person in people) == 100 * PIECE
    scene.world.restart("wei")
    for _ in range(3):
        scene.world.tick(1)
    ended = scene.wei.ask(scene.wei.batches.find(scene.caller, "B1"))
    assert ended.state == BatchState.FINISHED
    assert {scene.wei.balance(person.wallet_account) for person in people} == {100}
    assert [each.state for each in scene.wei.ask(scene.wei.batches.details(ended))] == ["SUCCESS"] * (PIECE + 5)
    assert [each.kind for each in scene.wei.notifications.all.everything()] == ["TRANSFER_BATCH"]


def test_a_detail_that_fails_fails_alone() -> None:
    scene = Scene()
    nobody = msgspec.structs.replace(scene.draft("D2", 200), user_id=0)
    asked = batch("B1", scene.draft("D1", 100), nobody, scene.draft("D3", 300, name="李四"))
    taken = scene.wei.ask(scene.wei.batches.accept(scene.caller, asked))
    for _ in range(3):
        scene.world.tick(1)
    details = scene.wei.ask(scene.wei.batches.details(taken))
    assert [(each.state, each.reason) for each in details] == [
        ("SUCCESS", ""),
        ("FAILED", TransferReason.TRANSFER_PAYEE_UNKNOWN.name),
        ("FAILED", TransferReason.TRANSFER_NAME_DIFFERS.name),
    ]
    assert scene.wei.ask(scene.wei.batches.detail(scene.caller, taken, "D3")) == details[2]
    assert scene.balances() == (9_900, 0, 100)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"total": 301}, TransferReason.BATCH_SUMS_DIFFER),
        ({"count": 3}, TransferReason.BATCH_SUMS_DIFFER),
        ({"details": ()}, TransferReason.BATCH_TOO_BIG),
    ],
)
def test_a_batch_that_is_not_what_it_says_is_refused(change: dict[str, Any], reason: TransferReason) -> None:
    scene = Scene()
    asked = batch("B1", scene.draft("D1", 100), scene.draft("D2", 200))
    with pytest.raises(Refusal) as refused:
        scene.wei.ask(scene.wei.batches.accept(scene.caller, msgspec.structs.replace(asked, **change)))
    assert refused.value.reason is reason
    assert scene.wei.transfers.transfers.everything() == []


def test_a_batch_the_balance_does_not_cover_is_refused_whole_as_is_a_number_twice() -> None:
    scene = Scene()
    for details, reason in (
        ([scene.draft("D1", 6_000), scene.draft("D2", 6_000)], TransferReason.TRANSFER_BALANCE_INSUFFICIENT),
        ([scene.draft("D1", 60), scene.draft("D1", 60)], TransferReason.BATCH_NUMBER_TWICE),
    ):
        with pytest.raises(Refusal) as refused:
            scene.wei.ask(scene.wei.batches.accept(scene.caller, batch("B1", *details)))
        assert refused.value.reason is reason
    scene.wei.ask(scene.wei.batches.accept(scene.caller, batch("B1", scene.draft("D1", 60))))
    with pytest.raises(Refusal) as refused:
        scene.wei.ask(scene.wei.batches.accept(scene.caller, batch("B1", scene.draft("D1", 61))))
    assert refused.value.reason is TransferReason.BATCH_DIFFERS


# Everything, in any order.

ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.integers(10, 700), st.booleans()),
        st.tuples(st.sampled_from(["again", "cancel", "take", "decline"]), st.integers(0, 5)),
        st.tuples(st.just("batch"), st.lists(st.integers(10, 300), min_size=1, max_size=4)),
        st.tuples(st.just("wait"), st.sampled_from([1, DAY_S])),
        st.tuples(st.just("restart")),
    ),
    max_size=14,
)


@settings(max_examples=50)
@given(ACTS)
def test_whatever_happens_each_number_moves_money_once_and_every_fen_is_somewhere(acts: list[tuple[Any, ...]]) -> None:
    scene = Scene(balance=1_500)
    sent: list[TransferDraft] = []
    for number, (act, *how) in enumerate(acts):
        transfers = scene.wei.transfers
        with suppress(Refusal):
            match act:
                case "send":
                    sent.append(scene.draft(f"T{number}", how[0], confirmed=how[1]))
                    scene.wei.ask(transfers.send(scene.caller, sent[-1]))
                case "batch":
                    details = [scene.draft(f"D{each}", amount) for each, amount in enumerate(how[0])]
                    scene.wei.ask(scene.wei.batches.accept(scene.caller, batch(f"B{number}", *details)))
                case "wait":
                    scene.world.tick(how[0])
                case "restart":
                    scene.world.restart("wei")
                case _ if how[0] < len(sent):
                    draft = sent[how[0]]
                    match act:
                        case "again":
                            scene.wei.ask(transfers.send(scene.caller, draft))
                        case "cancel":
                            scene.wei.ask(transfers.cancel(scene.caller, draft.number))
                        case _:
                            known = scene.find(draft.number)
                            scene.wei.ask(getattr(transfers, act)(scene.person.id, known.id))
        check(scene)


def check(scene: Scene) -> None:
    """The rows say what the ledger has."""
    rows = scene.wei.transfers.transfers.everything()
    got = sum(each.amount for each in rows if each.state == TransferState.SUCCESS)
    held = sum(each.amount for each in rows if each.state == TransferState.WAITING)
    assert scene.balances() == (1_500 - got, held, got)
    assert scene.wei.balanced()
